//! Functions that rise, by polynomials of degree 5 on sixteen pieces of each binade.

use opml_softfloat::wide::high_word as high;

use super::ONE;
use super::short::{Value, high_signed};
use crate::bits::{FRACTION, IMPLICIT};

/// Where the pieces begin: 2^-12.
pub(super) const FIRST: u32 = 0x3980_0000;

/// Bits of a piece's number, of the exponent and four of the mantissa, are above these.
const PLACE_BITS: u32 = 19;

/// Binades of the pieces for numbers below 1.
const BINADES: u32 = 13;

/// A piece: the value at its start as mantissa and the 32 bits behind it; five coefficients; the exponent.
///
/// With u from 0 to 1 the place in the piece, the value is the start plus u (C1 + u (C2 + ...)) in units of 2^-12
/// of the last place. Ck is the k-th coefficient times 2^(k - 1).
pub(super) type Piece = [u32; 8];

/// The bits of f(`magnitude`), for a magnitude of at least [`FIRST`] and inside the pieces; or nothing where it
/// takes more care.
#[inline(always)]
pub(super) fn short(pieces: &[Piece], magnitude: u32) -> Option<u32> {
    let (piece, place) = of(pieces, magnitude)?;
    inside(piece, place)
}

/// The piece with a magnitude of at least [`FIRST`], and the place in that.
#[inline(always)]
pub(super) fn of(pieces: &[Piece], magnitude: u32) -> Option<(&Piece, u32)> {
    Some((pieces.get(((magnitude - FIRST) >> PLACE_BITS) as usize)?, magnitude << (32 - PLACE_BITS)))
}

/// Of pieces that begin at 2^-[`BINADES`], the one with a number below 1, given in two words, and the place in that.
#[inline(always)]
pub(super) fn below_one(pieces: &[Piece], [upper, lower]: [u32; 2]) -> Option<(&Piece, u32)> {
    // The leading bit goes to the top.
    let zeros = upper.leading_zeros();
    let first = upper.wrapping_shl(zeros) | (lower >> 1).wrapping_shr(31_u32.wrapping_sub(zeros));
    let second = lower.wrapping_shl(zeros);
    // It and the four bits that follow it number the pieces of a binade from 16 on.
    let number = (BINADES - 2).wrapping_sub(zeros).wrapping_mul(16).wrapping_add(first >> 27);
    Some((pieces.get(number as usize)?, first << 5 | second >> 27))
}

/// 1 less a `magnitude` from 1/2 up to 1, in units of 2^-32; nothing for other magnitudes above.
#[inline(always)]
pub(super) fn distance_from_one(magnitude: u32) -> Option<u32> {
    (magnitude < ONE).then_some((magnitude & FRACTION | IMPLICIT).wrapping_neg() << 8)
}

/// The bits of the value at a place in a piece, in units of 2^-32, or nothing where it takes more care.
#[inline(always)]
pub(super) fn inside(piece: &Piece, place: u32) -> Option<u32> {
    let (value, exponent) = value(piece, place);
    Some(value.round::<10>()?.wrapping_add(exponent))
}

/// The same as a mantissa and what it is added to.
#[inline(always)]
pub(super) fn value(piece: &Piece, place: u32) -> (Value, u32) {
    let [head, tail, c1, c2, c3, c4, c5, exponent] = *piece;
    // In units of 2^-31 for signed products.
    let half = place >> 1;
    let inner =
        [c4, c3, c2].into_iter().fold(c5, |sum, c| c.wrapping_add(high_signed(half, sum as i32) as u32));
    let slope = c1.wrapping_add(high_signed(half, inner as i32) as u32);
    let value = Value { head, tail }.plus::<12>(high(place, slope));
    if value.head >> 24 != 0 {
        // The function has passed a power of two inside the piece.
        let halved = Value { head: value.head >> 1, tail: value.head << 31 | value.tail >> 1 };
        return (halved, exponent + (1 << 23));
    }
    (value, exponent)
}
