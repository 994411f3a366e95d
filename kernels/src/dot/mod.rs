//! Sums of products, exact until one rounding at the end.
//!
//! [`Accumulator`] is the definition: it takes any floats one pair at a time and knows every rule for
//! zeros, infinities and NaN. `rows` is what the operators call: it computes many sums that share
//! one vector, takes that vector apart once (`terms`), skips its zeros, and falls back to the
//! definition where something is not finite. Both add into `fixed`, the integer that holds the sum.

mod accumulator;
mod fixed;
pub(crate) mod rows;
pub(crate) mod terms;

pub use accumulator::Accumulator;
pub use terms::Pairs;
