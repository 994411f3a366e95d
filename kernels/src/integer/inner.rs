//! What the inner loops take, and which of them runs.

use crate::integer::format::{FIELD, Group, MAX_ROWS};
#[cfg(target_arch = "mips")]
use crate::integer::mips as machine;
#[cfg(not(target_arch = "mips"))]
use crate::integer::portable as machine;
use crate::integer::vector::Vector;

/// The sums of the fields of two rows over all blocks, modulo 2^32, (S).
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(super) struct Fields {
    /// Of the words.
    pub whole: [u32; MAX_ROWS / 2],
    /// Of their upper halves.
    pub upper: [u32; MAX_ROWS / 2],
}

impl Fields {
    /// Those of a group's rows; all elements that are on the vector's lists have weights in the group.
    #[inline]
    pub(super) fn new(vector: &Vector, group: &Group) -> Self {
        machine::blocks(vector, group)
    }

    /// The sum of x y of each of two rows; `blocks` is the number of blocks of the vector.
    #[inline(always)]
    pub(super) fn sums(&self, pair: usize, blocks: usize) -> [i32; 2] {
        // Each block began with the largest field in both.
        let begun = FIELD as u32 * blocks as u32;
        let lower = self.whole[pair].wrapping_sub(self.upper[pair] << 16);
        [lower, self.upper[pair]].map(|sum| sum.wrapping_sub(begun) as i32)
    }
}
