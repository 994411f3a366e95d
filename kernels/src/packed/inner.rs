//! What the inner loops take, and which of them runs.

use core::ops::Range;

use crate::packed::format::{BLOCK, Chunk};
#[cfg(target_arch = "mips")]
use crate::packed::mips as machine;
#[cfg(not(target_arch = "mips"))]
use crate::packed::portable as machine;
use crate::packed::vector::Vector;

/// The step of positions in lists: bytes of eight rows of integers.
pub(super) const LIST_UNIT: u32 = 32;

/// Blocks of a number of elements.
pub(super) const fn block_count(elements: usize) -> usize {
    elements.div_ceil(BLOCK)
}

/// The blocks of a number of elements: their ranges.
pub(super) fn blocks(elements: usize) -> impl Iterator<Item = Range<usize>> {
    (0..elements).step_by(BLOCK).map(move |start| start..elements.min(start + BLOCK))
}

/// What the totals of rows begin with, in units of 2^11.
#[derive(Clone, Copy)]
pub(super) struct Start<'a> {
    /// The same for all rows; if the vectors have one block only, 32 bits.
    pub constant: i64,
    /// For each row what the remainders of the vector's elements make.
    pub corrections: &'a [i32],
    /// For each row the low words of eta, or nothing where sums are not of pairs.
    pub lows: &'a [[u32; 2]],
}

impl Start<'_> {
    /// That of a row.
    #[inline(always)]
    pub(super) fn total(&self, row: usize) -> i64 {
        let low = self.lows.get(row).map_or(0, |&[high, low]| (u64::from(high) << 32 | u64::from(low)) as i64);
        self.constant + i64::from(self.corrections[row]) + low
    }
}

/// Rows of some groups with C vectors, pair by pair.
///
/// Makes the total of each row of each vector, from its start if there is one and else from what it was: plus
/// the sum of (x_2j + y_2j+1)(x_2j+1 + y_2j), with the high words of xi and eta taken off, in units of 2^11; low
/// words without their last bits, (H).
pub(super) struct Dense<'a, const C: usize> {
    pub groups: usize,
    /// Rows of a group that are computed.
    pub rows: usize,
    /// Rows of a group: `y`, `eta`, `starts` and totals begin with the first row that is computed.
    pub stride: usize,
    /// Elements of the vectors, whole turns of the loop.
    pub x: [&'a [u32]; C],
    /// Sums of the high words of x_2j x_2j+1, for each block.
    pub xi: [&'a [u32]; C],
    pub y: &'a [u32],
    pub eta: &'a [u32],
    pub starts: Option<[Start<'a>; C]>,
}

impl<const C: usize> Dense<'_, C> {
    /// `room` is overwritten.
    #[inline]
    pub(super) fn run(&self, room: &mut [u32], totals: [&mut [i64]; C]) {
        let (elements, blocks) = (self.x[0].len(), block_count(self.x[0].len()));
        assert!(elements > 0 && elements.is_multiple_of(8), "dense: elements left over");
        assert!(self.x.iter().all(|x| x.len() == elements), "dense: vectors of different lengths");
        assert!(self.xi.iter().all(|xi| xi.len() == blocks), "dense: blocks of different lengths");
        let (all, last) = (self.stride * self.groups, self.stride - self.rows);
        assert!(self.y.len() + last >= elements * all, "dense: rows too short");
        assert!(self.eta.len() + last >= blocks * all, "dense: eta too short");
        assert!(totals.iter().all(|totals| totals.len() + last >= all), "dense: totals do not fit");
        for start in self.starts.iter().flatten() {
            assert!(start.corrections.len() + last >= all && start.lows.len() + last >= all, "dense: starts do not fit");
        }
        machine::dense(self, &mut room[..(blocks + 1) * C * self.rows], totals);
    }
}

/// Rows of some groups with the elements of one vector that are not zero.
///
/// Makes the totals of the rows of sums of products, as [`Dense`] does of its sums.
pub(super) struct Sparse<'a> {
    pub groups: usize,
    /// Rows of a group.
    pub rows: usize,
    /// Elements, and their positions times [`LIST_UNIT`].
    pub list: &'a [[u32; 2]],
    /// Bytes of the list for each block.
    pub counts: &'a [u32],
    pub y: &'a [u32],
    pub start: Option<Start<'a>>,
}

impl Sparse<'_> {
    /// `room` is overwritten.
    #[inline]
    pub(super) fn run(&self, room: &mut [u32], totals: &mut [i64]) {
        assert!(!self.counts.is_empty(), "sparse: no blocks");
        let all = self.rows * self.groups;
        assert!(totals.len() == all, "sparse: totals do not fit");
        assert!(self.start.is_none_or(|start| start.corrections.len() >= all), "sparse: start does not fit");
        machine::sparse(self, &mut room[..(self.counts.len() + 1) * self.rows], totals);
    }
}

/// Writes for each row of a chunk the sum of the high words of its products with the elements of `list`.
#[inline]
pub(super) fn correct(list: &[[u32; 2]], chunk: &Chunk, corrections: &mut [i32]) {
    assert!(corrections.len() == chunk.len(), "correct: rows do not fit");
    machine::correct(list, chunk, corrections);
}

/// Where the results of some rows go.
pub(super) struct Lines<'a> {
    pub values: &'a mut [f32],
    /// That of the first row.
    pub start: usize,
    /// From one to the next.
    pub step: usize,
}

/// Rows whose result is not there yet, a bit for each.
#[derive(Clone, Copy, Default)]
pub(super) struct Open {
    /// The total is complete.
    pub complete: u32,
    /// The bias could not be added.
    pub incomplete: u32,
}

/// What the totals of some rows need to become floats.
pub(super) struct Finish<'a> {
    pub vector: &'a Vector<'a>,
    /// See [`Record`](super::format::Record).
    pub records: &'a [[u32; 2]],
    /// See [`aligned_bias`](super::finish::aligned_bias); none if there is nothing to add.
    pub biases: &'a [[u32; 2]],
    /// Whether every result that is accepted is normal.
    pub normal: bool,
}

impl Finish<'_> {
    /// Writes RN(bias + total) for each row whose total tells it.
    #[inline]
    pub(super) fn run(&self, totals: &mut [i64], results: &mut Lines) -> Open {
        let rows = self.records.len();
        assert!(rows > 0 && rows <= 32 && totals.len() == rows, "finish: rows do not fit");
        assert!(self.biases.is_empty() || self.biases.len() == rows, "finish: biases do not fit");
        let last = results.start + (rows - 1) * results.step;
        assert!(last < results.values.len(), "finish: result too short");
        machine::finish(self, totals, results)
    }
}
