//! The system calls of the on-chain VM, its entry point, and the guest's panic handler.

use core::arch::{asm, global_asm};
use core::fmt::Write;
use core::panic::PanicInfo;

use opml_abi::{exit, fd, syscall};

use crate::Sys;
use crate::print::Stream;

// The VM starts here with $29 at the top of the stack and every other register zero. `opml_main`
// does not return; the second instruction fills the delay slot.
global_asm!(
    ".section .text.entry, \"ax\", @progbits",
    ".set noreorder",
    ".globl _start",
    ".type _start, @function",
    "_start:",
    "j opml_main",
    "nop",
    ".size _start, . - _start",
    ".set reorder",
);

/// The on-chain VM.
#[derive(Clone, Copy, Debug)]
pub struct Mips;

impl Sys for Mips {
    #[inline]
    fn read_preimage(&mut self, words: &mut [u32]) {
        // Each call moves one word, as the buffer is aligned: six steps a word.
        if words.is_empty() {
            return;
        }
        // SAFETY: the kernel writes inside `words` only: $5 and $6 advance together, and the loop
        // ends when $6 is zero. The VM changes no register but $2 and $7.
        unsafe {
            asm!(
                ".set noreorder",
                "2:",
                "li $2, {read}",
                "syscall",
                "subu $6, $6, $2",
                "bnez $6, 2b",
                "addu $5, $5, $2",
                ".set reorder",
                read = const syscall::READ,
                in("$4") fd::PREIMAGE_READ,
                inout("$5") words.as_mut_ptr() => _,
                inout("$6") size_of_val(words) => _,
                out("$2") _,
                out("$7") _,
                options(nostack),
            );
        }
    }

    #[inline]
    fn write_key(&mut self, key: &[u32; 8]) {
        // SAFETY: as in `read_preimage`; the kernel reads `key` only.
        unsafe {
            asm!(
                ".set noreorder",
                "2:",
                "li $2, {write}",
                "syscall",
                "subu $6, $6, $2",
                "bnez $6, 2b",
                "addu $5, $5, $2",
                ".set reorder",
                write = const syscall::WRITE,
                in("$4") fd::PREIMAGE_WRITE,
                inout("$5") key.as_ptr() => _,
                inout("$6") size_of_val(key) => _,
                out("$2") _,
                out("$7") _,
                options(nostack, readonly),
            );
        }
    }

    fn write(&mut self, fd: u32, bytes: &[u8]) {
        // SAFETY: the kernel reads `bytes` only. Descriptors other than the preimage's take the
        // whole buffer in one call.
        unsafe {
            asm!(
                "syscall",
                inout("$2") syscall::WRITE => _,
                in("$4") fd,
                in("$5") bytes.as_ptr(),
                in("$6") bytes.len(),
                out("$7") _,
                options(nostack, readonly),
            );
        }
    }

    fn exit(&mut self, code: u8) -> ! {
        // SAFETY: the VM executes nothing after this call. The jump to itself is there because a
        // machine that went on would run into whatever follows.
        unsafe {
            asm!(
                ".set noreorder",
                "2:",
                "syscall",
                "b 2b",
                "nop",
                ".set reorder",
                in("$2") syscall::EXIT_GROUP,
                in("$4") u32::from(code),
                options(noreturn, nostack),
            );
        }
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // A failure to print cannot be reported anywhere; the exit code says enough.
    let _ = writeln!(Stream(fd::STDERR), "{info}");
    Mips.exit(exit::FAILED)
}

/// What `core::intrinsics::abort` is in a guest (toolchain/src/sysroot/library.rs): it ends the program as a panic does.
// SAFETY: nothing else has this name.
#[unsafe(no_mangle)]
extern "C" fn opml_abort() -> ! {
    Mips.write(fd::STDERR, b"aborted\n");
    Mips.exit(exit::FAILED)
}
