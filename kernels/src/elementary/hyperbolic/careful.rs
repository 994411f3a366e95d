//! The hyperbolic functions by series.

use crate::elementary::careful::{
    Argument, EULER, alternating, every_second, exp, horner, inverse_tanh, log, of_fixed,
};
use crate::elementary::real::Real;

/// (e^x + e^-x) / 2, below 2^128.
pub(super) fn cosh(x: Argument) -> Real {
    let power = exp(x, false);
    halved(power.plus(Real::ONE.by(power)))
}

/// (e^x - e^-x) / 2, below 2^128.
pub(super) fn sinh(x: Argument) -> Real {
    let real = x.real();
    if real.exponent >= 0 {
        let power = exp(x, false);
        return halved(power.minus(Real::ONE.by(power)));
    }
    let square = real.times(real).to_fixed(64);
    real.times(of_fixed(horner(&every_second(1), square)))
}

fn halved(x: Real) -> Real {
    Real { exponent: x.exponent - 1, ..x }
}

/// The inverse of the sine: ln(x + (x^2 + 1)^(1/2)), and for small x Euler's series.
pub(super) fn asinh(x: Argument) -> Real {
    let x = x.real();
    let square = x.times(x);
    if x.exponent < -1 {
        let series = of_fixed(alternating(&EULER, square.to_fixed(64)));
        return x.times(Real::ONE.plus(square).root()).times(series);
    }
    let root = if square.exponent >= 0 { square.plus(Real::ONE) } else { Real::ONE.plus(square) }.root();
    log(root.plus(x)).0
}

/// The inverse of the cosine for x above 1: ln(x + (x^2 - 1)^(1/2)), and near 1 twice the inverse of the sine of
/// (w / 2)^(1/2) with w = x - 1.
pub(super) fn acosh(x: Argument) -> Real {
    let x = x.real();
    let w = x.minus(Real::ONE);
    if w.exponent < -1 {
        let series = of_fixed(alternating(&EULER, w.to_fixed(63)));
        let two = Real { exponent: 1, ..Real::ONE };
        return w.times(two.plus(w)).root().times(series);
    }
    log(x.plus(x.times(x).minus(Real::ONE).root())).0
}

/// The inverse of the tangent for x below 1: half of ln((1 + x) / (1 - x)), and for small x its series.
pub(super) fn atanh(x: Argument) -> Real {
    let x = x.real();
    if x.exponent < -3 {
        return x.times(inverse_tanh(x));
    }
    halved(log(Real::ONE.plus(x).by(Real::ONE.minus(x))).0)
}
