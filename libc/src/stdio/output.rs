//! Text on its way to a descriptor, and the functions that take it as it is.

use core::ffi::c_int;

use arrayvec::ArrayVec;
use opml_abi::fd;
use opml_runtime::{Mips, Sys};

use super::Sink;
use crate::string::text;

/// `FILE`: standard output or standard error.
#[derive(Debug)]
#[repr(C)]
pub struct File {
    descriptor: u32,
}

/// Standard output.
#[unsafe(no_mangle)]
pub static __opml_stdout: File = File { descriptor: fd::STDOUT };

/// Standard error.
#[unsafe(no_mangle)]
pub static __opml_stderr: File = File { descriptor: fd::STDERR };

impl File {
    pub(super) fn write(&self, bytes: &[u8]) {
        if !bytes.is_empty() {
            Mips.write(self.descriptor, bytes);
        }
    }
}

/// Gathers what `printf` puts, so that a call of the system writes more than a digit.
pub(super) struct Gathered<'a> {
    file: &'a File,
    bytes: ArrayVec<u8, 256>,
}

impl<'a> Gathered<'a> {
    pub const fn new(file: &'a File) -> Self {
        Self { file, bytes: ArrayVec::new_const() }
    }

    pub fn flush(&mut self) {
        self.file.write(&self.bytes);
        self.bytes.clear();
    }
}

impl Sink for Gathered<'_> {
    fn put(&mut self, bytes: &[u8]) {
        if bytes.len() > self.bytes.remaining_capacity() {
            self.flush();
        }
        // What is longer than the room goes its own way.
        if self.bytes.try_extend_from_slice(bytes).is_err() {
            self.file.write(bytes);
        }
    }
}

/// Writes a text and a line end.
#[unsafe(no_mangle)]
unsafe extern "C" fn puts(line: *const u8) -> c_int {
    // SAFETY: the caller's promise.
    __opml_stdout.write(unsafe { text(line) });
    __opml_stdout.write(b"\n");
    0
}

/// Writes a text.
#[unsafe(no_mangle)]
unsafe extern "C" fn fputs(string: *const u8, file: &File) -> c_int {
    // SAFETY: the caller's promise.
    file.write(unsafe { text(string) });
    0
}

/// Writes a character.
#[unsafe(no_mangle)]
extern "C" fn fputc(byte: c_int, file: &File) -> c_int {
    file.write(&[byte as u8]);
    (byte as u8).into()
}

/// Writes a character.
#[unsafe(no_mangle)]
extern "C" fn putc(byte: c_int, file: &File) -> c_int {
    fputc(byte, file)
}

/// Writes a character to standard output.
#[unsafe(no_mangle)]
extern "C" fn putchar(byte: c_int) -> c_int {
    fputc(byte, &__opml_stdout)
}

/// Writes `count` elements of `size` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn fwrite(data: *const u8, size: usize, count: usize, file: &File) -> usize {
    if size != 0 && count != 0 {
        // SAFETY: the caller's promise.
        file.write(unsafe { core::slice::from_raw_parts(data, size.saturating_mul(count)) });
    }
    if size == 0 { 0 } else { count }
}

/// Nothing waits to be written: what a call writes is out when it returns.
#[unsafe(no_mangle)]
extern "C" fn fflush(_: Option<&File>) -> c_int {
    0
}

/// Writes a text and what `errno` says to standard error.
#[unsafe(no_mangle)]
unsafe extern "C" fn perror(string: *const u8) {
    // SAFETY: the caller's promise; `errno` has a text.
    unsafe {
        if !string.is_null() && *string != 0 {
            __opml_stderr.write(text(string));
            __opml_stderr.write(b": ");
        }
        __opml_stderr.write(text(crate::errno::strerror(*crate::errno::__errno_location())));
    }
    __opml_stderr.write(b"\n");
}
