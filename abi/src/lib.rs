//! The guest ABI, version 1: what guest, builder and VM must agree on.
//!
//! A guest asks the preimage oracle for the input root ([`local::INPUT_ROOT`]), then for its
//! keccak256 preimage, the *input blob*; it computes the *output blob*, sends it out as a hint
//! ([`HINT_OUTPUT`]), compares its keccak256, the *output root*, with the claim ([`local::CLAIM`]),
//! and exits with one of [`exit`]. The five local keys are those the OP Stack's `FaultDisputeGame`
//! hands to a program, so that game can judge a guest unchanged.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod blob;
mod dtype;
#[cfg(feature = "alloc")]
mod tensor;

pub use dtype::DataType;
#[cfg(feature = "alloc")]
pub use tensor::{BlobError, Tensor, TensorInfo, decode_blob, encode_blob};

/// Version of everything in this crate; written into each manifest.
pub const ABI_VERSION: u32 = 1;

/// Prefix of the hint that carries the output blob: the word `output` and a space.
pub const HINT_OUTPUT: &[u8; 7] = b"output ";

/// Numbers of the local keys (OP Stack: `LocalPreimageKey`).
pub mod local {
    /// Context of the request (OP Stack: L1 head hash), 32 bytes.
    pub const CONTEXT: u8 = 1;
    /// keccak256 of the input blob (OP Stack: starting output root), 32 bytes.
    pub const INPUT_ROOT: u8 = 2;
    /// The output root that is claimed (OP Stack: disputed output root), 32 bytes.
    pub const CLAIM: u8 = 3;
    /// Index of the step of a multi-step computation (OP Stack: disputed L2 block number), 8 bytes.
    pub const STEP_INDEX: u8 = 4;
    /// Domain of the request (OP Stack: chain id), 8 bytes.
    pub const DOMAIN: u8 = 5;
}

/// Exit codes of a guest.
pub mod exit {
    /// The output root equals the claim.
    pub const EQUAL: u8 = 0;
    /// The output root differs from the claim.
    pub const DIFFERENT: u8 = 1;
    /// The guest could not compute: a panic or a malformed input.
    pub const FAILED: u8 = 2;
}

/// File descriptors of a guest (op-program's `preimage` package).
pub mod fd {
    /// Standard input, always empty.
    pub const STDIN: u32 = 0;
    /// Standard output.
    pub const STDOUT: u32 = 1;
    /// Standard error.
    pub const STDERR: u32 = 2;
    /// Answers to hints.
    pub const HINT_RESPONSE: u32 = 3;
    /// Hints to the host: a 4-byte big-endian length, then the payload.
    pub const HINT_REQUEST: u32 = 4;
    /// The preimage: an 8-byte big-endian length, then the data.
    pub const PREIMAGE_READ: u32 = 5;
    /// The key of the preimage to read next.
    pub const PREIMAGE_WRITE: u32 = 6;
}

/// System call numbers (Linux, MIPS o32).
pub mod syscall {
    /// `read(fd, buffer, length)`
    pub const READ: u32 = 4003;
    /// `write(fd, buffer, length)`
    pub const WRITE: u32 = 4004;
    /// `brk(address)`
    pub const BRK: u32 = 4045;
    /// `fcntl(fd, command, argument)`
    pub const FCNTL: u32 = 4055;
    /// `mmap(hint, length, …)`
    pub const MMAP: u32 = 4090;
    /// `clone(…)`
    pub const CLONE: u32 = 4120;
    /// `exit_group(code)`
    pub const EXIT_GROUP: u32 = 4246;
}

/// First byte of a preimage key of the local kind.
pub const KEY_TYPE_LOCAL: u8 = 1;
/// First byte of a preimage key of the keccak256 kind.
pub const KEY_TYPE_KECCAK256: u8 = 2;

/// The key of local value `number` as it is written to [`fd::PREIMAGE_WRITE`].
pub const fn local_key(number: u8) -> [u8; 32] {
    let mut key = [0; 32];
    key[0] = KEY_TYPE_LOCAL;
    key[31] = number;
    key
}

/// The key of the preimage of `hash` under keccak256.
pub const fn keccak256_key(mut hash: [u8; 32]) -> [u8; 32] {
    hash[0] = KEY_TYPE_KECCAK256;
    hash
}
