//! Depthwise convolutions: every output channel sees one input channel, so a sum has few products and a window meets few
//! filters.
//!
//! Packed weights would not pay: making integers of a window costs more than nine products. So a whole plane of the image
//! is made integers once, with one power of two, padding included as zeros, and so is each filter, at run time. A product is
//! then a load, a multiplication of words and two additions, one of the high word and one of the low word without its
//! last bits. The few elements that an integer does not hold exactly are on a list with their remainders, and what those add to the sums
//! is added to them afterwards. So a sum is known to some units, far below the last place of the float, and that float is the
//! result; next to a tie between two floats the definition decides, [`Accumulator`](crate::dot::Accumulator).
//!
//! docs/numerics.md has the bounds (O), (P) and (Z) with their proofs. `integers` makes a word of a float, `plane` and `filter`
//! hold them, `sums` has the loops, `finish` the bounds, and `operator` drives them.

mod filter;
mod finish;
mod integers;
#[cfg(target_arch = "mips")]
mod mips;
mod operator;
mod plane;
#[cfg(not(target_arch = "mips"))]
mod portable;
mod sums;

pub use operator::{conv2d_planes, planes_scratch, planes_take};
