//! The audit: whether every step of a program can be proven on the target's VM, and means there what it means on MIPS.
//!
//! It judges an ELF file against a [`Target`], in four [`Stage`]s: the header, the segments, the content, the code. It
//! stops behind the first stage with a violation, with every violation found in it, because later stages rely on
//! the earlier ones. Only a file that passes becomes an [`AuditedElf`].
//!
//! # What it cannot see
//!
//! These depend on values that only a run knows. A program that passes can still do them, and each then ends as the VM
//! does it; the off-chain VM reports those that revert.
//!
//! - **Division by zero** reverts. Whether a divisor can be zero is not decided here; the compiler's own guard is a trap,
//!   which is refused, so the code has to exclude zero itself.
//! - **Unaligned `lh`, `lhu`, `lw`, `ll`, `sh`, `sw`** touch the aligned word instead of faulting.
//! - **Jumps to a register** (`jr`, `jalr`): returns, calls through pointers, jump tables. They may lead outside the code,
//!   to an unaligned address, or between an instruction and the one in front that was relied on (see `srav` below).
//! - **Loads and stores** anywhere: into the stack, the code, or memory that is not there. All memory of the VM
//!   can be read, written and executed, so a program that writes code and jumps to it runs unaudited code.
//! - **The stack's depth and the heap's use.** Only the room for them is checked.
//! - **System calls whose number is not a constant** in the instructions right in front, and the arguments of all.
//! - **Whether code is reachable.** All of it is judged, and running off its end is noticed only for a branch.
//! - **Floating point.** Soft float is taken from the ABI flags, which the compiler writes; floating-point instructions
//!   are refused wherever they stand.
//! - **Host paths** that are neither in a usual place nor among [`AuditOptions::host_paths`].
//!
//! An instruction that is allowed only under a condition (`srav` with an amount below 32, `sc` behind its `ll`) passes if the
//! instructions in front of it, back to the nearest branch (of `sc`: jump), branch target or symbol, show the condition.

mod code;
mod content;
mod dataflow;
mod finding;
mod fuzz;
mod header;
mod report;
mod rule;
mod segments;

pub use fuzz::fuzz_elf;
pub(crate) use header::{ABI_FLAGS_SIZE, FLOAT_SOFT, SECTION_ABI_FLAGS};
pub use report::{AuditFailure, Violation};
pub use rule::{Rule, Stage};

use opml_targets::Target;

use crate::elf::Elf;
use finding::Findings;

/// A program that passed the audit for a target.
#[derive(Clone, Debug)]
pub struct AuditedElf {
    elf: Elf,
    target: String,
    instructions: usize,
    reverting: Vec<Violation>,
}

impl AuditedElf {
    /// The file.
    pub fn elf(&self) -> &Elf {
        &self.elf
    }

    /// Gives the file back, without the promise.
    pub fn into_elf(self) -> Elf {
        self.elf
    }

    /// Name of the target it was judged for.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// How many instruction words were judged, padding included.
    pub fn instructions(&self) -> usize {
        self.instructions
    }

    /// The instructions that the VM cannot run, if [`AuditOptions::allow_reverting`] let them pass.
    pub fn reverting(&self) -> &[Violation] {
        &self.reverting
    }
}

/// What the audit should know besides the file and the target.
#[derive(Clone, Debug, Default)]
pub struct AuditOptions {
    /// Directories of this machine (home, checkout, caches) that must not be named in the memory image. The usual
    /// places of such directories are looked for in any case.
    pub host_paths: Vec<String>,
    /// Lets instructions pass that the VM cannot run ([`Rule::InstructionReverts`]), at most [`MAX_REVERTING`] of them: no step
    /// that executes one can be proven, and none computes something wrong.
    pub allow_reverting: bool,
    /// Somebody has seen that nothing in the program jumps through a table. Else each word of the data that could be an address
    /// of code is taken for one that a table has, and nothing is inferred across it.
    pub no_jump_tables: bool,
}

/// Most instructions that [`AuditOptions::allow_reverting`] lets pass. Each is listed in the manifest; a program with more is
/// compiled for another processor.
pub const MAX_REVERTING: usize = 1 << 9;

/// Judges `elf` for `target`.
///
/// # Errors
/// Every violation of the first stage that has one.
pub fn audit(elf: Elf, target: &Target) -> Result<AuditedElf, AuditFailure> {
    audit_with(elf, target, &AuditOptions::default())
}

/// Judges `elf` for `target` with what `options` say.
///
/// # Errors
/// Every violation of the first stage that has one.
pub fn audit_with(elf: Elf, target: &Target, options: &AuditOptions) -> Result<AuditedElf, AuditFailure> {
    let stop = |stage, findings: Findings| findings.into_result(stage, &elf, target);
    stop(Stage::Header, header::check(&elf, target))?;
    stop(Stage::Segments, segments::check(&elf, target))?;
    stop(Stage::Content, content::check(&elf, options))?;
    let code = code::Code::new(&elf, options);
    let mut findings = code.check(&elf, target);
    let reverting = match options.allow_reverting {
        true => findings.excuse(Rule::InstructionReverts, MAX_REVERTING).into_violations(&elf),
        false => Vec::new(),
    };
    stop(Stage::Code, findings)?;
    let instructions = code.words();
    Ok(AuditedElf { target: target.name().to_owned(), instructions, reverting, elf })
}
