//! What a run of a program says about itself, in the words of the program's files.
//!
//! [`layout`] tells the VM what of the memory is whose, so that it finds what no correct program does. A [`Backtrace`] names the
//! functions and lines where a run is.

mod backtrace;
mod layout;
mod machinery;

pub use backtrace::{Backtrace, Called};
pub use layout::layout;
