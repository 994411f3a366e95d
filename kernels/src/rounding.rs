//! Binary32 numbers rounded to integers. All keep zeros, infinities and the sign; NaN becomes [`NAN`](crate::bits::NAN).

use crate::bits::{SIGN, canonical};

/// The biased exponents of 1/2, of 1, and of 2^23, from where on there are only integers.
const HALF: u32 = 126;
const ONE: u32 = 127;
const INTEGERS: u32 = 150;

/// The largest integer that is not above `x`.
#[inline]
pub fn floor(x: f32) -> f32 {
    away_if(x, x.to_bits() & SIGN != 0)
}

/// The least integer that is not below `x`.
#[inline]
pub fn ceil(x: f32) -> f32 {
    away_if(x, x.to_bits() & SIGN == 0)
}

/// The integer next to `x` towards zero or, if `away`, from zero.
#[inline(always)]
fn away_if(x: f32, away: bool) -> f32 {
    let bits = x.to_bits();
    let (exponent, sign) = (bits << 1 >> 24, bits & SIGN);
    if exponent >= INTEGERS {
        return canonical(x);
    }
    if exponent < ONE {
        let one = away && bits << 1 != 0;
        return f32::from_bits(sign | if one { 1f32.to_bits() } else { 0 });
    }
    // A carry out of the mantissa moves into the exponent, as it should.
    let fraction = (1 << (INTEGERS - exponent)) - 1;
    let bits = if away { bits + fraction } else { bits };
    f32::from_bits(bits & !fraction)
}

/// The integer nearest to `x`, of two the even one.
#[inline]
pub fn round(x: f32) -> f32 {
    let bits = x.to_bits();
    let (exponent, sign) = (bits << 1 >> 24, bits & SIGN);
    if exponent >= INTEGERS {
        return canonical(x);
    }
    if exponent < ONE {
        let one = exponent == HALF && bits << 9 != 0;
        return f32::from_bits(sign | if one { 1f32.to_bits() } else { 0 });
    }
    let places = INTEGERS - exponent;
    let fraction = (1 << places) - 1;
    // Just below one half, and the rest of it if the integer is odd. At 1 its last bit is the implicit one, and the
    // exponent's, which has the same place, is odd too.
    let odd = bits >> places & 1;
    f32::from_bits((bits + (fraction >> 1) + odd) & !fraction)
}
