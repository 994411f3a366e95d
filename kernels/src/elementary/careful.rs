//! The functions to about 58 bits, by series, for whatever argument the short ways leave.
//!
//! Rounding such a value gives the nearest float unless the true value lies within 2^-58 of its size of the middle
//! between two floats. No argument of 32 bits has such a value: kernels/tests/every_float.rs looks
//! at all of them.

use opml_softfloat::wide::high;

use super::real::Real;

/// log2(e), ln(2) and 2 / sqrt(pi), times the power of two that the name says.
const LOG2_E_96: u128 = 0x1_7154_7652_b82f_e177_7d0f_fda0;
const LN_2_64: u64 = 0xb172_17f7_d1cf_79ab;
const LN_2_96: u128 = 0xb172_17f7_d1cf_79ab_c9e3_b398;
const TWO_BY_ROOT_PI: Real = Real { mantissa: 0x906e_ba82_14db_688d, exponent: 0 };

/// 1 / k!, times 2^63.
const FACTORIALS: [u64; 24] = {
    let mut table = [1 << 63; 24];
    let mut k = 1;
    while k < 24 {
        table[k] = table[k - 1] / k as u64;
        k += 1;
    }
    table
};

/// 1 / (2k + 1), times 2^63.
const ODD: [u64; 15] = {
    let mut table = [0; 15];
    let mut k = 0;
    while k < 15 {
        table[k] = (1 << 63) / (2 * k as u64 + 1);
        k += 1;
    }
    table
};

/// 2 x 4 x ... x 2k / (3 x 5 x ... x (2k + 1)), times 2^63: Euler's series for the inverse tangent.
pub(super) const EULER: [u64; 64] = {
    let mut table = [1 << 63; 64];
    let mut k = 1;
    while k < 64 {
        table[k] = (table[k - 1] as u128 * (2 * k as u128) / (2 * k as u128 + 1)) as u64;
        k += 1;
    }
    table
};

/// A positive finite float as an integer of at most 24 bits, and its value in units of 2^-149.
#[derive(Clone, Copy)]
pub(super) struct Argument {
    pub mantissa: u32,
    /// The value is `mantissa` x 2^(`exponent` - 150).
    pub exponent: i32,
}

impl Argument {
    pub(super) fn new(magnitude: u32) -> Self {
        let parts = crate::bits::finite_parts(magnitude);
        Self { mantissa: parts.mantissa as u32, exponent: parts.exponent as i32 }
    }

    pub(super) fn real(self) -> Real {
        Real::new(u128::from(self.mantissa), self.exponent - 150)
    }

    /// The value times log2(e), in units of 2^-64.
    pub(super) fn by_log2_e(self) -> i128 {
        // 24 + 97 bits.
        let product = u128::from(self.mantissa) * LOG2_E_96;
        product.checked_shr((32 + 150 - self.exponent) as u32).unwrap_or(0) as i128
    }

    /// The square times log2(e), in units of 2^-64.
    fn square_by_log2_e(self) -> i128 {
        // 48 + 79 bits.
        let square = u128::from(self.mantissa) * u128::from(self.mantissa);
        let product = square * (LOG2_E_96 >> 18);
        product.checked_shr((14 + 300 - 2 * self.exponent) as u32).unwrap_or(0) as i128
    }
}

/// The sum of `coefficients[k]` x `x`^k, `x` in units of 2^-64.
pub(super) fn horner(coefficients: &[u64], x: u64) -> u64 {
    coefficients.iter().rev().fold(0, |sum, &coefficient| coefficient + high(sum, x))
}

/// 1 / (2k + first)!, times 2^63.
pub(super) fn every_second(first: usize) -> [u64; 12] {
    core::array::from_fn(|k| FACTORIALS[2 * k + first])
}

/// 2^`x`, `x` in units of 2^-64.
pub(super) fn power_of_two(x: i128) -> Real {
    // The integer part is the exponent; the rest gives e^(rest x ln 2), between 1 and 2.
    let rest = high(x as u64, LN_2_64);
    Real { mantissa: horner(&FACTORIALS, rest), exponent: (x >> 64) as i32 }
}

/// e^x, or e^-x if `negative`.
pub(super) fn exp(x: Argument, negative: bool) -> Real {
    let x = x.by_log2_e();
    power_of_two(if negative { -x } else { x })
}

/// `a` / `b`.
pub(super) fn quotient(a: u64, b: u64) -> Real {
    Real::new((u128::from(a) << 64) / u128::from(b), -64)
}

