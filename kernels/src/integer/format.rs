//! Weights as the image holds them: words that [`pack`](super::pack) wrote and [`PackedBytes`] reads.
//!
//! ```text
//! word 0          the largest sum of magnitudes that a block may have, (Q)
//! rows            two words for each row: the sum of its y, and what a zero point differs from the middle
//! weights         group by group: for every two elements, a word for every two rows of the group
//! ```
//!
//! A weight is a byte u, 0 to 255, and stands for y = u - 128; a row is a column of B. A word has, from its last byte on: row 2r
//! element 2j, row 2r element 2j + 1, row 2r + 1 element 2j, row 2r + 1 element 2j + 1. N rows, rounded up to an even number, are
//! N / 12 groups of twelve and at most three of eight, four and two. K is rounded up to a multiple of eight elements.

/// Elements of the largest block. The format rounds K up to a multiple.
pub(super) const BLOCK: usize = 8;
/// Rows of the largest group.
pub(super) const MAX_ROWS: usize = 12;
/// The weight that is zero.
pub(super) const MIDDLE: i32 = 128;
/// The largest sum of products of a block, positive or negative, (Q).
pub(super) const FIELD: i32 = 32_767;
/// The longest vector: no sum leaves 32 bits with sign, (T).
pub const MAX_K: usize = 1 << 15;

/// Words in front of the rows.
const HEAD: usize = 1;
/// Words of a row.
pub(super) const ROW_WORDS: usize = 2;

/// Elements as the format has them.
pub(super) const fn padded(k: usize) -> usize {
    k.next_multiple_of(BLOCK)
}

/// Rows as the format has them.
pub(super) const fn padded_rows(n: usize) -> usize {
    n.next_multiple_of(2)
}

/// Rows of the group that begins at row `first` of `n`, an even number.
pub(super) const fn group_rows(first: usize, n: usize) -> usize {
    match n - first {
        12.. => MAX_ROWS,
        left => 1 << left.ilog2(),
    }
}

/// N rows of K bytes, as [`pack`](super::pack) wrote them.
#[derive(Clone, Copy)]
pub(super) struct PackedBytes<'a> {
    head: &'a [u32],
    weights: &'a [u32],
    k: usize,
    n: usize,
}

/// A group of rows.
#[derive(Clone, Copy)]
pub(super) struct Group<'a> {
    pub rows: usize,
    pub weights: &'a [u32],
    /// Sum of the y, and 128 less the zero point.
    pub records: &'a [[u32; ROW_WORDS]],
}

impl<'a> PackedBytes<'a> {
    /// `n` rows of `k` bytes in `words`.
    ///
    /// # Panics
    /// If `words` has another length than the shape takes, or `k` exceeds [`MAX_K`].
    #[inline]
    pub(super) fn new(words: &'a [u32], k: usize, n: usize) -> Self {
        assert!(k <= MAX_K, "integer: rows too long");
        let (rows, elements) = (padded_rows(n), padded(k));
        let head = HEAD + ROW_WORDS * rows;
        assert!(words.len() == head + rows * elements / 4, "integer: weights do not fit the shape");
        let (head, weights) = words.split_at(head);
        Self { head, weights, k, n }
    }

    /// Rows.
    #[inline]
    pub(super) fn n(&self) -> usize {
        self.n
    }

    /// The largest sum of magnitudes that a block may have.
    #[inline]
    pub(super) fn limit(&self) -> u32 {
        self.head[0]
    }

    /// The group that begins at row `first`.
    #[inline]
    pub(super) fn group(&self, first: usize) -> Group<'a> {
        let rows = group_rows(first, padded_rows(self.n));
        let elements = padded(self.k);
        Group {
            rows,
            weights: &self.weights[first * elements / 4..][..rows * elements / 4],
            records: &self.head[HEAD..].as_chunks().0[first..first + rows],
        }
    }
}
