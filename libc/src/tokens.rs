//! `string.h`: the functions that look for one of several characters.

use core::ptr::null_mut;

use crate::cell::Global;
use crate::string::{at, text};

/// Bytes, one bit each: a look-up for each character instead of a search.
struct Set([u32; 8]);

impl Set {
    fn of(bytes: &[u8]) -> Self {
        let mut words = [0; 8];
        bytes.iter().for_each(|byte| words[usize::from(byte >> 5)] |= 1 << (byte & 31));
        Self(words)
    }

    fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 5)] >> (byte & 31) & 1 != 0
    }
}

/// How many characters at the beginning of `string` are in `set`, or are not.
///
/// # Safety
/// Both are texts.
unsafe fn span(string: *const u8, set: *const u8, inside: bool) -> usize {
    // SAFETY: the caller's promise.
    let set = Set::of(unsafe { text(set) });
    let mut i = 0;
    loop {
        // SAFETY: no byte behind the first zero is touched.
        let byte = unsafe { at(string, i) };
        if byte == 0 || set.has(byte) != inside {
            return i;
        }
        i += 1;
    }
}

/// How many characters at the beginning of `string` are in `set`.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strspn(string: *const u8, set: *const u8) -> usize {
    // SAFETY: the caller's promise.
    unsafe { span(string, set, true) }
}

/// How many characters at the beginning of `string` are not in `set`.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strcspn(string: *const u8, set: *const u8) -> usize {
    // SAFETY: the caller's promise.
    unsafe { span(string, set, false) }
}

/// The first character of `string` that is in `set`; null if there is none.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strpbrk(string: *const u8, set: *const u8) -> *mut u8 {
    // SAFETY: the caller's promise.
    let place = string.wrapping_add(unsafe { strcspn(string, set) });
    // SAFETY: it is in the text or its zero byte.
    if unsafe { *place } == 0 { null_mut() } else { place.cast_mut() }
}

/// The next token of a text: what lies between characters of `separators`. The first call has the text, the others null; `state` is
/// where the next one begins. The text is written to. Null if there is no token any more.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strtok_r(string: *mut u8, separators: *const u8, state: *mut *mut u8) -> *mut u8 {
    // SAFETY: the caller's promise: `state` is what the last call for this text left.
    unsafe {
        let rest = if string.is_null() { *state } else { string };
        if rest.is_null() {
            return null_mut();
        }
        let token = rest.add(strspn(rest, separators));
        let end = token.add(strcspn(token, separators));
        // Behind the last token there is the zero byte, where the next call finds none.
        *state = end;
        if end == token {
            return null_mut();
        }
        if *end != 0 {
            *end = 0;
            *state = end.add(1);
        }
        token
    }
}

/// [`strtok_r`] with a state of the library's.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strtok(string: *mut u8, separators: *const u8) -> *mut u8 {
    static STATE: Global<*mut u8> = Global::new(null_mut());
    // SAFETY: the caller's promise.
    unsafe { strtok_r(string, separators, STATE.get()) }
}

/// [`strtok_r`] that gives empty tokens too.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strsep(state: *mut *mut u8, separators: *const u8) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe {
        let token = *state;
        if !token.is_null() {
            let end = token.add(strcspn(token, separators));
            *state = if *end == 0 { null_mut() } else { end.add(1) };
            *end = 0;
        }
        token
    }
}
