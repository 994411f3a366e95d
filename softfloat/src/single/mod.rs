//! binary32.

mod convert;
mod root;

pub use convert::{compare, from_i32, from_i64, from_u32, from_u64, to_i32, to_i64, to_u32, to_u64};
pub use root::sqrt;

/// The one NaN: quiet, positive, no payload.
pub const NAN: u32 = 0x7fc0_0000;

const SIGN: u32 = 0x8000_0000;
const INFINITY: u32 = 0x7f80_0000;
/// The leading bit of a mantissa of 24 bits, and one step of the exponent.
const IMPLICIT: u32 = 0x0080_0000;
/// The leading bit of a mantissa moved to the top of a word.
const TOP: u32 = 0x8000_0000;
/// Numbers with the sign shifted out are compared with exponents in the upper byte.
const EXPONENT_64: u32 = 64 << 24;
const EXPONENT_96: u32 = 96 << 24;

/// `a` + `b`.
#[inline(always)]
pub fn add(a: u32, b: u32) -> u32 {
    if a << 1 < b << 1 { add_ordered(b, a) } else { add_ordered(a, b) }
}

/// `a` - `b`.
#[inline(always)]
pub fn sub(a: u32, b: u32) -> u32 {
    add(a, b ^ SIGN)
}

/// The sum of two numbers, the larger one first.
#[inline(always)]
fn add_ordered(x: u32, y: u32) -> u32 {
    let (x_twice, y_twice) = (x << 1, y << 1);
    let distance = (x_twice >> 24) - (y_twice >> 24);
    // The smaller exponent is 64 to 191 and the larger at most 31 above it: neither can the sum overflow,
    // nor can cancellation, of up to 31 bits, reach the subnormals.
    if y_twice.wrapping_sub(EXPONENT_64) >= TOP || distance > 31 {
        return add_any(x, y);
    }
    // One bit below the top, so that there is room for a carry. What the shift cuts off is less than the
    // lowest bit.
    let mantissa_x = (x << 8 | TOP) >> 1;
    let mantissa_y = (y << 8 | TOP) >> 1 >> distance;
    let base = x & (SIGN | INFINITY);
    if (x ^ y) & SIGN == 0 {
        let sum = mantissa_x + mantissa_y;
        if sum & TOP == 0 {
            let half_up = sum + 0x40;
            if half_up & 0x7f == 0 {
                return if distance <= EXACT {
                    base - IMPLICIT + to_even(half_up >> 7)
                } else {
                    add_any(x, y)
                };
            }
            base - IMPLICIT + (half_up >> 7)
        } else {
            // No overflow: the mantissas end in zeros, so the sum is at most 2^32 - 2^8.
            let half_up = sum + 0x80;
            if half_up & 0xff == 0 {
                return if distance <= EXACT { base + to_even(half_up >> 8) } else { add_any(x, y) };
            }
            base + (half_up >> 8)
        }
    } else {
        let difference = mantissa_x - mantissa_y;
        if difference == 0 {
            return 0;
        }
        // With a distance above 1 this is 0 or 1, so what was cut off is still less than the lowest set bit can be.
        let zeros = difference.leading_zeros() - 1;
        let normal = difference << zeros;
        let base = base - IMPLICIT - (zeros << 23);
        if normal & 0x7f == 0x40 {
            return if distance <= EXACT { base + to_even((normal + 0x40) >> 7) } else { add_any(x, y) };
        }
        base + ((normal + 0x40) >> 7)
    }
}

/// Up to this distance of the exponents nothing is cut off: what looks like a tie is one.
const EXACT: u32 = 7;

/// A tie that was rounded up, rounded to even instead.
#[inline(always)]
fn to_even(rounded: u32) -> u32 {
    rounded & !1
}

/// The sum of any two numbers.
#[cold]
#[inline(never)]
fn add_any(a: u32, b: u32) -> u32 {
    let (x, y) = if a << 1 < b << 1 { (b, a) } else { (a, b) };
    let same_sign = (x ^ y) & SIGN == 0;
    if y << 1 == 0 {
        return if x << 1 == 0 {
            x & y
        } else if is_nan(x) {
            NAN
        } else {
            x
        };
    }
    if x & INFINITY == INFINITY {
        let opposite = y & INFINITY == INFINITY && !same_sign;
        return if is_nan(x) || opposite { NAN } else { x };
    }
    let (x_parts, y_parts) = (Parts::of(x), Parts::of(y));
    let distance = (x_parts.exponent - y_parts.exponent) as u32;
    if distance > 26 {
        // Less than a quarter of the last place, below a power of two too.
        return x;
    }
    let (large, small) = (u64::from(x_parts.mantissa) << 26, (u64::from(y_parts.mantissa) << 26) >> distance);
    let sum = if same_sign { large + small } else { large - small };
    if sum == 0 { 0 } else { x & SIGN | pack(x_parts.exponent - 26, sum) }
}

