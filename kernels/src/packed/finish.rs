//! From the total of a row to a float, if it determines one. For MIPS `build/packed/finish.rs` has the usual way in assembly.

use crate::bits::{SIGN, is_zero, normal_parts};
use crate::dot::rows::Lines;
use crate::packed::format::{DROPPED, Lists, Record, Total, whole};
use crate::packed::inner::{Finish, Open};
use crate::packed::vector::Vector;

/// See [`Finish`].
pub(super) fn finish(work: &Finish, totals: &[Total], results: &mut Lines, open: &mut Open) {
    let vector = work.vector;
    for (row, total) in totals.iter().enumerate() {
        let record = Record::new(work.records[row]);
        let bias = work.biases.get(row).copied().unwrap_or_default();
        let scale = vector.scale + record.scale;
        let found = with_bias(whole(*total), bias, vector.scale).and_then(|total| {
            let first = round(total, bound(vector.error, record.remainder * vector.largest), scale);
            first.or_else(|| with_remainders(vector, Lists::new(work.words, work.places[row])?, total, scale))
        });
        match found {
            Some(bits) => results.values[results.start + row * results.step] = f32::from_bits(bits),
            None => open.push(row),
        }
    }
}

/// RN(total) for a row whose total alone does not tell it: adds what the list of its remainders makes, (K).
fn with_remainders(vector: &Vector, lists: Lists, total: i64, scale: i32) -> Option<u32> {
    let remainders = lists.remainders();
    if remainders.len() > MAX_ENTRIES {
        return None;
    }
    let mut sum = 0i32;
    for &[at, remainder] in remainders {
        // 2^21 x 2^11 = 2^32 units: the high word has the unit of the total.
        let product = i64::from(vector.x[at as usize / 4] as i32) * i64::from(remainder as i32);
        sum += (product >> 32) as i32;
    }
    round(total + i64::from(sum), bound(vector.error + lists.error(), 0), scale)
}

/// So many entries of a list of remainders, each of which makes less than 2^18, have a sum of 32 bits.
const MAX_ENTRIES: usize = 1 << 12;

/// A bias as its mantissa with the sign, and what its exponent less the vector's scale is in the units of totals; then
/// [`with_bias`] takes few steps.
#[inline(always)]
pub(super) fn aligned_bias(bits: u32, scale: i32) -> [u32; 2] {
    let exponent = (bits << 1 >> 24) as i32;
    if is_zero(bits) {
        [0, 0]
    } else if (1..=254).contains(&exponent) {
        [normal_parts(bits).mantissa as u32, (exponent - 150 - DROPPED as i32 + scale) as u32]
    } else {
        [1, TOO_LARGE]
    }
}

/// A shift that leaves a row to the definition.
const TOO_LARGE: u32 = 1 << 30;

/// `total` and a bias, wrong by at most one; nothing if that takes too many bits, (L).
#[inline(always)]
pub(super) fn with_bias(total: i64, [mantissa, shift]: [u32; 2], scale: i32) -> Option<i64> {
    let (mantissa, shift) = (i64::from(mantissa as i32), shift as i32 + scale);
    match shift {
        _ if mantissa == 0 => Some(total),
        37.. => None,
        0.. => Some(total + (mantissa << shift)),
        -23.. => Some(total + (mantissa >> -shift)),
        _ => Some(total),
    }
}

/// What a total may be wrong by in units of 2^8, rounded up: `error`, and what remainders of weights make, in units of
/// 2^(18 - 5 - 11) = 4, (J).
#[inline(always)]
pub(super) fn bound(error: u32, remainders: u32) -> u32 {
    (remainders + (error >> 2) + 64) >> 6
}

/// RN of every number within `bound` times 2^8 of `total`, times 2^(11 - `scale`), if they all have the same and it is normal.
#[inline(always)]
pub(super) fn round(total: i64, bound: u32, scale: i32) -> Option<u32> {
    // Of a negative number one less than the magnitude; the bound has one more for it.
    let magnitude = total ^ (total >> 63);
    let (high, low) = ((magnitude >> 32) as u32, magnitude as u32);
    // (M): at most a quarter of the last place, and then 34 bits of the total are there.
    if high < bound << 2 {
        return None;
    }
    // Leading bit to the top; `zeros` is 1 to 29.
    let zeros = high.leading_zeros();
    let head = high << zeros | low >> 1 >> (31 - zeros);
    // The part below the last bit, in units of 2^-32 of it, and the bound in the same units: not within it of a half.
    let tail = head << 24 | low << zeros >> 8;
    let bound = (bound << zeros) + 1;
    if tail.wrapping_sub(SIGN).wrapping_add(bound) <= 2 * bound {
        return None;
    }
    let exponent = 63 - zeros as i32 + DROPPED as i32 - scale + 126;
    // The leading bit adds one to the exponent; 1 to 254 are normal, and a carry out of 254 is infinity.
    if exponent as u32 > 253 {
        return None;
    }
    let bits = ((exponent as u32) << 23) + (((head >> 7) + 1) >> 1);
    Some(bits | (total >> 32) as u32 & SIGN)
}
