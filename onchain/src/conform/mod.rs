//! Conformity of one image or of one run: shown on the contract, instruction by instruction.

mod image;
mod run;

pub use image::{Conformity, Encoding, conform};
pub use run::{Plan, RunConformity, run_conform};

use opml_state::keccak256;

/// A number that looks random and is the same on every machine: the same instruction is always tried with the
/// same operands.
fn number(purpose: &str, index: [u64; 2]) -> u64 {
    let [first, second] = index.map(u64::to_be_bytes);
    let hash = keccak256(&[purpose.as_bytes(), &first, &second].concat()).0;
    u64::from_be_bytes(*hash.first_chunk().expect("a hash has 32 bytes"))
}
