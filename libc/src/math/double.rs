//! Functions on `double`.

/// The NaN that leaves every function that makes one: quiet, positive, no payload.
pub const NAN: f64 = f64::from_bits(0x7ff8_0000_0000_0000);

/// The canonical NaN for any NaN: which one arithmetic makes depends on the machine.
fn canonical(x: f64) -> f64 {
    if x.is_nan() { NAN } else { x }
}

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident($($x:ident),*);)*) => {$(
        $(#[$doc])*
        #[inline]
        pub fn $name($($x: f64),*) -> f64 {
            canonical(libm::$name($($x),*))
        }
    )*};
}

functions! {
    /// The angle whose cosine is `x`, 0 to pi.
    acos(x);
    /// The angle whose sine is `x`.
    asin(x);
    /// The number whose hyperbolic sine is `x`.
    asinh(x);
    /// The angle whose tangent is `x`.
    atan(x);
    /// The angle of the point (x, y), -pi to pi.
    atan2(y, x);
    /// The number whose hyperbolic tangent is `x`.
    atanh(x);
    /// The cube root.
    cbrt(x);
    /// The least integer that is not below `x`.
    ceil(x);
    /// The cosine.
    cos(x);
    /// The hyperbolic cosine.
    cosh(x);
    /// The error function.
    erf(x);
    /// One less the error function.
    erfc(x);
    /// e^x.
    exp(x);
    /// 10^x.
    exp10(x);
    /// 2^x.
    exp2(x);
    /// e^x - 1.
    expm1(x);
    /// x - y, or 0 if that is negative.
    fdim(x, y);
    /// The largest integer that is not above `x`.
    floor(x);
    /// x * y + z, rounded once.
    fma(x, y, z);
    /// The larger; the other one if one is NaN.
    fmax(x, y);
    /// The smaller; the other one if one is NaN.
    fmin(x, y);
    /// x - n y, n being x / y towards zero; exact.
    fmod(x, y);
    /// The length of (x, y); infinite if one is, whatever the other.
    hypot(x, y);
    /// The logarithm of the magnitude of the gamma function.
    lgamma(x);
    /// The natural logarithm.
    log(x);
    /// The decimal logarithm.
    log10(x);
    /// The natural logarithm of 1 + x.
    log1p(x);
    /// The binary logarithm.
    log2(x);
    /// The next number from `x` towards `y`.
    nextafter(x, y);
    /// x^y.
    pow(x, y);
    /// x - n y, n being the integer nearest to x / y; exact.
    remainder(x, y);
    /// The nearest integer, of two the even one.
    rint(x);
    /// The nearest integer, of two the one away from zero.
    round(x);
    /// The sine.
    sin(x);
    /// The hyperbolic sine.
    sinh(x);
    /// The square root, correctly rounded.
    sqrt(x);
    /// The tangent.
    tan(x);
    /// The hyperbolic tangent.
    tanh(x);
    /// The gamma function.
    tgamma(x);
    /// The integer next to `x` towards zero.
    trunc(x);
}

/// The number from 1 on whose hyperbolic cosine is `x`.
#[inline]
pub fn acosh(x: f64) -> f64 {
    // libm has numbers for arguments below 1, which are no hyperbolic cosines.
    if x < 1.0 { NAN } else { canonical(libm::acosh(x)) }
}

/// The magnitude: the bits without the sign, of a NaN too.
#[inline]
pub fn fabs(x: f64) -> f64 {
    libm::fabs(x)
}

/// `x` with the sign of `y`.
#[inline]
pub fn copysign(x: f64, y: f64) -> f64 {
    libm::copysign(x, y)
}

/// The exponent of `x` as a number; -infinity at zeros.
pub fn logb(x: f64) -> f64 {
    if x == 0.0 {
        f64::NEG_INFINITY
    } else if x.is_finite() {
        f64::from(libm::ilogb(x))
    } else {
        canonical(x * x)
    }
}

/// The exponent of `x`; the least `int` for zeros and NaN, the largest for infinities.
#[inline]
pub fn ilogb(x: f64) -> i32 {
    libm::ilogb(x)
}

/// x 2^n, rounded once.
#[inline]
pub fn scalbn(x: f64, n: i32) -> f64 {
    canonical(libm::scalbn(x, n))
}

/// A fraction from 1/2 to 1 and an exponent of two that make `x`.
#[inline]
pub fn frexp(x: f64) -> (f64, i32) {
    // libm leaves the exponent open where there is none.
    if x == 0.0 || !x.is_finite() { (canonical(x), 0) } else { libm::frexp(x) }
}

/// The fraction and the integer of `x`, both with its sign.
pub fn modf(x: f64) -> (f64, f64) {
    let whole = trunc(x);
    let fraction = if x.is_infinite() { 0.0 } else { x - whole };
    (copysign(canonical(fraction), if x.is_nan() { NAN } else { x }), whole)
}

/// The [`remainder`] and the last bits of n, with its sign.
#[inline]
pub fn remquo(x: f64, y: f64) -> (f64, i32) {
    let (rest, quotient) = libm::remquo(x, y);
    (canonical(rest), quotient)
}
