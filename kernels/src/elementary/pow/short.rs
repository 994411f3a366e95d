//! x^y as 2^(y log2(x)), in words; wrong by less than 2^-12 of the last place, (d) in docs/numerics.md.

use opml_softfloat::wide::high_word as high;

use crate::bits::{FRACTION, IMPLICIT, INFINITY_BITS};
use crate::elementary::exp::two_to;
use crate::elementary::tables::log2::{LOG2, SLOPE};

/// Exponents of y, from 2^-20 up to 2^7.
const FIRST: u32 = 107;
const LAST: u32 = 134;

/// The bits of x^y for positive x, or nothing where it takes more care.
#[inline(always)]
pub(super) fn short(x: u32, y: u32) -> Option<u32> {
    let exponent = y << 1 >> 24;
    if x.wrapping_sub(IMPLICIT) >= INFINITY_BITS - IMPLICIT || exponent.wrapping_sub(FIRST) >= LAST - FIRST {
        return None;
    }
    let log = log2(x);
    let falling = (log >> 63) as u32;
    // The complement stands for the negative: it is 2^-56 below it.
    let (upper, lower) = ((log >> 32) as u32 ^ falling, log as u32 ^ falling);
    // |y log2(x)| = product / 2^44 x 2^(exponent - 138).
    let mantissa = y << 8 | 1 << 31;
    let product = u64::from(upper) * u64::from(mantissa) + u64::from(high(lower, mantissa));
    let (upper, lower) = ((product >> 32) as u32, product as u32);
    // By 5 to 31 places to the right, so that there are 12 + 32 bits behind the point.
    let shift = LAST + 4 - exponent;
    let whole = upper >> shift;
    if whole >= 126 << 12 {
        // The power may be subnormal, or infinite.
        return None;
    }
    let sign = (y as i32 >> 31) as u32 ^ falling;
    let (whole, part) = (whole ^ sign, (upper << (32 - shift) | lower >> shift) ^ sign);
    let value = two_to(whole >> 5, whole << 27 | part >> 5);
    // The leading bit of the mantissa adds one to the exponent.
    let exponent = ((whole as i32 >> 12) as u32).wrapping_add(126);
    Some((exponent << 23).wrapping_add(value.round::<12>()?))
}

/// log2(x) for a normal positive x, in units of 2^-56; wrong by less than 2^-45.
#[inline(always)]
fn log2(x: u32) -> i64 {
    let [inverse, upper, lower, _, _] = LOG2[(x >> 15) as usize % 256];
    // The mantissa m and the inverse c with c m = 1 + r: the product is exact, and in units of 2^-34 the 1 is not
    // in the word. t = 2^7 r in units of 2^-32.
    let t = (x & FRACTION | IMPLICIT).wrapping_mul(inverse) << 5;
    let [a1, a0, b, c, d] = SLOPE;
    let bend = high(t, b - high(t, c - high(t, d)));
    let slope = (u64::from(a1) << 32 | u64::from(a0)) - (u64::from(bend) << 10);
    let linear = u64::from(t) * (slope >> 32) + u64::from(high(t, slope as u32));
    let whole = u64::from((x >> 23).wrapping_sub(127)) << 56;
    whole.wrapping_add((u64::from(upper) << 32 | u64::from(lower)) + linear) as i64
}
