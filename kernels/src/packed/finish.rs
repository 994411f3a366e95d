//! From the accumulators of a row to a float, if they determine it.

use crate::bits::{FRACTION, IMPLICIT, SIGN, is_zero};
use crate::dot::rows::Bias;
use crate::packed::format::{DROPPED, Group, MAX_ROWS, PackedRows, UPPER};
use crate::packed::vector::{Kind, Vector};

/// The rows of a group on the way to their sums.
#[derive(Clone, Copy, Default)]
pub(super) struct Sums {
    /// In units of 2^11, without what the remainders of vector and rows give.
    pub totals: [i64; MAX_ROWS],
    /// What the remainders of the vector give.
    pub corrections: [u32; MAX_ROWS],
    pub results: [f32; MAX_ROWS],
}

/// Adds what an inner loop left of a span to the sums of rows, in units of 2^11. `sums` holds three words for each row of
/// each vector, kind by kind; those of the vector wanted begin at `first`.
#[inline(always)]
pub(super) fn add_span(sums: &[u32], first: usize, totals: &mut [i64]) {
    let (width, rows) = (sums.len() / 3, totals.len());
    let kind = |kind: usize| &sums[kind * width + first..][..rows];
    let words = kind(0).iter().zip(kind(1)).zip(kind(2));
    for (((&whole, &upper), &low), total) in words.zip(totals) {
        // (N): what the upper parts lack is less than 2^17.
        let lacking = whole.wrapping_sub(upper << UPPER);
        *total += (i64::from(upper as i32) << (21 + UPPER)) + (i64::from(lacking) << 21) + i64::from(low);
    }
}

/// Finds RN(bias + sum) for the rows of a group whose totals tell it; the others are the bits of the result.
#[inline(never)]
pub(super) fn finish(
    vector: &Vector,
    packed: &PackedRows,
    group: &Group,
    bias: Option<Bias>,
    sums: &mut Sums,
) -> u32 {
    let mut open = 0;
    let dense = vector.kind == Kind::Dense;
    let Sums { totals, corrections, results } = sums;
    let rows = group.records().zip(totals).zip(corrections).zip(results);
    for (row, (((record, total), correction), result)) in rows.enumerate() {
        let scale = vector.scale + record.scale();
        let low = if dense { record.low() } else { 0 };
        let total = *total + vector.constant + i64::from(*correction as i32) - low;
        let bias = bias.map_or(0, |bias| bias.at(group.first + row).to_bits());
        // (J): the vector of remainders by the vector of elements, in units of 2^(18 - 8 - 11).
        let bound = u64::from(record.remainder()) * u64::from(vector.length);
        let found = with_bias(total, bias, scale).and_then(|total| {
            let near =
                if bound >> 32 == 0 { round(total, vector.error + bound as u32 / 2, scale) } else { None };
            if near.is_none() && bound != 0 {
                return finish_with_remainders(vector, packed, group.first + row, total);
            }
            near
        });
        match found {
            Some(bits) => *result = f32::from_bits(bits),
            None => open |= 1 << row,
        }
    }
    open
}

/// Adds what the list of a row's remainders makes.
#[inline(never)]
fn finish_with_remainders(vector: &Vector, packed: &PackedRows, row: usize, total: i64) -> Option<u32> {
    /// Each addend is below 2^18.
    const RUN: usize = 1 << 12;
    let lists = packed.lists(row);
    if lists.is_not_finite() {
        return None;
    }
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
    // (K): one for each high word, and sixteen for what remainder and integer leave of an odd weight.
    let error = vector.error + (lists.remainders().len() + 17 * lists.odd().len()) as u32;
    round(total, error, vector.scale + packed.scale(row))
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
