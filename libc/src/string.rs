//! `string.h`, but for `memcpy`, `memmove`, `memset`, `memcmp` and `strlen`, which the compiler's own library has.
//!
//! There is one locale, C's. Characters are unsigned when they are compared, as the standard says.

use core::ffi::c_int;
use core::ptr::null_mut;

use crate::heap;

/// The byte at `text` + `i`.
///
/// # Safety
/// It is there.
#[inline(always)]
pub(crate) unsafe fn at(text: *const u8, i: usize) -> u8 {
    // SAFETY: the caller's promise.
    unsafe { *text.add(i) }
}

/// The text without its zero byte.
///
/// # Safety
/// There is a zero byte, and nothing writes the text while the result is used.
#[inline(always)]
pub(crate) unsafe fn text<'a>(text: *const u8) -> &'a [u8] {
    // SAFETY: the caller's promise.
    unsafe { core::ffi::CStr::from_ptr(text.cast()) }.to_bytes()
}

/// The first of `count` bytes that is `byte`; null if none is.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn memchr(memory: *const u8, byte: c_int, count: usize) -> *mut u8 {
    // SAFETY: only bytes up to the one that is found are touched, which is all that C11 promises to be there.
    let found = (0..count).find(|&i| unsafe { at(memory, i) } == byte as u8);
    found.map_or(null_mut(), |i| memory.wrapping_add(i).cast_mut())
}

/// The last of `count` bytes that is `byte`; null if none is.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn memrchr(memory: *const u8, byte: c_int, count: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    let found = (0..count).rev().find(|&i| unsafe { at(memory, i) } == byte as u8);
    found.map_or(null_mut(), |i| memory.wrapping_add(i).cast_mut())
}

/// Copies `count` bytes, or up to the first `byte`: then the result is the place behind it, else null.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn memccpy(to: *mut u8, from: *const u8, byte: c_int, count: usize) -> *mut u8 {
    for i in 0..count {
        // SAFETY: the caller's promise.
        let copied = unsafe {
            *to.add(i) = at(from, i);
            at(from, i)
        };
        if copied == byte as u8 {
            return to.wrapping_add(i + 1);
        }
    }
    null_mut()
}

/// Copies `count` bytes; the result is the place behind them.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn mempcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { to.copy_from_nonoverlapping(from, count) };
    to.wrapping_add(count)
}

/// The length of `text`, of which no more than `most` bytes are looked at.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strnlen(text: *const u8, most: usize) -> usize {
    // SAFETY: bytes up to the first zero are there.
    (0..most).find(|&i| unsafe { at(text, i) } == 0).unwrap_or(most)
}

/// Copies a text; the result is where its zero byte came to lie.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn stpcpy(to: *mut u8, from: *const u8) -> *mut u8 {
    let mut i = 0;
    loop {
        // SAFETY: bytes up to the first zero are there, and there is room for them.
        let byte = unsafe {
            *to.add(i) = at(from, i);
            at(from, i)
        };
        if byte == 0 {
            return to.wrapping_add(i);
        }
        i += 1;
    }
}

/// Copies a text.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strcpy(to: *mut u8, from: *const u8) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { stpcpy(to, from) };
    to
}

/// Writes `count` bytes: the text or its beginning, then zeros. The result is where they begin, or else the end.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn stpncpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe {
        let len = strnlen(from, count);
        to.copy_from_nonoverlapping(from, len);
        to.add(len).write_bytes(0, count - len);
        to.add(len)
    }
}

/// Writes `count` bytes: the text or its beginning, then zeros.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strncpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { stpncpy(to, from, count) };
    to
}

/// Appends a text.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strcat(to: *mut u8, from: *const u8) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { strcpy(to.add(text(to).len()), from) };
    to
}

/// Appends a text, or its first `count` bytes and a zero.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strncat(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe {
        let (end, len) = (to.add(text(to).len()), strnlen(from, count));
        end.copy_from_nonoverlapping(from, len);
        *end.add(len) = 0;
    }
    to
}

/// Compares two texts.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strcmp(a: *const u8, b: *const u8) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { strncmp(a, b, usize::MAX) }
}

/// Compares the first `count` bytes of two texts.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strncmp(a: *const u8, b: *const u8, count: usize) -> c_int {
    // SAFETY: no byte behind the first zero is touched.
    let byte = |i| unsafe { (at(a, i), at(b, i)) };
    let last = (0..count).map(byte).find(|(a, b)| a != b || *a == 0);
    last.map_or(0, |(a, b)| c_int::from(a) - c_int::from(b))
}

/// Compares two texts by the locale: as [`strcmp`].
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strcoll(a: *const u8, b: *const u8) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { strcmp(a, b) }
}

/// Copies what [`strcmp`] has to compare in the place of [`strcoll`]: the text, if `count` bytes have room for it. The result is its length.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strxfrm(to: *mut u8, from: *const u8, count: usize) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        let len = text(from).len();
        if len < count {
            to.copy_from_nonoverlapping(from, len + 1);
        }
        len
    }
}

/// The first place in `text` that is `byte`, which may be the zero byte; null if there is none.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strchr(text: *const u8, byte: c_int) -> *mut u8 {
    // SAFETY: the caller's promise.
    let found = unsafe { strchrnul(text, byte) };
    // SAFETY: `found` is in the text or its zero byte.
    if unsafe { *found } == byte as u8 { found } else { null_mut() }
}

/// The first place in `text` that is `byte`, else its zero byte.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strchrnul(text: *const u8, byte: c_int) -> *mut u8 {
    let mut i = 0;
    loop {
        // SAFETY: no byte behind the first zero is touched.
        let here = unsafe { at(text, i) };
        if here == byte as u8 || here == 0 {
            return text.wrapping_add(i).cast_mut();
        }
        i += 1;
    }
}

/// The last place in `string` that is `byte`, which may be the zero byte; null if there is none.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strrchr(string: *const u8, byte: c_int) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { memrchr(string, byte, text(string).len() + 1) }
}

/// The first place in `string` where `part` begins; null if there is none.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strstr(string: *const u8, part: *const u8) -> *mut u8 {
    // SAFETY: the caller's promise.
    let (whole, part) = unsafe { (text(string), text(part)) };
    find(whole, part).map_or(null_mut(), |i| string.wrapping_add(i).cast_mut())
}

/// The first place in `memory` where the bytes of `part` are; null if there is none.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn memmem(memory: *const u8, len: usize, part: *const u8, part_len: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    let (whole, part) =
        unsafe { (core::slice::from_raw_parts(memory, len), core::slice::from_raw_parts(part, part_len)) };
    find(whole, part).map_or(null_mut(), |i| memory.wrapping_add(i).cast_mut())
}

fn find(whole: &[u8], part: &[u8]) -> Option<usize> {
    let last = whole.len().checked_sub(part.len())?;
    (0..=last).find(|&i| whole[i..].starts_with(part))
}

/// A copy of `string` in a block of the heap; null if there is no room.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strdup(string: *const u8) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { strndup(string, usize::MAX) }
}

/// A copy of `string`, of `most` bytes and a zero at most, in a block of the heap; null if there is no room.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strndup(string: *const u8, most: usize) -> *mut u8 {
    // SAFETY: the caller's promise; the block has one byte more than the text.
    unsafe {
        let len = strnlen(string, most);
        let block = heap::malloc(len + 1);
        if !block.is_null() {
            block.copy_from_nonoverlapping(string, len);
            *block.add(len) = 0;
        }
        block
    }
}
