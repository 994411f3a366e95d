//! The taps of a filter that are not zero, cut into blocks.

use crate::integer::layout::CENTRE;

/// The largest sum of products of a block, positive or negative, (g).
const FIELD: i32 = 32_767;
/// The largest sum of magnitudes that the weights of a block may have.
const LIMIT: u32 = (FIELD / CENTRE) as u32;
/// What the sums of a block begin with: no half is negative at its end.
pub(super) const START: u32 = FIELD as u32 * 0x0001_0001;

/// Words that the blocks of a filter take: two for each block, which may have a single tap and zeros beside it, and two behind them.
pub(super) const fn taps_words(k: usize) -> usize {
    2 + 6 * if k == 0 { 1 } else { k }
}

/// Blocks one behind the other, each of words two by two: the bytes that the taps take and nothing, then where a tap lies and the weight, for
/// an even number of taps. Zeros are behind the last.
pub(super) struct Taps<'a> {
    words: &'a [u32],
    blocks: i32,
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
        let mut slots = words.as_chunks_mut::<2>().0.iter_mut();
        let mut next = || slots.next().expect("integer: scratch too short");
        let (mut head, mut taps, mut left) = (next(), 0, LIMIT);
        let (mut blocks, mut sum) = (1, 0);
        for (&place, level) in places.iter().zip(levels) {
            let weight = level - zero;
            if weight == 0 {
                continue;
            }
            let magnitude = weight.unsigned_abs();
            if magnitude > left {
                // Loops take two taps at a time.
                if taps % 2 == 1 {
                    *next() = [0; 2];
                }
                head[0] = bytes(taps);
                (head, taps, left) = (next(), 0, LIMIT);
                blocks += 1;
            }
            *next() = [place, weight as u32];
            (taps, left, sum) = (taps + 1, left - magnitude, sum + weight);
        }
        // And at least once.
        while taps % 2 == 1 || taps == 0 {
            *next() = [0; 2];
            taps += 1;
        }
        head[0] = bytes(taps);
        *next() = [0; 2];
        Self { words, blocks, sum }
    }

    /// The words of the blocks, and perhaps some behind them.
    #[inline]
    pub(super) fn words(&self) -> &[u32] {
        self.words
    }

    /// What belongs to a sum of (x + `shift`) y, if x y was added up.
    #[inline]
    pub(super) fn correction(&self, shift: i32) -> i32 {
        // Each block began with the largest sum.
        self.sum.wrapping_mul(shift).wrapping_sub(FIELD.wrapping_mul(self.blocks))
    }
}

/// Bytes of a block of so many taps, rounded up to an even number.
const fn bytes(taps: u32) -> u32 {
    8 * taps.next_multiple_of(2)
}
