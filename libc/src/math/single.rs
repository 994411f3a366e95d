//! Functions on `float`.

use opml_kernels::{bits, elementary, remainder as remainders, rounding};

use super::double;

pub use opml_kernels::bits::NAN;

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident($($x:ident),*) = $value:expr;)*) => {$(
        $(#[$doc])*
        #[inline]
        pub fn $name($($x: f32),*) -> f32 {
            bits::canonical($value)
        }
    )*};
}

/// The function on `double`, rounded once more.
macro_rules! rounded {
    ($name:ident($($x:ident),*)) => { double::$name($(f64::from($x)),*) as f32 };
}

functions! {
    /// The angle whose cosine is `x`, 0 to pi; correctly rounded.
    acos(x) = elementary::acos(x);
    /// The number from 1 on whose hyperbolic cosine is `x`; correctly rounded.
    acosh(x) = elementary::acosh(x);
    /// The angle whose sine is `x`; correctly rounded.
    asin(x) = elementary::asin(x);
    /// The number whose hyperbolic sine is `x`; correctly rounded.
    asinh(x) = elementary::asinh(x);
    /// The angle whose tangent is `x`; correctly rounded.
    atan(x) = elementary::atan(x);
    /// The angle of the point (x, y), -pi to pi; from `double`.
    atan2(y, x) = rounded!(atan2(y, x));
    /// The number whose hyperbolic tangent is `x`; correctly rounded.
    atanh(x) = elementary::atanh(x);
    /// The cube root; from `double`.
    cbrt(x) = rounded!(cbrt(x));
    /// The least integer that is not below `x`.
    ceil(x) = rounding::ceil(x);
    /// The cosine; correctly rounded.
    cos(x) = elementary::cos(x);
    /// The hyperbolic cosine; correctly rounded.
    cosh(x) = elementary::cosh(x);
    /// The error function; correctly rounded.
    erf(x) = elementary::erf(x);
    /// One less the error function; from `double`.
    erfc(x) = rounded!(erfc(x));
    /// e^x; correctly rounded.
    exp(x) = elementary::exp(x);
    /// 10^x; from `double`.
    exp10(x) = rounded!(exp10(x));
    /// 2^x; from `double`.
    exp2(x) = rounded!(exp2(x));
    /// e^x - 1; from `double`.
    expm1(x) = rounded!(expm1(x));
    /// x - y, or 0 if that is negative.
    fdim(x, y) = libm::fdimf(x, y);
    /// The largest integer that is not above `x`.
    floor(x) = rounding::floor(x);
    /// x * y + z, rounded once.
    fma(x, y, z) = libm::fmaf(x, y, z);
    /// The larger; the other one if one is NaN.
    fmax(x, y) = libm::fmaxf(x, y);
    /// The smaller; the other one if one is NaN.
    fmin(x, y) = libm::fminf(x, y);
    /// x - n y, n being x / y towards zero; exact.
    fmod(x, y) = remainders::fmod(x, y);
    /// The length of (x, y); from `double`.
    hypot(x, y) = rounded!(hypot(x, y));
    /// The logarithm of the magnitude of the gamma function; from `double`.
    lgamma(x) = rounded!(lgamma(x));
    /// The natural logarithm; correctly rounded.
    log(x) = elementary::log(x);
    /// The decimal logarithm; from `double`.
    log10(x) = rounded!(log10(x));
    /// The natural logarithm of 1 + x; from `double`.
    log1p(x) = rounded!(log1p(x));
    /// The binary logarithm; from `double`.
    log2(x) = rounded!(log2(x));
    /// The exponent of `x` as a number; -infinity at zeros.
    logb(x) = rounded!(logb(x));
    /// The next number from `x` towards `y`.
    nextafter(x, y) = libm::nextafterf(x, y);
    /// x^y; correctly rounded.
    pow(x, y) = elementary::pow(x, y);
    /// x - n y, n being the integer nearest to x / y; exact.
    remainder(x, y) = libm::remainderf(x, y);
    /// The nearest integer, of two the even one.
    rint(x) = rounding::round(x);
    /// The nearest integer, of two the one away from zero.
    round(x) = libm::roundf(x);
    /// The sine; correctly rounded.
    sin(x) = elementary::sin(x);
    /// The hyperbolic sine; correctly rounded.
    sinh(x) = elementary::sinh(x);
    /// The square root; correctly rounded.
    sqrt(x) = elementary::sqrt(x);
    /// The tangent; correctly rounded.
    tan(x) = elementary::tan(x);
    /// The hyperbolic tangent; correctly rounded.
    tanh(x) = elementary::tanh(x);
    /// The gamma function; from `double`.
    tgamma(x) = rounded!(tgamma(x));
    /// The integer next to `x` towards zero.
    trunc(x) = libm::truncf(x);
}

/// The magnitude: the bits without the sign, of a NaN too.
#[inline]
pub fn fabs(x: f32) -> f32 {
    libm::fabsf(x)
}

/// `x` with the sign of `y`.
#[inline]
pub fn copysign(x: f32, y: f32) -> f32 {
    libm::copysignf(x, y)
}

/// The exponent of `x`; the least `int` for zeros and NaN, the largest for infinities.
#[inline]
pub fn ilogb(x: f32) -> i32 {
    libm::ilogbf(x)
}

/// x 2^n, rounded once.
#[inline]
pub fn scalbn(x: f32, n: i32) -> f32 {
    bits::canonical(libm::scalbnf(x, n))
}

/// A fraction from 1/2 to 1 and an exponent of two that make `x`.
#[inline]
pub fn frexp(x: f32) -> (f32, i32) {
    let (fraction, exponent) = double::frexp(x.into());
    (fraction as f32, exponent)
}

/// The fraction and the integer of `x`, both with its sign.
#[inline]
pub fn modf(x: f32) -> (f32, f32) {
    let (fraction, whole) = double::modf(x.into());
    (fraction as f32, whole as f32)
}

/// The [`remainder`] and the last bits of n, with its sign.
#[inline]
pub fn remquo(x: f32, y: f32) -> (f32, i32) {
    let (rest, quotient) = libm::remquof(x, y);
    (bits::canonical(rest), quotient)
}
