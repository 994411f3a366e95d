use std::fmt;

use opml_state::Hash;

use crate::{Fault, HostError};

/// Why a step can never be proven: the contract reverts on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// A branch or jump where the one before it has changed the next pc.
    BranchInDelaySlot,
    /// `div` or `divu` with a zero divisor.
    DivisionByZero,
    /// A word that is no instruction of the contract.
    UnknownInstruction,
    /// The pc is not a multiple of 4.
    UnalignedPc,
    /// A preimage is read from behind its end. At its end exactly, a local value reads as nothing, but any
    /// other preimage has no part there that could be loaded on chain (`PreimageOracle.sol`).
    PreimageOffset,
    /// The host gave a local value of more than 32 bytes, which `loadLocalData` refuses.
    LocalValueTooLong,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BranchInDelaySlot => "branch or jump in a delay slot",
            Self::DivisionByZero => "division by zero",
            Self::UnknownInstruction => "no instruction of this VM",
            Self::UnalignedPc => "pc is not a multiple of 4",
            Self::PreimageOffset => "preimage read behind its end",
            Self::LocalValueTooLong => "local value longer than 32 bytes",
        })
    }
}

/// Why a run stopped before its end. The VM stays in the state before the step in question.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum VmError {
    /// The next step could not be proven on chain.
    #[error("step {step} cannot be proven on chain: {reason} (pc {pc:#010x}, instruction {word:#010x})")]
    #[diagnostic(help(
        "look up the pc in the program's symbols; the audit of its ELF names such instructions"
    ))]
    Unprovable {
        /// Steps executed before.
        step: u64,
        /// Address of the instruction.
        pc: u32,
        /// The instruction; of an unaligned pc, the word around it.
        word: u32,
        /// Why.
        reason: Reason,
    },
    /// The next step does what no correct program does; only found by a VM that is [checked](crate::Vm::checked).
    #[error("{fault} (step {step}, pc {pc:#010x}, instruction {word:#010x})")]
    #[diagnostic(forward(fault))]
    Fault {
        /// Steps executed before.
        step: u64,
        /// Address of the instruction.
        pc: u32,
        /// The instruction.
        word: u32,
        /// What it does.
        fault: Fault,
    },
    /// The host has no answer to a preimage read.
    #[error("the host could not answer the preimage {key} (pc {pc:#010x})")]
    #[diagnostic(help("give the host the input or the preimage the program asks for"))]
    Preimage {
        /// Address of the system call.
        pc: u32,
        /// The key the program wrote.
        key: Hash,
        /// What the host says.
        #[source]
        source: HostError,
    },
    /// The host's answer is not the preimage of the key.
    #[error("the host answered a preimage of {got} to the key {key} (pc {pc:#010x})")]
    #[diagnostic(help("the answer is wrong or damaged; ask another host"))]
    WrongPreimage {
        /// Address of the system call.
        pc: u32,
        /// The key the program wrote.
        key: Hash,
        /// The key of what the host says.
        got: Hash,
    },
    /// A proof was asked for a step after the exit.
    #[error("the program exited with {code} after {steps} steps: there is no step {steps} to prove")]
    #[diagnostic(help("steps are counted from 0; the last one that can be proven is the one before"))]
    Exited {
        /// The exit code.
        code: u8,
        /// Steps of the whole run.
        steps: u64,
    },
    /// A hint is longer than the VM will hold for the host.
    #[error("a hint of {len} bytes is over the limit of {limit} (pc {pc:#010x})")]
    #[diagnostic(help(
        "the program writes a wrong length to the hint descriptor, or its output is too large"
    ))]
    HintTooLong {
        /// Address of the system call.
        pc: u32,
        /// Bytes the hint would have.
        len: u64,
        /// Most bytes there may be.
        limit: u32,
    },
    /// The program touched more memory than the VM was told to give it.
    #[error("the program uses {got} pages of memory, the limit is {limit}")]
    #[diagnostic(help("raise the page limit of the VM, or look for a runaway allocation in the program"))]
    MemoryLimit {
        /// Pages in use.
        got: u32,
        /// Most pages there may be.
        limit: u32,
    },
    /// A profile has more pieces of code than the VM will count.
    #[error(
        "the program runs more than {limit} different pieces of code, each counted for every call it is part of"
    )]
    #[diagnostic(help(
        "profile a smaller input, or fewer steps; code that changes itself all the time has no profile"
    ))]
    TooManyPieces {
        /// Most there may be.
        limit: usize,
    },
    /// The operating system did not reserve address space.
    #[error("{bytes} bytes of address space could not be reserved")]
    #[diagnostic(help(
        "only touched pages take real memory: lift the limit on virtual memory (ulimit -v) and allow \
         overcommit (on Linux, vm.overcommit_memory other than 2)"
    ))]
    Reserve {
        /// Bytes of the reservation.
        bytes: u64,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
}
