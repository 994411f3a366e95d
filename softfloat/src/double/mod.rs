//! binary64. The kernels have no use for it, guests written by hand may.

mod convert;

use crate::wide::{high, reciprocal};

pub use convert::{
    compare, from_i32, from_i64, from_single, from_u32, from_u64, to_i32, to_i64, to_single, to_u32, to_u64,
};

/// The one NaN: quiet, positive, no payload.
pub const NAN: u64 = 0x7ff8_0000_0000_0000;

const SIGN: u64 = 1 << 63;
const INFINITY: u64 = 0x7ff0_0000_0000_0000;
/// The leading bit of a mantissa of 53 bits, and one step of the exponent.
const IMPLICIT: u64 = 1 << 52;

/// `a` + `b`.
#[inline]
pub fn add(a: u64, b: u64) -> u64 {
    let (x, y) = if a << 1 < b << 1 { (b, a) } else { (a, b) };
    let same_sign = (x ^ y) & SIGN == 0;
    if x & INFINITY == INFINITY {
        let opposite = y & INFINITY == INFINITY && !same_sign;
        return if is_nan(x) || opposite { NAN } else { x };
    }
    if y << 1 == 0 {
        return if x << 1 == 0 { x & y } else { x };
    }
    let (x_parts, y_parts) = (Parts::of(x), Parts::of(y));
    // One bit below the top, so that there is room for a carry.
    let (large, small) = (x_parts.mantissa << 10, y_parts.mantissa << 10);
    let distance = (x_parts.exponent - y_parts.exponent) as u32;
    // A lowest bit that is set says that there is more.
    let small = match distance {
        0 => small,
        1..64 => small >> distance | u64::from(small << (64 - distance) != 0),
        _ => 1,
    };
    let sum = if same_sign { large + small } else { large - small };
    if sum == 0 { 0 } else { x & SIGN | pack(x_parts.exponent - 10, sum) }
}

/// `a` - `b`.
#[inline]
pub fn sub(a: u64, b: u64) -> u64 {
    add(a, b ^ SIGN)
}

/// `a` x `b`.
#[inline]
pub fn mul(a: u64, b: u64) -> u64 {
    let sign = (a ^ b) & SIGN;
    let (a, b) = (a & !SIGN, b & !SIGN);
    if a >= INFINITY || b >= INFINITY {
        return if a > INFINITY || b > INFINITY || a == 0 || b == 0 { NAN } else { sign | INFINITY };
    }
    if a == 0 || b == 0 {
        return sign;
    }
    let (a, b) = (Parts::of(a).normal(), Parts::of(b).normal());
    let (x, y) = (a.mantissa << 11, b.mantissa << 11);
    let below = u64::from(x.wrapping_mul(y) != 0);
    sign | pack(a.exponent + b.exponent - 1075 + 64 - 22, high(x, y) | below)
}

/// `a` / `b`.
#[inline]
pub fn div(a: u64, b: u64) -> u64 {
    let sign = (a ^ b) & SIGN;
    let (a, b) = (a & !SIGN, b & !SIGN);
    if a > INFINITY || b > INFINITY || (a == b && (a == 0 || a == INFINITY)) {
        return NAN;
    }
    if a == INFINITY || b == 0 {
        return sign | INFINITY;
    }
    if a == 0 || b == INFINITY {
        return sign;
    }
    let (a, b) = (Parts::of(a).normal(), Parts::of(b).normal());
    // Mantissas times 2^55, 54 bits at least, at first too few by some units.
    let mut quotient = high(a.mantissa << 11, reciprocal(b.mantissa << 11)) >> 8;
    // The rest is small, whatever the bits above the word are.
    let mut rest = (a.mantissa << 55).wrapping_sub(quotient.wrapping_mul(b.mantissa));
    while rest >= b.mantissa {
        quotient += 1;
        rest -= b.mantissa;
    }
    sign | pack(a.exponent - b.exponent + 1075 - 55 - 1, quotient << 1 | u64::from(rest != 0))
}

#[inline(always)]
fn is_nan(bits: u64) -> bool {
    bits << 1 > INFINITY << 1
}

/// A finite number other than zero: `mantissa` x 2^(`exponent` - 1075).
struct Parts {
    /// Below 2^53.
    mantissa: u64,
    exponent: i32,
}

impl Parts {
    #[inline(always)]
    fn of(bits: u64) -> Self {
        let (fraction, exponent) = (bits & (IMPLICIT - 1), (bits << 1 >> 53) as u32);
        if exponent == 0 {
            Self { mantissa: fraction, exponent: 1 }
        } else {
            Self { mantissa: fraction | IMPLICIT, exponent: exponent as i32 }
        }
    }

    /// The same number with a mantissa of 53 bits.
    #[inline(always)]
    fn normal(self) -> Self {
        if self.mantissa & IMPLICIT != 0 {
            return self;
        }
        let zeros = self.mantissa.leading_zeros() - 11;
        Self { mantissa: self.mantissa << zeros, exponent: self.exponent - zeros as i32 }
    }
}

/// `magnitude` x 2^(`exponent` - 1075), rounded; `magnitude` is not zero.
#[inline]
fn pack(exponent: i32, magnitude: u64) -> u64 {
    let zeros = magnitude.leading_zeros();
    let mut head = magnitude << zeros;
    let biased = exponent + 11 - zeros as i32;
    let base = if biased >= 1 {
        (biased.min(2047) - 1) as u64
    } else {
        let shift = (1 - biased).min(63) as u32;
        head = head >> shift | u64::from(head << (64 - shift) != 0);
        0
    };
    let truncated = (base << 52) + (head >> 11);
    let rounded = truncated + u64::from((head & 0x7ff) + (truncated & 1) > 0x400);
    rounded.min(INFINITY)
}
