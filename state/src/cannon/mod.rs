//! Files of Cannon, the OP Stack's tool: states (`prestate.bin.gz`), symbols (`meta.json`) and the proofs of
//! single steps.
//!
//! A state file is a gzip stream of: version byte 0 (`singlethreaded`), number of pages, for each page its
//! index and 4,096 bytes, then preimage key, preimage offset, pc, next pc, lo, hi, heap (4 bytes each, the
//! key 32), exit code 1, exited 1, step 8, 32 registers, length of the last hint 4, the last hint.
//! Big-endian throughout. (Cannon: `mipsevm/versions`, `mipsevm/singlethreaded`, `mipsevm/memory`.)

mod gzip;
mod meta;
mod proof;
mod reader;
mod writer;

pub use meta::{MetaError, Metadata, Symbol};
pub use proof::{OracleRead, PROOF_LEN, ProofError, StepProof, instruction};
pub use reader::{Limits, MAX_HINT_LEN, ReadError, load_state, read_state};
pub use writer::{save_state, write_state};

/// Cannon's number of the state version this crate writes and reads: `singlethreaded`.
pub const STATE_VERSION: u8 = 0;
