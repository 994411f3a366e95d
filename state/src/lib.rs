//! The state of the on-chain VM `cannon32`, as bytes and as hashes.
//!
//! A [`State`] is what one step of the VM turns into the next: memory, registers and a few counters. Its
//! [witness](State::witness) is the packed form the contract `MIPS.sol` 1.0.1 takes, its
//! [hash](State::state_hash) what a dispute is about. [`Memory`] commits to the whole 32-bit address space
//! by one [root](Memory::merkle_root). [`cannon`] reads and writes the files of the OP Stack's own tools.
//!
//! Nothing here runs a program: that is `opml-vm`.

pub mod cannon;
mod diff;
mod fuzz;
mod hash;
mod lanes;
mod memory;
mod merkle;
mod proof;
mod runs;
mod state;
mod witness;

pub use diff::{Field, FieldDiff, PageDiff, StateDiff, Value, diff};
pub use fuzz::fuzz_state_file;
pub use hash::{Hash, ParseHashError, keccak256};
pub use memory::{Memory, PAGE_COUNT, PAGE_SIZE, Page, RangeError};
pub use merkle::MerkleTree;
pub use proof::MemoryProof;
pub use runs::Run;
pub use state::{State, VmStatus};
pub use witness::{WITNESS_LEN, Witness, WitnessFields, hash_witness};
