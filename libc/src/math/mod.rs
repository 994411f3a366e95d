//! `math.h`. [`single`] is `float`, [`double`] is `double` and `long double`, which is the same on the VM.
//!
//! A result has the same bits in a C guest, in a Rust guest that calls these functions, and on a host. Functions on `float` that
//! operators have (docs/numerics.md) are those of the kernels, correctly rounded; the others on `float` are the
//! functions on `double`, rounded, or exact. The functions on `double` are those of the package `libm`, which the project's lock pins: arithmetic
//! in a fixed order, each operation rounded once. A NaN that is made is the canonical one.
//!
//! There are no exceptions and no rounding modes, and `errno` stays as it is.

pub mod double;
#[cfg(target_os = "none")]
mod exports;
pub mod single;
