//! A toolchain as one file: an uncompressed tar of the lock and of the packages it names, which are compressed already.
//!
//! ```text
//! toolchain.lock       the lock, to the byte
//! <sha256>.deb         each of its packages, in the order of their names
//! ```
//!
//! Nothing else is in it, and nothing of the machine: no times, no owners. So a lock has one archive, to the byte. Nothing
//! in it has to be trusted but the lock: the reader takes each package only if it is the lock's, and the caller decides
//! whose locks it takes.

use std::io::{self, Read, Write};

use super::error::ProvisionError;
use super::lock::{self, Lock, LockError, Package};
use super::member::{MemberError, MemberPath};
use crate::hashed::Hashed;

/// Name of the first member.
pub const LOCK_NAME: &str = "toolchain.lock";
/// Most bytes of packages; ten times what the pinned toolchain has.
const MAX_BYTES: u64 = 2 << 30;
/// Tar counts in blocks, and ends with two of zeros.
const BLOCK: u64 = 512;

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A folder, a pipe or a device.
    #[error("it is no ordinary file")]
    NotAFile,
    /// A header that is none.
    #[error("it is no tar archive, or a damaged one: {0}")]
    Format(io::Error),
    /// Shorter than its lock says, or than any archive.
    #[error("it ends too early: expected {expected} bytes, got {got}")]
    Truncated {
        /// Length that follows from the lock, in bytes.
        expected: u64,
        /// Its length.
        got: u64,
    },
    /// Bytes behind the end.
    #[error("it goes on behind its end: expected {expected} bytes, got {got}")]
    Trailing {
        /// Length that follows from the lock, in bytes.
        expected: u64,
        /// Its length.
        got: u64,
    },
    /// A name that leads out of a folder or is no name.
    #[error(transparent)]
    Name(#[from] MemberError),
    /// A link, a device, a folder or an extension of the format.
    #[error("`{name}` is of a kind that does not belong there (tar type `{kind}`)")]
    Kind {
        /// Name of the member.
        name: String,
        /// Type byte of its header.
        kind: char,
    },
    /// A member that is not the next one.
    #[error("it has the member `{got}` where {expected} has to be")]
    Unexpected {
        /// What has to be there.
        expected: String,
        /// Name of the member.
        got: String,
    },
    /// The lock in it is refused.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The lock in it is no text.
    #[error("the lock in it is not UTF-8")]
    LockText,
    /// More than any toolchain needs.
    #[error("its packages have {got} bytes; at most {MAX_BYTES} are taken")]
    TooLarge {
        /// How many the lock says they have.
        got: u64,
    },
    /// A package is not the one of the lock.
    #[error(
        "the package {package} in it is not the one of its lock\n  expected {expected}\n  got      {got}"
    )]
    Package {
        /// The package, `name=version`.
        package: String,
        /// Size or SHA-256 by the lock.
        expected: String,
        /// Size or SHA-256 of what is there.
        got: String,
    },
}

/// Takes what is in an archive, in its order.
pub trait Receiver {
    /// The lock; the packages follow.
    ///
    /// # Errors
    /// If this lock is not wanted: nothing more is read.
    fn lock(&mut self, lock: &Lock) -> Result<(), ProvisionError>;

    /// A package. Its bytes are the lock's only if [`read_archive`] says so in the end.
    ///
    /// # Errors
    /// If it can't be stored.
    fn package(&mut self, package: &Package, bytes: &mut dyn Read) -> Result<(), ProvisionError>;
}

/// Length of the archive of `lock`, in bytes.
pub fn archive_length(lock: &Lock) -> u64 {
    let member = |size: u64| BLOCK + size.next_multiple_of(BLOCK);
    let packages: u64 = lock.packages().iter().map(|package| member(package.size())).sum();
    member(lock.text().len() as u64) + packages + 2 * BLOCK
}

/// Writes the archive of `lock`; `open` gives the bytes of a package.
///
/// # Errors
/// Those of reading and writing.
pub fn write_archive<R: Read>(
    lock: &Lock,
    open: impl Fn(&Package) -> io::Result<R>,
    out: impl Write,
) -> io::Result<()> {
    let mut builder = tar::Builder::new(out);
    builder.append(&header(LOCK_NAME, lock.text().len() as u64)?, lock.text().as_bytes())?;
    for package in lock.packages() {
        builder.append(&header(&package.stored_name(), package.size())?, open(package)?)?;
    }
    builder.finish()
}

