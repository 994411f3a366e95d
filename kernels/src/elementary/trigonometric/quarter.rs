//! The sine and the tangent of a quarter turn, and which part of which quarter an angle is.

use opml_softfloat::wide::{high_word as high, reciprocal};

use crate::bits::{FRACTION, IMPLICIT};
use crate::elementary::piecewise::{below_one, inside, value};
use crate::elementary::short::Value;
use crate::elementary::tables::{sine::SINE, tangent::TANGENT, two_by_pi::TWO_BY_PI};

/// Where the rows of 2 / pi begin: 2^-12.
pub(super) const FIRST: u32 = 0x3980_0000;

/// An angle less full turns.
struct Angle {
    /// The quarter in the two upper bits.
    quarter: u32,
    /// The place in the quarter, from 0 to 1, in two words.
    place: [u32; 2],
}

impl Angle {
    /// `magnitude` + `turns` x pi / 2.
    #[inline(always)]
    fn of(magnitude: u32, turns: u32) -> Option<Self> {
        // Infinities and NaN have no row.
        let [upper, middle, lower, _] = *TWO_BY_PI.get(((magnitude - FIRST) >> 23) as usize)?;
        let mantissa = magnitude & FRACTION | IMPLICIT;
        // In units of 2^-62 of a quarter turn, word by word: LLVM turns an addition of 64 bits to a product into `maddu`, which
        // the on-chain VM does not execute.
        let product = u64::from(mantissa) * u64::from(middle);
        let (low, carry) = (product as u32).overflowing_add(high(mantissa, lower));
        let turned =
            ((product >> 32) as u32).wrapping_add(mantissa.wrapping_mul(upper)).wrapping_add(carry.into());
        let quarter = turned.wrapping_add(turns << 30);
        Some(Self { quarter, place: [quarter << 2 | low >> 30, low << 2] })
    }

    /// All bits set in the second and the fourth quarter, or none.
    #[inline(always)]
    fn is_even(&self) -> u32 {
        ((self.quarter << 1) as i32 >> 31) as u32
    }
}

/// The bits of the sine of `magnitude` + `turns` x pi / 2, for a magnitude of at least [`FIRST`]; or nothing where it
/// takes more care.
#[inline(always)]
pub(super) fn sine(magnitude: u32, turns: u32) -> Option<u32> {
    let angle = Angle::of(magnitude, turns)?;
    // In the second and fourth quarter the sine falls. The complement stands for the negative.
    let falling = angle.is_even();
    let (piece, place) = below_one(&SINE, angle.place.map(|word| word ^ falling))?;
    Some(inside(piece, place)? | angle.quarter & 1 << 31)
}

/// The same of the tangent of `magnitude`.
#[inline(always)]
pub(super) fn tangent(magnitude: u32) -> Option<u32> {
    let angle = Angle::of(magnitude, 0)?;
    // In the second half of a quarter, counted from the other end, it is the inverse; and again in even quarters, where
    // it is negative.
    let second = (angle.place[0] as i32 >> 31) as u32;
    let (piece, place) = below_one(&TANGENT, angle.place.map(|word| word ^ second))?;
    let (value, exponent) = value(piece, place);
    let result = if second == angle.is_even() {
        value.round::<10>()?.wrapping_add(exponent)
    } else {
        // In last places the error can double. The leading bit of a mantissa adds one to the exponent, here and there.
        let inverse = Value::of_bits(reciprocal(value.bits()));
        inverse.round::<9>()?.wrapping_add((251 << 23) - exponent)
    };
    Some(result | angle.is_even() & 1 << 31)
}
