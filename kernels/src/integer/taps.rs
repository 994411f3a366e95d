//! The taps of a filter that are not zero, cut into blocks.

use crate::integer::layout::CENTRE;

/// The largest sum of products of a block, positive or negative, (g).
const FIELD: i32 = 32_767;
/// The largest sum of magnitudes that the weights of a block may have.
const LIMIT: u32 = (FIELD / CENTRE) as u32;
/// What the sums of a block begin with: no half is negative at its end.
pub(super) const START: u32 = FIELD as u32 * 0x0001_0001;
/// Words of a tap: where it lies, and the weight.
const TAP: usize = 2;

/// Words that the blocks of a filter take: one for each block, which may have a single tap and zeros beside it.
pub(super) const fn taps_words(k: usize) -> usize {
    (1 + 2 * TAP) * if k == 0 { 1 } else { k }
}

/// Blocks one behind the other: the bytes that the taps take, and the taps, an even number.
pub(super) struct Taps<'a> {
    words: &'a mut [u32],
    len: usize,
    /// Where the last block begins.
    block: usize,
    blocks: usize,
    /// What the weights of the last block leave of the limit.
    left: u32,
    /// Sum of the weights.
    sum: i32,
}

impl<'a> Taps<'a> {
    /// The weights `levels`, each less `zero`, of taps that lie at `places`.
    #[inline(always)]
    pub(super) fn new(
        places: &[u32],
        levels: impl Iterator<Item = i32>,
        zero: i32,
        words: &'a mut [u32],
    ) -> Self {
        let mut taps = Self { words, len: 1, block: 0, blocks: 0, left: LIMIT, sum: 0 };
        for (&place, level) in places.iter().zip(levels) {
            let weight = level - zero;
            if weight != 0 {
                taps.push(place, weight);
            }
        }
        taps.close();
        taps
    }

    #[inline(always)]
    fn push(&mut self, place: u32, weight: i32) {
        let magnitude = weight.unsigned_abs();
        if magnitude > self.left {
            self.close();
            (self.block, self.len, self.left) = (self.len, self.len + 1, LIMIT);
        }
        self.left -= magnitude;
        self.sum += weight;
        self.words[self.len..][..TAP].copy_from_slice(&[place, weight as u32]);
        self.len += TAP;
    }

    /// Ends the last block. Loops take two taps at a time, and at least that many.
    #[inline(always)]
    fn close(&mut self) {
        let taps = self.len - self.block - 1;
        if !taps.is_multiple_of(2 * TAP) || taps == 0 {
            let missing = 2 * TAP - taps % (2 * TAP);
            self.words[self.len..][..missing].fill(0);
            self.len += missing;
        }
        self.words[self.block] = 4 * (self.len - self.block - 1) as u32;
        self.blocks += 1;
    }

    /// The words of the blocks.
    #[inline]
    pub(super) fn words(&self) -> &[u32] {
        &self.words[..self.len]
    }

    /// What belongs to a sum of (x + `shift`) y, if x y was added up.
    #[inline]
    pub(super) fn correction(&self, shift: i32) -> i32 {
        // Each block began with the largest sum.
        self.sum.wrapping_mul(shift).wrapping_sub(FIELD.wrapping_mul(self.blocks as i32))
    }
}
