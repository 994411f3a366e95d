//! Entries for fuzzing the two things that are read from outside: packages and locks. Neither may panic,
//! hang or take much memory, whatever the bytes.

use std::io::{self, Read};

use super::deb::{DebError, Limits, Sink, read_deb};
use super::lock::Lock;
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
