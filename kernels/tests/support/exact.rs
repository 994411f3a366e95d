//! The elementary functions in integers of 320 bits and more, from their power series. Slow, and as far from the
//! kernels' way as possible.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use num_bigint::BigInt;

/// Values are integers in units of 2^-`PLACES`; even the smallest float has 170 bits of its own.
pub const PLACES: u32 = 320;

fn one() -> BigInt {
    BigInt::from(1) << PLACES
}

/// A finite float.
pub fn value(x: f32) -> BigInt {
    let bits = x.to_bits();
    let (exponent, fraction) = (bits >> 23 & 0xff, bits & 0x7f_ffff);
    let mantissa = if exponent == 0 { fraction } else { fraction | 1 << 23 };
    let magnitude = BigInt::from(mantissa) << (PLACES - 150 + exponent.max(1));
    if x.is_sign_negative() { -magnitude } else { magnitude }
}

fn product(a: &BigInt, b: &BigInt) -> BigInt {
    (a * b) >> PLACES
}

fn quotient(a: &BigInt, b: &BigInt) -> BigInt {
    (a << PLACES) / b
}

/// The sum of `term(k)` until they vanish; `next` makes a term from the one before.
fn series(first: BigInt, next: impl Fn(u32, &BigInt) -> BigInt) -> BigInt {
    let (mut sum, mut term) = (first.clone(), first);
    for k in 1.. {
        term = next(k, &term);
        // A negative number shifted right ends at -1.
        if term == BigInt::ZERO || term == BigInt::from(-1) {
            break;
        }
        sum += &term;
    }
    sum
}

/// e^x for |x| < 128.
pub fn exp(x: f32) -> BigInt {
    exp_of(&value(x))
}

/// The same for an integer in units of 2^-`PLACES`.
fn exp_of(x: &BigInt) -> BigInt {
    const HALVINGS: u32 = 12;
    let small = BigInt::from(x.magnitude().clone()) >> HALVINGS;
    let mut power = series(one(), |k, term| product(term, &small) / k);
    for _ in 0..HALVINGS {
        power = product(&power, &power);
    }
    if *x < BigInt::ZERO { quotient(&one(), &power) } else { power }
}

/// x^y for x > 0 and powers from 2^-160 to 2^160.
pub fn pow(x: f32, y: f32) -> BigInt {
    exp_of(&product(&log(x), &value(y)))
}

/// ln(x) for x > 0.
pub fn log(x: f32) -> BigInt {
    log_of(value(x))
}

/// The same for an integer in units of 2^-`PLACES`.
fn log_of(x: BigInt) -> BigInt {
    let two = one() << 1;
    // 2 artanh((m - 1) / (m + 1)).
    let of = |m: &BigInt| {
        let z = quotient(&(m - one()), &(m + one()));
        let square = product(&z, &z);
        let mut power = z.clone();
        let mut sum = z;
        for k in 1..200 {
            power = product(&power, &square);
            sum += &power / (2 * k + 1);
        }
        sum << 1
    };
    let (mut m, mut n) = (x, 0);
    while m >= two {
        m >>= 1;
        n += 1;
    }
    while m < one() {
        m <<= 1;
        n -= 1;
    }
    of(&m) + of(&two) * n
}

/// The hyperbolic tangent for 0 < x < 16.
pub fn tanh(x: f32) -> BigInt {
    let power = exp(2.0 * x);
    quotient(&(&power - one()), &(power + one()))
}

/// 1 / (1 + e^-x) for |x| < 128.
pub fn sigmoid(x: f32) -> BigInt {
    quotient(&one(), &(one() + exp(-x)))
}

/// The error function for 0 < x < 8, from its alternating series (Abramowitz and Stegun, 7.1.5).
pub fn erf(x: f32) -> BigInt {
    let x = value(x);
    let square = product(&x, &x);
    let mut power = x.clone();
    let mut sum = x;
    for n in 1u32..800 {
        power = -product(&power, &square) / n;
        sum += &power / (2 * n + 1);
    }
    // 2 / sqrt(pi).
    let root = (pi(PLACES) << PLACES).sqrt();
    (quotient(&sum, &root)) << 1
}

