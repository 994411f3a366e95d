//! The sine of a quarter turn, and which part of which quarter an angle is.

use opml_softfloat::wide::high_word as high;

use super::piecewise::{Piece, inside};
use super::tables::{sine::SINE, two_by_pi::TWO_BY_PI};
use crate::bits::{FRACTION, IMPLICIT};

/// Where the rows of 2 / pi begin: 2^-12.
pub(super) const FIRST: u32 = 0x3980_0000;

/// Binades of the quarter turn that have pieces.
const BINADES: u32 = 13;

/// The bits of the sine of `magnitude` + `turns` x pi / 2, for a magnitude of at least [`FIRST`]; or nothing where it
/// takes more care.
#[inline(always)]
pub(super) fn short(magnitude: u32, turns: u32) -> Option<u32> {
    // Infinities and NaN have no row.
    let [upper, middle, lower, _] = *TWO_BY_PI.get(((magnitude - FIRST) >> 23) as usize)?;
    let mantissa = magnitude & FRACTION | IMPLICIT;
    // The angle in units of 2^-62 of a quarter turn, less full turns.
    let angle = (u64::from(mantissa.wrapping_mul(upper)) << 32)
        .wrapping_add(u64::from(mantissa) * u64::from(middle) + u64::from(high(mantissa, lower)));
    let head = ((angle >> 32) as u32).wrapping_add(turns << 30);
    // In the second and fourth quarter the sine falls: bit 30 says so, and the complement stands for the negative.
    let falling = ((head << 1) as i32 >> 31) as u32;
    let (place, below) = ((head << 2 | angle as u32 >> 30) ^ falling, (angle as u32) << 2 ^ falling);
    // The place in the quarter, from 0 to 1, with its leading bit at the top.
    let zeros = place.leading_zeros();
    let first = place.wrapping_shl(zeros) | (below >> 1).wrapping_shr(31_u32.wrapping_sub(zeros));
    let second = below.wrapping_shl(zeros);
    // The leading bit and the four that follow it number the pieces of a binade from 16 on.
    let number = (BINADES - 2).wrapping_sub(zeros).wrapping_mul(16).wrapping_add(first >> 27);
    let piece: &Piece = SINE.get(number as usize)?;
    Some(inside(piece, first << 5 | second >> 27)? | head & 1 << 31)
}
