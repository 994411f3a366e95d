//! x^3: three multiplications of words, and one rounding.

use opml_softfloat::single;

use crate::bits::{FRACTION, IMPLICIT, SIGN, finite_parts, is_finite, is_nan, is_zero};

/// Exponents of numbers whose cubes are normal: from 2^-41 up to 2^42.
const FIRST: u32 = 86;
const LAST: u32 = 169;

/// The bits of `x`^3.
#[inline(always)]
pub(super) fn cube(x: u32) -> u32 {
    let exponent = x << 1 >> 24;
    if exponent.wrapping_sub(FIRST) >= LAST - FIRST {
        return any(x);
    }
    let (head, below) = product((x & FRACTION | IMPLICIT) << 8);
    // The leading bit is among the upper three.
    let zeros = head.leading_zeros();
    let (head, below) = (head << zeros | (below >> 1) >> (31 - zeros), below << zeros);
    let kept = head >> 8;
    // Bit 0 stands for all that is below the word.
    let rest = head & 0xff | u32::from(below != 0);
    let rounded = kept + u32::from(rest + (kept & 1) > 0x80);
    // x^3 = m^3 2^(3 exponent - 3 127) with m^3 below 8, so that without zeros 127 + 2 is added; but the leading bit adds
    // one to the exponent.
    (((3 * exponent - 2 * 127 + 1 - zeros) << 23) + rounded) | x & SIGN
}

/// The upper two words of `mantissa`^3; if the third is not zero, bit 0 is set.
#[inline(always)]
fn product(mantissa: u32) -> (u32, u32) {
    let square = u64::from(mantissa) * u64::from(mantissa);
    let low = (square & 0xffff_ffff) * u64::from(mantissa);
    let high = (square >> 32) * u64::from(mantissa) + (low >> 32);
    ((high >> 32) as u32, high as u32 | u32::from(low as u32 != 0))
}

#[cold]
#[inline(never)]
fn any(x: u32) -> u32 {
    if is_nan(x) {
        return single::NAN;
    }
    if is_zero(x) || !is_finite(x) {
        return x;
    }
    let parts = finite_parts(x & !SIGN);
    let zeros = parts.mantissa.leading_zeros();
    let (head, below) = product((parts.mantissa as u32) << zeros);
    // The mantissa's cube is in units of 2^-93, of which 32 are cut off.
    let exponent = 3 * (parts.exponent as i32 - 119 - zeros as i32) - 61;
    single::pack(exponent + 150, u64::from(head) << 32 | u64::from(below)) | x & SIGN
}
