//! Products of binary32 numbers.

use super::{INFINITY, NAN, Parts, SIGN, TOP, exponents_near_one, pack};

/// What the exponents of two factors, each less 96, lack: 127 is taken off once, and one for the leading bit of the
/// mantissa, which adds it again.
const BIAS: u32 = 2 * 96 - 127 - 1;

/// `a` x `b`.
#[inline(always)]
pub fn mul(a: u32, b: u32) -> u32 {
    let Some((a_exponent, b_exponent)) = exponents_near_one(a, b) else {
        return mul_any(a, b);
    };
    // The lower half is left out: it can make what looks like a tie another number, (b), and nothing else.
    let product = ((u64::from(a << 8 | TOP) * u64::from(b << 8 | TOP)) >> 32) as u32;
    let exponent = a_exponent.wrapping_add(b_exponent);
    // The top bit: the product of the mantissas is 2 or more.
    if (product as i32) < 0 {
        // No overflow: at most 2^32 - 2^9 + 1, as the mantissas end in zeros.
        let half_up = product + 0x80;
        if half_up & 0xff == 0 {
            return mul_any(a, b);
        }
        (exponent.wrapping_add(BIAS + 1) << 23).wrapping_add(half_up >> 8)
    } else {
        let half_up = product + 0x40;
        if half_up & 0x7f == 0 {
            return mul_any(a, b);
        }
        (exponent.wrapping_add(BIAS) << 23).wrapping_add(half_up >> 7)
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
