use std::sync::LazyLock;

use opml_targets::Target;

use super::{AuditOptions, audit, audit_with};
use crate::elf::Elf;
use crate::inspect::{Question, inspect};
use crate::patch::{PatchSet, patch};
use crate::statements::Statements;

static TARGET: LazyLock<Target> =
    LazyLock::new(|| Target::load("cannon32").expect("the embedded description is valid"));

/// Reads, describes and judges arbitrary bytes, and writes the report: none of it may panic, hang or take much memory. For
/// the fuzz target and for replaying its corpus.
///
/// # Panics
/// Only where the code under test does.
pub fn fuzz_elf(data: &[u8]) {
    let Ok(elf) = Elf::parse(data.to_vec()) else { return };
    for symbol in elf.symbols().iter().take(100) {
        elf.symbol_name(symbol);
    }
    let question = Question { program: &elf, names: &elf, target: &TARGET, arena: Some(64), top: 100 };
    serde_json::to_vec(&inspect(&question)).expect("a description is plain data");
    let (mut frames, mut unwinder) = (elf.frames(), elf.unwinder());
    let code = elf.segments().iter().filter(|segment| segment.is_executable());
    for address in code.flat_map(|segment| segment.range().start..segment.range().end).take(64) {
        frames.at(address);
        unwinder.caller(address as u32, &[address as u32; 32], Some);
    }
    drop((frames, unwinder));
    if let Err(damaged) = Statements::of(&elf) {
        assert!(!damaged.to_string().is_empty());
    }
    if let Ok(patched) = patch(&elf, PatchSet::Go) {
        let options = AuditOptions { allow_reverting: true, no_jump_tables: true, ..AuditOptions::default() };
        // Either verdict will do.
        let _judged = audit_with(patched.elf, &TARGET, &options);
    }
    if let Err(failure) = audit(elf, &TARGET) {
        assert!(!failure.violations.is_empty());
        assert!(!failure.text().is_empty());
        serde_json::to_vec(&failure).expect("a failure is plain data");
    }
}
