use std::collections::BTreeMap;
use std::sync::Arc;

use opml_abi::{HINT_OUTPUT, fd, keccak256_key, local, local_key};
use opml_state::{Hash, keccak256};

use crate::{Host, HostError};

/// Most bytes kept of each of stdout and stderr; the rest is counted, not kept.
const STREAM_LIMIT: usize = 1 << 20;

/// What a guest is asked to compute: the five local values of guest ABI 1, with the input blob in place of
/// its root.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The input blob; its keccak256 is the input root.
    pub input: Vec<u8>,
    /// The output root that is claimed; zeros if there is no claim.
    pub claim: Hash,
    /// Context of the request.
    pub context: Hash,
    /// Index of the step of a multi-step computation; 1 for a single inference.
    pub step_index: u64,
    /// Domain of the request.
    pub domain: u64,
}

/// The key is neither one of the five local keys nor the hash of a preimage the host was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error, miette::Diagnostic)]
#[error("no preimage is known for the key {0}")]
#[diagnostic(help("guests may read local keys 1 to 5 and the preimage of the input root"))]
pub struct UnknownKey(pub Hash);

/// The host of guest ABI 1: answers the local keys and the input blob, and collects what the guest sends.
#[derive(Clone, Debug)]
pub struct GuestHost {
    // Ordered only because hashing with a random seed has no use here.
    preimages: BTreeMap<[u8; 32], Arc<[u8]>>,
    output: Option<Vec<u8>>,
    streams: [Stream; 2],
}

#[derive(Clone, Debug, Default)]
struct Stream {
    kept: Vec<u8>,
    dropped: u64,
}

impl GuestHost {
    /// A host that serves `request`.
    pub fn new(request: Request) -> Self {
        let input_root = keccak256(&request.input);
        let mut host = Self { preimages: BTreeMap::new(), output: None, streams: Default::default() };
        let locals: [(u8, &[u8]); 5] = [
            (local::CONTEXT, &request.context.0),
            (local::INPUT_ROOT, &input_root.0),
            (local::CLAIM, &request.claim.0),
            (local::STEP_INDEX, &request.step_index.to_be_bytes()),
            (local::DOMAIN, &request.domain.to_be_bytes()),
        ];
        for (number, value) in locals {
            host.preimages.insert(local_key(number), value.into());
        }
        host.preimages.insert(keccak256_key(input_root.0), request.input.into());
        host
    }

    /// Makes `preimage` known under its keccak256.
    pub fn add_preimage(&mut self, preimage: &[u8]) {
        self.preimages.insert(keccak256_key(keccak256(preimage).0), preimage.into());
    }

    /// The output blob, if the guest has sent one; the last if several.
    pub fn output_blob(&self) -> Option<&[u8]> {
        self.output.as_deref()
    }

    /// What the guest wrote to standard output, at most its first MiB.
    pub fn stdout(&self) -> &[u8] {
        &self.streams[0].kept
    }

    /// What the guest wrote to standard error, at most its first MiB.
    pub fn stderr(&self) -> &[u8] {
        &self.streams[1].kept
    }

    /// Bytes the guest wrote to stdout and stderr beyond what was kept.
    pub fn dropped(&self) -> u64 {
        self.streams.iter().map(|stream| stream.dropped).sum()
    }
}

impl Host for GuestHost {
    fn preimage(&mut self, key: &[u8; 32]) -> Result<Arc<[u8]>, HostError> {
        self.preimages.get(key).cloned().ok_or_else(|| UnknownKey(Hash(*key)).into())
    }

    fn hint(&mut self, payload: &[u8]) {
        // Any other hint asks for data to be fetched; this host has all there is from the start.
        if let Some(blob) = payload.strip_prefix(HINT_OUTPUT) {
            self.output = Some(blob.to_vec());
        }
    }

    fn output(&mut self, descriptor: u32, bytes: &[u8]) {
        let stream = &mut self.streams[usize::from(descriptor != fd::STDOUT)];
        let room = STREAM_LIMIT - stream.kept.len();
        let (kept, dropped) = bytes.split_at(room.min(bytes.len()));
        stream.kept.extend_from_slice(kept);
        stream.dropped += dropped.len() as u64;
    }
}
