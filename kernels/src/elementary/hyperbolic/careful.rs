//! The hyperbolic functions by series.

use crate::elementary::careful::{Argument, every_second, exp, horner};
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
    real.times(Real::new(u128::from(horner(&every_second(1), square)), -63))
}

fn halved(x: Real) -> Real {
    Real { exponent: x.exponent - 1, ..x }
}
