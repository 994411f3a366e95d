//! What the inner loops take, and which of them runs.

use core::ops::Range;

use crate::dot::rows::Lines;
use crate::dot::terms::Pairs;
use crate::packed::finish::finish;
#[cfg(not(target_arch = "mips"))]
use crate::packed::format::whole;
use crate::packed::format::{BLOCK, Chunk, MAX_CHUNK, MAX_ROWS, Total};
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
    /// Whether 32 bits hold the sum of these and of the low words: those of vectors of one block.
    pub narrow: bool,
    /// The same for all rows.
    pub constant: i64,
    /// For each row what the remainders of the vector's elements make, with a sign; empty if it has none.
    pub corrections: &'a [u32],
    /// For each row something more, upper half and lower half: the low words of eta where sums are of pairs. May be empty.
    pub lows: &'a [Total],
}

impl<'a> Start<'a> {
    /// For a further span: the totals of the spans before, of a single group.
    #[inline]
    pub(super) fn after(totals: &'a [Total; MAX_ROWS]) -> Self {
        Self { narrow: false, constant: 0, corrections: &[], lows: totals }
    }

    /// The same from row `first` on.
    #[inline]
    pub(super) fn from(&self, first: usize) -> Self {
        let from = |len: usize| first.min(len);
        Self {
            narrow: self.narrow,
            constant: self.constant,
            corrections: &self.corrections[from(self.corrections.len())..],
            lows: &self.lows[from(self.lows.len())..],
        }
    }

    /// Whether there is something for each of so many rows, or nothing.
    #[inline]
    fn covers(&self, rows: usize) -> bool {
        (self.corrections.is_empty() || self.corrections.len() >= rows)
            && (self.lows.is_empty() || self.lows.len() >= rows)
    }

    /// That of one row.
    #[cfg(not(target_arch = "mips"))]
    pub(super) fn total(&self, row: usize) -> i64 {
        let correction = self.corrections.get(row).copied().unwrap_or_default() as i32;
        self.constant + i64::from(correction) + self.lows.get(row).copied().map_or(0, whole)
    }
}

/// Rows of some groups with C vectors, pair by pair.
///
/// The total of each row of each vector is what it begins with and the sum of (x_2j + y_2j+1)(x_2j+1 + y_2j), with the high
/// words of xi and eta taken off, in units of 2^11; low words without their last bits, (H).
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
    pub starts: [Start<'a>; C],
}

impl<const C: usize> Dense<'_, C> {
    /// `room` is overwritten.
    #[inline]
    pub(super) fn run(&self, room: &mut [u32], totals: [&mut [Total]; C]) {
        let (elements, blocks) = (self.x[0].len(), block_count(self.x[0].len()));
        assert!(elements > 0 && elements.is_multiple_of(8), "dense: elements left over");
        assert!(self.x.iter().all(|x| x.len() == elements), "dense: vectors of different lengths");
        assert!(self.xi.iter().all(|xi| xi.len() == blocks), "dense: blocks of different lengths");
        let (all, last) = (self.stride * self.groups, self.stride - self.rows);
        assert!(self.y.len() + last >= elements * all, "dense: rows too short");
        assert!(self.eta.len() + last >= blocks * all, "dense: eta too short");
        assert!(totals.iter().all(|totals| totals.len() + last >= all), "dense: totals do not fit");
        assert!(self.starts.iter().all(|start| start.covers(all - last)), "dense: starts do not fit");
        machine::dense(self, &mut room[..(blocks + 1) * C * self.rows], totals);
    }
}

/// Rows of some groups with the elements of one vector that are not zero.
///
/// The totals of the rows are what they begin with and the sums of products, as in [`Dense`].
pub(super) struct Sparse<'a> {
    pub groups: usize,
    /// Rows of a group.
    pub rows: usize,
    /// Elements, and their positions times [`LIST_UNIT`].
    pub list: &'a [[u32; 2]],
    /// Bytes of the list for each block.
    pub counts: &'a [u32],
    pub y: &'a [u32],
    pub start: Start<'a>,
}

impl Sparse<'_> {
    /// `room` is overwritten.
    #[inline]
    pub(super) fn run(&self, room: &mut [u32], totals: &mut [Total]) {
        assert!(!self.counts.is_empty(), "sparse: no blocks");
        let all = self.rows * self.groups;
        assert!(totals.len() == all, "sparse: totals do not fit");
        assert!(self.start.covers(all), "sparse: start does not fit");
        machine::sparse(self, &mut room[..(self.counts.len() + 1) * self.rows], totals);
    }
}

