//! The weights of an output channel as integers.

use crate::bits::{INFINITY_BITS, SIGN, is_zero, normal_parts};
use crate::planes::integers::{Aligned, LOWEST, ONE};
use crate::planes::plane::Plane;
use crate::planes::sums::{DROPPED, Sum};

/// The largest shift that leaves a mantissa of 24 bits below 2^62, (O).
const BIAS_SHIFT: i32 = 38;
/// Units of 2^23 in 2^63, as an exponent, (O).
const TOTAL_BITS: u32 = 40;

/// A filter and a bias.
pub(super) struct Filter<'a> {
    pub weights: &'a mut [u32],
    /// What the integers leave, in units of 2^-31.
    pub remainders: &'a mut [u32],
    /// The sum of the magnitudes of the integers, in units of 2^8, rounded up.
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

    /// Makes integers of the weights `w` and of `bias` for a plane; whether that is possible.
    pub(super) fn prepare(&mut self, w: &[f32], bias: u32, plane: &Plane) -> bool {
        let largest = w.iter().fold(0, |largest: u32, weight| largest.max(weight.to_bits() << 1));
        let exponent = (bias << 1 >> 24) as i32;
        let fits = is_zero(bias) || (1..=254).contains(&exponent);
        if largest >= INFINITY_BITS << 1 || largest >> 24 < LOWEST || !fits {
            return false;
        }
        let top = (largest >> 24) + 1;
        let shift = exponent - 150 + ONE - top as i32 + plane.scale;
        let excess = excess(w, top, plane.largest, bias, shift);
        let (top, shift) = (top + excess, shift - excess as i32);
        self.scale = ONE - top as i32 + plane.scale;
        let bias = shifted(bias, shift);
        self.start = [(bias >> 32) as u32, (bias as u32 >> DROPPED) + w.len() as u32 / 2];

        self.sum = 0;
        for ((weight, integer), remainder) in w.iter().zip(&mut *self.weights).zip(&mut *self.remainders) {
            let aligned = Aligned::new(weight.to_bits(), top);
            (*integer, *remainder) = (aligned.integer, aligned.remainder);
            self.sum += ((aligned.integer as i32).unsigned_abs() >> 8) + 1;
        }
        true
    }
}

/// How many bits of the weights, aligned to `top`, are too many: their products with the largest element of the plane, and the
/// bias, whose mantissa is to be shifted by `shift`, have to stay below 2^63 together, (O).
fn excess(w: &[f32], top: u32, largest: u32, bias: u32, shift: i32) -> u32 {
    // In units of 2^8: one more for what is cut off, and one for what rounding may add.
    let magnitude = |weight: &f32| {
        let bits = weight.to_bits();
        (bits << 8 | SIGN).checked_shr(top - (bits << 1 >> 24) + 8).unwrap_or(0) + 2
    };
    let sum: u32 = w.iter().map(magnitude).sum();
    // In units of 2^23: one for what is cut off of the products and of the bias each.
    let products = u64::from(sum) * u64::from(largest);
    let of_bias = if is_zero(bias) { 0 } else { (shift - BIAS_SHIFT).max(0) as u32 };
    let bias = shifted(bias & !SIGN, shift - of_bias as i32) as u64 >> 23;
    let total = products.checked_shr(of_bias).unwrap_or(0) + bias + 2;
    of_bias + (64 - TOTAL_BITS).saturating_sub(total.leading_zeros())
}

/// The mantissa of a number times 2^`shift`, rounded down.
fn shifted(bits: u32, shift: i32) -> i64 {
    if is_zero(bits) {
        return 0;
    }
    let mantissa = i64::from(normal_parts(bits).mantissa);
    if shift >= 0 { mantissa << shift } else { mantissa >> (-shift).min(63) }
}
