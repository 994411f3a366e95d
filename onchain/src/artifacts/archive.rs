//! Takes a few known files out of an npm package, which is a tar archive behind gzip.
//!
//! Nothing in the archive decides where something is written: a member is written only if its path is one that
//! the lock names, and then under a name of ours. Its length and hash are the lock's as well.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use flate2::read::GzDecoder;
use opml_toolchain::provision::member::{MemberError, MemberPath};
use opml_toolchain::provision::{Bounded, is_over_limit};
use sha2::{Digest, Sha256};

use super::lock::LockedFile;

/// Most bytes that a package may unpack to; the one of the lock has 129 million.
const MAX_BYTES: u64 = 512 << 20;

/// Most members of a package; the one of the lock has 683.
const MAX_MEMBERS: u64 = 20_000;

/// Why a package is refused.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It can't be read: cut off, damaged, or no archive at all.
    #[error("it is damaged or cut off ({0})")]
    Read(io::Error),
    /// A file can't be written.
    #[error("can't write {name}: {source}")]
    Write {
        /// Name of the file.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// A member's name is no path below the package.
    #[error(transparent)]
    Name(#[from] MemberError),
    /// A member that is neither a file nor a folder, such as a link. npm's packages have none.
    #[error("`{path}` is neither a file nor a folder (type {kind:?})")]
    Kind {
        /// The member.
        path: String,
        /// The type in its header.
        kind: char,
    },
    /// More than any package has.
    #[error("it has more than {limit} {what}")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// The most there may be.
        limit: u64,
    },
    /// A wanted file that is there twice.
    #[error("it has `{0}` twice")]
    Twice(String),
    /// A wanted file that is not there.
    #[error("it has no `{0}`")]
    Missing(String),
    /// A wanted file with other bytes than the lock says.
    #[error("`{path}` is not the file of the lock\n  expected {expected}\n  got      {got}")]
    Wrong {
        /// The member.
        path: String,
        /// Size or SHA-256 in the lock.
        expected: String,
        /// Size or SHA-256 in the archive.
        got: String,
    },
}

/// Writes the `wanted` files of `package` into `folder`, under [`LockedFile::file_name`].
///
/// # Errors
/// Any [`ArchiveError`]; some files may have been written.
pub(super) fn unpack(package: impl Read, wanted: &[LockedFile], folder: &Path) -> Result<(), ArchiveError> {
    let bounded = Bounded::new(GzDecoder::new(package), MAX_BYTES);
    let mut archive = tar::Archive::new(bounded);
    let mut members = 0;
    let mut left: Vec<&LockedFile> = wanted.iter().collect();
    // Raw: the crate's own handling of long names reads them into memory whatever their length.
    for entry in archive.entries().map_err(read_error)?.raw(true) {
        let mut entry = entry.map_err(read_error)?;
        members += 1;
        if members > MAX_MEMBERS {
            return Err(ArchiveError::TooLarge { what: "members", limit: MAX_MEMBERS });
        }
        let kind = entry.header().entry_type();
        let name = entry.header().path_bytes().into_owned();
        let Some(path) = MemberPath::parse(&name)? else { continue };
        if !kind.is_file() && !kind.is_dir() {
            return Err(ArchiveError::Kind { path: path.to_string(), kind: kind.as_byte().into() });
        }
        if let Some(at) = left.iter().position(|file| file.path == path) {
            write(&mut entry, left.swap_remove(at), folder)?;
        } else if wanted.iter().any(|file| file.path == path) {
            return Err(ArchiveError::Twice(path.to_string()));
        }
    }
    match left.first() {
        Some(file) => Err(ArchiveError::Missing(file.path.to_string())),
        None => Ok(()),
    }
}

fn write(member: impl Read, file: &LockedFile, folder: &Path) -> Result<(), ArchiveError> {
    let name = file.file_name();
    let wrong = |expected, got| ArchiveError::Wrong { path: file.path.to_string(), expected, got };
    let mut bytes = Vec::new();
    // One more than there may be, so that a longer one is seen.
    member.take(file.size + 1).read_to_end(&mut bytes).map_err(read_error)?;
    if bytes.len() as u64 != file.size {
        let got = if bytes.len() as u64 > file.size { "more".to_owned() } else { bytes.len().to_string() };
        return Err(wrong(format!("{} bytes", file.size), format!("{got} bytes")));
    }
    let sha256 = hex::encode(Sha256::digest(&bytes));
    if sha256 != file.sha256 {
        return Err(wrong(format!("SHA-256 {}", file.sha256), format!("SHA-256 {sha256}")));
    }
    let written = File::create_new(folder.join(&name)).and_then(|mut out| {
        out.write_all(&bytes)?;
        // A power cut must not leave the installed name with half a file.
        out.sync_all()
    });
    written.map_err(|source| ArchiveError::Write { name, source })
}

fn read_error(error: io::Error) -> ArchiveError {
    match is_over_limit(&error) {
        true => ArchiveError::TooLarge { what: "bytes", limit: MAX_BYTES },
        false => ArchiveError::Read(error),
    }
}
