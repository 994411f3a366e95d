//! Text for people: standard output and standard error, which the off-chain VM shows. On chain they do nothing.

use core::fmt::{self, Write};

use opml_abi::fd;

use crate::{Mips, Sys};

/// A descriptor as a formatter's sink.
pub(crate) struct Stream(pub u32);

impl Write for Stream {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        Mips.write(self.0, text.as_bytes());
        Ok(())
    }
}

/// Prints to standard output; [`print!`](crate::print!) calls it.
pub fn output(text: fmt::Arguments<'_>) {
    // The sink does not fail; a formatter that does has no other way to say so.
    let _ = Stream(fd::STDOUT).write_fmt(text);
}

/// Prints to standard error; [`eprint!`](crate::eprint!) calls it.
pub fn error(text: fmt::Arguments<'_>) {
    let _ = Stream(fd::STDERR).write_fmt(text);
}

/// Prints to standard output.
#[macro_export]
macro_rules! print {
    ($($text:tt)*) => { $crate::output(::core::format_args!($($text)*)) };
}

/// Prints to standard output, and ends the line.
#[macro_export]
macro_rules! println {
    ($($text:tt)*) => { $crate::output(::core::format_args!("{}\n", ::core::format_args!($($text)*))) };
}

/// Prints to standard error.
#[macro_export]
macro_rules! eprint {
    ($($text:tt)*) => { $crate::error(::core::format_args!($($text)*)) };
}

/// Prints to standard error, and ends the line.
#[macro_export]
macro_rules! eprintln {
    ($($text:tt)*) => { $crate::error(::core::format_args!("{}\n", ::core::format_args!($($text)*))) };
}
