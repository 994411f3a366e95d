//! The Python of this machine that environments are made with.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use miette::Diagnostic;
use opml_toolchain::provision::Finding;

use crate::error::PythonError;

/// Versions that the locks have wheels for, the newest last.
pub const VERSIONS: [&str; 3] = ["3.11", "3.12", "3.13"];

/// Prints the implementation, the version and the processor.
const WHAT_IS_IT: &str = "import platform, sys; \
    print(sys.implementation.name, '%d.%d' % sys.version_info[:2], platform.machine())";

/// A Python that environments can be made with.
#[derive(Clone, Debug)]
pub struct Interpreter {
    pub program: PathBuf,
    /// What decides which wheels fit: implementation, version and processor.
    pub tag: String,
}

/// What `doctor` says of it.
pub fn finding(found: Result<Interpreter, PythonError>) -> Finding {
    let name = "python".to_owned();
    match found {
        Ok(interpreter) => Finding {
            name,
            path: Some(interpreter.program),
            version: Some(interpreter.tag),
            problem: None,
            fix: None,
        },
        Err(error) => Finding {
            name,
            path: None,
            version: None,
            fix: error.help().map(|help| help.to_string()),
            problem: Some(error.to_string()),
        },
    }
}

impl Interpreter {
    /// The first one in `search_path` with one of [`VERSIONS`], `python3` before those with a version in their name.
    ///
    /// # Errors
    /// [`PythonError::NoPython`] with what was found instead.
    pub fn find(search_path: &OsStr) -> Result<Self, PythonError> {
        let numbered = VERSIONS.iter().rev().map(|version| format!("python{version}"));
        let mut found = Vec::new();
        for name in std::iter::once("python3".to_owned()).chain(numbered) {
            // An empty component means the working directory, which has no business here.
            let folders = std::env::split_paths(search_path).filter(|folder| folder.is_absolute());
            let Some(program) = folders.map(|folder| folder.join(&name)).find(|path| path.is_file()) else {
                continue;
            };
            let description = describe(&program);
            let words: Vec<&str> = description.split_whitespace().collect();
            match words[..] {
                ["cpython", version, machine] if VERSIONS.contains(&version) => {
                    return Ok(Self { program, tag: format!("cpython-{version}-{machine}") });
                }
                _ => found.push(format!("{}: {description}", program.display())),
            }
        }
        Err(PythonError::NoPython { found })
    }
}

/// What the program says that it is, or why it says nothing.
fn describe(program: &Path) -> String {
    let output = Command::new(program).args(["-I", "-c", WHAT_IS_IT]).stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Ok(output) => output.status.to_string(),
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn program(folder: &Path, name: &str, says: &str) {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\necho {says}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn another_version_beside_one_that_is_too_old_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        program(folder.path(), "python3", "cpython 3.9 x86_64");
        let refused = Interpreter::find(folder.path().as_os_str());
        let Err(PythonError::NoPython { found }) = refused else { panic!("{refused:?}") };
        assert!(found.len() == 1 && found[0].ends_with("python3: cpython 3.9 x86_64"), "{found:?}");

        program(folder.path(), "python3.12", "cpython 3.12 x86_64");
        let taken = Interpreter::find(folder.path().as_os_str()).unwrap();
        assert_eq!(taken.tag, "cpython-3.12-x86_64");
        assert_eq!(taken.program, folder.path().join("python3.12"));
    }

    #[test]
    fn other_implementations_have_other_wheels() {
        let folder = tempfile::tempdir().unwrap();
        program(folder.path(), "python3", "pypy 3.11 x86_64");
        let refused = Interpreter::find(folder.path().as_os_str());
        assert!(matches!(&refused, Err(PythonError::NoPython { found }) if found.len() == 1), "{refused:?}");
        let nothing = Interpreter::find(OsStr::new("relative"));
        assert!(matches!(&nothing, Err(PythonError::NoPython { found }) if found.is_empty()), "{nothing:?}");
    }
}