fn header(name: &str, size: u64) -> io::Result<tar::Header> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name)?;
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    Ok(header)
}

/// Reads the archive `data` of `length` bytes, and hands on what is in it.
///
/// # Errors
/// [`ProvisionError::Archive`] at the first thing that is not as it has to be, the errors of `receiver`. What the
/// receiver got before then is not to be used.
pub fn read_archive(
    data: impl Read,
    length: u64,
    receiver: &mut dyn Receiver,
) -> Result<Lock, ProvisionError> {
    let mut archive = tar::Archive::new(data);
    // Raw, as the crate's own handling of extensions reads them into memory whatever their length.
    let mut entries = archive.entries().map_err(ArchiveError::Format)?.raw(true);
    let mut next = || entries.next().transpose().map_err(ArchiveError::Format);
    let Some(mut first) = next()? else {
        return Err(ArchiveError::Truncated { expected: BLOCK, got: length }.into());
    };
    check_member(&first, LOCK_NAME)?;
    let lock = read_lock(&mut first)?;
    check_length(&lock, length)?;
    receiver.lock(&lock)?;
    for package in lock.packages() {
        let Some(mut entry) = next()? else {
            let (expected, got) = (format!("`{}`", package.stored_name()), "the end".to_owned());
            return Err(ArchiveError::Unexpected { expected, got }.into());
        };
        check_member(&entry, &package.stored_name())?;
        let wrong = |expected: String, got: String| ArchiveError::Package {
            package: package.to_string(),
            expected,
            got,
        };
        if entry.size() != package.size() {
            let bytes = |n: u64| format!("{n} bytes");
            return Err(wrong(bytes(package.size()), bytes(entry.size())).into());
        }
        let mut hashed = Hashed::new(&mut entry);
        receiver.package(package, &mut hashed)?;
        // The receiver may have stopped early.
        io::copy(&mut hashed, &mut io::sink()).map_err(ArchiveError::Format)?;
        let (_, got) = hashed.finish();
        if got != package.sha256() {
            let sha256 = |hash: &str| format!("SHA-256 {hash}");
            return Err(wrong(sha256(package.sha256()), sha256(&got)).into());
        }
    }
    if let Some(entry) = next()? {
        let (expected, got) = ("the end".to_owned(), shown(&entry.path_bytes()));
        return Err(ArchiveError::Unexpected { expected, got }.into());
    }
    let expected = archive_length(&lock);
    match length {
        got if got > expected => Err(ArchiveError::Trailing { expected, got }.into()),
        _ => Ok(lock),
    }
}

/// The member has to be a file of this name and nothing else.
fn check_member<R: Read>(entry: &tar::Entry<'_, R>, expected: &str) -> Result<(), ArchiveError> {
    let name = entry.path_bytes();
    let kind = entry.header().entry_type();
    if kind != tar::EntryType::Regular {
        return Err(ArchiveError::Kind { name: shown(&name), kind: kind.as_byte().into() });
    }
    // It says more than that the name is another.
    MemberPath::parse(&name)?;
    if *name != *expected.as_bytes() {
        return Err(ArchiveError::Unexpected { expected: format!("`{expected}`"), got: shown(&name) });
    }
    Ok(())
}

fn read_lock(entry: &mut impl Read) -> Result<Lock, ArchiveError> {
    let mut bytes = Vec::new();
    // One more than allowed, which the lock's own reader then refuses.
    entry.take(lock::MAX_TEXT as u64 + 1).read_to_end(&mut bytes).map_err(ArchiveError::Format)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| ArchiveError::LockText)?;
    Ok(Lock::parse(text)?)
}

/// Before a package is read: what is missing at the end is known now.
fn check_length(lock: &Lock, got: u64) -> Result<(), ArchiveError> {
    let packages = lock.packages().iter().map(Package::size).sum();
    if packages > MAX_BYTES {
        return Err(ArchiveError::TooLarge { got: packages });
    }
    let expected = archive_length(lock);
    if got < expected { Err(ArchiveError::Truncated { expected, got }) } else { Ok(()) }
}

/// A name from an archive, fit for a terminal.
fn shown(name: &[u8]) -> String {
    crate::elf::shown_name(name)
}
