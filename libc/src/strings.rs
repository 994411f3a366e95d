//! `strings.h`.

use core::ffi::c_int;

use crate::string::{at, memrchr, strchr, text};

/// Compares two texts without a difference between capital and small letters.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strcasecmp(a: *const u8, b: *const u8) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { strncasecmp(a, b, usize::MAX) }
}

/// Compares the first `count` bytes of two texts without a difference between capital and small letters.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strncasecmp(a: *const u8, b: *const u8, count: usize) -> c_int {
    // SAFETY: no byte behind the first zero is touched.
    let byte = |i| unsafe { (at(a, i).to_ascii_lowercase(), at(b, i).to_ascii_lowercase()) };
    let last = (0..count).map(byte).find(|(a, b)| a != b || *a == 0);
    last.map_or(0, |(a, b)| c_int::from(a) - c_int::from(b))
}

/// Copies `count` bytes that may overlap.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn bcopy(from: *const u8, to: *mut u8, count: usize) {
    // SAFETY: the caller's promise.
    unsafe { to.copy_from(from, count) }
}

/// Makes `count` bytes zero.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn bzero(memory: *mut u8, count: usize) {
    // SAFETY: the caller's promise.
    unsafe { memory.write_bytes(0, count) }
}

/// The first place in `string` that is `byte`; null if there is none.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn index(string: *const u8, byte: c_int) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { strchr(string, byte) }
}

/// The last place in `string` that is `byte`; null if there is none.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn rindex(string: *const u8, byte: c_int) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { memrchr(string, byte, text(string).len() + 1) }
}

/// The number of the lowest bit that is set, from 1; 0 if none is.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn ffs(word: c_int) -> c_int {
    if word == 0 { 0 } else { word.trailing_zeros() as c_int + 1 }
}

/// The same for `long`.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn ffsl(word: i32) -> c_int {
    ffs(word)
}

/// The same for `long long`.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn ffsll(word: i64) -> c_int {
    if word == 0 { 0 } else { word.trailing_zeros() as c_int + 1 }
}
