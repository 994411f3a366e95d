use std::fmt;

use serde::{Serialize, Serializer};

/// The stages of the audit, in their order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// What the file says of itself.
    Header,
    /// Where its parts lie in memory.
    Segments,
    /// What its bytes must not contain.
    Content,
    /// Every word of its executable segments.
    Code,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Segments => "segments",
            Self::Content => "content",
            Self::Code => "code",
        })
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])+ $variant:ident $id:literal;)+) => {
        /// The rules, each with a name that does not change.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Rule {
            $($(#[$doc])+ $variant,)+
        }

        impl Rule {
            /// Every rule, in the order of the stages.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name: `branch-in-delay-slot`.
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$variant => $id,)+
                }
            }
        }
    };
}

rules! {
    /// The ELF class is the target's.
    ElfClass "elf-class";
    /// The byte order is the target's.
    ByteOrder "byte-order";
    /// The machine is MIPS.
    Machine "machine";
    /// The file is a program linked for fixed addresses.
    NotExecutable "not-executable";
    /// `e_flags` has the target's architecture.
    Architecture "architecture";
    /// `e_flags` has the target's calling convention.
    CallingConvention "calling-convention";
    /// `e_flags` has nothing else: no position-independent code, no 64-bit floating point, no compressed instructions.
    UnexpectedFlags "unexpected-flags";
    /// There are ABI flags.
    AbiFlagsMissing "abi-flags-missing";
    /// The ABI flags have their format.
    AbiFlagsMalformed "abi-flags-malformed";
    /// The ABI flags have the target's architecture, and no extension.
    AbiFlagsArchitecture "abi-flags-architecture";
    /// The ABI flags have 32-bit general registers and no coprocessor registers.
    AbiFlagsRegisters "abi-flags-registers";
    /// The ABI flags say soft float.
    AbiFlagsFloat "abi-flags-float";
    /// No interpreter: nothing would load it.
    Interpreter "interpreter";
    /// No dynamic section: nothing would read it.
    Dynamic "dynamic";
    /// No relocation is left: nothing would apply it.
    Relocation "relocation";
    /// No thread-local storage: nothing would set it up.
    ThreadLocal "thread-local";

    /// There is something to load.
    NothingToLoad "nothing-to-load";
    /// No segment is longer in the file than in memory.
    FileSize "file-size";
    /// No segment wraps around the end of the address space.
    AddressWrap "address-wrap";
    /// Nothing is both writable and executable, the stack included.
    WritableCode "writable-code";
    /// Every segment is inside the image range of the memory map.
    MemoryMap "memory-map";
    /// No segment reaches into the heap.
    HeapRoom "heap-room";
    /// No segment reaches into the stack.
    StackRoom "stack-room";
    /// No two segments share an address.
    SegmentOverlap "segment-overlap";
    /// No two segments share bytes of the file.
    FileOverlap "file-overlap";
    /// No other program header than the loaded segments would put bytes into memory.
    StraySegment "stray-segment";
    /// The weights are in the file.
    WeightsLeftOut "weights-left-out";
    /// The entry is the address of a word.
    EntryAlignment "entry-alignment";
    /// The entry is in executable bytes of the file.
    EntryOutsideCode "entry-outside-code";

    /// No path of the machine that built it.
    HostPath "host-path";

    /// Executable segments are made of whole words.
    CodeAlignment "code-alignment";
    /// All bytes of executable segments are in the file.
    CodeNotInFile "code-not-in-file";
    /// Executable segments hold no data.
    DataInCode "data-in-code";
    /// What lies between the sections of an executable segment is zero.
    Padding "padding";
    /// Every word is an instruction.
    UnknownInstruction "unknown-instruction";
    /// The VM can run every instruction.
    InstructionReverts "instruction-reverts";
    /// The VM runs every instruction as MIPS does.
    InstructionDiffers "instruction-differs";
    /// Every instruction is one that somebody checked.
    InstructionUnneeded "instruction-unneeded";
    /// No branch or jump is in the delay slot of another.
    BranchInDelaySlot "branch-in-delay-slot";
    /// Every delay slot is in the code.
    DelaySlotOutsideCode "delay-slot-outside-code";
    /// Every branch and jump leads to code.
    TargetOutsideCode "target-outside-code";
    /// The VM carries out every system call with a constant number.
    UnknownSyscall "unknown-syscall";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}
