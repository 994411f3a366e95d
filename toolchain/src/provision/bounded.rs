use std::io::{self, Read};

/// Reads at most so many bytes. It then fails, rather than ends: an end would look like a whole archive.
pub struct Bounded<R> {
    inner: R,
    left: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("more bytes than allowed")]
struct OverLimit;

impl<R: Read> Bounded<R> {
    /// The first `most` bytes of `inner`.
    pub fn new(inner: R, most: u64) -> Self {
        Self { inner, left: most }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(n as u64).ok_or_else(|| io::Error::other(OverLimit))?;
        Ok(n)
    }
}

/// Whether `error` says that a [`Bounded`] reader came to its limit: it can only speak through an [`io::Error`].
pub fn is_over_limit(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<OverLimit>())
}
