//! SHA-256 of what is read or written, on its way.

use std::io::{self, BufReader, Read, Write};

use sha2::{Digest, Sha256};

/// How much is moved at a time: what is written is still near when it is hashed.
pub(crate) const PIECE: usize = 1 << 20;

/// Hashes what passes through it.
pub struct Hashed<T> {
    inner: T,
    sha256: Sha256,
}

impl<T> Hashed<T> {
    /// Around `inner`, of which nothing has passed.
    pub fn new(inner: T) -> Self {
        Self { inner, sha256: Sha256::new() }
    }

    /// What was inside, and the SHA-256 of what has passed, hexadecimal.
    pub fn finish(self) -> (T, String) {
        (self.inner, hex::encode(self.sha256.finalize()))
    }
}

impl<T: Read> Read for Hashed<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.sha256.update(&buffer[..read]);
        Ok(read)
    }
}

impl<T: Write> Write for Hashed<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(&bytes[..bytes.len().min(PIECE)])?;
        self.sha256.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Copies all of `from` to `to`, and gives the SHA-256 of what was written, hexadecimal.
///
/// # Errors
/// What either of them says.
pub fn copy_hashed(from: impl Read, to: impl Write) -> io::Result<String> {
    let mut to = Hashed::new(to);
    io::copy(&mut BufReader::with_capacity(PIECE, from), &mut to)?;
    to.flush()?;
    Ok(to.finish().1)
}

/// The SHA-256 of all of `from`, hexadecimal.
pub(crate) fn sha256(from: impl Read) -> io::Result<String> {
    copy_hashed(from, io::sink())
}
