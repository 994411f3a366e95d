//! The sources of the Rust library as guests get them: those of the toolchain, but for one function.

use std::fs;
use std::path::Path;

use walkdir::WalkDir;

use crate::error::BuildError;

/// Where the sources lie while they are compiled, beside the package that is built with them.
pub(super) const FOLDER: &str = "library";

/// A text of a source that is replaced.
pub(super) struct Replacement {
    file: &'static str,
    text: &'static str,
    pub with: &'static str,
}

/// `core::intrinsics::abort` is a trap: the instruction `break`, on which the contract reverts, so that nobody could prove that the program
/// gave up. What sorts and what counts references asks for it. Here it is a function of the runtime, which ends the program
/// with the exit code of a panic.
pub(super) const ABORT: Replacement = Replacement {
    file: "core/src/intrinsics/mod.rs",
    text: "#[rustc_intrinsic]\npub fn abort() -> !;",
    with: "pub fn abort() -> ! {\n    unsafe extern \"C\" {\n        safe fn opml_abort() -> !;\n    }\n    opml_abort()\n}",
};

/// Copies the library's sources from `from` to `to` with [`ABORT`] in them. A library of another version that has no such text is left
/// as it is: the audit sees the instruction if a program has it.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), BuildError> {
    // The packages of distributions have links in it.
    for entry in WalkDir::new(from).follow_links(true) {
        let entry = entry.map_err(|error| BuildError::io("list", from)(error.into()))?;
        let place = to.join(entry.path().strip_prefix(from).unwrap_or(entry.path()));
        if entry.file_type().is_dir() {
            fs::create_dir_all(&place).map_err(BuildError::io("make", &place))?;
        } else {
            fs::copy(entry.path(), &place).map_err(BuildError::io("copy", entry.path()))?;
        }
    }
    let path = to.join(ABORT.file);
    let Ok(text) = fs::read_to_string(&path) else { return Ok(()) };
    fs::write(&path, text.replacen(ABORT.text, ABORT.with, 1)).map_err(BuildError::io("write", &path))
}
