//! The square root of a binary32 number.

use super::{IMPLICIT, INFINITY, NAN, Parts};

/// The square root; -0 at -0, NaN below zero.
#[inline(always)]
pub fn sqrt(x: u32) -> u32 {
    // Positive and normal.
    if x.wrapping_sub(IMPLICIT) >= INFINITY - IMPLICIT {
        return sqrt_any(x);
    }
    sqrt_normal(x)
}

#[cold]
#[inline(never)]
fn sqrt_any(x: u32) -> u32 {
    if x << 1 == 0 || x == INFINITY {
        return x;
    }
    if x > INFINITY {
        return NAN;
    }
    // A subnormal: normal as 2^24 times itself, with a root that is 2^12 times larger.
    let parts = Parts::of(x).normal();
    let scaled = ((parts.exponent + 24) as u32) << 23 | parts.mantissa & (IMPLICIT - 1);
    sqrt_normal(scaled) - (12 << 23)
}

/// The root of a positive normal number, which is never a tie: a root of 25 bits, the last one 1, has a square
/// of more than 24.
#[inline(always)]
fn sqrt_normal(x: u32) -> u32 {
    let exponent = x >> 23;
    // The mantissa times 2^25, or 2^26 to make the exponent even, has a root s of 25 bits. Its upper 32 bits:
    let upper = (x & (IMPLICIT - 1) | IMPLICIT) << (8 - exponent % 2);
    // The first 16 bits of s by Heron's method, from a line that is within 6 % of the root; a step about squares
    // that. The lowest bit, of no matter here, shows the compiler that nothing is divided by zero.
    let line = (((upper / 3) >> 15) + 22_000) | 1;
    let better = ((line + upper / line) / 2) | 1;
    let mut root = (better + upper / better) / 2;
    if root * root > upper {
        root -= 1;
    }
    // It has 16 bits.
    root |= 1 << 15;
    // Nine more bits by a division, as (s + q / 2^9)^2 is about s^2 + 2 s q / 2^9; too many by at most 1.
    let rest = (upper - root * root) << 8;
    let more = rest / root;
    let too_much = u32::from((rest % root) << 10 < more * more);
    let root = (root << 9) + more - too_much;
    (((exponent + 125) >> 1) << 23) + ((root + 1) >> 1)
}
