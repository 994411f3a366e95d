use std::error::Error;
use std::sync::Arc;

/// What a host says when it has no preimage.
pub type HostError = Box<dyn Error + Send + Sync>;

/// The world outside the VM. Nothing a host does can change what a step computes, except the preimages, and
/// those are fixed by their keys.
pub trait Host {
    /// The preimage of `key`, without its length prefix. Asked once for each key the program starts to read;
    /// the VM keeps the last answer.
    ///
    /// # Errors
    /// If there is none; the run stops.
    fn preimage(&mut self, key: &[u8; 32]) -> Result<Arc<[u8]>, HostError>;

    /// A whole hint, without its length prefix.
    fn hint(&mut self, payload: &[u8]);

    /// Bytes written to descriptor 1 or 2. May be called with any amount, any number of times.
    fn output(&mut self, fd: u32, bytes: &[u8]);
}