/// Pi in units of 2^-`places`, by Machin's formula.
fn pi(places: u32) -> BigInt {
    let arctan_of_inverse = |k: u32| -> BigInt {
        let first = (BigInt::from(1) << places) / k;
        let mut power = first.clone();
        let mut sum = first;
        for n in 1u32..200 {
            power = -power / (k * k);
            sum += &power / (2 * n + 1);
        }
        sum
    };
    (arctan_of_inverse(5) << 4) - (arctan_of_inverse(239) << 2)
}

/// The sine of `turns` quarters of a turn and a finite x more.
fn sine(x: f32, turns: u32) -> BigInt {
    // The largest floats need that many places of pi more.
    const MORE: u32 = 128;
    let turn = pi(PLACES + MORE) << 1;
    let angle = (value(x) << MORE) + (&turn >> 2) * turns;
    let mut rest = angle % &turn;
    if rest < BigInt::ZERO {
        rest += &turn;
    }
    // From 0 to a full turn, of which the second half mirrors the first.
    let half = &turn >> 1;
    let negative = rest >= half;
    if negative {
        rest -= half;
    }
    let angle = rest >> MORE;
    let square = product(&angle, &angle);
    let value = series(angle, |k, term| -product(term, &square) / (2 * k * (2 * k + 1)));
    if negative { -value } else { value }
}

/// The sine of a finite number.
pub fn sin(x: f32) -> BigInt {
    sine(x, 0)
}

/// The cosine of a finite number.
pub fn cos(x: f32) -> BigInt {
    sine(x, 1)
}

/// The tangent of a finite number.
pub fn tan(x: f32) -> BigInt {
    quotient(&sin(x), &cos(x))
}

/// The root of a number.
fn root(x: &BigInt) -> BigInt {
    (x << PLACES).sqrt()
}

/// The inverse tangent of a number that is not negative.
fn inverse_tangent(x: &BigInt) -> BigInt {
    const HALVINGS: u32 = 8;
    if *x > one() {
        return (pi(PLACES) >> 1) - inverse_tangent(&quotient(&one(), x));
    }
    let mut x = x.clone();
    for _ in 0..HALVINGS {
        x = quotient(&x, &(one() + root(&(one() + product(&x, &x)))));
    }
    let square = product(&x, &x);
    let (mut power, mut sum) = (x.clone(), x);
    for k in 1..40 {
        power = -product(&power, &square);
        sum += &power / (2 * k + 1);
    }
    sum << HALVINGS
}

/// The inverse tangent for x > 0.
pub fn atan(x: f32) -> BigInt {
    inverse_tangent(&value(x))
}

/// The inverse sine for 0 < x < 1.
pub fn asin(x: f32) -> BigInt {
    let x = value(x);
    inverse_tangent(&quotient(&x, &root(&(one() - product(&x, &x)))))
}

/// The inverse cosine for -1 < x < 1.
pub fn acos(x: f32) -> BigInt {
    let x = value(x);
    inverse_tangent(&root(&quotient(&(one() - &x), &(one() + &x)))) << 1
}

/// The hyperbolic sine for |x| < 128.
pub fn sinh(x: f32) -> BigInt {
    (exp(x) - exp(-x)) >> 1
}

/// The hyperbolic cosine for |x| < 128.
pub fn cosh(x: f32) -> BigInt {
    (exp(x) + exp(-x)) >> 1
}

/// The inverse hyperbolic sine for x > 0.
pub fn asinh(x: f32) -> BigInt {
    let x = value(x);
    log_of(root(&(product(&x, &x) + one())) + x)
}

/// The inverse hyperbolic cosine for x > 1.
pub fn acosh(x: f32) -> BigInt {
    let x = value(x);
    log_of(root(&(product(&x, &x) - one())) + x)
}

/// The inverse hyperbolic tangent for 0 < x < 1.
pub fn atanh(x: f32) -> BigInt {
    let x = value(x);
    log_of(quotient(&(one() + &x), &(one() - &x))) >> 1
}

/// The float nearest to `value`, which is positive and no tie.
pub fn nearest(value: &BigInt) -> f32 {
    let drop = value.bits().saturating_sub(24).max(u64::from(PLACES) - 149);
    let kept = (value + (BigInt::from(1) << (drop - 1))) >> drop;
    let kept = u32::try_from(kept).expect("24 bits are kept");
    let exponent = drop as i32 - PLACES as i32;
    (f64::from(kept) * 2f64.powi(exponent)) as f32
}
