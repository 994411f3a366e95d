//! Comparisons of binary64 numbers, and conversions to and from integers and binary32.

use core::cmp::Ordering;

use super::{INFINITY, NAN, Parts, SIGN, is_nan, pack};
use crate::single;

/// How `a` compares with `b`; nothing if one is NaN. Zeros are equal.
#[inline]
pub fn compare(a: u64, b: u64) -> Option<Ordering> {
    if is_nan(a) || is_nan(b) {
        return None;
    }
    if (a | b) << 1 == 0 {
        return Some(Ordering::Equal);
    }
    let (a, b) = (a as i64, b as i64);
    // As integers two negative numbers are the wrong way round.
    Some(if a & b < 0 { b.cmp(&a) } else { a.cmp(&b) })
}

/// The nearest number.
#[inline]
pub fn from_u64(value: u64) -> u64 {
    if value == 0 { 0 } else { pack(1075, value) }
}

/// The nearest number.
#[inline]
pub fn from_i64(value: i64) -> u64 {
    value as u64 & SIGN | from_u64(value.unsigned_abs())
}

/// The same number.
#[inline]
pub fn from_u32(value: u32) -> u64 {
    if value == 0 {
        return 0;
    }
    let zeros = value.leading_zeros();
    // The leading bit of the mantissa adds one to the exponent.
    (u64::from(1023 + 30 - zeros) << 52) + (u64::from(value << zeros) << 21)
}

/// The same number.
#[inline]
pub fn from_i32(value: i32) -> u64 {
    i64::from(value) as u64 & SIGN | from_u32(value.unsigned_abs())
}

/// Towards zero; what does not fit becomes the nearest integer that does, NaN becomes 0.
#[inline]
pub fn to_u64(x: u64) -> u64 {
    if x & SIGN != 0 || is_nan(x) { 0 } else { magnitude(x, 64).unwrap_or(u64::MAX) }
}

/// Towards zero; what does not fit becomes the nearest integer that does, NaN becomes 0.
#[inline]
pub fn to_i64(x: u64) -> i64 {
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
#[inline]
pub fn to_u32(x: u64) -> u32 {
    if x & SIGN != 0 || is_nan(x) { 0 } else { magnitude(x, 32).map_or(u32::MAX, |value| value as u32) }
}

/// Towards zero; what does not fit becomes the nearest integer that does, NaN becomes 0.
#[inline]
pub fn to_i32(x: u64) -> i32 {
    to_i64(x).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// The integer part of a number that is not negative, if it is below 2^`bits`.
#[inline]
fn magnitude(x: u64, bits: u32) -> Option<u64> {
    let exponent = (x >> 52) as u32;
    match exponent {
        0..1023 => Some(0),
        _ if exponent < 1023 + bits => Some((x << 11 | SIGN) >> (1023 + 63 - exponent)),
        _ => None,
    }
}

/// The same number.
#[inline]
pub fn from_single(x: u32) -> u64 {
    let sign = u64::from(x >> 31) << 63;
    let magnitude = x & 0x7fff_ffff;
    match magnitude {
        0 => sign,
        0x0080_0000..0x7f80_0000 => sign | ((u64::from(magnitude) << 29) + ((1023 - 127) << 52)),
        0x7f80_0000 => sign | INFINITY,
        0x7f80_0001.. => NAN,
        // In units of 2^-149.
        _ => sign | pack(1075 - 149, u64::from(magnitude)),
    }
}

/// The nearest binary32 number.
#[inline]
pub fn to_single(x: u64) -> u32 {
    let sign = (x >> 32) as u32 & 1 << 31;
    if is_nan(x) {
        return single::NAN;
    }
    if x << 1 == 0 {
        return sign;
    }
    let magnitude = x & !SIGN;
    if magnitude >= INFINITY {
        return sign | 0x7f80_0000;
    }
    let parts = Parts::of(magnitude);
    sign | single::pack(parts.exponent - 1075 + 150, parts.mantissa)
}
