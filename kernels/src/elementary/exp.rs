//! e^x as 2^n 2^(i/128) 2^(r/128): an exponent, a table and a polynomial.

use opml_softfloat::wide::high_word as high;

use super::short::Value;
use super::tables::exp::EXP;

/// Magnitudes from 2^-24 up to 87.3, whose powers are normal numbers.
const FIRST: u32 = 0x3380_0000;
const LAST: u32 = 0x42ae_999a;

/// log2(e), times 2^63, in words.
const LOG2_E: [u32; 2] = [0xb8aa_3b29, 0x5c17_f0bc];

/// 2^(r/128) - 1 = r (A + r (B + r C)), each product halved 32 times and the whole in units of 2^-39: ln(2) 2^32,
/// ln(2)^2 2^24 and ln(2)^3 / 6 2^18, with what a polynomial of degree 3 needs to be best from 0 to 1.
const COEFFICIENTS: [u32; 3] = [0xb172_17f8, 0x007a_feed, 0x0000_38f4];

/// The bits of e^x, or nothing where it takes more care.
#[inline(always)]
pub(super) fn short(x: u32) -> Option<u32> {
    let (value, exponent) = power(x)?;
    // The leading bit of the mantissa adds one to the exponent.
    Some(value.round::<12>()?.wrapping_add(exponent.wrapping_add(126) << 23))
}

/// e^x as a mantissa within 2^-12 of its last place and an exponent, a signed one; nothing where the power is
/// not a normal number or too near to 1.
#[inline(always)]
pub(super) fn power(x: u32) -> Option<(Value, u32)> {
    let magnitude = x & 0x7fff_ffff;
    if magnitude.wrapping_sub(FIRST) >= LAST - FIRST {
        return None;
    }
    // |x| log2(e) = product / 2^62 x 2^(exponent - 127).
    let mantissa = x << 8 | 1 << 31;
    let product = u64::from(mantissa) * u64::from(LOG2_E[0]) + u64::from(high(mantissa, LOG2_E[1]));
    let (upper, lower) = ((product >> 32) as u32, product as u32);
    // By 1 to 31 places to the right, so that there are 23 + 32 bits behind the point.
    let shift = 134 - (magnitude >> 23);
    // The complement stands for the negative: it is 2^-55 below it.
    let sign = (x as i32 >> 31) as u32;
    let whole = (upper >> shift) ^ sign;
    let part = (upper.wrapping_shl(shift.wrapping_neg()) | lower >> shift) ^ sign;
    Some((two_to(whole >> 16, whole << 16 | part >> 16), (whole as i32 >> 23) as u32))
}

/// 2^(i/128 + r/128), for the lower seven bits of `i` and `r` in units of 2^-32, as a mantissa.
#[inline(always)]
pub(super) fn two_to(i: u32, r: u32) -> Value {
    let [head, tail, factor] = EXP[i as usize % 128];
    let rest = high(r, COEFFICIENTS[0] + high(r, COEFFICIENTS[1] + high(r, COEFFICIENTS[2])));
    // The product is in units of 2^-38 of numbers from 1 to 2, whose last place is 2^-23.
    Value { head, tail }.plus::<15>(high(factor, rest))
}
