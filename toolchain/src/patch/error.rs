use miette::Diagnostic;
use thiserror::Error;

use crate::elf::ElfError;

const BUILD: &str = "build it with GOOS=linux GOARCH=mips GOMIPS=softfloat CGO_ENABLED=0, and keep the symbols: no -s among \
                     -ldflags; docs/go.md has the versions that were tried";
const SYMBOLS: &str =
    "the symbol table is not that of Go's linker: build the program again, and change nothing in it";

/// Why a program is not patched.
#[derive(Debug, Error, Diagnostic)]
pub enum PatchError {
    /// The patches are words of another processor.
    #[error("the file is no 32-bit big-endian MIPS program, and the patches are for one")]
    #[diagnostic(help("{BUILD}"))]
    OtherMachine,

    /// What has to be changed is not there.
    #[error("the program has no symbol `{name}`, which every Go program has")]
    #[diagnostic(help("{BUILD}"))]
    Missing {
        /// The function or variable.
        name: String,
    },

    /// Two functions have the name of one that has to be changed.
    #[error("two functions are called `{name}`: at 0x{:08x} and at 0x{:08x}", .addresses[0], .addresses[1])]
    #[diagnostic(help("{SYMBOLS}"))]
    Ambiguous {
        /// Their name.
        name: String,
        /// Where they are.
        addresses: [u64; 2],
    },

    /// What has to be changed is not where it could be.
    #[error("`{name}`, 0x{size:x} bytes at 0x{address:08x}, is not in the memory of one segment of its kind")]
    #[diagnostic(help("{SYMBOLS}"))]
    Misplaced {
        /// The function, which has to be in the bytes of an executable segment, or the variable, in a writable one.
        name: String,
        /// Where the symbol says it is.
        address: u64,
        /// Its size, in bytes.
        size: u64,
    },

    /// A function has no room for what it is to do.
    #[error("the function `{name}` has {got} bytes, expected at least {expected}")]
    #[diagnostic(help(
        "this version of Go has another function of that name; docs/go.md has those that were tried"
    ))]
    TooSmall {
        /// The function.
        name: String,
        /// How many bytes its new body has.
        expected: usize,
        /// How many it has.
        got: usize,
    },

    /// A system call that is none of those that are known.
    #[error(
        "there is a system call at 0x{address:08x}, in `{name}`, which is no function that the patches know"
    )]
    #[diagnostic(help(
        "of a call that the VM has not it says that all went well: use the packages `os` and `syscall`, whose calls fail then; \
         docs/go.md has the versions of Go that were tried"
    ))]
    SystemCall {
        /// The function.
        name: String,
        /// Where in memory.
        address: u64,
    },

    /// Two functions that have to be changed share bytes.
    #[error("the functions `{}` and `{}` share bytes", .names[0], .names[1])]
    #[diagnostic(help("{SYMBOLS}"))]
    Overlap {
        /// The two.
        names: [String; 2],
    },

    /// The changed file cannot be read.
    #[error("the patched file cannot be read")]
    Elf(#[source] ElfError),
}
