//! What a person sees: progress, tables, numbers.

mod format;
mod progress;
pub mod table;

use clap::ValueEnum;

pub use format::{bytes, count, seconds};
pub use progress::reporter;

/// How a command prints its result.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: one JSON document on standard output and nothing else there.
    Json,
}
