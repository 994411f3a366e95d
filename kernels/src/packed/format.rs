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
/// Bits of a block's high word that its upper part lacks, (N).
pub(super) const UPPER: u32 = 12;
/// Blocks whose low words may be added up in 32 bits, (H).
pub(super) const SPAN: usize = 32;
/// Elements that the loops take at a time.
const UNROLLED: usize = 8;
/// Rows of the largest group.
pub(super) const MAX_ROWS: usize = 8;
/// The longest vector: positions in lists have 16 bits.
pub const MAX_K: usize = 1 << 15;

/// The remainder of a row whose sums come from the definition.
pub(super) const NO_BOUND: u32 = u32::MAX;
/// Words of a row.
pub(super) const ROW_WORDS: usize = 4;
/// Words in front of a row's lists.
pub(super) const LIST_HEAD: usize = 2;
/// The row holds something infinite or NaN: its sums come from the definition.
pub(super) const NOT_FINITE: u32 = 1;
/// The row holds -0, and has a bit for each element that is one.
pub(super) const MINUS_ZEROS: u32 = 2;
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
pub(super) struct Record<'a>(&'a [u32; ROW_WORDS]);

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

    /// 2^8 times the length of the vector of remainders, rounded up; 0 if there are none, and [`NO_BOUND`] if a
    /// weight is infinite or NaN.
    #[inline(always)]
    pub(super) fn remainder(self) -> u32 {
        self.0[2]
    }
}

/// What single rows need besides.
#[derive(Clone, Copy)]
pub(super) struct Lists<'a>(&'a [u32]);

/// A group of rows.
#[derive(Clone, Copy)]
pub(super) struct Group<'a> {
    pub first: usize,
    pub rows: usize,
    pub y: &'a [u32],
    pub eta: &'a [u32],
    records: &'a [[u32; ROW_WORDS]],
}

impl<'a> Group<'a> {
    #[inline(always)]
    pub(super) fn records(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        self.records.iter().map(Record)
    }
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

    #[inline]
    pub(super) fn lists(&self, row: usize) -> Lists<'a> {
        let at = self.records()[row][3] as usize;
        Lists(if at == 0 { &[] } else { &self.words[at..] })
    }

    /// Weight `k` of row `row`, to the bit.
    pub(super) fn weight(&self, row: usize, k: usize) -> f32 {
        let group = self.group_of(row);
        let y = group.y[k * group.rows + row - group.first] as i32;
        let lists = self.lists(row);
        if let Ok(at) = lists.odd().binary_search_by_key(&(k as u32), |entry| entry[0]) {
            return f32::from_bits(lists.odd()[at][1]);
        }
        let remainder = lists.remainders().binary_search_by_key(&(k as u32), |entry| entry >> 16);
        let remainder = remainder.map_or(0, |at| lists.remainders()[at] as i16);
        let value = (i64::from(y) << REMAINDER_BITS) + i64::from(remainder);
        if value == 0 {
            return f32::from_bits(if lists.is_minus_zero(k) { SIGN } else { 0 });
        }
        f32::from_bits(binary32(value, -(self.scale(row) + REMAINDER_BITS as i32)))
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
    /// Whether the row has an infinity or a NaN.
    #[inline]
    pub(super) fn is_not_finite(&self) -> bool {
        !self.0.is_empty() && self.0[1] & NOT_FINITE != 0
    }

    /// Weights that the integers do not hold exactly: position in the upper half of a word, remainder in units
    /// of 2^-15 in the lower, signed.
    pub(super) fn remainders(&self) -> &'a [u32] {
        if self.0.is_empty() { &[] } else { &self.0[LIST_HEAD..][..self.0[0] as usize >> 16] }
    }

    /// Weights that integer and remainder do not hold either: position and bits.
    pub(super) fn odd(&self) -> &'a [[u32; 2]] {
        if self.0.is_empty() {
            return &[];
        }
        let count = self.0[0] as usize & 0xffff;
        self.0[LIST_HEAD + self.remainders().len()..][..2 * count].as_chunks().0
    }

    /// Whether weight `k`, which is zero, is -0.
    fn is_minus_zero(&self, k: usize) -> bool {
        if self.0.is_empty() || self.0[1] & MINUS_ZEROS == 0 {
            return false;
        }
        let bits = &self.0[LIST_HEAD + self.remainders().len() + 2 * self.odd().len()..];
        bits[k / 32] >> (k % 32) & 1 != 0
    }
}
