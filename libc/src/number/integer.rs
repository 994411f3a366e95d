use core::ffi::c_int;

use super::tell_end;
use crate::ctype::is_space;
use crate::errno::{self, EINVAL, ERANGE};
use crate::string::at;

/// An integer at the beginning of a text.
struct Scanned {
    negative: bool,
    /// None if it does not fit.
    magnitude: Option<u64>,
}

/// Reads white space, a sign, the prefix of the base if there is one, and digits; `end` gets the place behind them, or the text if there
/// are none.
///
/// # Safety
/// A text; `end` may be written, if it is no null.
unsafe fn scan(text: *const u8, end: *mut *mut u8, base: c_int) -> Scanned {
    // SAFETY: a byte is read only if none in front of it was zero: zero is neither white space, a sign nor a digit.
    let byte = |i: usize| unsafe { at(text, i) };
    let mut i = 0;
    while is_space(byte(i)) {
        i += 1;
    }
    let negative = byte(i) == b'-';
    i += usize::from(negative || byte(i) == b'+');
    let hexadecimal = byte(i) == b'0' && byte(i + 1) | 0x20 == b'x' && byte(i + 2).is_ascii_hexdigit();
    let base = match base {
        0 if hexadecimal => 16,
        0 if byte(i) == b'0' => 8,
        0 => 10,
        2..=36 => base as u32,
        _ => {
            errno::set(EINVAL);
            // SAFETY: the caller's promise.
            unsafe { tell_end(end, text) };
            return Scanned { negative: false, magnitude: Some(0) };
        }
    };
    if base == 16 && hexadecimal {
        i += 2;
    }
    let (first, mut magnitude) = (i, Some(0u64));
    while let Some(digit) = char::from(byte(i)).to_digit(base) {
        let shifted = magnitude.and_then(|m| m.checked_mul(base.into()));
        magnitude = shifted.and_then(|m| m.checked_add(digit.into()));
        i += 1;
    }
    // SAFETY: the caller's promise.
    unsafe { tell_end(end, if i == first { text } else { text.add(i) }) };
    Scanned { negative, magnitude }
}

/// A signed number between `least` and `most`; the nearer of them, and `ERANGE`, if it is outside.
unsafe fn signed(text: *const u8, end: *mut *mut u8, base: c_int, least: i64, most: i64) -> i64 {
    // SAFETY: the caller's promise.
    let Scanned { negative, magnitude } = unsafe { scan(text, end, base) };
    let value =
        magnitude.and_then(|m| if negative { 0i64.checked_sub_unsigned(m) } else { m.try_into().ok() });
    value.filter(|value| (least..=most).contains(value)).unwrap_or_else(|| {
        errno::set(ERANGE);
        if negative { least } else { most }
    })
}

/// A number up to `most`; `most`, and `ERANGE`, if it is above. Of a negative one it is the number that makes zero with it.
unsafe fn unsigned(text: *const u8, end: *mut *mut u8, base: c_int, most: u64) -> u64 {
    // SAFETY: the caller's promise.
    let Scanned { negative, magnitude } = unsafe { scan(text, end, base) };
    match magnitude.filter(|m| *m <= most) {
        Some(m) if negative => m.wrapping_neg() & most,
        Some(m) => m,
        None => {
            errno::set(ERANGE);
            most
        }
    }
}

/// The number that `text` begins with; `end`, if it is not null, gets the place behind it. `base` is 2 to 36, or 0 for the one that
/// its prefix says.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strtol(text: *const u8, end: *mut *mut u8, base: c_int) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { signed(text, end, base, i32::MIN.into(), i32::MAX.into()) as i32 }
}

/// The same for `long long`.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strtoll(text: *const u8, end: *mut *mut u8, base: c_int) -> i64 {
    // SAFETY: the caller's promise.
    unsafe { signed(text, end, base, i64::MIN, i64::MAX) }
}

/// The same for `intmax_t`.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strtoimax(text: *const u8, end: *mut *mut u8, base: c_int) -> i64 {
    // SAFETY: the caller's promise.
    unsafe { strtoll(text, end, base) }
}

/// The same for `unsigned long`.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strtoul(text: *const u8, end: *mut *mut u8, base: c_int) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { unsigned(text, end, base, u32::MAX.into()) as u32 }
}

/// The same for `unsigned long long`.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strtoull(text: *const u8, end: *mut *mut u8, base: c_int) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { unsigned(text, end, base, u64::MAX) }
}

/// The same for `uintmax_t`.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strtoumax(text: *const u8, end: *mut *mut u8, base: c_int) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { strtoull(text, end, base) }
}

/// The decimal number that `text` begins with.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn atoi(text: *const u8) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { strtol(text, core::ptr::null_mut(), 10) }
}

/// The same for `long`.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn atol(text: *const u8) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { atoi(text) }
}

/// The same for `long long`.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn atoll(text: *const u8) -> i64 {
    // SAFETY: the caller's promise.
    unsafe { strtoll(text, core::ptr::null_mut(), 10) }
}
