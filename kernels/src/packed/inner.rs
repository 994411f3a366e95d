//! What the inner loops take, and which of them runs.

use core::ops::Range;

use crate::packed::format::BLOCK;
#[cfg(target_arch = "mips")]
use crate::packed::mips as machine;
#[cfg(not(target_arch = "mips"))]
use crate::packed::portable as machine;

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
/// For each block there are the high words of the sum of (x_2j + y_2j+1)(x_2j+1 + y_2j), less those of xi and eta. The
/// result has, vector by vector and row by row, the sums of these over the blocks modulo 2^32; then the sums of these
/// without their last twelve bits; and then the sums of the low words without theirs.
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
    /// Words that are written, the last of which are the result.
    #[inline]
    fn words(&self) -> usize {
        (block_count(self.x[0].len()) + 3) * C * self.rows
    }

    #[inline]
    fn check(&self, out: &[u32]) {
        let (elements, blocks) = (self.x[0].len(), block_count(self.x[0].len()));
        assert!(elements > 0 && elements.is_multiple_of(8), "dense: elements left over");
        assert!(self.x.iter().all(|x| x.len() == elements), "dense: vectors of different lengths");
        assert!(self.xi.iter().all(|xi| xi.len() == blocks), "dense: blocks of different lengths");
        let last = self.stride - self.rows;
        assert!(self.y.len() + last >= elements * self.stride, "dense: rows too short");
        assert!(self.eta.len() + last >= blocks * self.stride, "dense: eta too short");
        assert!(out.len() >= self.words(), "dense: result too short");
    }

    /// The result; `room` is overwritten.
    #[inline]
    pub(super) fn run<'r>(&self, room: &'r mut [u32]) -> &'r [u32] {
        self.check(room);
        let words = self.words();
        machine::dense(self, &mut room[..words]);
        &room[words - 3 * C * self.rows..words]
    }
}

/// Rows of a group with the elements of one vector that are not zero.
///
/// The result is as that of [`Dense`], for the sums of the products themselves.
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
    /// The result; `room` is overwritten.
    #[inline]
    pub(super) fn run<'r>(&self, room: &'r mut [u32]) -> &'r [u32] {
        assert!(!self.counts.is_empty(), "sparse: no blocks");
        let words = (self.counts.len() + 3) * self.rows;
        machine::sparse(self, &mut room[..words]);
        &room[words - 3 * self.rows..words]
    }
}

/// For each of `rows` rows of `y`, the sum of the high words of the products with the elements of `list`, which holds
/// four times their positions, too.
#[inline]
pub(super) fn correction(rows: usize, list: &[[u32; 2]], y: &[u32], out: &mut [u32; 8]) {
    machine::correction(rows, list, y, out);
}
