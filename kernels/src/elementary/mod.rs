//! The elementary functions, correctly rounded: each result is the float that is nearest to the true value.
//!
//! So a result depends on no library and no machine, and a reader needs no source to know it. Each function has a
//! short way in words of 32 bits, which gives up if its error could decide the rounding (about one
//! time in a thousand), and a careful one for those cases and for the arguments that are rare:
//! `careful`. That both are right for every argument is shown by trying all of them
//! (kernels/tests/every_float.rs). A power has two arguments, too many to try: `pow` says what stands in for that.

mod careful;
mod erf;
mod exp;
mod hyperbolic;
mod log;
mod piecewise;
mod pow;
mod real;
mod short;
mod sigmoid;
mod tables;
mod trigonometric;

pub use hyperbolic::{acosh, asinh, atanh, cosh, sinh};
pub use pow::pow;
pub use trigonometric::{acos, asin, atan, cos, sin, tan};

use crate::bits::{INFINITY_BITS, NAN_BITS, SIGN, is_nan, is_zero};
use careful::Argument;
use opml_softfloat::single;
use tables::{erf::ERF, tanh::TANH};

const ONE: u32 = 0x3f80_0000;
const HALF: u32 = 0x3f00_0000;

/// e^x. 1 at zeros, +0 at -infinity.
#[inline]
pub fn exp(x: f32) -> f32 {
    let bits = x.to_bits();
    f32::from_bits(exp::short(bits).unwrap_or_else(|| exp_careful(bits)))
}

#[cold]
#[inline(never)]
fn exp_careful(x: u32) -> u32 {
    let magnitude = x & !SIGN;
    if is_nan(x) {
        NAN_BITS
    } else if magnitude >= 0x42d0_0000 {
        // From 104 on: twice the largest float, or less than half the smallest.
        if x & SIGN == 0 { INFINITY_BITS } else { 0 }
    } else if is_zero(x) {
        ONE
    } else {
        careful::exp(Argument::new(magnitude), x & SIGN != 0).round()
    }
}

/// The natural logarithm; -infinity at zeros, NaN below.
#[inline]
pub fn log(x: f32) -> f32 {
    let bits = x.to_bits();
    let normal = bits.wrapping_sub(0x0080_0000) < INFINITY_BITS - 0x0080_0000;
    let short = if normal { log::short(bits) } else { None };
    f32::from_bits(short.unwrap_or_else(|| log_careful(bits)))
}

#[cold]
#[inline(never)]
fn log_careful(x: u32) -> u32 {
    if is_zero(x) {
        SIGN | INFINITY_BITS
    } else if x > INFINITY_BITS {
        NAN_BITS
    } else if x == INFINITY_BITS {
        INFINITY_BITS
    } else if x == ONE {
        0
    } else {
        let (value, negative) = careful::log(Argument::new(x).real());
        value.round() | if negative { SIGN } else { 0 }
    }
}

/// The hyperbolic tangent, with the sign of its argument.
#[inline]
pub fn tanh(x: f32) -> f32 {
    let bits = x.to_bits();
    let magnitude = bits & !SIGN;
    if magnitude < piecewise::FIRST {
        // x^3 / 3 is less than a quarter of the last place of x.
        return x;
    }
    f32::from_bits(match piecewise::short(&TANH, magnitude) {
        Some(result) => result | bits & SIGN,
        None => tanh_careful(bits),
    })
}

#[cold]
#[inline(never)]
fn tanh_careful(x: u32) -> u32 {
    let magnitude = x & !SIGN;
    if is_nan(x) {
        return NAN_BITS;
    }
    // From 9.5 on the result is nearer to 1 than to the float below.
    let result = if magnitude >= 0x4118_0000 { ONE } else { careful::tanh(Argument::new(magnitude)).round() };
    result | x & SIGN
}

/// The error function, with the sign of its argument.
#[inline]
pub fn erf(x: f32) -> f32 {
    let bits = x.to_bits();
    let magnitude = bits & !SIGN;
    let short = if magnitude >= piecewise::FIRST {
        piecewise::short(&ERF, magnitude)
    } else {
        erf::near_zero(magnitude)
    };
    f32::from_bits(match short {
        Some(result) => result | bits & SIGN,
        None => erf_careful(bits),
    })
}

#[cold]
#[inline(never)]
fn erf_careful(x: u32) -> u32 {
    let magnitude = x & !SIGN;
    if is_nan(x) {
        return NAN_BITS;
    }
    // From 4 on the result is nearer to 1 than to the float below.
    let result = match magnitude {
        0 => 0,
        0x4080_0000.. => ONE,
        _ => careful::erf(Argument::new(magnitude)).round(),
    };
    result | x & SIGN
}

/// The logistic function 1 / (1 + e^-x).
#[inline]
pub fn sigmoid(x: f32) -> f32 {
    let bits = x.to_bits();
    f32::from_bits(sigmoid::short(bits).unwrap_or_else(|| sigmoid_careful(bits)))
}

#[cold]
#[inline(never)]
fn sigmoid_careful(x: u32) -> u32 {
    let magnitude = x & !SIGN;
    if is_nan(x) {
        NAN_BITS
    } else if magnitude >= 0x42d0_0000 {
        if x & SIGN == 0 { ONE } else { 0 }
    } else if is_zero(x) {
        HALF
    } else {
        careful::sigmoid(Argument::new(magnitude), x & SIGN != 0).round()
    }
}

/// The square root, correctly rounded; -0 at -0, NaN below zero.
#[inline]
pub fn sqrt(x: f32) -> f32 {
    f32::from_bits(single::sqrt(x.to_bits()))
}
