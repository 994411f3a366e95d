//! `stdio.h`: what goes to standard output and standard error. There is nothing to read from and there are no files.

mod conversion;
mod decimal;
mod float;
mod format;
mod integer;
mod memory;
#[cfg(target_arch = "mips")]
mod output;
#[cfg(target_arch = "mips")]
mod variadic;

pub use format::{Arguments, Refused, Sink, format};
pub use memory::Memory;
