//! erf(x) near zero as 2 / sqrt(pi) x.

use opml_softfloat::wide::high_word as high;

use super::short::Value;

/// Normal numbers below 2^-18: what is left out, x^2 / 3 of the value, is less than 2^-13 of its last place.
const FIRST: u32 = 0x0080_0000;
const LAST: u32 = 0x3680_0000;

/// 2 / sqrt(pi), times 2^63, in words.
const FACTOR: [u32; 2] = [0x906e_ba82, 0x14db_688d];

/// The bits of erf(`magnitude`), or nothing where it takes more care.
#[inline(always)]
pub(super) fn near_zero(magnitude: u32) -> Option<u32> {
    if magnitude.wrapping_sub(FIRST) >= LAST - FIRST {
        return None;
    }
    let mantissa = magnitude << 8 | 1 << 31;
    let product = u64::from(mantissa) * u64::from(FACTOR[0]) + u64::from(high(mantissa, FACTOR[1]));
    let zeros = u32::from(product >> 63 == 0);
    let product = product << zeros;
    let rounded = Value::of_bits(product).round::<12>()?;
    // The leading bit of the mantissa adds one to the exponent.
    Some((((magnitude >> 23) - zeros) << 23) + rounded)
}
