//! The functions of angles, and their inverses, by series.

use crate::elementary::careful::{Argument, EULER, alternating, every_second, horner, of_fixed};
use crate::elementary::real::Real;
use crate::elementary::tables::two_by_pi::TWO_BY_PI;

/// Of 2^-12, where the rows of 2 / pi begin.
const FIRST_EXPONENT: i32 = 115;

const HALF_PI: Real = Real { mantissa: 0xc90f_daa2_2168_c235, exponent: 0 };

/// x from 2^-12 on as quarters of a turn, less full turns: the quarter, and the rest in units of 2^-128. No float
/// comes nearer to a multiple of pi / 2 than 2^-30 or so, and the rest is wrong by at most 2^-102.
fn quarter_turns(x: Argument, turns: u32) -> (u32, u128) {
    let row = TWO_BY_PI[(x.exponent - FIRST_EXPONENT) as usize];
    let factor = row.iter().fold(0, |sum: u128, &word| sum << 32 | u128::from(word));
    let turned = factor.wrapping_mul(u128::from(x.mantissa)).wrapping_add(u128::from(turns) << 126);
    ((turned >> 126) as u32, turned << 2)
}

/// The sine and the cosine of `rest`, in units of 2^-128 of a quarter turn, for up to half of one.
fn sine_and_cosine(rest: u128) -> (Real, Real) {
    let angle = Real::new(rest, -128).times(HALF_PI);
    let square = angle.times(angle).to_fixed(64);
    let sine = angle.times(of_fixed(alternating(&every_second(1), square)));
    (sine, of_fixed(alternating(&every_second(0), square)))
}

/// The magnitude of the sine of x + `turns` x pi / 2 for x from 2^-12 on, and whether it is negative.
pub(super) fn sine(x: Argument, turns: u32) -> (Real, bool) {
    let (quarter, rest) = quarter_turns(x, turns);
    // In the second and fourth quarter the sine falls. The complement is 2^-128 below the negative.
    let rest = if quarter % 2 == 0 { rest } else { !rest };
    let value = if rest >> 127 == 0 { sine_and_cosine(rest).0 } else { sine_and_cosine(!rest).1 };
    (value, quarter >= 2)
}

/// The same of the tangent of x.
pub(super) fn tangent(x: Argument) -> (Real, bool) {
    let (quarter, rest) = quarter_turns(x, 0);
    let (even, second) = (quarter % 2 == 1, rest >> 127 == 1);
    let (sine, cosine) = sine_and_cosine(if second { !rest } else { rest });
    let value = if even == second { sine.by(cosine) } else { cosine.by(sine) };
    (value, even)
}

/// The inverse of the tangent of a positive number, by Euler's series: with q = 1 / (1 + x^2) it is
/// x q times the sum of EULER[k] (x^2 q)^k, and the same of 1 / x is x q times that of EULER[k] q^k.
pub(super) fn atan(x: Real) -> Real {
    let square = x.times(x);
    let large = x.exponent >= 0;
    let sum = if large { square.plus(Real::ONE) } else { Real::ONE.plus(square) };
    let q = Real::ONE.by(sum);
    let ratio = if large { q } else { square.times(q) };
    let value = x.times(q).times(of_fixed(horner(&EULER, ratio.to_fixed(64))));
    if large { of_fixed(HALF_PI.mantissa - value.to_fixed(63)) } else { value }
}

/// pi / 2 less or plus `x`, which is not above it.
fn from_quarter(x: Real, plus: bool) -> Real {
    let x = x.to_fixed(62);
    let quarter = HALF_PI.mantissa >> 1;
    Real::new(u128::from(if plus { quarter + x } else { quarter - x }), -62)
}

/// The inverse of the sine for x below 1.
pub(super) fn asin(x: Argument) -> Real {
    let x = x.real();
    if x.exponent >= -1 { from_quarter(acos_near_one(x), false) } else { asin_near_zero(x) }
}

/// The inverse of the cosine of x, or of -x, for x below 1.
pub(super) fn acos(x: Argument, negative: bool) -> Real {
    let x = x.real();
    if x.exponent < -1 {
        from_quarter(asin_near_zero(x), negative)
    } else if negative {
        // pi / 2 and the inverse of the sine.
        from_quarter(from_quarter(acos_near_one(x), false), true)
    } else {
        acos_near_one(x)
    }
}

/// x (1 - x^2)^(1/2) times the sum of EULER[k] x^2k, for x below 1/2.
fn asin_near_zero(x: Real) -> Real {
    let square = x.times(x);
    let series = of_fixed(horner(&EULER, square.to_fixed(64)));
    x.times(Real::ONE.minus(square).root()).times(series)
}

/// Twice the inverse of the sine of (w / 2)^(1/2) for w = 1 - x, from 1/2 on.
fn acos_near_one(x: Real) -> Real {
    // As floats from 1/2 on have 24 places behind the point, this is exact.
    let w = Real::ONE.minus(x);
    let series = of_fixed(horner(&EULER, w.to_fixed(63)));
    let two = Real { exponent: 1, ..Real::ONE };
    w.times(two.minus(w)).root().times(series)
}
