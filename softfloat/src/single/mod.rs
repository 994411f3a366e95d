//! binary32.

mod convert;
mod product;
mod quotient;
mod root;
mod sum;

pub use convert::{compare, from_i32, from_i64, from_u32, from_u64, to_i32, to_i64, to_u32, to_u64};
pub use product::mul;
pub use quotient::div;
pub use root::sqrt;
pub use sum::{add, sub};

/// The one NaN: quiet, positive, no payload.
pub const NAN: u32 = 0x7fc0_0000;

const SIGN: u32 = 0x8000_0000;
const INFINITY: u32 = 0x7f80_0000;
/// The leading bit of a mantissa of 24 bits, and one step of the exponent.
const IMPLICIT: u32 = 0x0080_0000;
/// The leading bit of a mantissa moved to the top of a word.
const TOP: u32 = 0x8000_0000;

/// The exponents less 96, with the signs above them, if both are 96 to 159: then products and quotients are normal
/// numbers, (a). The signs add up to that of a product or quotient.
#[inline(always)]
fn exponents_near_one(a: u32, b: u32) -> Option<(u32, u32)> {
    let (a, b) = ((a >> 23).wrapping_sub(96), (b >> 23).wrapping_sub(96));
    ((a | b) & 0xc0 == 0).then_some((a, b))
}

#[inline(always)]
pub(crate) fn is_nan(bits: u32) -> bool {
    bits << 1 > INFINITY << 1
}

/// A finite number other than zero: `mantissa` x 2^(`exponent` - 150).
struct Parts {
    /// Below 2^24.
    mantissa: u32,
    exponent: i32,
}

impl Parts {
    fn of(bits: u32) -> Self {
        let (fraction, exponent) = (bits & (IMPLICIT - 1), bits << 1 >> 24);
        if exponent == 0 {
            Self { mantissa: fraction, exponent: 1 }
        } else {
            Self { mantissa: fraction | IMPLICIT, exponent: exponent as i32 }
        }
    }

    /// The same number with a mantissa of 24 bits.
    fn normal(self) -> Self {
        let zeros = self.mantissa.leading_zeros() - 8;
        Self { mantissa: self.mantissa << zeros, exponent: self.exponent - zeros as i32 }
    }
}

/// `magnitude` x 2^(`exponent` - 150), rounded; `magnitude` is not zero.
#[inline]
pub fn pack(exponent: i32, magnitude: u64) -> u32 {
    let zeros = magnitude.leading_zeros();
    let normal = magnitude << zeros;
    round(exponent + 40 - zeros as i32, (normal >> 32) as u32 | u32::from(normal as u32 != 0))
}

/// The number with the exponent `biased` whose mantissa, rounded, is the upper 24 bits of `head`. The top bit is set; the
/// lowest is too if there is anything below the word.
#[inline]
fn round(biased: i32, mut head: u32) -> u32 {
    let base = if biased >= 1 {
        (biased.min(255) - 1) as u32
    } else {
        let shift = (1 - biased).min(31) as u32;
        head = head >> shift | u32::from(head << (32 - shift) != 0);
        0
    };
    let truncated = (base << 23) + (head >> 8);
    let rounded = truncated + u32::from((head & 0xff) + (truncated & 1) > 0x80);
    rounded.min(INFINITY)
}
