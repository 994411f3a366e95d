//! The weights of an output channel as integers.

use crate::bits::{FRACTION, IMPLICIT, INFINITY_BITS, SIGN, is_zero};
use crate::planes::integers::{Aligned, LOWEST, ONE};
use crate::planes::sums::{DROPPED, Sum};

/// Bits of the sum of the magnitudes of all weights, (X).
const SUM_BITS: u32 = 31;
/// The largest shift that leaves a mantissa of 24 bits below 2^62, (X).
const BIAS_SHIFT: i32 = 38;

/// A filter and a bias.
pub(super) struct Filter<'a> {
    pub weights: &'a mut [u32],
    /// What the integers leave, in units of 2^-31.
    pub remainders: &'a mut [u32],
    /// The sum of the magnitudes of the integers.
    pub sum: u32,
    /// Sums are in units of two to minus this.
    pub scale: i32,
    /// The bias, and half of what the low words of all products may lose.
    pub start: Sum,
}

impl<'a> Filter<'a> {
    pub(super) fn new(taps: usize, memory: &mut &'a mut [u32]) -> Self {
        let mut take = || memory.split_off_mut(..taps).expect("planes: scratch too short");
        let (weights, remainders) = (take(), take());
        Self { weights, remainders, sum: 0, scale: 0, start: [0; 2] }
    }

    /// Makes integers of the weights `w` and of `bias` for a plane of some `scale`; whether that is possible.
    pub(super) fn prepare(&mut self, w: &[f32], bias: u32, scale: i32) -> bool {
        let largest = w.iter().fold(0, |largest: u32, weight| largest.max(weight.to_bits() << 1));
        if largest >= INFINITY_BITS << 1 || largest >> 24 < LOWEST {
            return false;
        }
        // In units of 2^8: one more for what is cut off, and one for what rounding may add.
        let top = (largest >> 24) + 1;
        let magnitude = |weight: &f32| {
            let bits = weight.to_bits();
            (bits << 8 | SIGN).checked_shr(top - (bits << 1 >> 24) + 8).unwrap_or(0) + 2
        };
        let sum: u32 = w.iter().map(magnitude).sum();
        let mut top = top + (32 + 8 - SUM_BITS).saturating_sub(sum.leading_zeros());

        let exponent = (bias << 1 >> 24) as i32;
        let shift = exponent - 150 + ONE - top as i32 + scale;
        if !is_zero(bias) {
            if !(1..=254).contains(&exponent) {
                return false;
            }
            top += (shift - BIAS_SHIFT).max(0) as u32;
        }
        self.scale = ONE - top as i32 + scale;
        let bias = shifted(bias, shift.min(BIAS_SHIFT));
        self.start = [(bias >> 32) as u32, (bias as u32 >> DROPPED) + w.len() as u32 / 2];

        self.sum = 0;
        for ((weight, integer), remainder) in w.iter().zip(&mut *self.weights).zip(&mut *self.remainders) {
            let aligned = Aligned::new(weight.to_bits(), top);
            (*integer, *remainder) = (aligned.integer, aligned.remainder);
            self.sum += (aligned.integer as i32).unsigned_abs();
        }
        true
    }
}

/// The mantissa of a number times 2^`shift`, rounded down.
fn shifted(bits: u32, shift: i32) -> i64 {
    if is_zero(bits) {
        return 0;
    }
    let magnitude = i64::from((bits & FRACTION) | IMPLICIT);
    let signed = if bits & SIGN == 0 { magnitude } else { -magnitude };
    if shift >= 0 { signed << shift } else { signed >> (-shift).min(63) }
}
