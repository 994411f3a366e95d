//! Comparisons of binary32 numbers, and conversions to and from integers.

use core::cmp::Ordering;

use crate::single::{is_nan, pack};

const SIGN: u32 = 1 << 31;

/// How `a` compares with `b`; nothing if one is NaN. Zeros are equal.
#[inline(always)]
pub fn compare(a: u32, b: u32) -> Option<Ordering> {
    if is_nan(a) || is_nan(b) {
        return None;
    }
    if (a | b) << 1 == 0 {
        return Some(Ordering::Equal);
    }
    let (a, b) = (a as i32, b as i32);
    // As integers two negative numbers are the wrong way round.
    Some(if a & b < 0 { b.cmp(&a) } else { a.cmp(&b) })
}

/// The nearest float.
#[inline(always)]
pub fn from_u64(value: u64) -> u32 {
    if value == 0 { 0 } else { pack(150, value) }
}

/// The nearest float.
#[inline(always)]
pub fn from_i64(value: i64) -> u32 {
    (value >> 63) as u32 & SIGN | from_u64(value.unsigned_abs())
}

/// The nearest float.
#[inline(always)]
pub fn from_u32(value: u32) -> u32 {
    if value == 0 {
        return 0;
    }
    let zeros = value.leading_zeros();
    let normal = value << zeros;
    let truncated = ((157 - zeros) << 23) + (normal >> 8);
    truncated + u32::from((normal & 0xff) + (truncated & 1) > 0x80)
}

/// The nearest float.
#[inline(always)]
pub fn from_i32(value: i32) -> u32 {
    value as u32 & SIGN | from_u32(value.unsigned_abs())
}

/// Towards zero; what does not fit becomes the nearest integer that does, NaN becomes 0.
#[inline(always)]
pub fn to_u64(x: u32) -> u64 {
    if x & SIGN != 0 || is_nan(x) { 0 } else { magnitude(x, 64).unwrap_or(u64::MAX) }
}

/// Towards zero; what does not fit becomes the nearest integer that does, NaN becomes 0.
#[inline(always)]
pub fn to_i64(x: u32) -> i64 {
    if is_nan(x) {
        return 0;
    }
    let negative = x & SIGN != 0;
    match magnitude(x & !SIGN, 63) {
        Some(value) if negative => -(value as i64),
        Some(value) => value as i64,
        None if negative => i64::MIN,
        None => i64::MAX,
    }
}

/// Towards zero; what does not fit becomes the nearest integer that does, NaN becomes 0.
#[inline(always)]
pub fn to_u32(x: u32) -> u32 {
    let exponent = x >> 23;
    // Negative numbers have their sign in it.
    if exponent < 127 || x & SIGN != 0 || is_nan(x) {
        return 0;
    }
    if exponent > 127 + 31 { u32::MAX } else { (x << 8 | SIGN) >> (158 - exponent) }
}

/// Towards zero; what does not fit becomes the nearest integer that does, NaN becomes 0.
#[inline(always)]
pub fn to_i32(x: u32) -> i32 {
    let exponent = x << 1 >> 24;
    if exponent < 127 || is_nan(x) {
        return 0;
    }
    let negative = x & SIGN != 0;
    if exponent > 127 + 30 {
        return if negative { i32::MIN } else { i32::MAX };
    }
    let value = ((x << 8 | SIGN) >> (158 - exponent)) as i32;
    if negative { -value } else { value }
}

/// The integer part of a number that is not negative, if it is below 2^`bits`.
#[inline(always)]
fn magnitude(x: u32, bits: u32) -> Option<u64> {
    let exponent = x >> 23;
    let mantissa = u64::from(x << 8 | SIGN) << 32;
    match exponent {
        0..127 => Some(0),
        _ if exponent < 127 + bits => Some(mantissa >> (127 + 63 - exponent)),
        _ => None,
    }
}
