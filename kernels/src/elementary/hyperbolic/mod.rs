//! The hyperbolic functions besides the tangent, and their inverses.

mod careful;

use opml_softfloat::wide::reciprocal;

use super::careful::Argument;
use super::piecewise::{self, below_one, distance_from_one, inside};
use super::short::{Value, shifted};
use super::tables::{acosh::ACOSH, asinh::ASINH, atanh::ATANH, atanh_near_one::ATANH_NEAR_ONE, sinh::SINH};
use super::{HALF, ONE, exp, log};
use crate::bits::{FRACTION, IMPLICIT, INFINITY_BITS, NAN_BITS, SIGN, is_finite, is_nan};

/// Of 2^16: from there on 1 / (4 x^2), what the inverses of sine and cosine differ by from ln(2x), is less than 2^-13 of their
/// last place.
const LOGARITHMIC: u32 = 0x4780_0000;

/// Of 90: from there on the results are infinite.
const LARGE: u32 = 0x42b4_0000;

/// The hyperbolic sine.
#[inline]
pub fn sinh(x: f32) -> f32 {
    let bits = x.to_bits();
    let magnitude = bits & !SIGN;
    if magnitude < piecewise::FIRST {
        // x^3 / 6 is less than a quarter of the last place of x.
        return x;
    }
    let short = if magnitude < ONE { piecewise::short(&SINH, magnitude) } else { half_difference(magnitude) };
    f32::from_bits(match short {
        Some(result) => result | bits & SIGN,
        None => sinh_careful(bits),
    })
}

#[cold]
#[inline(never)]
fn sinh_careful(x: u32) -> u32 {
    let magnitude = x & !SIGN;
    if is_nan(x) {
        return NAN_BITS;
    }
    let result =
        if magnitude >= LARGE { INFINITY_BITS } else { careful::sinh(Argument::new(magnitude)).round() };
    result | x & SIGN
}

/// The hyperbolic cosine.
#[inline]
pub fn cosh(x: f32) -> f32 {
    let magnitude = x.to_bits() & !SIGN;
    if magnitude < piecewise::FIRST {
        // x^2 / 2 is less than half of the last place above 1.
        return 1.0;
    }
    f32::from_bits(half_sum(magnitude).unwrap_or_else(|| cosh_careful(magnitude)))
}

#[cold]
#[inline(never)]
fn cosh_careful(magnitude: u32) -> u32 {
    if is_nan(magnitude) {
        NAN_BITS
    } else if magnitude >= LARGE {
        INFINITY_BITS
    } else {
        careful::cosh(Argument::new(magnitude)).round()
    }
}

/// e^x and e^-x for the magnitude x, in units of 2^(n - 63), and n.
#[inline(always)]
fn powers(magnitude: u32) -> Option<(u64, u64, u32)> {
    let (value, n) = exp::power(magnitude)?;
    let power = value.bits();
    // The reciprocal is in units of 2^(-64 - n).
    Some((power, shifted(reciprocal(power), 2 * n + 1), n))
}

/// The bits of (e^x - e^-x) / 2 for x from 1 on.
#[inline(always)]
fn half_difference(magnitude: u32) -> Option<u32> {
    let (power, inverse, n) = powers(magnitude)?;
    let difference = power - inverse;
    let zeros = u32::from(difference >> 63 == 0);
    let rounded = Value::of_bits(difference << zeros).round::<10>()?;
    // The leading bit of the mantissa adds one to the exponent.
    Some(((n + 125 - zeros) << 23) + rounded)
}

/// The bits of (e^x + e^-x) / 2.
#[inline(always)]
fn half_sum(magnitude: u32) -> Option<u32> {
    let (power, inverse, n) = powers(magnitude)?;
    let sum = (power >> 1) + (inverse >> 1);
    let zeros = u32::from(sum >> 63 == 0);
    let rounded = Value::of_bits(sum << zeros).round::<10>()?;
    Some(((n + 126 - zeros) << 23) + rounded)
}

/// The inverse of the hyperbolic sine.
#[inline]
pub fn asinh(x: f32) -> f32 {
    let bits = x.to_bits();
    let magnitude = bits & !SIGN;
    if magnitude < piecewise::FIRST {
        // x^3 / 6 is less than a quarter of the last place of x.
        return x;
    }
    let short = match magnitude {
        LOGARITHMIC..INFINITY_BITS => log::of_twice(magnitude),
        _ => piecewise::short(&ASINH, magnitude),
    };
    f32::from_bits(match short {
        Some(result) => result | bits & SIGN,
        None => asinh_careful(bits),
    })
}

#[cold]
#[inline(never)]
fn asinh_careful(x: u32) -> u32 {
    if is_nan(x) {
        NAN_BITS
    } else if !is_finite(x) {
        x
    } else {
        careful::asinh(Argument::new(x & !SIGN)).round() | x & SIGN
    }
}

/// The inverse of the hyperbolic cosine, from 0 on; NaN below 1.
#[inline]
pub fn acosh(x: f32) -> f32 {
    let bits = x.to_bits();
    let exponent = (bits >> 23).wrapping_sub(127);
    // Below 16: a sixteenth of the distance from 1, in units of 2^-32.
    let short = if exponent < 4 {
        let sixteenth = (bits & FRACTION | IMPLICIT) << (5 + exponent);
        below_one(&ACOSH, [sixteenth - (1 << 28), 0]).and_then(|(piece, place)| inside(piece, place))
    } else if (LOGARITHMIC..INFINITY_BITS).contains(&bits) {
        log::of_twice(bits)
    } else {
        None
    };
    f32::from_bits(short.unwrap_or_else(|| acosh_careful(bits)))
}

#[cold]
#[inline(never)]
fn acosh_careful(x: u32) -> u32 {
    if x == ONE {
        0
    } else if x == INFINITY_BITS {
        x
    } else if (ONE..INFINITY_BITS).contains(&x) {
        careful::acosh(Argument::new(x)).round()
    } else {
        NAN_BITS
    }
}

/// The inverse of the hyperbolic tangent; infinite at 1 and -1, NaN beyond.
#[inline]
pub fn atanh(x: f32) -> f32 {
    let bits = x.to_bits();
    let magnitude = bits & !SIGN;
    if magnitude < piecewise::FIRST {
        // x^3 / 3 is less than half of the last place of x.
        return x;
    }
    let short =
        if magnitude < HALF { piecewise::short(&ATANH, magnitude) } else { atanh_near_one(magnitude) };
    f32::from_bits(match short {
        Some(result) => result | bits & SIGN,
        None => atanh_careful(bits),
    })
}

/// The bits of the inverse of the hyperbolic tangent for a magnitude from 1/2 up to 1.
#[inline(always)]
fn atanh_near_one(magnitude: u32) -> Option<u32> {
    let (piece, place) = below_one(&ATANH_NEAR_ONE, [distance_from_one(magnitude)?, 0])?;
    inside(piece, !place)
}

#[cold]
#[inline(never)]
fn atanh_careful(x: u32) -> u32 {
    let magnitude = x & !SIGN;
    match magnitude {
        0..ONE => careful::atanh(Argument::new(magnitude)).round() | x & SIGN,
        ONE => INFINITY_BITS | x & SIGN,
        _ => NAN_BITS,
    }
}
