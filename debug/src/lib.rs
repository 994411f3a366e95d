//! What a run of a program says about itself, in the words of the program's files.
//!
//! [`layout`] tells the VM what of the memory is whose, so that it finds what no correct program does. A [`Backtrace`] names the
//! functions and lines where a run is. A [`Session`] is a run that can be stopped and taken back, and [`gdb`] lets gdb do so.

mod backtrace;
pub mod gdb;
mod layout;
mod machinery;
mod session;

pub use backtrace::{Backtrace, Called};
pub use layout::layout;
pub use session::Session;
