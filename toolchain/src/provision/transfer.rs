//! Moves a toolchain from one cache to another as one file ([`super::archive`]).

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::archive::{ArchiveError, Receiver, archive_length, read_archive, write_archive};
use super::cache::{self, Cache};
use super::error::ProvisionError;
use super::fetch::fetch;
use super::lock::{Lock, Package};
use super::{Options, Provider, Toolchain, ensure, lock_by_sha256};
use crate::progress::{Progress, Task, Unit};

/// Writes the toolchain of [`Options::lock`] to `file`, whole or not at all. Packages that are not in the cache are fetched.
/// Gives the length of the archive in bytes.
///
/// # Errors
/// [`ProvisionError`], which says what to do.
pub fn export(file: &Path, options: &Options, progress: &dyn Progress) -> Result<u64, ProvisionError> {
    let lock = options.lock()?;
    let cache = Cache::new(options.cache_dir.as_deref())?;
    // Held to the end: the packages are those that were checked.
    let guard = cache.lock(progress)?;
    fetch(&lock, &cache, &guard, options, progress)?;
    let length = archive_length(&lock);
    let task = progress.start("write the archive", length, Unit::Bytes);
    // The path of a file in the working directory has no folder.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        let permissions = fs::Permissions::from_mode(0o666);
        let mut temporary =
            tempfile::Builder::new().prefix(".partial-").permissions(permissions).tempfile_in(folder)?;
        let open = |package: &Package| {
            task.advance(package.size());
            File::open(cache.package(package))
        };
        let mut out = BufWriter::new(temporary.as_file_mut());
        write_archive(&lock, open, &mut out)?;
        out.flush()?;
        if out.stream_position()? != length {
            return Err(io::Error::other("a package changed while it was read"));
        }
        drop(out);
        temporary.persist(file).map_err(|error| error.error)
    };
    write().map_err(ProvisionError::io("write", file))?;
    Ok(length)
}

/// Sees to it that an export needs no network: the packages of [`Options::lock`] are in the cache afterwards. Those of a
/// toolchain that was installed by an older version of this tool may not be.
///
/// # Errors
/// [`ProvisionError`], which says what to do.
pub fn fetch_packages(options: &Options, progress: &dyn Progress) -> Result<(), ProvisionError> {
    let cache = Cache::new(options.cache_dir.as_deref())?;
    fetch(&options.lock()?, &cache, &cache.lock(progress)?, options, progress)
}

/// Installs the toolchain in the archive `file`, without a network. The programs in it are run, so its lock has to be
/// known: that with the SHA-256 `trusted` if one is given, else any that [`lock_by_sha256`] knows.
///
/// Everything is checked before any of it gets its name in the cache, and the packages are unpacked after that.
///
/// # Errors
/// [`ProvisionError::Archive`] for an archive that is refused, [`ProvisionError::OtherLock`] for a lock that is not
/// known, and those of an installation.
pub fn import(
    file: &Path,
    trusted: Option<&str>,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Toolchain, ProvisionError> {
    // Before it is opened: opening a pipe waits for somebody to write.
    if !fs::metadata(file).map_err(ProvisionError::io("read", file))?.is_file() {
        return Err(ArchiveError::NotAFile.into());
    }
    let data = File::open(file).map_err(ProvisionError::io("read", file))?;
    let length = data.metadata().map_err(ProvisionError::io("read", file))?.len();
    let cache = Cache::new(options.cache_dir.as_deref())?;
    let guard = cache.lock(progress)?;
    let task = progress.start("check the archive", length, Unit::Bytes);
    let incoming = cache.incoming();
    fs::create_dir_all(&incoming).map_err(ProvisionError::io("make", &incoming))?;
    let mut incoming = Incoming { folder: incoming, trusted, options, task: &*task };
    let received = read_archive(BufReader::new(data), length, &mut incoming).and_then(|lock| {
        for package in lock.packages() {
            let (from, to) = (incoming.path(package), cache.package(package));
            fs::rename(&from, &to).map_err(ProvisionError::io("write", &to))?;
        }
        Ok(lock)
    });
    cache::remove_tree(&incoming.folder)?;
    let lock = received?;
    drop(guard);
    let options = Options { offline: true, provider: Provider::Pinned, lock: Some(lock), ..options.clone() };
    ensure(&options, progress)
}

/// Puts packages into a folder of this process, where nobody takes them for checked ones.
struct Incoming<'a> {
    folder: PathBuf,
    trusted: Option<&'a str>,
    options: &'a Options,
    task: &'a dyn Task,
}

impl Incoming<'_> {
    fn path(&self, package: &Package) -> PathBuf {
        self.folder.join(package.stored_name())
    }
}

impl Receiver for Incoming<'_> {
    fn lock(&mut self, lock: &Lock) -> Result<(), ProvisionError> {
        let known = match self.trusted {
            Some(sha256) => lock.sha256() == sha256,
            None => lock_by_sha256(self.options, lock.sha256())?.is_some(),
        };
        if known { Ok(()) } else { Err(ProvisionError::OtherLock { got: lock.sha256().to_owned() }) }
    }

    fn package(&mut self, package: &Package, bytes: &mut dyn Read) -> Result<(), ProvisionError> {
        let path = self.path(package);
        let stored = File::create_new(&path).and_then(|mut file| io::copy(bytes, &mut file));
        stored.map_err(ProvisionError::io("write", &path))?;
        self.task.advance(package.size());
        Ok(())
    }
}
