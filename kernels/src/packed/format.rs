//! Weights as the image holds them: words that [`pack`](super::pack) wrote and [`PackedRows`] reads.
//!
//! ```text
//! head            number of words, this one included; whether a weight is infinite or NaN; the lowest and the highest scale
//! y               group by group: for each element of the rows, the group's integers
//! eta             group by group: for each block, minus the sums of the high words of eta
//! limits          for each block, the largest sum of squares a vector may have there, (G)
//! lows            for each row, minus the sum of the low words of eta without their last bits, in two words
//! records         for each row, its scale and its remainder
//! places          for each row, where its lists begin, or 0
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
/// Rows of the largest chunk.
pub(super) const MAX_CHUNK: usize = 64;
/// The longest vector: positions in lists have 16 bits.
pub const MAX_K: usize = 1 << 15;
/// The largest scale of a row, so that one of tiny weights does not keep the others from the usual way.
pub(super) const MAX_SCALE: i32 = 112;

/// Words of the head.
pub(super) const HEAD: usize = 4;
/// Words in front of a row's lists.
pub(super) const LIST_HEAD: usize = 2;
/// Fraction bits of the sum of all remainders of a row, (J).
pub(super) const BOUND_BITS: u32 = 5;
/// Fraction bits of a remainder, (J).
pub(super) const REMAINDER_BITS: u32 = 15;
/// Zeros behind them on the list: so the high word of a product with an integer has the unit of totals, (K).
pub(super) const REMAINDER_SHIFT: u32 = 6;

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
    pub lows: usize,
    pub records: usize,
    pub places: usize,
    pub lists: usize,
}

impl Places {
    pub(super) const fn new(k: usize, n: usize) -> Self {
        let (elements, blocks) = (padded(k), block_count(padded(k)));
        let eta = HEAD + elements * n;
        let limits = eta + blocks * n;
        let lows = limits + blocks;
        let records = lows + 2 * n;
        Self { eta, limits, lows, records, places: records + 2 * n, lists: records + 3 * n }
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

/// A number of 64 bits: its upper and its lower half.
pub(super) type Total = [u32; 2];

/// The number.
#[inline(always)]
pub(super) fn whole([high, low]: Total) -> i64 {
    (u64::from(high) << 32 | u64::from(low)) as i64
}

/// Its halves.
#[inline(always)]
pub(super) fn halves(whole: i64) -> Total {
    [(whole >> 32) as u32, whole as u32]
}

/// What a row needs on the way from its total to a float.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Record {
    /// The integers are the weights times two to this.
    pub scale: i32,
    /// The sum of the magnitudes of the remainders in units of 2^-5, rounded up, (J).
    pub remainder: u32,
}

/// What single rows need besides: a word with the lengths of the first two lists, the length of the third, and the lists.
#[derive(Clone, Copy)]
pub(super) struct Lists<'a>(&'a [u32]);

/// Groups of the same number of rows, one behind the other.
#[derive(Clone, Copy)]
pub(super) struct Chunk<'a> {
    pub first: usize,
    /// Rows of a group.
    pub rows: usize,
    pub groups: usize,
    pub y: &'a [u32],
    pub eta: &'a [u32],
    pub lows: &'a [Total],
    /// Scale and remainder, see [`Record`].
    pub records: &'a [[u32; 2]],
}

impl Chunk<'_> {
    /// Rows of all groups.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.rows * self.groups
    }
}

impl<'a> PackedRows<'a> {
    /// `n` rows of `k` weights in `words`.
    ///
    /// # Panics
    /// If there are no rows, or `words` has another length than it says or is too short for the shape.
    #[inline]
    pub fn new(words: &'a [u32], k: usize, n: usize) -> Self {
        assert!(n > 0, "packed: no rows");
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

    /// Whether all weights are finite.
    #[inline]
    pub(super) fn is_finite(&self) -> bool {
        self.words[1] == 0
    }

    /// The lowest and the highest scale of a row.
    #[inline]
    pub(super) fn scales(&self) -> [i32; 2] {
        [self.words[2] as i32, self.words[3] as i32]
    }

    #[inline]
    pub(super) fn limits(&self) -> &'a [u32] {
        &self.words[self.places.limits..self.places.lows]
    }

