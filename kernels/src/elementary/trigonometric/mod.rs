//! The functions of angles, and their inverses.

mod careful;
mod quarter;

use super::careful::Argument;
use super::piecewise;
use super::real::Real;
use super::tables::atan::ATAN;
use crate::bits::{NAN_BITS, SIGN, is_finite, is_nan};
use quarter::FIRST;

/// The bits of a value of which the magnitude and the sign are known, with the other sign if `x` has one.
fn with_sign((value, negative): (Real, bool), x: u32) -> u32 {
    value.round() | (if negative { SIGN } else { 0 } ^ x & SIGN)
}

/// The sine; NaN at infinities.
#[inline]
pub fn sin(x: f32) -> f32 {
    let bits = x.to_bits();
    let magnitude = bits & !SIGN;
    if magnitude < FIRST {
        // x^3 / 6 is less than a quarter of the last place of x.
        return x;
    }
    f32::from_bits(match quarter::sine(magnitude, 0) {
        Some(result) => result ^ bits & SIGN,
        None => sine_careful(bits, 0),
    })
}

/// The cosine; NaN at infinities.
#[inline]
pub fn cos(x: f32) -> f32 {
    let magnitude = x.to_bits() & !SIGN;
    if magnitude < FIRST {
        // x^2 / 2 is less than half of the last place below 1.
        return 1.0;
    }
    f32::from_bits(quarter::sine(magnitude, 1).unwrap_or_else(|| sine_careful(magnitude, 1)))
}

/// The sine of |`x`| + `turns` x pi / 2, or that with the other sign for a negative `x`.
#[cold]
#[inline(never)]
fn sine_careful(x: u32, turns: u32) -> u32 {
    if is_finite(x) { with_sign(careful::sine(Argument::new(x & !SIGN), turns), x) } else { NAN_BITS }
}

/// The tangent; NaN at infinities.
#[inline]
pub fn tan(x: f32) -> f32 {
    let bits = x.to_bits();
    let magnitude = bits & !SIGN;
    if magnitude < FIRST {
        // x^3 / 3 is less than half of the last place of x.
        return x;
    }
    f32::from_bits(match quarter::tangent(magnitude) {
        Some(result) => result ^ bits & SIGN,
        None => tan_careful(bits),
    })
}

#[cold]
#[inline(never)]
fn tan_careful(x: u32) -> u32 {
    if is_finite(x) { with_sign(careful::tangent(Argument::new(x & !SIGN)), x) } else { NAN_BITS }
}

/// The inverse of the tangent, from -pi / 2 to pi / 2.
#[inline]
pub fn atan(x: f32) -> f32 {
    let bits = x.to_bits();
    let magnitude = bits & !SIGN;
    if magnitude < piecewise::FIRST {
        // x^3 / 3 is less than half of the last place of x.
        return x;
    }
    f32::from_bits(match piecewise::short(&ATAN, magnitude) {
        Some(result) => result | bits & SIGN,
        None => atan_careful(bits),
    })
}

#[cold]
#[inline(never)]
fn atan_careful(x: u32) -> u32 {
    if is_nan(x) {
        return NAN_BITS;
    }
    // From 2^27 on, and at infinities, the result is nearer to pi / 2 than can be seen.
    let magnitude = (x & !SIGN).min(0x4d00_0000);
    careful::atan(Argument::new(magnitude).real()).round() | x & SIGN
}
