//! The audit, the description of a program and the reader below both, against ELF files that the tests build.

mod frames;
mod hostile;
mod inspect;
mod passes;
mod patches;
mod places;
mod program;
mod reader;
mod report;
mod rules;
mod unwind;

use opml_targets::Target;
use opml_toolchain::audit::{AuditFailure, AuditedElf, Rule, audit};
use opml_toolchain::elf::Elf;
use program::Program;

fn cannon32() -> Target {
    Target::load("cannon32").unwrap()
}

fn judge(program: &Program) -> Result<AuditedElf, AuditFailure> {
    audit(Elf::parse(program.write()).unwrap(), &cannon32())
}

/// The rules that a program violates, each once.
fn violated(program: &Program) -> Vec<Rule> {
    let Err(failure) = judge(program) else { return Vec::new() };
    let mut rules: Vec<_> = failure.violations.iter().map(|violation| violation.rule).collect();
    rules.sort();
    rules.dedup();
    rules
}
