//! Where the steps of a run go: by function, by source line, and by node of a model.
//!
//! ```text
//! Counts + Elf + Statements --> Profile --> tables, folded stacks, flame graph
//! ```
//!
//! The VM counts addresses and calls, the program's files say what they stand for, and [`Profile`] puts the two together.
//! No step is estimated or lost: each table sums up to the run's number of steps.

mod flame;
mod folded;
mod profile;
mod resolve;
mod stacks;

pub use folded::FoldedError;
pub use profile::{FunctionCost, LineCost, NodeCost, Profile};
pub use resolve::function_starts;
pub use stacks::{Stack, Stacks};
