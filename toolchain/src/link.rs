//! From objects to ELF files: one with symbols and debug information, one with what is loaded.

use std::fs;
use std::path::Path;

use opml_targets::Target;

use crate::elf::Elf;
use crate::error::BuildError;
use crate::flags;
use crate::provision::{Tool, Toolchain};

/// What ld.lld says where nothing defines the function that the entry point calls.
const NO_ENTRY: &str = "undefined symbol: opml_main";

/// Links `objects` by the target's script; with `strip`, nothing but what is loaded is left.
pub(crate) fn link(
    toolchain: &Toolchain,
    target: &Target,
    objects: &[&Path],
    strip: bool,
) -> Result<Vec<u8>, BuildError> {
    let dir = tempfile::tempdir().map_err(BuildError::io("make", &std::env::temp_dir()))?;
    let script = dir.path().join(target.linker_script_name());
    let out = dir.path().join("program.elf");
    fs::write(&script, target.linker_script()).map_err(BuildError::io("write", &script))?;
    let mut command = toolchain.command(Tool::Lld);
    command.args(flags::LINKER).args(strip.then_some(flags::LINKER_STRIP));
    command.arg("-T").arg(&script).args(objects).arg("-o").arg(&out);
    let help = "a symbol or section that the linker script does not know; see linker/";
    crate::tool::run(&mut command, "linking", help).map_err(|error| match error {
        BuildError::Tool { output, .. } if output.contains(NO_ENTRY) => BuildError::NoEntry,
        other => other,
    })?;
    fs::read(&out).map_err(BuildError::io("read", &out))
}

/// Refuses a stripped file that would load anything else than the audited one.
pub(crate) fn same_image(audited: &Elf, stripped: &Elf) -> Result<(), BuildError> {
    let differs = |what: String| Err(BuildError::StripChanged { what });
    if audited.header().entry != stripped.header().entry {
        return differs("the entry point".into());
    }
    let loaded = |elf: &Elf| elf.segments().iter().filter(|s| s.is_loaded()).cloned().collect::<Vec<_>>();
    let (before, after) = (loaded(audited), loaded(stripped));
    if before.len() != after.len() {
        return differs(format!("{} segments became {}", before.len(), after.len()));
    }
    for (a, b) in before.iter().zip(&after) {
        let (data, other) = (audited.segment_data(a), stripped.segment_data(b));
        // Weights are the same piece of memory in both.
        let same =
            a.range() == b.range() && a.flags == b.flags && (std::ptr::eq(data, other) || data == other);
        if !same {
            return differs(format!("the segment at {:#x}", a.range().start));
        }
    }
    Ok(())
}