/// `a` x `b`.
#[inline(always)]
pub fn mul(a: u32, b: u32) -> u32 {
    if !both_near_one(a, b) {
        return mul_any(a, b);
    }
    let product = u64::from(a << 8 | TOP) * u64::from(b << 8 | TOP);
    let high = (product >> 32) as u32;
    // The signs, above the exponents, add up to the sign of the product.
    let base = (a >> 23).wrapping_add(b >> 23).wrapping_sub(128) << 23;
    if high & TOP != 0 {
        // Below 2^32 - 2^9 + 1, as the mantissas end in zeros.
        let half_up = high + 0x80;
        if half_up & 0xff == 0 {
            return mul_any(a, b);
        }
        base.wrapping_add(IMPLICIT).wrapping_add(half_up >> 8)
    } else {
        let half_up = high + 0x40;
        if half_up & 0x7f == 0 {
            return mul_any(a, b);
        }
        base.wrapping_add(half_up >> 7)
    }
}

/// The product of any two numbers.
#[cold]
#[inline(never)]
fn mul_any(a: u32, b: u32) -> u32 {
    let sign = (a ^ b) & SIGN;
    let (a, b) = (a & !SIGN, b & !SIGN);
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    if large >= INFINITY {
        return if large > INFINITY || small == 0 { NAN } else { sign | INFINITY };
    }
    if small == 0 {
        return sign;
    }
    let (a, b) = (Parts::of(a), Parts::of(b));
    sign | pack(a.exponent + b.exponent - 150, u64::from(a.mantissa) * u64::from(b.mantissa))
}

/// `a` / `b`.
#[inline(always)]
pub fn div(a: u32, b: u32) -> u32 {
    if !both_near_one(a, b) {
        return div_any(a, b);
    }
    let (dividend, divisor) = (a & (IMPLICIT - 1) | IMPLICIT, b & (IMPLICIT - 1) | IMPLICIT);
    // Between `divisor` and twice that, so that the quotient has 24 bits.
    let below = u32::from(dividend < divisor);
    let base = (a >> 23).wrapping_sub(b >> 23).wrapping_add(126).wrapping_sub(below) << 23;
    base.wrapping_add(quotient(dividend << below, divisor))
}

/// `dividend` x 2^23 / `divisor`, rounded, for 2^23 <= `divisor` <= `dividend` < 2 `divisor` < 2^25.
///
/// Three divisions of 32 by 24 bits. There are no ties: a quotient of 25 bits, the last one 1, times a divisor
/// of 24 bits has no 25 zeros at its end.
#[inline(always)]
fn quotient(dividend: u32, divisor: u32) -> u32 {
    // For the compiler, which leaves out its check for zero.
    let divisor = divisor | IMPLICIT;
    let first = dividend << 7;
    let second = (first % divisor) << 8;
    let third = (second % divisor) << 8;
    let quotient = ((first / divisor) << 16) + ((second / divisor) << 8) + third / divisor;
    quotient + u32::from(third % divisor * 2 > divisor)
}

/// The quotient of any two numbers.
#[cold]
#[inline(never)]
fn div_any(a: u32, b: u32) -> u32 {
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
    let below = u32::from(a.mantissa < b.mantissa);
    let (mut rest, mut quotient) = (a.mantissa << below, 0);
    // 28 bits of the quotient; a rest makes it odd, so that it is no tie if it should not be.
    for _ in 0..4 {
        rest <<= 7;
        quotient = quotient << 7 | rest / b.mantissa;
        rest %= b.mantissa;
    }
    let exponent = a.exponent - b.exponent - below as i32 + 150 - 28;
    sign | pack(exponent, u64::from(quotient | u32::from(rest != 0)))
}

/// Whether both exponents are 96 to 159, so that products and quotients are normal numbers.
#[inline(always)]
fn both_near_one(a: u32, b: u32) -> bool {
    ((a << 1).wrapping_sub(EXPONENT_96) | (b << 1).wrapping_sub(EXPONENT_96)) < 64 << 24
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
    // A word with 24 bits and, below them, all that decides the rounding.
    let mut head = (normal >> 32) as u32 | u32::from(normal as u32 != 0);
    let biased = exponent + 40 - zeros as i32;
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