/// What there is in a vector of floats.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen {
    /// The largest magnitude: bits without the sign, shifted to the left by one.
    pub largest: u32,
    /// Elements that are not zero.
    pub nonzero: u32,
}

/// Elements of a block to be made integers: times 2^(150 + `place`).
pub(super) struct Fill<'a> {
    pub x: &'a [u32],
    pub place: i32,
    /// The position of the first one in lists.
    pub at: u32,
    pub out: &'a mut [u32],
    /// Gets the elements that are exact and not zero, with their positions; empty if there is no such list.
    pub list: &'a mut [[u32; 2]],
    /// Gets the bits of those below the units of the integers, and their positions; `out` does not get them.
    pub inexact: &'a mut [[u32; 2]],
}

/// What [`Fill`] found.
pub(super) struct Filled {
    /// The sum of the squares of the exact elements, see [`square`](super::vector::square).
    pub squares: u32,
    pub listed: usize,
    pub inexact: usize,
}

impl Fill<'_> {
    #[inline]
    pub(super) fn run(self) -> Filled {
        let elements = self.x.len();
        assert!(elements > 0 && self.out.len() == elements, "fill: lengths differ");
        assert!(self.list.is_empty() || self.list.len() >= elements, "fill: list too short");
        assert!(self.inexact.len() >= elements, "fill: no room for inexact elements");
        machine::fill(self)
    }
}

/// Copies the bits of the elements of `x` to where their weights are in a row.
#[inline]
pub(super) fn gather(x: &[f32], pairs: &Pairs, out: &mut [u32]) -> Seen {
    let mut seen = Seen::default();
    pairs.for_each_run(|from, to, count| {
        let (from_step, to_step) = (pairs.x_steps[2], pairs.w_steps[2]);
        let x = &x[from..][..(count - 1) * from_step + 1];
        let out = &mut out[to..][..(count - 1) * to_step + 1];
        machine::gather(count, (x, from_step), (out, to_step), &mut seen);
    });
    seen
}

/// Writes for each row of a chunk the sum of the high words of its products with the elements of `list`.
#[inline]
pub(super) fn correct(list: &[[u32; 2]], chunk: &Chunk, corrections: &mut [u32]) {
    assert!(corrections.len() == chunk.len(), "correct: rows do not fit");
    machine::correct(list, chunk, corrections);
}

/// Rows whose result is not there yet.
#[repr(C)]
pub(super) struct Open {
    count: u32,
    rows: [u8; MAX_CHUNK],
}

impl Open {
    pub(super) const NONE: Self = Self { count: 0, rows: [0; MAX_CHUNK] };

    #[inline]
    pub(super) fn push(&mut self, row: usize) {
        self.rows[self.count as usize] = row as u8;
        self.count += 1;
    }

    /// Takes the last row off.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<usize> {
        self.count = self.count.checked_sub(1)?;
        Some(self.rows[self.count as usize].into())
    }
}

/// What the totals of some rows need to become floats.
pub(super) struct Finish<'a> {
    pub vector: &'a Vector<'a>,
    /// See [`Record`](super::format::Record).
    pub records: &'a [[u32; 2]],
    /// Where the rows' lists begin in `words`.
    pub places: &'a [u32],
    pub words: &'a [u32],
    /// See [`aligned_bias`](super::finish::aligned_bias); none if there is nothing to add.
    pub biases: &'a [[u32; 2]],
    /// Whether every result that is accepted is normal.
    pub normal: bool,
}

impl Finish<'_> {
    /// Writes RN(bias + total) for each row whose total, or its list of remainders, tells it; the others come on the list.
    #[inline]
    pub(super) fn run(&self, totals: &[Total], results: &mut Lines, open: &mut Open) {
        let rows = self.records.len();
        assert!(rows > 0 && rows <= MAX_CHUNK && totals.len() == rows, "finish: rows do not fit");
        assert!(self.places.len() == rows, "finish: places do not fit");
        assert!(self.biases.is_empty() || self.biases.len() == rows, "finish: biases do not fit");
        let last = results.start + (rows - 1) * results.step;
        assert!(last < results.values.len(), "finish: result too short");
        open.count = 0;
        if self.normal {
            machine::finish(self, totals, results, open)
        } else {
            finish(self, totals, results, open)
        }
    }
}
