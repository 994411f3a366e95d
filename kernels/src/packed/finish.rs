//! From the accumulators of a row to a float, if they determine it.

use crate::bits::{FRACTION, IMPLICIT, SIGN, is_zero};
use crate::packed::format::{DROPPED, Row};
use crate::packed::vector::Vector;

/// The sum of column `at` of the high words in `sums`, blocks of `width`, and of its low word behind them; in units
/// of 2^11.
#[inline(always)]
pub(super) fn fold(sums: &[u32], width: usize, at: usize) -> i64 {
    let (blocks, low) = sums.split_at(sums.len() - width);
    // In halves, as two words would need a carry for each block: 2^15 blocks cannot fill the lower one.
    let (mut high_half, mut low_half) = (0i32, 0u32);
    for block in blocks.chunks_exact(width) {
        high_half = high_half.wrapping_add(block[at] as i32 >> 16);
        low_half += block[at] & 0xffff;
    }
    (i64::from(high_half) << 37) + (i64::from(low_half) << 21) + i64::from(low[at])
}

/// RN(bias + sum) for a row, if it can be told from `total`, which is the sum in units of 2^11 but for the
/// remainders of the weights, times two to the scales of vector and row.
#[inline(always)]
pub(super) fn finish(vector: &Vector, row: &Row, total: i64, bias: u32) -> Option<u32> {
    let scale = vector.scale + row.scale;
    let total = with_bias(total, bias, scale)?;
    if row.remainder == 0 {
        return round(total, vector.error, scale);
    }
    // (J): the vector of remainders by the vector of elements, in units of 2^(18 - 8 - 11).
    let bound = u64::from(row.remainder) * u64::from(vector.length);
    let error = vector.error.saturating_add(if bound >> 32 == 0 { bound as u32 / 2 } else { u32::MAX });
    round(total, error, scale).or_else(|| finish_with_remainders(vector, row, total, scale))
}

/// Adds what the list of the row's remainders makes.
#[inline(never)]
fn finish_with_remainders(vector: &Vector, row: &Row, total: i64, scale: i32) -> Option<u32> {
    let list = row.remainders();
    let mut sum = 0i64;
    for entry in list {
        // 2^15 x 2^11 = 2^26 units: shifted by six, the high word has the unit of the total.
        let remainder = i64::from(i32::from(*entry as i16) << 6);
        sum += i64::from(((i64::from(vector.x[*entry as usize >> 16] as i32) * remainder) >> 32) as i32);
    }
    // (K): one for each high word, sixteen for what a remainder on the list lacks, if it is there.
    round(total + sum, vector.error + 18 * row.inexact(), scale)
}

/// `total` and `bias`, in units of 2^(11 - `scale`), wrong by at most one; nothing if that takes too many bits, or
/// the bias is not finite.
#[inline(always)]
fn with_bias(total: i64, bias: u32, scale: i32) -> Option<i64> {
    if is_zero(bias) {
        return Some(total);
    }
    let exponent = (bias << 1 >> 24) as i32;
    let implicit = if exponent == 0 { 0 } else { IMPLICIT };
    let mantissa = (bias & FRACTION) | implicit;
    let shift = exponent.max(1) - 150 + scale - DROPPED as i32;
    // An infinite or NaN bias is too large, too: (L).
    if shift > 36 || exponent == 255 {
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
fn round(total: i64, error: u32, scale: i32) -> Option<u32> {
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
