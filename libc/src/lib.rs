//! The C library of guests: what `libc/include/` declares.
//!
//! It is small and real: memory, text, numbers, `printf`, `math.h`, and `opml.h`, by which a C program takes its input and
//! gives its output. On the VM the functions have C's names, and a program is linked with those it uses. On hosts,
//! which have such a library, they are functions of this crate and no more; there the tests compare the two.
//!
//! [`math`] is for Rust guests too: the same functions under the same names give the same bits.
#![no_std]
// Functions with C's variable arguments are not stable yet. The guest toolchain is pinned, so this cannot drift.
#![cfg_attr(target_arch = "mips", feature(c_variadic))]
#![expect(
    clippy::missing_safety_doc,
    reason = "what the C standard asks of a caller: text ends with a zero byte, and memory is there as far as a call says"
)]

extern crate alloc;

mod cell;
pub mod ctype;
pub mod errno;
mod exchange;
pub mod heap;
pub mod integer;
pub mod math;
pub mod number;
#[cfg(target_arch = "mips")]
mod program;
pub mod random;
pub mod sort;
pub mod stdio;
pub mod string;
pub mod strings;
pub mod tokens;

pub use exchange::{Exchange, InputError, Tensor};
#[cfg(target_arch = "mips")]
pub use program::run;

/// Makes the C function `int main(void)` the program that the entry point runs.
#[macro_export]
macro_rules! c_main {
    () => {
        unsafe extern "C" {
            fn main() -> core::ffi::c_int;
        }

        /// Called by the entry point with an empty stack; does not come back.
        #[unsafe(no_mangle)]
        extern "C" fn opml_main() -> ! {
            // SAFETY: the program's own function; what it does is what its author wrote.
            $crate::run(|| unsafe { main() })
        }
    };
}
