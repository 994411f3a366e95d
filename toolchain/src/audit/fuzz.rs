use std::sync::LazyLock;

use opml_targets::Target;

use super::audit;
use crate::elf::Elf;

static TARGET: LazyLock<Target> =
    LazyLock::new(|| Target::load("cannon32").expect("the embedded description is valid"));

/// Reads and judges arbitrary bytes, and writes the report: none of it may panic, hang or take much memory. For
/// the fuzz target and for replaying its corpus.
///
/// # Panics
/// Only where the code under test does.
pub fn fuzz_elf(data: &[u8]) {
    let Ok(elf) = Elf::parse(data.to_vec()) else { return };
    for symbol in elf.symbols().iter().take(100) {
        elf.symbol_name(symbol);
    }
    if let Err(failure) = audit(elf, &TARGET) {
        assert!(!failure.violations.is_empty());
        assert!(!failure.text().is_empty());
        serde_json::to_vec(&failure).expect("a failure is plain data");
    }
}
