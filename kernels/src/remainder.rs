//! Remainders of binary32 numbers.

use crate::arithmetic;
use crate::bits::{INFINITY_BITS, NAN, SIGN, binary32, finite_parts, is_nan, is_zero};

/// The remainder a - n b, n being a / b towards zero: C's `fmod`. It is exact and has the sign of `a`, zeros too. NaN if one is
/// NaN, `a` is infinite or `b` zero; `a` if `b` is infinite.
#[inline]
pub fn fmod(a: f32, b: f32) -> f32 {
    let (bits, divisor) = (a.to_bits(), b.to_bits() & !SIGN);
    let (magnitude, sign) = (bits & !SIGN, bits & SIGN);
    if magnitude >= INFINITY_BITS || divisor > INFINITY_BITS || divisor == 0 {
        return NAN;
    }
    if magnitude < divisor { a } else { f32::from_bits(sign | rest(magnitude, divisor)) }
}

/// The remainder of finite numbers above zero, the first not below the second, as bits.
#[inline(never)]
fn rest(dividend: u32, divisor: u32) -> u32 {
    let (dividend, divisor) = (finite_parts(dividend), finite_parts(divisor));
    // Long division, eight binary digits at a time: a rest is below 2^24.
    let by = divisor.mantissa as u32;
    let mut rest = dividend.mantissa as u32 % by;
    let mut digits = dividend.exponent - divisor.exponent;
    while digits != 0 && rest != 0 {
        let step = digits.min(8);
        rest = (rest << step) % by;
        digits -= step;
    }
    if rest == 0 { 0 } else { binary32(rest.into(), divisor.exponent as i32 - 150) }
}

/// The remainder a - n b, n being a / b rounded down, rounded once: Python's `%`. It has the sign of `b`, zeros too. NaN where
/// [`fmod`] is; if `b` is infinite it is `a`, or `b` if `a` has the other sign.
///
/// Only a remainder of the other sign, to which `b` is added, takes a rounding.
#[inline]
pub fn modulo(a: f32, b: f32) -> f32 {
    let rest = fmod(a, b);
    let (bits, sign) = (rest.to_bits(), b.to_bits() & SIGN);
    if is_nan(bits) {
        rest
    } else if is_zero(bits) {
        f32::from_bits(sign)
    } else if (bits ^ sign) & SIGN == 0 {
        rest
    } else {
        arithmetic::add(rest, b)
    }
}
