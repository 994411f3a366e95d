//! Finds programs, and asks them for their version.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::error::ProvisionError;

/// How long a program that is busy is left alone.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// The first executable file `name` in the folders of `search_path`, as a shell finds it.
pub fn program(name: &str, search_path: &OsStr) -> Option<PathBuf> {
    // An empty component means the working directory, which has no business here.
    let folders = std::env::split_paths(search_path).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(name)).find(|path| is_executable(path))
}

/// Whether `path` is a file that may be run.
pub fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// What `command` prints on its standard output, without the white space around it.
///
/// # Errors
/// [`ProvisionError::DoesNotRun`] with its last words if it can't be started or fails.
pub fn output(command: &mut Command) -> Result<String, ProvisionError> {
    let path = PathBuf::from(command.get_program());
    let failed = |detail: String| ProvisionError::DoesNotRun { path: path.clone(), detail };
    command.stdin(Stdio::null());
    let output = patiently(|| command.output()).map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(failed(format!("{} {}", output.status, tail(words.trim()))));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Starts a program that may have been written a moment ago. A process that another thread forked meanwhile
/// has the file open for writing until it becomes its own program, and so long it can't be run.
///
/// # Errors
/// Those of `start`.
pub fn patiently<T>(mut start: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for _ in 0..100 {
        match start() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => thread::sleep(BUSY_PAUSE),
            other => return other,
        }
    }
    start()
}

/// The last twelve lines of `text`.
pub fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