    /// The rows from `first` on that are computed together.
    #[inline]
    pub(super) fn chunk(&self, first: usize) -> Chunk<'a> {
        let rows = group_rows(first, self.n);
        let (elements, blocks) = (padded(self.k), self.limits().len());
        // Where vectors have several spans, the loops over groups would skip rows.
        let most = if blocks > SPAN { 1 } else { MAX_CHUNK / MAX_ROWS };
        let groups = if rows == MAX_ROWS { ((self.n - first) / MAX_ROWS).min(most) } else { 1 };
        let len = rows * groups;
        Chunk {
            first,
            rows,
            groups,
            y: &self.words[HEAD + first * elements..][..len * elements],
            eta: &self.words[self.places.eta + first * blocks..][..len * blocks],
            lows: &self.pairs(self.places.lows)[first..first + len],
            records: &self.records()[first..first + len],
        }
    }

    /// Two words for each row.
    #[inline]
    fn pairs(&self, place: usize) -> &'a [[u32; 2]] {
        self.words[place..place + 2 * self.n].as_chunks().0
    }

    #[inline]
    fn records(&self) -> &'a [[u32; 2]] {
        self.pairs(self.places.records)
    }

    /// The record of a row.
    #[inline]
    pub(super) fn record(&self, row: usize) -> Record {
        Record::new(self.records()[row])
    }

    /// The lists of a row, if it has some.
    #[inline]
    pub(super) fn lists(&self, row: usize) -> Option<Lists<'a>> {
        let at = self.words[self.places.places + row] as usize;
        (at != 0).then(|| Lists(&self.words[at..]))
    }

    /// Writes the bits of the weights of row `row` to `out`.
    pub(super) fn weights(&self, row: usize, out: &mut [u32]) {
        let (y, stride) = self.row_of(row);
        let unit = -self.record(row).scale;
        for (out, &y) in out.iter_mut().zip(y.iter().step_by(stride)) {
            *out = if y == 0 { 0 } else { binary32(i64::from(y as i32), unit) };
        }
        let Some(lists) = self.lists(row) else { return };
        for &[element, remainder] in lists.remainders() {
            let (element, remainder) = (element as usize, i64::from(remainder as i32 >> REMAINDER_SHIFT));
            let y = i64::from(y[element * stride] as i32);
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

    /// The integers of a row, and their distance.
    fn row_of(&self, row: usize) -> (&'a [u32], usize) {
        let mut first = row / MAX_ROWS * MAX_ROWS;
        while row >= first + group_rows(first, self.n) {
            first += group_rows(first, self.n);
        }
        let rows = group_rows(first, self.n);
        let elements = padded(self.k);
        let group = &self.words[HEAD + first * elements..][..rows * elements];
        (group.get(row - first..).unwrap_or_default(), rows)
    }
}

impl Record {
    #[inline(always)]
    pub(super) fn new([scale, remainder]: [u32; 2]) -> Self {
        Self { scale: scale as i32, remainder }
    }
}

impl<'a> Lists<'a> {
    /// Weights that the integers do not hold exactly: position, and remainder in units of 2^-21, signed.
    #[inline]
    pub(super) fn remainders(&self) -> &'a [[u32; 2]] {
        self.0[LIST_HEAD..][..2 * (self.0[0] as usize >> 16)].as_chunks().0
    }

    /// What a sum with the remainders on the list may be wrong by because of the weights, (K).
    pub(super) fn error(&self) -> u32 {
        (self.0[0] >> 16) + 17 * (self.0[0] & 0xffff)
    }

    /// Weights that integer and remainder do not hold either: position and bits.
    fn odd(&self) -> &'a [[u32; 2]] {
        let count = self.0[0] as usize & 0xffff;
        self.0[LIST_HEAD + 2 * self.remainders().len()..][..2 * count].as_chunks().0
    }

    /// A bit for each weight that is -0.
    fn minus_zeros(&self) -> &'a [u32] {
        let words = self.0[1] as usize;
        &self.0[LIST_HEAD + 2 * self.remainders().len() + 2 * self.odd().len()..][..words]
    }
}
