//! The guest side of the ABI: entry, system calls, preimage oracle, panic.
//!
//! A guest's `main` gets a [`Guest`], reads its input from it, computes, and ends with
//! [`Guest::finish`]. Everything here goes through the small interface [`Sys`]: on the VM that is
//! `Mips`, on a host the tests put their own behind it.
//!
//! Nothing is started before `main`: `.bss` is part of the zero memory of the initial state, and there are no constructors.
//! Nothing allocates either, but for what the feature `guest` adds: guests that are written by hand have a heap,
//! [`entry`] with typed input and output, and `print!`.
#![no_std]
// Inline assembly for MIPS is not stable yet. The guest toolchain is pinned, so this cannot drift.
#![cfg_attr(target_arch = "mips", feature(asm_experimental_arch))]

#[cfg(feature = "guest")]
extern crate alloc;

mod arena;
mod counted;
mod guest;
#[cfg(all(feature = "guest", target_arch = "mips"))]
mod heap;
#[cfg(feature = "guest")]
pub mod io;
#[cfg(target_arch = "mips")]
mod mips;
#[cfg(target_arch = "mips")]
mod print;
#[cfg(target_arch = "mips")]
mod soft_float;
mod sys;

pub use arena::{Arena, Plain, bytes, bytes_mut};
pub use counted::Counted;
pub use guest::{Guest, InputReader, OutputTensor};
#[cfg(feature = "guest")]
pub use io::Tensor;
#[cfg(target_arch = "mips")]
pub use mips::Mips;
pub use opml_abi as abi;
#[cfg(feature = "guest")]
pub use opml_entry::entry;
#[cfg(target_arch = "mips")]
pub use print::{error, output};
pub use sys::Sys;

/// Makes `$main`, a `fn(Guest<Mips>) -> !`, the program that the entry point runs.
#[macro_export]
macro_rules! program {
    ($main:path) => {
        /// Called by the entry point with an empty stack; does not come back.
        #[unsafe(no_mangle)]
        extern "C" fn opml_main() -> ! {
            $main($crate::Guest::new($crate::Mips))
        }
    };
}

/// Runs `main` as the program; [`entry`] calls it.
#[cfg(all(feature = "guest", target_arch = "mips"))]
pub fn start<P>(main: impl io::Program<P>) -> ! {
    io::run(Guest::new(Mips), main)
}
