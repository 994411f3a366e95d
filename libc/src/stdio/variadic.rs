//! The `printf` family with C's variable arguments.

use core::ffi::{VaList, c_int};

use super::output::{__opml_stdout, File, Gathered};
use super::{Arguments, Memory, Refused, Sink, format};
use crate::errno::{self, EOVERFLOW};
use crate::heap;
use crate::string::text;

/// The VM's arguments: a word each, aligned pairs of words for what has 64 bits.
struct Variable<'a, 'f>(&'a mut VaList<'f>);

impl Arguments for Variable<'_, '_> {
    unsafe fn word(&mut self) -> u32 {
        // SAFETY: the caller's promise.
        unsafe { self.0.arg() }
    }

    unsafe fn long(&mut self) -> u64 {
        // SAFETY: the caller's promise.
        unsafe { self.0.arg() }
    }

    unsafe fn double(&mut self) -> f64 {
        // SAFETY: the caller's promise.
        unsafe { self.0.arg() }
    }

    unsafe fn pointer(&mut self) -> *const u8 {
        // SAFETY: the caller's promise.
        unsafe { self.0.arg() }
    }
}

/// Puts the text into `sink`: its length, or -1 and `EOVERFLOW` if it is too long for an `int`. A format that asks for what there is not ends
/// the program: text with a hole in it would be a silent mistake.
///
/// # Safety
/// The arguments are those of the format.
unsafe fn put(sink: &mut impl Sink, pattern: *const u8, arguments: &mut VaList<'_>) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { format(sink, text(pattern), &mut Variable(arguments)) } {
        Ok(length) => length as c_int,
        Err(Refused::TooLong) => {
            errno::set(EOVERFLOW);
            -1
        }
        Err(Refused::Ends) => crate::program::fail(format_args!("error: a format of printf ends behind a %")),
        Err(Refused::Letter(letter)) => {
            crate::program::fail(format_args!("error: printf has no conversion %{}", char::from(letter)))
        }
    }
}

/// Writes text to standard output; its length.
#[unsafe(no_mangle)]
unsafe extern "C" fn vprintf(pattern: *const u8, mut arguments: VaList<'_>) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { to_file(&__opml_stdout, pattern, &mut arguments) }
}

/// Writes text to a file; its length.
#[unsafe(no_mangle)]
unsafe extern "C" fn vfprintf(file: &File, pattern: *const u8, mut arguments: VaList<'_>) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { to_file(file, pattern, &mut arguments) }
}

/// Writes text to memory, of which there has to be enough; its length.
#[unsafe(no_mangle)]
unsafe extern "C" fn vsprintf(to: *mut u8, pattern: *const u8, mut arguments: VaList<'_>) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { to_memory(to, usize::MAX, pattern, &mut arguments) }
}

/// Writes text to `size` bytes of memory, as far as it fits; the length that it has.
#[unsafe(no_mangle)]
unsafe extern "C" fn vsnprintf(
    to: *mut u8,
    size: usize,
    pattern: *const u8,
    mut arguments: VaList<'_>,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { to_memory(to, size, pattern, &mut arguments) }
}

/// Writes text to a new block of the heap; its length, or -1 if there is no room.
#[unsafe(no_mangle)]
unsafe extern "C" fn vasprintf(to: *mut *mut u8, pattern: *const u8, mut arguments: VaList<'_>) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { to_heap(to, pattern, &mut arguments) }
}

/// As [`vprintf`].
#[unsafe(no_mangle)]
unsafe extern "C" fn printf(pattern: *const u8, mut arguments: ...) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { to_file(&__opml_stdout, pattern, &mut arguments) }
}

/// As [`vfprintf`].
#[unsafe(no_mangle)]
unsafe extern "C" fn fprintf(file: &File, pattern: *const u8, mut arguments: ...) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { to_file(file, pattern, &mut arguments) }
}

/// As [`vsprintf`].
#[unsafe(no_mangle)]
unsafe extern "C" fn sprintf(to: *mut u8, pattern: *const u8, mut arguments: ...) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { to_memory(to, usize::MAX, pattern, &mut arguments) }
}

/// As [`vsnprintf`].
#[unsafe(no_mangle)]
unsafe extern "C" fn snprintf(to: *mut u8, size: usize, pattern: *const u8, mut arguments: ...) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { to_memory(to, size, pattern, &mut arguments) }
}

/// As [`vasprintf`].
#[unsafe(no_mangle)]
unsafe extern "C" fn asprintf(to: *mut *mut u8, pattern: *const u8, mut arguments: ...) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { to_heap(to, pattern, &mut arguments) }
}

unsafe fn to_file(file: &File, pattern: *const u8, arguments: &mut VaList<'_>) -> c_int {
    let mut sink = Gathered::new(file);
    // SAFETY: the caller's promise.
    let length = unsafe { put(&mut sink, pattern, arguments) };
    sink.flush();
    length
}

unsafe fn to_memory(to: *mut u8, size: usize, pattern: *const u8, arguments: &mut VaList<'_>) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sink = Memory::new(to, size);
        let length = put(&mut sink, pattern, arguments);
        sink.end();
        length
    }
}

unsafe fn to_heap(to: *mut *mut u8, pattern: *const u8, arguments: &mut VaList<'_>) -> c_int {
    // SAFETY: the arguments are read twice, from two lists; the block has room for the text and a zero byte.
    unsafe {
        let length = to_memory(core::ptr::null_mut(), 0, pattern, &mut arguments.clone());
        let block = if length < 0 { core::ptr::null_mut() } else { heap::malloc(length as usize + 1) };
        *to = block;
        if block.is_null() { -1 } else { to_memory(block, length as usize + 1, pattern, arguments) }
    }
}
