//! Depthwise convolutions: every output channel sees one input channel, so a sum has few products and a vector of the image
//! meets few filters.
//!
//! Packed weights would not pay: making integers of a window costs more than nine products. So a whole plane of the image
//! is made integers once, with one power of two, padding included as zeros, and so is each filter, at run time. A product is
//! then a load, a multiplication of words and two additions, one of the high word and one of the low word without its
//! last bits. What the integers leave of the elements bounds the error of a sum. If one float only is within that bound, it is the
//! result; if not, the remainders, which lie in a plane of their own, are multiplied as well; what is left even then takes
//! the definition, [`Accumulator`](crate::dot::Accumulator).
//!
//! docs/numerics.md has the bounds (X), (Y) and (Z) with their proofs. `integers` makes a word of a float, `plane` and `filter`
//! hold them, `sums` has the loops, `finish` the bounds, and `operator` drives them.

mod filter;
mod finish;
mod integers;
mod operator;
mod plane;
mod sums;

pub use operator::{MAX_TAPS, conv2d_planes, planes_scratch};
