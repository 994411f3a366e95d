//! Quotients of binary32 numbers.

use super::{IMPLICIT, INFINITY, NAN, Parts, SIGN, exponents_near_one, pack};

/// `a` / `b`.
#[inline(always)]
pub fn div(a: u32, b: u32) -> u32 {
    let Some((a_exponent, b_exponent)) = exponents_near_one(a, b) else {
        return div_any(a, b);
    };
    let (dividend, divisor) = (a & (IMPLICIT - 1) | IMPLICIT, b & (IMPLICIT - 1) | IMPLICIT);
    // Between `divisor` and twice that, so that the quotient has 24 bits.
    let below = u32::from(dividend < divisor);
    let exponent = a_exponent.wrapping_sub(b_exponent).wrapping_add(126).wrapping_sub(below);
    (exponent << 23).wrapping_add(quotient(dividend << below, divisor))
}

/// n x 2^23 / d, rounded, for 2^23 <= d <= n < 2d < 2^25: 16 bits, nine more, and the last one for rounding. (c)
#[inline(always)]
fn quotient(n: u32, d: u32) -> u32 {
    // The divisors are rounded up and quotients down; shifting d before adding shows the compiler that they are not zero.
    let first = (n << 7) / ((d >> 8) + 1);
    let rest = (n << 15).wrapping_sub(first.wrapping_mul(d));
    let second = (rest << 6) / ((d >> 3) + 1);
    let rest = (rest << 9).wrapping_sub(second.wrapping_mul(d));
    // One more if it fits, and one for rounding.
    ((first << 9) + second + 2 - u32::from(rest < d)) >> 1
}

/// The quotient of any two numbers.
#[cold]
#[inline(never)]
fn div_any(a: u32, b: u32) -> u32 {
    let sign = (a ^ b) & SIGN;
    let (a, b) = (a & !SIGN, b & !SIGN);
    if a > INFINITY || b > INFINITY || (a == b && (a == 0 || a == INFINITY)) {
        return NAN;
    }
    if a == INFINITY || b == 0 {
        return sign | INFINITY;
    }
    if a == 0 || b == INFINITY {
        return sign;
    }
    let (a, b) = (Parts::of(a).normal(), Parts::of(b).normal());
    let below = u32::from(a.mantissa < b.mantissa);
    let (mut rest, mut quotient) = (a.mantissa << below, 0);
    // 28 bits of the quotient; a rest makes it odd, so that it is no tie if it should not be.
    for _ in 0..4 {
        rest <<= 7;
        quotient = (quotient << 7) | (rest / b.mantissa);
        rest %= b.mantissa;
    }
    let exponent = a.exponent - b.exponent - below as i32 + 150 - 28;
    sign | pack(exponent, u64::from(quotient | u32::from(rest != 0)))
}
