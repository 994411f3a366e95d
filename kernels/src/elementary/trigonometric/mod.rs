//! The functions of angles, and their inverses.

mod careful;
mod quarter;

use super::careful::Argument;
use super::piecewise::{self, below_one, distance_from_one, inside};
use super::real::Real;
use super::short::{Value, shifted};
use super::tables::{acos::ACOS, asin::ASIN, atan::ATAN};
use super::{HALF, ONE};
use crate::bits::{FRACTION, IMPLICIT, NAN_BITS, SIGN, is_finite, is_nan};
use quarter::FIRST;

/// The float next to pi / 2.
const HALF_PI: u32 = 0x3fc9_0fdb;

/// pi / 2, times 2^62.
const QUARTER: u64 = 0x6487_ed51_10b4_611a;

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
    let result = match x & !SIGN {
        // From 2^27 on, and at infinity, no float is nearer than that next to pi / 2.
        0x4d00_0000.. => HALF_PI,
        magnitude => careful::atan(Argument::new(magnitude).real()).round(),
    };
    result | x & SIGN
}

/// The inverse of the sine, from -pi / 2 to pi / 2; NaN where the magnitude is above 1.
#[inline]
pub fn asin(x: f32) -> f32 {
    let bits = x.to_bits();
    let magnitude = bits & !SIGN;
    if magnitude < piecewise::FIRST {
        // x^3 / 6 is less than a quarter of the last place of x.
        return x;
    }
    let short = if magnitude < HALF {
        piecewise::short(&ASIN, magnitude)
    } else {
        near_one(magnitude).and_then(|acos| rounded(QUARTER - acos))
    };
    f32::from_bits(match short {
        Some(result) => result | bits & SIGN,
        None => asin_careful(bits),
    })
}

#[cold]
#[inline(never)]
fn asin_careful(x: u32) -> u32 {
    let magnitude = x & !SIGN;
    match magnitude {
        0..ONE => careful::asin(Argument::new(magnitude)).round() | x & SIGN,
        ONE => HALF_PI | x & SIGN,
        _ => NAN_BITS,
    }
}

/// The inverse of the cosine, from 0 to pi; NaN where the magnitude is above 1.
#[inline]
pub fn acos(x: f32) -> f32 {
    let bits = x.to_bits();
    let magnitude = bits & !SIGN;
    let short = if magnitude < HALF {
        near_zero(magnitude)
            .and_then(|asin| rounded(if bits == magnitude { QUARTER - asin } else { QUARTER + asin }))
    } else if bits != magnitude {
        near_one(magnitude).and_then(|acos| rounded(2 * QUARTER - acos))
    } else {
        acos_piece(magnitude).and_then(|(piece, place)| inside(piece, place))
    };
    f32::from_bits(short.unwrap_or_else(|| acos_careful(bits)))
}

#[cold]
#[inline(never)]
fn acos_careful(x: u32) -> u32 {
    const MINUS_ONE: u32 = SIGN | ONE;
    let magnitude = x & !SIGN;
    match x {
        _ if magnitude < ONE => careful::acos(Argument::new(magnitude), x != magnitude).round(),
        ONE => 0,
        // The float next to pi.
        MINUS_ONE => 0x4049_0fdb,
        _ => NAN_BITS,
    }
}

/// The piece with the inverse of the cosine of a `magnitude` from 1/2 up to 1.
#[inline(always)]
fn acos_piece(magnitude: u32) -> Option<(&'static piecewise::Piece, u32)> {
    below_one(&ACOS, [distance_from_one(magnitude)?, 0])
}

/// That inverse in units of 2^-62.
#[inline(always)]
fn near_one(magnitude: u32) -> Option<u64> {
    let (piece, place) = acos_piece(magnitude)?;
    Some(fixed(piecewise::value(piece, place)))
}

/// The inverse of the sine of a `magnitude` below 1/2, in units of 2^-62.
#[inline(always)]
fn near_zero(magnitude: u32) -> Option<u64> {
    if magnitude < piecewise::FIRST {
        // x itself; the mantissa of what has no leading bit is moved out.
        let value = Value { head: magnitude & FRACTION | IMPLICIT, tail: 0 };
        return Some(fixed((value, magnitude.wrapping_sub(IMPLICIT) & !FRACTION)));
    }
    let (piece, place) = piecewise::of(&ASIN, magnitude)?;
    Some(fixed(piecewise::value(piece, place)))
}

/// A mantissa and what it is added to, in units of 2^-62.
#[inline(always)]
fn fixed((value, exponent): (Value, u32)) -> u64 {
    // The leading bit of the mantissa adds one to the exponent.
    shifted(value.bits(), 127_u32.wrapping_sub(exponent >> 23))
}

/// The bits of the float nearest to a number from 1/4 up to 4 in units of 2^-62, or nothing where it takes more care.
#[inline(always)]
fn rounded(number: u64) -> Option<u32> {
    let zeros = number.leading_zeros();
    // In last places the error of a piece can have doubled.
    let rounded = Value::of_bits(number << zeros).round::<9>()?;
    Some(((127 - zeros) << 23) + rounded)
}
