//! Powers that are floats, or in the middle between two: the only ones that no precision decides.
//!
//! With x = o 2^k and y = a 2^b, o and a being odd, such a power is a number of 25 bits. If y is an integer, o^y has
//! that many bits only for few y, and for none below zero, unless o is 1. If it is not, x must be the square
//! of a square, and so on, -b times: otherwise the power is irrational.

use opml_softfloat::single;

use crate::bits::{SIGN, finite_parts};

/// `odd` x 2^`exponent`
struct Dyadic {
    odd: u32,
    exponent: i32,
}

impl Dyadic {
    /// A positive finite float.
    fn of(magnitude: u32) -> Self {
        let parts = finite_parts(magnitude);
        let zeros = parts.mantissa.trailing_zeros();
        Self { odd: parts.mantissa as u32 >> zeros, exponent: parts.exponent as i32 - 150 + zeros as i32 }
    }

    /// The root, if it is such a number too.
    fn root(self) -> Option<Self> {
        let root = self.odd.isqrt();
        (self.exponent % 2 == 0 && root * root == self.odd)
            .then_some(Self { odd: root, exponent: self.exponent / 2 })
    }
}

/// The bits of `x`^`y` for positive finite `x` other than 1 and finite `y` other than 0, if that is a number of at most
/// 25 bits; so that if it gives nothing the power is neither a float nor in the middle between two.
pub(super) fn power(x: u32, y: u32) -> Option<u32> {
    let (mut x, y, falling) = (Dyadic::of(x), Dyadic::of(y & !SIGN), y & SIGN != 0);
    // As x is not 1 there is an end to its roots.
    for _ in y.exponent..0 {
        x = x.root()?;
    }
    // Large ones are as good as larger ones.
    let y = i64::from(y.odd) << y.exponent.clamp(0, 20);
    if x.odd == 1 {
        let exponent = i64::from(x.exponent) * if falling { -y } else { y };
        return Some(single::pack(150 + exponent.clamp(-1000, 1000) as i32, 1));
    }
    // 3^16 has 26 bits.
    if falling || y >= 16 {
        return None;
    }
    let power = u64::from(x.odd).checked_pow(y as u32).filter(|&power| power < 1 << 25)?;
    Some(single::pack(150 + x.exponent * y as i32, power))
}
