use std::collections::BTreeMap;
use std::fmt;

use opml_isa::Mnemonic;
use serde::{Deserialize, Serialize};

/// An on-chain VM, validated.
#[derive(Clone, Debug)]
pub struct Target {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) contract: Contract,
    pub(crate) elf: ElfFacts,
    pub(crate) memory: MemoryMap,
    pub(crate) syscalls: Vec<Syscall>,
    pub(crate) instructions: BTreeMap<Mnemonic, Judgement>,
    pub(crate) otherwise: Refusal,
    pub(crate) commitment: Commitment,
    pub(crate) toml: &'static str,
    pub(crate) rustc_spec: &'static str,
    pub(crate) linker_script_name: String,
    pub(crate) linker_script: &'static str,
}

/// How an instruction that the description lists is to be judged.
#[derive(Clone, Debug)]
pub(crate) enum Judgement {
    Allowed,
    Conditional(Condition, Refusal),
    Refused(Refusal),
}

/// What a target says of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict<'a> {
    /// The VM runs it as the manual says.
    Allowed,
    /// It does where the condition holds; elsewhere it is refused.
    Conditional(Condition, &'a Refusal),
    /// It must not be in a program.
    Refused(&'a Refusal),
}

/// Why an instruction is refused, and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// What running it would lead to.
    pub effect: Effect,
    /// What the contract does, in a clause.
    pub contract: String,
    /// What to write or to compile with instead.
    pub instead: String,
}

/// What running a refused instruction leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// The VM does something else than the manual says: the program silently computes a wrong result.
    Differs,
    /// The VM cannot run it: the step can never be proven.
    Reverts,
    /// It would run, but nothing needs it and nobody has checked it.
    Unneeded,
}

/// A condition the audit has to show before it lets an instruction pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// The register in field rs holds a value below 32.
    #[serde(rename = "shift-below-32")]
    ShiftBelow32,
    /// A load-linked from the same address stands in front, and nothing between the two could undo the link.
    BehindLoadLinked,
}

/// The contract that judges the target's programs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Its name in Solidity.
    pub name: String,
    /// What its `version()` returns.
    pub version: String,
}

/// What a program's ELF header and ABI flags have to say.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ElfFacts {
    /// Width of addresses.
    pub class: Class,
    /// Order of the bytes of a word.
    pub byte_order: ByteOrder,
    /// Calling convention; `o32` so far.
    pub abi: Abi,
    /// How floating point is done.
    pub float: FloatAbi,
    /// Architecture level as `.MIPS.abiflags` counts: 32 for MIPS32.
    pub isa_level: u8,
    /// Its release.
    pub isa_revision: u8,
}

/// ELF class.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Class {
    /// 32-bit addresses.
    Elf32,
    /// 64-bit addresses.
    Elf64,
}

impl TryFrom<u8> for Class {
    type Error = String;

    fn try_from(bits: u8) -> Result<Self, String> {
        match bits {
            32 => Ok(Self::Elf32),
            64 => Ok(Self::Elf64),
            _ => Err(format!("ELF class {bits} is neither 32 nor 64")),
        }
    }
}

impl From<Class> for u8 {
    fn from(class: Class) -> u8 {
        class.bits()
    }
}

impl Class {
    /// Bits of an address.
    pub const fn bits(self) -> u8 {
        match self {
            Self::Elf32 => 32,
            Self::Elf64 => 64,
        }
    }
}

/// Order of the bytes of a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ByteOrder {
    /// Most significant byte first.
    Big,
    /// Least significant byte first.
    Little,
}

/// Calling convention.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Abi {
    /// The 32-bit System V convention of MIPS.
    O32,
}

/// How floating point is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FloatAbi {
    /// In integer instructions.
    Soft,
}

/// Where things are in the VM's memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryMap {
    /// Where the program's segments may lie.
    pub image: AddressRange,
    /// Where memory is given out from; its start is the initial heap pointer.
    pub heap: AddressRange,
    /// The stack.
    pub stack: Stack,
}

/// The stack grows down from its top.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stack {
    /// The initial stack pointer.
    pub top: u64,
    /// Bytes below it that a guest may use.
    pub size: u64,
}

impl Stack {
    /// The bytes a guest may use.
    pub const fn range(self) -> AddressRange {
        AddressRange { start: self.top.saturating_sub(self.size), end: self.top }
    }
}

/// Addresses from `start` up to, not including, `end`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressRange {
    /// First address.
    pub start: u64,
    /// First address behind it.
    pub end: u64,
}

impl AddressRange {
    /// Whether the two share an address. An empty range shares none.
    pub const fn overlaps(self, other: Self) -> bool {
        let start = if self.start > other.start { self.start } else { other.start };
        let end = if self.end < other.end { self.end } else { other.end };
        start < end
    }

    /// Whether all of `other` is inside.
    pub const fn contains_range(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Whether `address` is inside.
    pub const fn contains(self, address: u64) -> bool {
        self.start <= address && address < self.end
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08x}..0x{:08x}", self.start, self.end)
    }
}

/// A system call the VM carries out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Syscall {
    /// What the guest puts into `$v0`.
    pub number: u32,
    /// Its name in Linux.
    pub name: String,
}

/// How a memory image is committed to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Commitment {
    /// Binary Merkle tree of 27 levels over 32-byte leaves, keccak256.
    #[serde(rename = "cannon-merkle-32")]
    CannonMerkle32,
}

impl Target {
    /// Its name: `cannon32`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is, in a line.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The contract that judges its programs.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// What a program's ELF header and ABI flags have to say.
    pub fn elf(&self) -> &ElfFacts {
        &self.elf
    }

    /// Where things are in the VM's memory.
    pub fn memory(&self) -> &MemoryMap {
        &self.memory
    }

    /// The system calls the VM carries out, by number.
    pub fn syscalls(&self) -> &[Syscall] {
        &self.syscalls
    }

    /// The system call with this number.
    pub fn syscall(&self, number: u32) -> Option<&Syscall> {
        let found = self.syscalls.binary_search_by_key(&number, |syscall| syscall.number);
        found.ok().map(|index| &self.syscalls[index])
    }

    /// How a memory image is committed to.
    pub fn commitment(&self) -> Commitment {
        self.commitment
    }

    /// The text of its `target.toml`.
    pub fn toml(&self) -> &'static str {
        self.toml
    }

    /// The text of its `rustc.toml`: the compiler's target specification.
    pub fn rustc_spec(&self) -> &'static str {
        self.rustc_spec
    }

    /// File name of its linker script in `linker/`.
    pub fn linker_script_name(&self) -> &str {
        &self.linker_script_name
    }

    /// The text of its linker script.
    pub fn linker_script(&self) -> &'static str {
        self.linker_script
    }

    /// What the VM makes of an instruction.
    pub fn verdict(&self, mnemonic: Mnemonic) -> Verdict<'_> {
        match self.instructions.get(&mnemonic) {
            Some(Judgement::Allowed) => Verdict::Allowed,
            Some(Judgement::Conditional(condition, refusal)) => Verdict::Conditional(*condition, refusal),
            Some(Judgement::Refused(refusal)) => Verdict::Refused(refusal),
            None => Verdict::Refused(&self.otherwise),
        }
    }
}
