use std::fmt;

/// What a load or store does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Reads memory.
    Read,
    /// Writes memory.
    Write,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

/// What a step does that no correct program does, though the contract has nothing against most of it: it has one memory without
/// borders, and it takes the low bits of an address for zeros. Found by a VM that was told the program's
/// [`Layout`](crate::Layout).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error, miette::Diagnostic)]
pub enum Fault {
    /// `lw`, `lh`, `lhu`, `sw` or `sh` at an address that is not a multiple of the size.
    #[error("unaligned {access} of {size} bytes at {address:#010x}")]
    #[diagnostic(code(fault::unaligned_access), help(
        "the contract would mask the address to {:#010x} and go on with a wrong result; read and write such data bytewise, \
         or with lwl and lwr (Rust: read_unaligned; C: memcpy, or __attribute__((packed)))", .address & !(.size - 1)
    ))]
    UnalignedAccess {
        /// What it does.
        access: Access,
        /// Bytes of the access.
        size: u32,
        /// Where.
        address: u32,
    },
    /// An access to where nothing lies because null pointers lead there.
    #[error("{access} of {size} bytes through a null pointer, at {address:#010x}")]
    #[diagnostic(code(fault::null_access), help("the contract would go on: it has memory there, of zeros"))]
    NullAccess {
        /// What it does.
        access: Access,
        /// Bytes of the access.
        size: u32,
        /// Where.
        address: u32,
    },
    /// An access outside image, heap and stack.
    #[error("{access} of {size} bytes outside image, heap and stack, at {address:#010x}")]
    #[diagnostic(
        code(fault::outside_access),
        help("the contract would go on: it has memory everywhere, of zeros")
    )]
    OutsideAccess {
        /// What it does.
        access: Access,
        /// Bytes of the access.
        size: u32,
        /// Where.
        address: u32,
    },
    /// A write to instructions, constants or weights.
    #[error("write of {size} bytes to read-only memory, at {address:#010x}")]
    #[diagnostic(
        code(fault::read_only_write),
        help("the contract would change the program's instructions, constants or weights, and go on")
    )]
    ReadOnlyWrite {
        /// Bytes of the access.
        size: u32,
        /// Where.
        address: u32,
    },
    /// An access below the stack's part of the memory, with the stack pointer there too.
    #[error(
        "stack overflow: access at {address:#010x}, stack pointer at {pointer:#010x}; the stack ends at {lowest:#010x}"
    )]
    #[diagnostic(
        code(fault::stack_overflow),
        help(
            "the contract would go on and write over what the heap has there; use less stack: shallower recursion, \
         and large arrays in statics or on the heap"
        )
    )]
    StackOverflow {
        /// Where.
        address: u32,
        /// Register 29.
        pointer: u32,
        /// The lowest address of the stack.
        lowest: u32,
    },
    /// `mmap` gives out memory behind the heap's end.
    #[error("out of heap: mmap of {size} bytes at {start:#010x}; the heap ends at {end:#010x}")]
    #[diagnostic(
        code(fault::heap_exhausted),
        help("the contract would give out the stack's memory, and go on; use less heap")
    )]
    HeapExhausted {
        /// Bytes that were asked for.
        size: u32,
        /// Where they would lie.
        start: u32,
        /// Where the heap ends.
        end: u32,
    },
    /// A jump to an address that is not a multiple of 4.
    #[error("jump to {target:#010x}, which is not a multiple of 4")]
    #[diagnostic(
        code(fault::unaligned_jump),
        help(
            "the contract would revert two steps later, so the run could not be proven; the address is damaged, or no function's"
        )
    )]
    UnalignedJump {
        /// Where to.
        target: u32,
    },
    /// A jump to what is no code of the program.
    #[error("jump to {target:#010x}, where no code of the program lies")]
    #[diagnostic(
        code(fault::jump_outside_code),
        help(
            "the contract would execute what lies there: memory that was never written is a row of nops. The address is damaged (a \
         return address that was overwritten?), or no function's"
        )
    )]
    JumpOutsideCode {
        /// Where to.
        target: u32,
    },
    /// The program ran on behind its code.
    #[error("no code of the program lies here: it ran on behind the end of its code")]
    #[diagnostic(
        code(fault::no_code),
        help("the contract would execute what lies here: memory that was never written is a row of nops")
    )]
    NoCode,
}

impl Fault {
    /// A name of its own for each, in words with hyphens.
    pub fn name(&self) -> &'static str {
        match self {
            Self::UnalignedAccess { .. } => "unaligned-access",
            Self::NullAccess { .. } => "null-access",
            Self::OutsideAccess { .. } => "outside-access",
            Self::ReadOnlyWrite { .. } => "read-only-write",
            Self::StackOverflow { .. } => "stack-overflow",
            Self::HeapExhausted { .. } => "heap-exhausted",
            Self::UnalignedJump { .. } => "unaligned-jump",
            Self::JumpOutsideCode { .. } => "jump-outside-code",
            Self::NoCode => "no-code",
        }
    }

    /// The address in question, if it is not that of the instruction.
    pub fn address(&self) -> Option<u32> {
        match *self {
            Self::UnalignedAccess { address, .. }
            | Self::NullAccess { address, .. }
            | Self::OutsideAccess { address, .. }
            | Self::ReadOnlyWrite { address, .. }
            | Self::StackOverflow { address, .. } => Some(address),
            Self::HeapExhausted { start, .. } => Some(start),
            Self::UnalignedJump { target } | Self::JumpOutsideCode { target } => Some(target),
            Self::NoCode => None,
        }
    }
}
