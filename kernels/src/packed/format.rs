//! Weights as the image holds them: words that [`pack`](super::pack) wrote and [`PackedRows`] reads.
//!
//! ```text
//! word 0          number of words, this one included
//! y               group by group: for each element of the rows, the group's integers
//! eta             group by group: for each block, minus the sums of the high words of eta
//! limits          for each block, the largest sum of squares a vector may have there, (G)
//! rows            four words for each row
//! lists           what single rows need besides
//! ```
//!
//! N rows are N / 8 groups of eight and at most one each of four, two and one row, so none is padded. K is rounded
//! up to a multiple of eight elements.

use crate::bits::{SIGN, binary32};
use crate::packed::inner::block_count;

/// Elements of a block, (G).
pub(super) const BLOCK: usize = 64;
/// Last bits of a low word that are not added up, (H).
pub(super) const DROPPED: u32 = 11;
/// Blocks whose low words may be added up in 32 bits, (H).
pub(super) const SPAN: usize = 32;
/// Elements that the loops take at a time.
const UNROLLED: usize = 8;
/// Rows of the largest group.
pub(super) const MAX_ROWS: usize = 8;
/// The longest vector: positions in lists have 16 bits.
pub const MAX_K: usize = 1 << 15;

/// The remainder of a row that holds something infinite or NaN: its sums come from the definition.
pub(super) const NO_BOUND: u32 = u32::MAX;
/// Words of a row.
pub(super) const ROW_WORDS: usize = 4;
/// Words in front of a row's lists.
pub(super) const LIST_HEAD: usize = 2;
/// Fraction bits of the sum of all remainders of a row, (J).
pub(super) const BOUND_BITS: u32 = 11;
/// Fraction bits of a remainder on the list, (J).
pub(super) const REMAINDER_BITS: u32 = 15;

/// K as the format has it.
pub(super) const fn padded(k: usize) -> usize {
    k.next_multiple_of(UNROLLED)
}

/// Rows of the group that begins at row `first` of `n`.
pub(super) const fn group_rows(first: usize, n: usize) -> usize {
    let left = n - first;
    if left >= MAX_ROWS { MAX_ROWS } else { 1 << left.ilog2() }
}

/// Where the parts of the format begin, in words.
#[derive(Clone, Copy)]
pub(super) struct Places {
    pub eta: usize,
    pub limits: usize,
    pub rows: usize,
    pub lists: usize,
}

impl Places {
    pub(super) const fn new(k: usize, n: usize) -> Self {
        let (elements, blocks) = (padded(k), block_count(padded(k)));
        let eta = 1 + elements * n;
        let limits = eta + blocks * n;
        let rows = limits + blocks;
        Self { eta, limits, rows, lists: rows + ROW_WORDS * n }
    }
}

/// N vectors of K weights, as [`pack`](super::pack) wrote them.
#[derive(Clone, Copy)]
pub struct PackedRows<'a> {
    words: &'a [u32],
    places: Places,
    k: usize,
    n: usize,
}

/// What the words of a row say.
///
/// The first word has the scale in its upper half and the upper 16 bits of the low sum in its lower one, the second the
/// lower 32 bits of it, the third the remainder and the last the place of the lists, or 0.
#[derive(Clone, Copy)]
pub(super) struct Record<'a>(pub &'a [u32; ROW_WORDS]);

impl Record<'_> {
    /// The integers are the weights times two to this.
    #[inline(always)]
    pub(super) fn scale(self) -> i32 {
        self.0[0] as i32 >> 16
    }

    /// Sum of the low words of eta, without their last bits.
    #[inline(always)]
    pub(super) fn low(self) -> i64 {
        i64::from(self.0[0] & 0xffff) << 32 | i64::from(self.0[1])
    }

    /// The sum of the magnitudes of the remainders in units of 2^-11, rounded up; [`NO_BOUND`] if a weight is infinite
    /// or NaN.
    #[inline(always)]
    pub(super) fn remainder(self) -> u32 {
        self.0[2]
    }
}

/// What single rows need besides: a word with the lengths of the first two lists, the length of the third, and the lists.
#[derive(Clone, Copy)]
pub(super) struct Lists<'a>(&'a [u32]);

/// A group of rows.
#[derive(Clone, Copy)]
pub(super) struct Group<'a> {
    pub first: usize,
    pub rows: usize,
    pub y: &'a [u32],
    pub eta: &'a [u32],
    /// See [`Record`].
    pub records: &'a [[u32; ROW_WORDS]],
}

