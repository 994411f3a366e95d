//! Sums and differences of binary32 numbers.
//!
//! Signs first: what is left to do is a sum or a difference of magnitudes, and with the same sign on both numbers their
//! bits compare as magnitudes do, and the sign falls out of the difference of their exponents.

use super::{IMPLICIT, INFINITY, NAN, Parts, SIGN, TOP, is_nan, round};

/// `a` + `b`.
#[inline(always)]
pub fn add(a: u32, b: u32) -> u32 {
    if (a ^ b) & SIGN == 0 { sum(a, b) } else { difference(a, b ^ SIGN) }
}

/// `a` - `b`.
#[inline(always)]
pub fn sub(a: u32, b: u32) -> u32 {
    if (a ^ b) & SIGN == 0 { difference(a, b) } else { sum(a, b ^ SIGN) }
}

/// `a` + `b` for numbers of one sign.
#[inline(always)]
fn sum(a: u32, b: u32) -> u32 {
    if a < b { sum_ordered(b, a) } else { sum_ordered(a, b) }
}

/// `a` - `b` for numbers of one sign.
#[inline(always)]
fn difference(a: u32, b: u32) -> u32 {
    if a < b { difference_ordered(b ^ SIGN, a ^ SIGN) } else { difference_ordered(a, b) }
}

/// `x` + `y` for numbers of one sign, `x` being the larger one.
#[inline(always)]
fn sum_ordered(x: u32, y: u32) -> u32 {
    let distance = (x >> 23) - (y >> 23);
    if !is_short(x, distance) {
        return add_any(x, y);
    }
    // With the half of the last place that rounding adds; `x` alone has zeros there.
    let large = x << 8 | TOP | 0x80;
    let (half_up, carry) = large.overflowing_add((y << 8 | TOP) >> distance);
    let base = x & (SIGN | INFINITY);
    if carry {
        // The last place is one bit further up. No overflow, as neither mantissa exceeds 2^32 - 2^8.
        let half_up = half_up + 0x80;
        to_even_if(half_up & 0x1ff == 0, base + IMPLICIT + (half_up >> 9))
    } else {
        to_even_if(half_up & 0xff == 0, base - IMPLICIT + (half_up >> 8))
    }
}

/// `x` - `y` for numbers of one sign, `x` being the larger one.
#[inline(always)]
fn difference_ordered(x: u32, y: u32) -> u32 {
    let distance = (x >> 23) - (y >> 23);
    if !is_short(x, distance) {
        return add_any(x, y ^ SIGN);
    }
    let difference = (x << 8 | TOP) - ((y << 8 | TOP) >> distance);
    let base = x & (SIGN | INFINITY);
    if difference & TOP != 0 {
        let half_up = difference + 0x80;
        return to_even_if(half_up & 0xff == 0, base - IMPLICIT + (half_up >> 8));
    }
    if difference == 0 {
        return 0;
    }
    // One bit below the top, so that there is room for a carry.
    let zeros = difference.leading_zeros() - 1;
    let half_up = (difference << zeros) + 0x40;
    to_even_if(half_up & 0x7f == 0, base - 2 * IMPLICIT - (zeros << 23) + (half_up >> 7))
}

/// Whether the short ways take numbers with these exponents, (a): the larger number's is 64 to 191, and the other one's at
/// most 8 below it, so that nothing of its 24 bits is shifted out of a word.
#[inline(always)]
fn is_short(x: u32, distance: u32) -> bool {
    (x << 1).wrapping_sub(64 << 24) < 128 << 24 && distance <= 8
}

/// What was rounded by adding a half and cutting off, mended if it was a tie, (b). A choice and no branch: half of the
/// sums of two numbers with the same exponent are ties.
#[inline(always)]
fn to_even_if(tie: bool, rounded: u32) -> u32 {
    if tie { rounded & !1 } else { rounded }
}

/// The sum of any two numbers, `x` being the one with the larger magnitude.
#[cold]
#[inline(never)]
fn add_any(x: u32, y: u32) -> u32 {
    let same_sign = (x ^ y) & SIGN == 0;
    if x & INFINITY == INFINITY {
        let opposite = y & INFINITY == INFINITY && !same_sign;
        return if is_nan(x) || opposite { NAN } else { x };
    }
    if y << 1 == 0 {
        return if x << 1 == 0 { x & y } else { x };
    }
    let (x_parts, y_parts) = (Parts::of(x), Parts::of(y));
    // One bit below the top, so that there is room for a carry.
    let (large, small) = (x_parts.mantissa << 7, y_parts.mantissa << 7);
    let distance = (x_parts.exponent - y_parts.exponent).min(31) as u32;
    let shifted = small >> distance;
    // A lowest bit that is set says that there is more. Of the six above it a difference takes one at most.
    let small = shifted | u32::from(shifted << distance != small);
    let sum = if same_sign { large + small } else { large - small };
    if sum == 0 {
        return 0;
    }
    let zeros = sum.leading_zeros();
    x & SIGN | round(x_parts.exponent + 1 - zeros as i32, sum << zeros)
}
