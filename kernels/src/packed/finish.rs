//! From the total of a row to a float, if it determines one. For MIPS `build/finish.rs` has the usual way in assembly.

use crate::bits::{FRACTION, IMPLICIT, SIGN, is_zero};
use crate::packed::format::{DROPPED, PackedRows};
use crate::packed::vector::Vector;

/// RN(total) for a row whose total alone does not tell it: adds what the list of its remainders makes.
#[inline(never)]
pub(super) fn with_remainders(vector: &Vector, packed: &PackedRows, row: usize, total: i64) -> Option<u32> {
    /// Each addend is below 2^18.
    const RUN: usize = 1 << 12;
    let lists = packed.lists(row).filter(|_| !packed.is_not_finite(row))?;
    let (mut total, x) = (total, &vector.x[..packed.k()]);
    for run in lists.remainders().chunks(RUN) {
        let mut sum = 0i32;
        for &entry in run {
            // 2^15 x 2^11 = 2^26 units: shifted by six, the high word has the unit of the total.
            let remainder = (entry << 16) as i32 >> 10;
            let product = i64::from(x[entry as usize >> 16] as i32) * i64::from(remainder);
            sum = sum.wrapping_add((product >> 32) as i32);
        }
        total += i64::from(sum);
    }
    round(total, vector.error + lists.error(), vector.scale + packed.scale(row))
}

/// `total` and `bias`, in units of 2^(11 - `scale`), wrong by at most one; nothing if that takes too many bits, or
/// the bias is subnormal or not finite, (L).
#[inline(always)]
pub(super) fn with_bias(total: i64, bias: u32, scale: i32) -> Option<i64> {
    if is_zero(bias) {
        return Some(total);
    }
    let exponent = (bias << 1 >> 24) as i32;
    let mantissa = (bias & FRACTION) | IMPLICIT;
    let shift = exponent - 150 + scale - DROPPED as i32;
    if !(1..=254).contains(&exponent) || shift > 36 {
        return None;
    }
    let (high, low) = match shift {
        32.. => (mantissa << (shift & 31), 0),
        0.. => (mantissa >> 1 >> (31 - shift), mantissa << shift),
        -23.. => (0, mantissa >> -shift),
        _ => (0, 0),
    };
    let value = (u64::from(high) << 32 | u64::from(low)) as i64;
    Some(if bias & SIGN == 0 { total + value } else { total - value })
}

/// RN of every number within `error` of `total`, times 2^(11 - `scale`), if they all have the same and it is normal.
#[inline(always)]
pub(super) fn round(total: i64, error: u32, scale: i32) -> Option<u32> {
    let magnitude = total.unsigned_abs();
    let (high, low) = ((magnitude >> 32) as u32, magnitude as u32);
    if high < 2 {
        return None;
    }
    // Leading bit to the top; `zeros` is 0 to 30.
    let zeros = high.leading_zeros();
    let head = high << zeros | low >> 1 >> (31 - zeros);
    let tail = low << zeros;
    // The part below the last bit, in units of 2^-32 of it, from the tie: up from there is up.
    let from_tie = ((head << 24 | tail >> 8) ^ SIGN) as i32;
    // (M): the error in the same units, at most a quarter.
    let error = (error >> 8) + 1;
    if error >> (30 - zeros) != 0 || from_tie.unsigned_abs() <= (error << zeros) + 1 {
        return None;
    }
    let exponent = 63 - zeros as i32 + DROPPED as i32 - scale + 126;
    // The leading bit adds one to the exponent; 1 to 254 are normal, and a carry out of 254 is infinity.
    if exponent as u32 > 253 {
        return None;
    }
    let bits = ((exponent as u32) << 23) + (head >> 8) + u32::from(from_tie >= 0);
    Some(bits | (total >> 32) as u32 & SIGN)
}