impl<'a> PackedRows<'a> {
    /// `n` rows of `k` weights in `words`.
    ///
    /// # Panics
    /// If `words` has another length than it says or is too short for the shape.
    #[inline]
    pub fn new(words: &'a [u32], k: usize, n: usize) -> Self {
        let places = Places::new(k, n);
        assert!(words.len() >= places.lists, "packed: weights do not fit the shape");
        assert!(words[0] as usize == words.len(), "packed: weights cut short");
        assert!(k <= MAX_K, "packed: rows too long");
        Self { words, places, k, n }
    }

    /// Weights of a row.
    #[inline]
    pub(super) fn k(&self) -> usize {
        self.k
    }

    /// Rows.
    #[inline]
    pub(super) fn n(&self) -> usize {
        self.n
    }

    #[inline]
    pub(super) fn limits(&self) -> &'a [u32] {
        &self.words[self.places.limits..self.places.rows]
    }

    /// The group that begins at row `first`.
    #[inline]
    pub(super) fn group(&self, first: usize) -> Group<'a> {
        let rows = group_rows(first, self.n);
        let (elements, blocks) = (padded(self.k), self.limits().len());
        Group {
            first,
            rows,
            y: &self.words[1 + first * elements..][..rows * elements],
            eta: &self.words[self.places.eta + first * blocks..][..rows * blocks],
            records: &self.records()[first..first + rows],
        }
    }

    #[inline]
    fn records(&self) -> &'a [[u32; ROW_WORDS]] {
        self.words[self.places.rows..self.places.lists].as_chunks().0
    }

    /// The scale of a row.
    #[inline]
    pub(super) fn scale(&self, row: usize) -> i32 {
        Record(&self.records()[row]).scale()
    }

    /// The lists of a row, if it has some.
    #[inline]
    pub(super) fn lists(&self, row: usize) -> Option<Lists<'a>> {
        let at = self.records()[row][3] as usize;
        (at != 0).then(|| Lists(&self.words[at..]))
    }

    /// Whether a row has an infinity or a NaN.
    #[inline]
    pub(super) fn is_not_finite(&self, row: usize) -> bool {
        self.records()[row][2] == NO_BOUND
    }

    /// Writes the bits of the weights of row `row` to `out`.
    pub(super) fn weights(&self, row: usize, out: &mut [u32]) {
        let group = self.group_of(row);
        let unit = -self.scale(row);
        let y = group.y.iter().skip(row - group.first).step_by(group.rows);
        for (out, &y) in out.iter_mut().zip(y) {
            *out = if y == 0 { 0 } else { binary32(i64::from(y as i32), unit) };
        }
        let Some(lists) = self.lists(row) else { return };
        for entry in lists.remainders() {
            let (element, remainder) = (*entry as usize >> 16, i64::from(*entry as i16));
            let y = i64::from(group.y[element * group.rows + row - group.first] as i32);
            out[element] = binary32((y << REMAINDER_BITS) + remainder, unit - REMAINDER_BITS as i32);
        }
        for &[element, bits] in lists.odd() {
            out[element as usize] = bits;
        }
        for (word, bits) in lists.minus_zeros().iter().enumerate() {
            for bit in (0..32).filter(|bit| bits >> bit & 1 != 0) {
                out[32 * word + bit] = SIGN;
            }
        }
    }

    /// The group that `row` is in.
    fn group_of(&self, row: usize) -> Group<'a> {
        let mut group = self.group(row / MAX_ROWS * MAX_ROWS);
        while row >= group.first + group.rows {
            group = self.group(group.first + group.rows);
        }
        group
    }
}

impl<'a> Lists<'a> {
    /// Weights that the integers do not hold exactly: position in the upper half of a word, remainder in units
    /// of 2^-15 in the lower, signed.
    pub(super) fn remainders(&self) -> &'a [u32] {
        &self.0[LIST_HEAD..][..self.0[0] as usize >> 16]
    }

    /// What a sum with the remainders on the list may be wrong by because of the weights, (K).
    pub(super) fn error(&self) -> u32 {
        (self.0[0] >> 16) + 17 * (self.0[0] & 0xffff)
    }

    /// Weights that integer and remainder do not hold either: position and bits.
    fn odd(&self) -> &'a [[u32; 2]] {
        let count = self.0[0] as usize & 0xffff;
        self.0[LIST_HEAD + self.remainders().len()..][..2 * count].as_chunks().0
    }

    /// A bit for each weight that is -0.
    fn minus_zeros(&self) -> &'a [u32] {
        let words = self.0[1] as usize;
        &self.0[LIST_HEAD + self.remainders().len() + 2 * self.odd().len()..][..words]
    }
}
