//! IEEE 754 arithmetic on the bits of the numbers, for a machine that has no floating point and where
//! every executed instruction costs.
//!
//! Round to nearest, ties to even; subnormals are kept; every NaN that comes out is the canonical one
//! ([`single::NAN`], [`double::NAN`]). There are no flags and no other rounding modes.
//!
//! An operation on binary32 has two halves. The short one, inlined into its caller, takes operands well inside the range
//! of the exponents, for which neither overflow, underflow nor a special value can come up, (X) in docs/numerics.md, and it
//! rounds by adding one half and cutting off, which is wrong for ties only, (Y). The other half, a call away,
//! takes all operands, and so also what the short one leaves: ties and the ends of the range.
//!
//! The source is the same on hosts, where the tests compare it with the hardware.
#![no_std]
#![forbid(unsafe_code)]

pub mod double;
pub mod single;
pub mod wide;
