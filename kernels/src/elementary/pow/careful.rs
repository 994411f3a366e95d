//! x^y by series, wrong by less than (y 2^-116 + 2^-119) x^y, (e) in docs/numerics.md.

use opml_softfloat::single;

use crate::bits::{INFINITY_BITS, SIGN, finite_parts};
use crate::elementary::ONE;
use crate::elementary::tables::log2::LOG2;

/// log2(e), times 2^127, and ln(2), times 2^128.
const LOG2_E: u128 = 0xb8aa_3b29_5c17_f0bb_be87_fed0_691d_3e88;
const LN_2: u128 = 0xb172_17f7_d1cf_79ab_c9e3_b398_03f2_f6af;

/// log2(1 + r) / r as a sum over (-t)^k with t = 2^7 r, which is less than one: log2(e) / (k + 1) / 2^(7k), times 2^127.
const SLOPE: [u128; 18] = {
    let mut table = [0; 18];
    let mut k = 0;
    while k < 18 {
        table[k] = (LOG2_E >> (7 * k)) / (k as u128 + 1);
        k += 1;
    }
    table
};

/// 1 / k!, times 2^127.
const FACTORIALS: [u128; 33] = {
    let mut table = [1 << 127; 33];
    let mut k = 1;
    while k < 33 {
        table[k] = table[k - 1] / k as u128;
        k += 1;
    }
    table
};

/// A positive finite float: `mantissa` x 2^(`exponent` - 127), with the mantissa in units of 2^-31 and its top bit set.
struct Parts {
    mantissa: u32,
    exponent: i32,
}

impl Parts {
    fn of(magnitude: u32) -> Self {
        let parts = finite_parts(magnitude);
        let zeros = parts.mantissa.leading_zeros();
        Self {
            mantissa: (parts.mantissa as u32) << zeros,
            exponent: parts.exponent as i32 + 8 - zeros as i32,
        }
    }
}

/// The bits of `x`^`y` for positive finite `x` and finite `y` other than 0, if the power is neither a float nor in the
/// middle between two.
pub(super) fn power(x: u32, y: u32) -> u32 {
    let log = log2(&Parts::of(x));
    let (y, falling) = (Parts::of(y & !SIGN), (y & SIGN != 0) != (log < 0));
    // |y log2(x)| = product x 2^(exponent - 245).
    let product = by_word(log.unsigned_abs(), y.mantissa);
    // One more than the exponent of that number.
    let size = y.exponent - 245 + 128 - product.leading_zeros() as i32;
    if size > 8 {
        // From 256 on.
        return if falling { 0 } else { INFINITY_BITS };
    }
    if size <= -26 {
        // The power is nearer to 1 than 2^-26.
        return ONE;
    }
    // In units of 2^-119.
    let shift = y.exponent - 126;
    let z = if shift < 0 { product >> -shift } else { product << shift } as i128;
    let z = if falling { -z } else { z };
    let value = two_to((z << 9) as u128);
    // Bit 0 stands for all that is below.
    let head = (value >> 64) as u64 | u64::from(value as u64 != 0);
    single::pack((z >> 119) as i32 + 150 - 63, head)
}

/// log2(x), in units of 2^-119.
fn log2(x: &Parts) -> i128 {
    let [inverse, ref log @ ..] = LOG2[(x.mantissa >> 23) as usize % 256];
    // As in the short way: m c = 1 + r and t = 2^7 r.
    let t = (x.mantissa >> 8).wrapping_mul(inverse) << 5;
    let slope = SLOPE.iter().rev().fold(0, |sum, &coefficient| coefficient - by_word(sum, t));
    let log = log.iter().fold(0, |sum, &word| sum << 32 | u128::from(word));
    // The product has units of 2^-134, and the table of 2^-120.
    (i128::from(x.exponent - 127) << 119) + ((log >> 1) + (by_word(slope, t) >> 15)) as i128
}

/// 2^`x`, in units of 2^-127, for `x` in units of 2^-128.
fn two_to(x: u128) -> u128 {
    let x = high(x, LN_2);
    FACTORIALS.iter().rev().fold(0, |sum, &coefficient| coefficient + high(sum, x))
}

/// `a` x `b` / 2^32, rounded down.
fn by_word(a: u128, b: u32) -> u128 {
    let mut carry = 0;
    (0..4).fold(0, |sum, i| {
        let product = u64::from((a >> (32 * i)) as u32) * u64::from(b) + carry;
        carry = product >> 32;
        sum | if i == 0 { 0 } else { u128::from(product as u32) << (32 * (i - 1)) }
    }) | u128::from(carry) << 96
}

/// `a` x `b` / 2^128, too small by less than 4.
fn high(a: u128, b: u128) -> u128 {
    // From the words of b, the lowest first: each sum is of 128 bits and moves down by one word.
    (0..4).fold(0, |sum: u128, i| {
        let product = by_word(a, (b >> (32 * i)) as u32);
        product + (sum >> 32)
    })
}
