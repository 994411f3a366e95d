//! Entries for fuzzing what is read from outside: packages, locks and archives of both. None may panic,
//! hang or take much memory, whatever the bytes.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::archive::{self, Receiver, read_archive};
use super::deb::{DebError, Limits, Sink, read_deb};
use super::error::ProvisionError;
use super::lock::{Lock, Package};
use super::member::MemberPath;

/// Small, so that a bomb is cut off before a fuzzer's own limits are met.
const LIMITS: Limits = Limits { bytes: 16 << 20, members: 10_000 };

/// Reads every member and writes none.
struct Discard;

impl Sink for Discard {
    fn wants(&self, _: &MemberPath) -> bool {
        true
    }

    fn directory(&mut self, _: &MemberPath) -> Result<(), DebError> {
        Ok(())
    }

    fn file(&mut self, _: &MemberPath, _: bool, data: &mut dyn Read) -> Result<(), DebError> {
        io::copy(data, &mut io::sink())?;
        Ok(())
    }

    fn symlink(&mut self, _: &MemberPath, _: &str) -> Result<(), DebError> {
        Ok(())
    }

    fn hard_link(&mut self, _: &MemberPath, _: &MemberPath) -> Result<(), DebError> {
        Ok(())
    }
}

/// Reads `data` as a package. Gives its error, for the replay of the corpus.
pub fn fuzz_deb(data: &[u8]) -> Result<(), DebError> {
    read_deb(data, LIMITS, &mut Discard)
}

/// Reads `data` as a lock, and checks what everything later relies on.
pub fn fuzz_lock(data: &[u8]) -> Result<Lock, super::LockError> {
    let lock = Lock::parse(&String::from_utf8_lossy(data))?;
    for package in lock.packages() {
        let name = package.file_name();
        assert!(!name.contains('/') && !name.starts_with(['-', '.']), "{name}");
    }
    Ok(lock)
}

/// Takes every lock and reads every package, and holds what it got against the lock.
#[derive(Default)]
struct Received(Vec<u8>);

impl Receiver for Received {
    fn lock(&mut self, _: &Lock) -> Result<(), ProvisionError> {
        Ok(())
    }

    fn package(&mut self, package: &Package, bytes: &mut dyn Read) -> Result<(), ProvisionError> {
        let before = self.0.len() as u64;
        bytes.read_to_end(&mut self.0).map_err(archive::ArchiveError::Format)?;
        assert_eq!(self.0.len() as u64 - before, package.size());
        Ok(())
    }
}

/// Reads `data` as the archive of a toolchain. What is taken is written again, to the same packages.
pub fn fuzz_archive(data: &[u8]) -> Result<Lock, ProvisionError> {
    let mut received = Received::default();
    let lock = read_archive(data, data.len() as u64, &mut received)?;
    let ends = lock.packages().iter().scan(0, |end, package| {
        *end += package.size() as usize;
        Some((package.sha256().to_owned(), *end))
    });
    let ends: BTreeMap<_, _> = ends.collect();
    let open = |package: &Package| {
        let end = ends[package.sha256()];
        Ok(&received.0[end - package.size() as usize..end])
    };
    let mut again = Vec::new();
    archive::write_archive(&lock, open, &mut again).map_err(archive::ArchiveError::Format)?;
    assert_eq!(again.len() as u64, archive::archive_length(&lock));
    read_archive(&again[..], again.len() as u64, &mut Received::default())
}
