//! What the inner loops take, and which of them runs.

use core::ops::Range;

use crate::dot::rows::Bias;
use crate::packed::format::{BLOCK, ROW_WORDS};
#[cfg(target_arch = "mips")]
use crate::packed::mips as machine;
#[cfg(not(target_arch = "mips"))]
use crate::packed::portable as machine;
use crate::packed::vector::{Kind, Vector};

/// Blocks of a number of elements.
pub(super) const fn block_count(elements: usize) -> usize {
    elements.div_ceil(BLOCK)
}

/// The blocks of a number of elements: their ranges.
pub(super) fn blocks(elements: usize) -> impl Iterator<Item = Range<usize>> {
    (0..elements).step_by(BLOCK).map(move |start| start..elements.min(start + BLOCK))
}

/// Rows of a group with C vectors, pair by pair.
///
/// Adds to the total of each row of each vector the sum of (x_2j + y_2j+1)(x_2j+1 + y_2j), with the high words of xi and
/// eta taken off, in units of 2^11; low words without their last bits, (H).
pub(super) struct Dense<'a, const C: usize> {
    /// Rows that are computed.
    pub rows: usize,
    /// Rows of the group: `y` and `eta` begin with the first row that is computed.
    pub stride: usize,
    /// Elements of the vectors, whole turns of the loop.
    pub x: [&'a [u32]; C],
    /// Sums of the high words of x_2j x_2j+1, for each block.
    pub xi: [&'a [u32]; C],
    pub y: &'a [u32],
    pub eta: &'a [u32],
}

impl<const C: usize> Dense<'_, C> {
    /// `room` is overwritten.
    #[inline]
    pub(super) fn run(&self, room: &mut [u32], totals: [&mut [i64]; C]) {
        let (elements, blocks) = (self.x[0].len(), block_count(self.x[0].len()));
        assert!(elements > 0 && elements.is_multiple_of(8), "dense: elements left over");
        assert!(self.x.iter().all(|x| x.len() == elements), "dense: vectors of different lengths");
        assert!(self.xi.iter().all(|xi| xi.len() == blocks), "dense: blocks of different lengths");
        let last = self.stride - self.rows;
        assert!(self.y.len() + last >= elements * self.stride, "dense: rows too short");
        assert!(self.eta.len() + last >= blocks * self.stride, "dense: eta too short");
        assert!(totals.iter().all(|totals| totals.len() == self.rows), "dense: totals do not fit");
        machine::dense(self, &mut room[..(blocks + 1) * C * self.rows], totals);
    }
}

/// Rows of a group with the elements of one vector that are not zero.
///
/// Adds the sums of products to the totals of the rows, as [`Dense`] does with its sums.
pub(super) struct Sparse<'a> {
    /// Rows of the group.
    pub rows: usize,
    /// Elements, and four times their positions.
    pub list: &'a [[u32; 2]],
    /// Bytes of the list for each block.
    pub counts: &'a [u32],
    pub y: &'a [u32],
}

impl Sparse<'_> {
    /// `room` is overwritten.
    #[inline]
    pub(super) fn run(&self, room: &mut [u32], totals: &mut [i64]) {
        assert!(!self.counts.is_empty(), "sparse: no blocks");
        assert!(totals.len() == self.rows, "sparse: totals do not fit");
        machine::sparse(self, &mut room[..(self.counts.len() + 1) * self.rows], totals);
    }
}

/// The first total of each row: a constant, and the sum of the high words of the products of a row of `y` with the elements of
/// `list`, which holds four times their positions, too.
pub(super) struct Start<'a> {
    pub constant: i64,
    pub list: &'a [[u32; 2]],
    pub y: &'a [u32],
}

impl Start<'_> {
    #[inline]
    pub(super) fn run(&self, totals: &mut [i64]) {
        machine::start(self, totals);
    }
}

/// Where the results of some rows go.
pub(super) struct Lines<'a> {
    pub values: &'a mut [f32],
    /// That of the first row.
    pub start: usize,
    /// From one to the next.
    pub step: usize,
}

/// What the totals of a group's rows need to become floats.
pub(super) struct Finish<'a> {
    pub vector: &'a Vector<'a>,
    pub records: &'a [[u32; ROW_WORDS]],
    /// Begins with the first row.
    pub biases: Option<Bias<'a>>,
}

impl Finish<'_> {
    /// All ones if the low words of eta are to be taken off.
    #[inline]
    pub(super) fn low_mask(&self) -> u32 {
        if self.vector.kind == Kind::Dense { u32::MAX } else { 0 }
    }

    /// Writes RN(bias + total) for each row whose total tells it. In the result there is a bit for each other one: row r has
    /// bit r, and its total is complete, or bit 8 + r if that was not possible.
    #[inline]
    pub(super) fn run(&self, totals: &mut [i64], results: &mut Lines) -> u32 {
        let rows = self.records.len();
        assert!(rows > 0 && totals.len() == rows, "finish: rows do not fit");
        assert!(self.biases.is_none_or(|bias| bias.covers(rows)), "finish: bias too short");
        let last = results.start + (rows - 1) * results.step;
        assert!(last < results.values.len(), "finish: result too short");
        machine::finish(self, totals, results)
    }
}
