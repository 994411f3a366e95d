//! The npm client: fetches one package and does nothing else with it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha512};

use super::ArtifactError;
use super::lock::{Lock, integrity_of};

/// How many lines of what npm printed are kept.
const TAIL_LINES: usize = 12;

/// Lets npm fetch the package of `lock` into the empty folder `folder`, and checks that it is that package.
/// npm is found in `search_path` and reads its user's configuration, so that a mirror or a proxy set there is
/// used; that it brings the right bytes is left to the hash.
///
/// # Errors
/// [`ArtifactError::NpmMissing`], [`ArtifactError::Download`], [`ArtifactError::WrongPackage`],
/// [`ArtifactError::Io`].
pub(super) fn fetch(lock: &Lock, folder: &Path, search_path: &OsStr) -> Result<PathBuf, ArtifactError> {
    let package = lock.package();
    let mut command = Command::new("npm");
    command.args(["pack", &package]).arg("--pack-destination").arg(folder);
    // Nothing of the package may run on this machine.
    command.arg("--ignore-scripts");
    // Its other lines are about npm itself; with this it does not go looking for a newer one either.
    command.args(["--loglevel=error", "--no-update-notifier"]);
    // Not in a checkout, whose own package.json it would look at.
    command.current_dir(folder).env("PATH", search_path).stdin(Stdio::null());
    let output = command.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ArtifactError::NpmMissing { package: package.clone() },
        _ => ArtifactError::io("run", Path::new("npm"))(error),
    })?;
    let failed = |status: String, text: &[u8]| ArtifactError::Download {
        package: package.clone(),
        status,
        tail: tail(&String::from_utf8_lossy(text)),
    };
    if !output.status.success() {
        return Err(failed(output.status.to_string(), &output.stderr));
    }
    let packed =
        packed(folder)?.ok_or_else(|| failed("it said that all went well".into(), &output.stdout))?;
    check(lock, &packed)?;
    Ok(packed)
}

/// The one file that npm wrote. Its name differs between versions of npm.
fn packed(folder: &Path) -> Result<Option<PathBuf>, ArtifactError> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let entries = entries.map_err(ArtifactError::io("read", folder))?;
    let mut archives =
        entries.iter().map(fs::DirEntry::path).filter(|path| path.extension() == Some("tgz".as_ref()));
    Ok(archives.next())
}

/// Whether `path` is the package of `lock`, to the last bit.
fn check(lock: &Lock, path: &Path) -> Result<(), ArtifactError> {
    let wrong = |expected, got| ArtifactError::WrongPackage { package: lock.package(), expected, got };
    let unreadable = || ArtifactError::io("read", path);
    let mut file = File::open(path).map_err(unreadable())?;
    let size = file.metadata().map_err(unreadable())?.len();
    if size != lock.size() {
        return Err(wrong(format!("{} bytes", lock.size()), format!("{size} bytes")));
    }
    let mut hasher = Sha512::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer).map_err(unreadable())? {
            0 => break,
            n => hasher.update(&buffer[..n]),
        }
    }
    let got = integrity_of(&hasher.finalize());
    if got != lock.integrity() {
        return Err(wrong(lock.integrity().to_owned(), got));
    }
    Ok(())
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