/// 1 / (1 + e^-x), or 1 / (1 + e^x) if `negative`.
pub(super) fn sigmoid(x: Argument, negative: bool) -> Real {
    if x.exponent < 127 - 16 {
        // 1/2 + x/4 - x^3/48. The last term is below what the way further down can see, and still
        // decides where the first two are in the middle between two floats: it moves the value towards 1/2.
        // In units of 2^-64; a lowest bit that is set says that there is more.
        let quarter =
            (u128::from(x.mantissa) << 40).checked_shr((128 - x.exponent) as u32).unwrap_or(0) as u64;
        let value = if negative { (1 << 63) - quarter } else { (1 << 63) + quarter.saturating_sub(1) };
        return Real::new(u128::from(value | 1), -64);
    }
    let power = exp(x, true);
    let inverse = quotient(1 << 62, (1 << 62) + power.to_fixed(62));
    if negative { inverse.times(power) } else { inverse }
}

/// The hyperbolic tangent, as a quotient of two sums that do not cancel.
pub(super) fn tanh(x: Argument) -> Real {
    if x.real().exponent >= -1 {
        // (1 - p) / (1 + p), p = e^-2x.
        let power = power_of_two(-2 * x.by_log2_e()).to_fixed(62);
        return quotient((1 << 62) - power, (1 << 62) + power);
    }
    // x (sum of x^2k / (2k + 1)!) / (sum of x^2k / (2k)!).
    let square = x.real().times(x.real()).to_fixed(64);
    let (odd, even) = (horner(&every_second(1), square), horner(&every_second(0), square));
    quotient(odd, even).times(x.real())
}

/// The error function for arguments below 4: 2 / sqrt(pi) x e^-x^2 times the sum of
/// (2 x^2)^k / (1 x 3 x ... x (2k + 1)), in which nothing cancels either (Abramowitz and Stegun, 7.1.6).
pub(super) fn erf(x: Argument) -> Real {
    let square = x.real().times(x.real());
    let twice = Real { exponent: square.exponent + 1, ..square };
    let (mut sum, mut term) = (Real::ONE, Real::ONE);
    let mut odd = 1;
    // The terms rise while the odd number is below 2 x^2, and then fall.
    while term.exponent >= sum.exponent - 64 {
        odd += 2;
        term = term.times(twice).times(Real::new((1 << 64) / odd, -64));
        sum = if term.exponent > sum.exponent { term.plus(sum) } else { sum.plus(term) };
    }
    TWO_BY_ROOT_PI.times(x.real()).times(power_of_two(-x.square_by_log2_e())).times(sum)
}

/// The magnitude of ln(x), and whether it is negative; x is not 1.
pub(super) fn log(x: Real) -> (Real, bool) {
    // x = m 2^n with m between the roots of 1/2 and 2.
    const ONE: u64 = 1 << 63;
    let large = x.mantissa > 0xb504_f333_0000_0000;
    let n = x.exponent + i32::from(large);
    let mantissa = u128::from(x.mantissa);
    let one = u128::from(ONE) << u32::from(large);
    if mantissa == one {
        return (Real::new(u128::from(n.unsigned_abs()) * LN_2_96, -96), n < 0);
    }
    // ln m = 2 (z + z^3 / 3 + ...), z = (m - 1) / (m + 1), |z| < 0.172.
    let z = Real::new(mantissa.abs_diff(one), 0).by(Real::new(mantissa + one, 0));
    let ln_m = z.times(inverse_tanh(z));
    let ln_m = Real { exponent: ln_m.exponent + 1, ..ln_m };
    if n == 0 {
        return (ln_m, large);
    }
    // |n| ln 2 is at least twice |ln m|.
    let part = i128::from(ln_m.to_fixed(64)) << 32;
    let sum = i128::from(n) * LN_2_96 as i128 + if mantissa < one { -part } else { part };
    (Real::new(sum.unsigned_abs(), -96), sum < 0)
}

/// artanh(z) / z as a sum of z^2k / (2k + 1), for z below 0.172.
pub(super) fn inverse_tanh(z: Real) -> Real {
    Real::new(u128::from(horner(&ODD, z.times(z).to_fixed(64))), -63)
}

/// The sum of `coefficients[k]` x (-`x`)^k, `x` in units of 2^-64.
pub(super) fn alternating(coefficients: &[u64], x: u64) -> u64 {
    coefficients.iter().rev().fold(0, |sum, &coefficient| coefficient - high(sum, x))
}

/// A number in units of 2^-63.
pub(super) fn of_fixed(value: u64) -> Real {
    Real::new(u128::from(value), -63)
}
