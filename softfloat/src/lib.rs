//! IEEE 754 arithmetic on the bits of the numbers, for a machine that has no floating point and where
//! every executed instruction costs.
//!
//! Round to nearest, ties to even; subnormals are kept; every NaN that comes out is the canonical one
//! ([`single::NAN`], [`double::NAN`]). There are no flags and no other rounding modes.
//!
//! An operation on binary32 has two halves. The short one, inlined into its caller, takes operands well inside the range
//! of the exponents, for which neither overflow, underflow nor a special value can come up, (a) in docs/numerics.md, and it
//! rounds by adding one half and cutting off, which is wrong for ties only, (b). The other half, a call away,
//! takes all operands.
//!
//! The source is the same on hosts, where the tests compare it with the hardware.
#![no_std]
#![forbid(unsafe_code)]

pub mod double;
// Guests have no hardware to compare with.
#[cfg(not(target_os = "none"))]
mod fuzz;
pub mod single;
pub mod wide;

#[cfg(not(target_os = "none"))]
pub use fuzz::{check_one32, check_one64, check_pair32, check_pair64, fuzz_soft_float};
