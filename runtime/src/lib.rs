//! The guest side of the ABI: entry, system calls, preimage oracle, panic.
//!
//! A guest's `main` gets a [`Guest`], reads its input from it, computes, and ends with
//! [`Guest::finish`]. Everything here goes through the small interface [`Sys`]: on the VM that is
//! `Mips`, on a host the tests put their own behind it.
//!
//! Nothing here allocates, and nothing is started before `main`: `.bss` is part of the zero memory
//! of the initial state, and there are no constructors.
#![no_std]
// Inline assembly for MIPS is not stable yet. The guest toolchain is pinned, so this cannot drift.
#![cfg_attr(target_arch = "mips", feature(asm_experimental_arch))]

mod arena;
mod counted;
mod guest;
#[cfg(target_arch = "mips")]
mod mips;
#[cfg(target_arch = "mips")]
mod soft_float;
mod sys;

pub use arena::{Arena, Plain, bytes, bytes_mut};
pub use counted::Counted;
pub use guest::{Guest, InputReader, OutputTensor};
#[cfg(target_arch = "mips")]
pub use mips::Mips;
pub use opml_abi as abi;
pub use sys::Sys;

/// Makes `$main`, a `fn(Guest<Mips>) -> !`, the program that the entry point runs.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        /// Called by the entry point with an empty stack; does not come back.
        #[unsafe(no_mangle)]
        extern "C" fn opml_main() -> ! {
            $main($crate::Guest::new($crate::Mips))
        }
    };
}
