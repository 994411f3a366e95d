//! x^y, correctly rounded.
//!
//! There are 2^64 pairs, too many to try. What stands in for that is in docs/numerics.md:
//!
//! * `short` has a proven bound of its error, (d);
//! * `exact` finds the powers that are floats or in the middle between two;
//! * `careful` goes so far, (e), that no other power should be nearer to a middle.

mod careful;
mod cube;
mod exact;
mod short;

use core::cmp::Ordering;

use super::{HALF, ONE};
use crate::arithmetic;
use crate::bits::{INFINITY_BITS, NAN_BITS, SIGN, is_nan, is_zero};

const TWO: u32 = 0x4000_0000;
const THREE: u32 = 0x4040_0000;
const MINUS_ONE: u32 = SIGN | ONE;

/// x^y, as IEEE 754-2019 defines pow in 9.2.1: 1 if x is 1 or y is zero, whatever the other is, and if x is -1 and y
/// infinite; NaN for a negative finite x and a finite y that is no integer.
#[inline]
pub fn pow(x: f32, y: f32) -> f32 {
    // The usual exponents have no more than one bit behind the leading one.
    if y.to_bits() << 10 == 0
        && let Some(power) = usual(x, y.to_bits())
    {
        return power;
    }
    let (x, y) = (x.to_bits(), y.to_bits());
    f32::from_bits(short::short(x, y).unwrap_or_else(|| any(x, y)))
}

/// For exponents that take an operation or two.
#[inline(always)]
fn usual(x: f32, y: u32) -> Option<f32> {
    match y {
        TWO => Some(arithmetic::mul(x, x)),
        THREE => Some(f32::from_bits(cube::cube(x.to_bits()))),
        MINUS_ONE => Some(arithmetic::div(1.0, x)),
        // The root of -0 is -0, and that of -infinity NaN: neither is the power.
        HALF if x.to_bits() & SIGN == 0 => Some(super::sqrt(x)),
        _ => None,
    }
}

/// What an exponent is as an integer.
#[derive(Clone, Copy, PartialEq)]
enum Parity {
    /// Infinities too.
    Even,
    Odd,
    Fraction,
}

impl Parity {
    /// Of a `magnitude` that is no NaN.
    fn of(magnitude: u32) -> Self {
        let (exponent, mantissa) = (magnitude >> 23, magnitude | 1 << 23);
        match exponent {
            // The last bit of the mantissa counts 2 or more.
            151.. => Self::Even,
            127..151 if mantissa & ((1 << (150 - exponent)) - 1) != 0 => Self::Fraction,
            127..151 if mantissa >> (150 - exponent) & 1 == 1 => Self::Odd,
            127..151 => Self::Even,
            _ if magnitude == 0 => Self::Even,
            _ => Self::Fraction,
        }
    }
}

/// x^y for all arguments.
#[cold]
#[inline(never)]
fn any(x: u32, y: u32) -> u32 {
    if x == ONE || is_zero(y) {
        return ONE;
    }
    if is_nan(x) || is_nan(y) {
        return NAN_BITS;
    }
    let (magnitude, parity) = (x & !SIGN, Parity::of(y & !SIGN));
    let (falling, negative) = (y & SIGN != 0, x & SIGN != 0);
    let extreme = |large: bool| if large { INFINITY_BITS } else { 0 };
    let result = if y & !SIGN == INFINITY_BITS {
        match magnitude.cmp(&ONE) {
            Ordering::Less => extreme(falling),
            Ordering::Equal => ONE,
            Ordering::Greater => extreme(!falling),
        }
    } else if magnitude == 0 || magnitude == INFINITY_BITS {
        extreme((magnitude == 0) == falling)
    } else if negative && parity == Parity::Fraction {
        return NAN_BITS;
    } else if magnitude == ONE {
        ONE
    } else {
        // A negative x has not been tried the short way.
        short::short(magnitude, y)
            .or_else(|| exact::power(magnitude, y))
            .unwrap_or_else(|| careful::power(magnitude, y))
    };
    result | if negative && parity == Parity::Odd { SIGN } else { 0 }
}
