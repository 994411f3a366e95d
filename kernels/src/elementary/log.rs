//! ln(x) as n ln(2) + ln(m), the second from a table and a polynomial.

use opml_softfloat::wide::high_word as high;

use super::short::{Value, high_signed};
use super::tables::log::LOG;

/// ln(2), times 2^56.
const LN_2: i64 = 0xb1_7217_f7d1_cf79;

/// The bits of ln(x) for a normal x above zero, or nothing where it takes more care.
#[inline(always)]
pub(super) fn short(x: u32) -> Option<u32> {
    rounded(sum(x))
}

/// The same of ln(2x).
#[inline(always)]
pub(super) fn of_twice(x: u32) -> Option<u32> {
    rounded(sum(x) + LN_2)
}

/// ln(x) in units of 2^-56.
#[inline(always)]
fn sum(x: u32) -> i64 {
    let [head, tail, c1, c2, c3, c4] = LOG[(x >> 17) as usize % 64];
    // The place between two numbers of the table, in units of 2^-32, and of 2^-31 for signed products.
    let place = x << 15;
    let half = place >> 1;
    let inner = [c3, c2].into_iter().fold(c4, |sum, c| c.wrapping_add(high_signed(half, sum as i32) as u32));
    let slope = c1.wrapping_add(high_signed(half, inner as i32) as u32);
    // ln(m) in units of 2^-56; the polynomial's part is in units of 2^-38.
    let ln_m = Value { head, tail }.plus::<14>(high(place, slope));
    let n = i64::from((x >> 23) as i32 - 127);
    n * LN_2 + (i64::from(ln_m.head) << 32 | i64::from(ln_m.tail))
}

/// The bits of the float nearest to a number in units of 2^-56, or nothing where it takes more care.
#[inline(always)]
fn rounded(sum: i64) -> Option<u32> {
    let magnitude = sum.unsigned_abs();
    let (upper, lower) = ((magnitude >> 32) as u32, magnitude as u32);
    // Below 2^-4 the error would be too large for the value.
    if upper >> 20 == 0 {
        return None;
    }
    // 1 to 11, since the sum is below 2^63.
    let zeros = upper.leading_zeros();
    let (upper, lower) = (upper << zeros | lower >> (32 - zeros), lower << zeros);
    let rounded = Value { head: upper >> 8, tail: upper << 24 | lower >> 8 }.round::<9>()?;
    let sign = (sum >> 32) as u32 & 1 << 31;
    // The leading bit of the mantissa adds one to the exponent.
    Some(sign | (((133 - zeros) << 23) + rounded))
}
