//! Folders that builds share, and how they keep out of each other's way.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::error::BuildError;
use crate::progress::{Progress, Unit};

/// What the names of unfinished files start with.
const PARTIAL: &str = ".partial-";

/// Held while a shared folder is worked in; the system lets go when the process ends, however it ends.
pub(crate) struct Guard(#[expect(dead_code, reason = "the lock lives as long as the open file")] File);

/// Waits until nobody else works in `dir`, which is made if it is not there.
pub(crate) fn lock(dir: &Path, progress: &dyn Progress) -> Result<Guard, BuildError> {
    fs::create_dir_all(dir).map_err(BuildError::io("make", dir))?;
    let path = dir.join("lock");
    let file =
        File::options().create(true).append(true).open(&path).map_err(BuildError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let _waiting = progress.start("wait for another build", 0, Unit::Items);
            file.lock().map_err(BuildError::io("lock", &path))?;
        }
        Err(TryLockError::Error(error)) => return Err(BuildError::io("lock", &path)(error)),
    }
    Ok(Guard(file))
}

/// Waits until nobody else writes the output folder `out`, which is made if it is not there. The lock is
/// kept in `work`, so that the output folder holds nothing but the build's files.
pub(crate) fn lock_output(work: &Path, out: &Path, progress: &dyn Progress) -> Result<Guard, BuildError> {
    fs::create_dir_all(out).map_err(BuildError::io("make", out))?;
    // However it was named.
    let out = fs::canonicalize(out).map_err(BuildError::io("find", out))?;
    let name = hex::encode(&Sha256::digest(out.as_os_str().as_encoded_bytes())[..16]);
    lock(&work.join("outputs").join(name), progress)
}

/// Makes `path` hold `bytes`, or leaves it as it was: they are written beside it and renamed.
///
/// # Errors
/// [`BuildError::Io`].
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir).map_err(BuildError::io("make", dir))?;
    let written = unfinished(path).and_then(|mut file| {
        std::io::Write::write_all(&mut file, bytes)?;
        file.persist(path).map_err(|e| e.error)
    });
    written.map(drop).map_err(BuildError::io("write", path))
}

/// Writes `bytes` to `path` in a folder that nobody else looks into, which is made if it is not there.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir).map_err(BuildError::io("make", dir))?;
    fs::write(path, bytes).map_err(BuildError::io("write", path))
}

/// Removes a folder with all that is in it; one that is not there is fine.
pub(crate) fn remove_tree(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A file beside `path` that is to get its name. It is removed with the value, or by [`remove_leftovers`].
pub(crate) fn unfinished(path: &Path) -> std::io::Result<NamedTempFile> {
    let dir = path.parent().unwrap_or(Path::new("."));
    tempfile::Builder::new().prefix(PARTIAL).permissions(permissions(path)).tempfile_in(dir)
}

/// Removes the unfinished files of killed builds from `dir`, in which nobody else works now.
pub(crate) fn remove_leftovers(dir: &Path) -> Result<(), BuildError> {
    for entry in fs::read_dir(dir).map_err(BuildError::io("list", dir))? {
        let path = entry.map_err(BuildError::io("list", dir))?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PARTIAL)) {
            fs::remove_file(&path).map_err(BuildError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// Those of ordinary files, and of programs for ELF files: emulators ask for the permission to execute.
/// Temporary files would be private. The user's umask narrows them.
#[cfg(unix)]
fn permissions(path: &Path) -> fs::Permissions {
    let program = path.extension().is_some_and(|extension| extension == "elf");
    std::os::unix::fs::PermissionsExt::from_mode(if program { 0o777 } else { 0o666 })
}
