//! The files of a statement, compared with a folder.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::statement::Subject;

/// Something that a folder has and its statement has not, or the other way round.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase", tag = "difference")]
pub enum Difference {
    /// A file with other bytes.
    Changed {
        /// Its name.
        name: String,
        /// SHA-256 by the statement.
        expected: String,
        /// SHA-256 of the file.
        got: String,
    },
    /// No file of that name.
    Missing {
        /// Its name.
        name: String,
    },
    /// A folder, a link or a device where a file should be: what it leads to could change unseen.
    NoFile {
        /// Its name.
        name: String,
    },
    /// Something that the statement does not speak of.
    Extra {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Changed { name, expected, got } => {
                write!(f, "{name} is not the file that was signed: its SHA-256 is {got}, expected {expected}")
            }
            Self::Missing { name } => write!(f, "{name} is missing"),
            Self::NoFile { name } => write!(f, "{name} is no ordinary file"),
            Self::Extra { name } => write!(f, "{name} is in the folder, and nobody signed it"),
        }
    }
}

/// Why a folder does not hold what a statement says.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum FolderError {
    /// It holds something else.
    #[error("the folder is not what the statement says:\n{}", .0.iter().map(|d| format!("  {d}\n")).collect::<String>().trim_end())]
    #[diagnostic(help("get the folder again, or build it again; what was added can be moved elsewhere"))]
    Differs(Vec<Difference>),
    /// A file could not be read.
    #[error("cannot {action} {}", path.display())]
    #[diagnostic(help("check the path and its permissions"))]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl FolderError {
    /// For `map_err` on file operations.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// Compares `dir` with `subjects`. What else may be there has its name in `beside`. All differences are found, not only the first.
pub(crate) fn compare(dir: &Path, subjects: &[Subject], beside: &[&str]) -> Result<(), FolderError> {
    let mut differences = Vec::new();
    for subject in subjects {
        differences.extend(difference(dir, subject)?);
    }
    let named: BTreeSet<&str> = subjects.iter().map(|subject| subject.name.as_str()).collect();
    for entry in fs::read_dir(dir).map_err(FolderError::io("list", dir))? {
        let name = entry.map_err(FolderError::io("list", dir))?.file_name();
        let name = name.to_string_lossy();
        if !named.contains(&*name) && !beside.contains(&&*name) {
            differences.push(Difference::Extra { name: crate::json::shown(&name) });
        }
    }
    differences.sort();
    if differences.is_empty() { Ok(()) } else { Err(FolderError::Differs(differences)) }
}

fn difference(dir: &Path, subject: &Subject) -> Result<Option<Difference>, FolderError> {
    let (name, path) = (subject.name.clone(), dir.join(&subject.name));
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(Difference::Missing { name })),
        Err(error) => Err(FolderError::io("read", &path)(error)),
        Ok(meta) if !meta.is_file() => Ok(Some(Difference::NoFile { name })),
        Ok(_) => {
            let got = digest(&path).map_err(FolderError::io("read", &path))?;
            let expected = subject.sha256.clone();
            Ok((got != expected).then_some(Difference::Changed { name, expected, got }))
        }
    }
}

/// SHA-256 of a file of any size.
fn digest(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let (mut sha256, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex::encode(sha256.finalize())),
            n => sha256.update(&buffer[..n]),
        }
    }
}
