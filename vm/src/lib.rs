//! The off-chain VM: runs a `cannon32` state exactly as the contract `MIPS.sol` 1.0.1 would, step by step.
//!
//! [`Vm`] takes a [`State`](opml_state::State), runs it with a [`Host`] that answers the preimage oracle, and
//! gives a state back after any number of steps. What the contract computes differently from MIPS, this
//! computes differently too; what the contract reverts on, so that the step could never be proven, this
//! refuses with [`Unprovable`](VmError::Unprovable).
//!
//! Told a program's [`Layout`], it finds what no correct program does and the contract lets pass: a [`Fault`].
//!
//! A [`Prover`] runs a VM too, and makes for any step of it the proof that the contract takes.
//!
//! A [`Profiler`] runs one, too, and counts how often each instruction was executed and in which calls.
//!
//! Two interpreters share the memory and the registers. `step` executes one instruction from its word, and
//! is written to be compared with the contract line by line. `fast` executes pre-decoded instructions,
//! several at a time; it leaves everything unusual (system calls, refusals, odd encodings) to `step`.
//!
//! The address space is one reservation of 4 GiB of virtual memory, the decoded instructions another of
//! 8 GiB; only touched pages take real memory. This needs a 64-bit host that overcommits, as Linux and macOS
//! do by default.

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the VM reserves more address space than a host of less than 64 bits has");

mod breaks;
mod calls;
mod checkpoints;
mod checks;
mod code;
mod cpu;
mod decode;
mod error;
mod fast;
mod fault;
mod guest_host;
mod host;
mod kinds;
mod profiler;
mod prover;
mod snapshots;
mod space;
mod step;
mod syscall;
mod vm;

pub use breaks::{Halt, Watch};
pub use calls::Call;
pub use checkpoints::Checkpoints;
pub use checks::Layout;
pub use error::{Reason, VmError};
pub use fault::{Access, Fault};
pub use guest_host::{GuestHost, Request, UnknownKey};
pub use host::{Host, HostError};
pub use profiler::{Context, Counts, Profiler, Span};
pub use prover::{Prover, StepInput, data_address};
pub use snapshots::{DEFAULT_SNAPSHOT_INTERVAL, SnapshotError, Snapshots};
pub use vm::{DEFAULT_MAX_PAGES, Stop, Vm};
