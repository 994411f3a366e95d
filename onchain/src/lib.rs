//! The real contracts in a real EVM: one step at a time, side by side with the off-chain VM.
//!
//! [`artifacts`] fetches the compiled contracts, [`Contract`] deploys them and executes steps, [`lockstep()`] and
//! [`check`] compare what they make of a step with what the VM makes of it. [`conform`] does so for every kind
//! of instruction of an image and for the steps of a run.
#![forbid(unsafe_code)]

pub mod artifacts;
mod calldata;
pub mod conform;
mod contract;
mod disagreement;
mod fuzz;
pub mod lockstep;
mod replay;
mod revert;

pub use contract::{CallError, Contract, DeployError, Executed, PreimageError};
pub use disagreement::{Disagreement, Refusal};
pub use fuzz::fuzz_step;
pub use lockstep::{Agreed, LOCAL_CONTEXT, LockstepError, check, lockstep};
pub use revert::{Revert, RevertReason};
