//! The elementary functions, all from the `libm` crate (a port of FreeBSD's and musl's), whose exact
//! version is pinned: its results are part of the numeric contract.
//!
//! It is built without its `arch` feature, so no machine instruction stands in for its code on one
//! side only; it then uses nothing but IEEE additions, multiplications, divisions and integer
//! operations, which Rust neither contracts nor reorders. No function here uses a fused multiply-add.
//! On hosts whose floats are not IEEE binary32 (x87) the twin would differ; Rust's x86-64 and AArch64
//! targets are fine.

use crate::bits::{INFINITY_BITS, SIGN, canonical, is_nan, is_zero};

/// e^x, within 1 ulp.
#[inline]
pub fn exp(x: f32) -> f32 {
    canonical(libm::expf(x))
}

/// The natural logarithm, within 1 ulp; -infinity at zeros, NaN below.
#[inline]
pub fn log(x: f32) -> f32 {
    canonical(libm::logf(x))
}

/// The hyperbolic tangent, within 3 ulp.
#[inline]
pub fn tanh(x: f32) -> f32 {
    canonical(libm::tanhf(x))
}

/// The error function, within 1 ulp.
#[inline]
pub fn erf(x: f32) -> f32 {
    canonical(libm::erff(x))
}

/// The logistic function as 1 / (1 + exp(-x)), each of the three operations rounded.
#[inline]
pub fn sigmoid(x: f32) -> f32 {
    canonical(1.0 / (1.0 + exp(-x)))
}

/// The square root, correctly rounded; -0 at -0, NaN below zero.
#[inline]
pub fn sqrt(x: f32) -> f32 {
    let bits = x.to_bits();
    if is_zero(bits) || bits == INFINITY_BITS {
        return x;
    }
    if bits & SIGN != 0 || is_nan(bits) {
        return crate::bits::NAN;
    }
    canonical(libm::sqrtf(x))
}
