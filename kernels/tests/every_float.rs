//! The elementary functions at every one of the 2^32 floats (those of angles and the like at some, see [`check_some`]): each result is the
//! float nearest to the true value.
//!
//! The reference is the host's binary64 function, trusted to 2^-46 of its value, which is 60 units of its last place and
//! more. Where that leaves two floats open the value is computed once more in large integers.
//!
//! Would catch: a short way that decides where its error is too large, a careful one that is not careful enough, a wrong
//! digit in a table, limits between the ways that are off by one.

#[path = "support/exact.rs"]
mod exact;

use num_bigint::BigInt;
use opml_kernels::elementary;
use rayon::prelude::*;

const NAN_BITS: u32 = 0x7fc0_0000;
const SIGN: u32 = 1 << 31;
/// Arguments that one task looks at.
const CHUNK: u32 = 1 << 18;

/// A function under test.
struct Case {
    name: &'static str,
    ours: fn(f32) -> f32,
    /// Whether f(-x) = -f(x), which then stands in for the reference at negative arguments.
    odd: bool,
    /// In binary64.
    close: fn(f64) -> f64,
    /// For a result that is positive after the sign is taken off.
    exact: fn(f32) -> BigInt,
}

/// The float nearest to the true value, from the close one if that is enough.
fn expected(case: &Case, x: f32) -> f32 {
    const TRUST: f64 = 1.0 / (1u64 << 46) as f64;
    let close = (case.close)(f64::from(x));
    let (low, high) = ((close * (1.0 - TRUST)) as f32, (close * (1.0 + TRUST)) as f32);
    if low.to_bits() == high.to_bits() || close.is_nan() {
        return low;
    }
    let exact = (case.exact)(x);
    if exact < BigInt::ZERO { -exact::nearest(&-exact) } else { exact::nearest(&exact) }
}

/// The bits, with one NaN. It asks the bits, since to the compiler one NaN is as good as another.
fn canonical(x: f32) -> u32 {
    let bits = x.to_bits();
    if bits & !SIGN > 0x7f80_0000 { NAN_BITS } else { bits }
}

/// Compares all arguments.
fn check(case: &Case) {
    compare(case, 1);
}

/// Compares one argument of 16, or all if `OPML_EVERY_FLOAT` is set: functions that are seldom in a model, and that all together take half
/// an hour. Which ones differs from task to task, so that no bit of the mantissa is always the same.
fn check_some(case: &Case) {
    compare(case, if std::env::var_os("OPML_EVERY_FLOAT").is_some() { 1 } else { 16 });
}

fn compare(case: &Case, stride: u32) {
    let last = if case.odd { SIGN - 1 } else { u32::MAX };
    let tasks = 0..=last / CHUNK;
    let wrong: Vec<u32> = tasks
        .into_par_iter()
        .flat_map_iter(|task| {
            let first = task.wrapping_mul(0x9e37_79b9) >> 7;
            (task * CHUNK + first % stride..=task * CHUNK + (CHUNK - 1)).step_by(stride as usize)
        })
        .filter(|&bits| {
            let x = f32::from_bits(bits);
            let result = (case.ours)(x);
            let mirrored = !case.odd || (case.ours)(-x).to_bits() == canonical(-result);
            !mirrored || result.to_bits() != canonical(expected(case, x))
        })
        .collect();
    let shown = wrong.first().map(|&bits| {
        let x = f32::from_bits(bits);
        let (ours, expected) = ((case.ours)(x), expected(case, x));
        let mirrored = if case.odd { format!("; at -x it is {:e}", (case.ours)(-x)) } else { String::new() };
        format!("{}({x:e}) is {ours:e}, and should be {expected:e}{mirrored}", case.name)
    });
    assert!(wrong.is_empty(), "{} of {} arguments: {}", wrong.len(), case.name, shown.unwrap_or_default());
}

#[test]
fn exp() {
    let case = Case { name: "exp", ours: elementary::exp, odd: false, close: f64::exp, exact: exact::exp };
    check(&case);
}

#[test]
fn log() {
    let case = Case { name: "log", ours: elementary::log, odd: false, close: f64::ln, exact: exact::log };
    check(&case);
}

#[test]
fn tanh() {
    let case = Case { name: "tanh", ours: elementary::tanh, odd: true, close: f64::tanh, exact: exact::tanh };
    check(&case);
}

#[test]
fn erf() {
    let case = Case { name: "erf", ours: elementary::erf, odd: true, close: libm::erf, exact: exact::erf };
    check(&case);
}

#[test]
fn sigmoid() {
    let case = Case {
        name: "sigmoid",
        ours: elementary::sigmoid,
        odd: false,
        close: |x| 1.0 / (1.0 + (-x).exp()),
        exact: exact::sigmoid,
    };
    check(&case);
}

#[test]
fn sin() {
    let case = Case { name: "sin", ours: elementary::sin, odd: true, close: f64::sin, exact: exact::sin };
    check_some(&case);
}

#[test]
fn cos() {
    let case = Case { name: "cos", ours: elementary::cos, odd: false, close: f64::cos, exact: exact::cos };
    check_some(&case);
}

#[test]
fn tan() {
    let case = Case { name: "tan", ours: elementary::tan, odd: true, close: f64::tan, exact: exact::tan };
    check_some(&case);
}

#[test]
fn asin() {
    let case = Case { name: "asin", ours: elementary::asin, odd: true, close: f64::asin, exact: exact::asin };
    check_some(&case);
}

#[test]
fn acos() {
    let case =
        Case { name: "acos", ours: elementary::acos, odd: false, close: f64::acos, exact: exact::acos };
    check_some(&case);
}

#[test]
fn atan() {
    let case = Case { name: "atan", ours: elementary::atan, odd: true, close: f64::atan, exact: exact::atan };
    check_some(&case);
}

#[test]
fn sinh() {
    let case = Case { name: "sinh", ours: elementary::sinh, odd: true, close: f64::sinh, exact: exact::sinh };
    check_some(&case);
}

#[test]
fn cosh() {
    let case =
        Case { name: "cosh", ours: elementary::cosh, odd: false, close: f64::cosh, exact: exact::cosh };
    check_some(&case);
}

#[test]
fn asinh() {
    let case =
        Case { name: "asinh", ours: elementary::asinh, odd: true, close: libm::asinh, exact: exact::asinh };
    check_some(&case);
}

#[test]
fn acosh() {
    // libm has numbers for some arguments below 1.
    let close = |x: f64| if x < 1.0 { f64::NAN } else { libm::acosh(x) };
    let case = Case { name: "acosh", ours: elementary::acosh, odd: false, close, exact: exact::acosh };
    check_some(&case);
}

#[test]
fn atanh() {
    let case =
        Case { name: "atanh", ours: elementary::atanh, odd: true, close: libm::atanh, exact: exact::atanh };
    check_some(&case);
}

#[test]
fn sqrt() {
    let wrong = (0..=u32::MAX).into_par_iter().find_any(|&bits| {
        let root = f32::from_bits(bits).sqrt();
        elementary::sqrt(f32::from_bits(bits)).to_bits() != canonical(root)
    });
    assert_eq!(wrong.map(f32::from_bits), None);
}
