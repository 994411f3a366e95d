//! C in a guest in Rust: what the crate `cc` finds in the environment of a build script.

use std::ffi::OsString;
use std::path::Path;

use super::flags;
use crate::error::BuildError;
use crate::provision::{Tool, Toolchain};

/// Variables that make `cc` compile for the guest with the pinned clang, and against the library whose `headers` are given. `triple` is what cargo
/// calls the target. `stage` is where the sources lie, and `named` what they are told to lie in.
pub(crate) fn environment(
    toolchain: &Toolchain,
    triple: &str,
    headers: &Path,
    (stage, named): (&Path, &str),
) -> Result<Vec<(String, OsString)>, BuildError> {
    let target = triple.replace('-', "_");
    let mut words = flags::compiler();
    words.extend(["-isystem".to_owned(), headers.display().to_string()]);
    words.push(format!("-ffile-prefix-map={}={named}", stage.display()));
    let flags = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    Ok(vec![
        (format!("CC_{target}"), toolchain.path(Tool::Clang)?.into()),
        (format!("CFLAGS_{target}"), flags.into()),
        // A folder may have a space in its name.
        ("CC_SHELL_ESCAPED_FLAGS".to_owned(), "1".into()),
        // What cc would add is about systems that this is none of.
        ("CRATE_CC_NO_DEFAULTS".to_owned(), "1".into()),
    ])
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_stay_words() {
        assert_eq!(quoted("-I/a b"), "'-I/a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
