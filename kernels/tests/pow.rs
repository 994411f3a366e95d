//! x^y: each result is the float nearest to the true value.
//!
//! The reference is the host's binary64 function, trusted to 2^-46 of its value. Where that leaves two floats open the
//! value is computed once more in large integers; powers that come within 2^-150 of the middle between the two are taken
//! to be in the middle. None of this knows which powers are.

#[path = "support/exact.rs"]
mod exact;
mod support;

use num_bigint::{BigInt, Sign};
use opml_kernels::elementary::pow;
use rayon::prelude::*;
use support::{KINDS, Random, canonical_bits};

/// The float nearest to the true power.
fn expected(x: f32, y: f32) -> f32 {
    const TRUST: f64 = 1.0 / (1u64 << 46) as f64;
    let close = f64::from(x).powf(f64::from(y));
    let (low, high) = ((close.abs() * (1.0 - TRUST)) as f32, (close.abs() * (1.0 + TRUST)) as f32);
    if low.to_bits() == high.to_bits() || close.is_nan() {
        return close as f32;
    }
    let value: BigInt = exact::pow(x.abs(), y);
    // Infinity stands for 2^128 here.
    let of = |v: f32| if v.is_finite() { exact::value(v) } else { exact::value(2f32.powi(127)) << 1 };
    let middle: BigInt = (of(low) + of(high)) >> 1;
    let away: BigInt = value - &middle;
    let nearest = if away.magnitude() < &(middle.magnitude() >> 150) {
        if low.to_bits().is_multiple_of(2) { low } else { high }
    } else if away.sign() == Sign::Minus {
        low
    } else {
        high
    };
    nearest.copysign(close as f32)
}

#[track_caller]
fn check(x: f32, y: f32) {
    let (ours, expected) = (pow(x, y), expected(x, y));
    assert_eq!(
        ours.to_bits(),
        canonical_bits(expected),
        "pow({x:e}, {y:e}) is {ours:e}, and should be {expected:e}"
    );
}

/// Checks many pairs that `pair` makes of a stream of its own.
fn check_random(seed: u64, pair: impl Fn(&mut Random) -> (f32, f32) + Sync) {
    const TASKS: u64 = 1000;
    const PAIRS: u32 = 20_000;
    (0..TASKS).into_par_iter().for_each(|task| {
        let mut random = Random(seed * TASKS + task);
        (0..PAIRS).for_each(|_| {
            let (x, y) = pair(&mut random);
            check(x, y);
        });
    });
}

/// From 0 to 1.
fn part(random: &mut Random) -> f64 {
    random.bits() as f64 / 2f64.powi(64)
}

/// An exponent for which the power of `x` is anything between zero and infinity.
fn exponent_for(x: f32, random: &mut Random) -> f32 {
    ((280.0 * part(random) - 151.0) / f64::from(x).log2()) as f32
}

#[test]
fn whatever_the_bits_are() {
    // Would catch: special cases of IEEE 754 that are missing or in the wrong order.
    for x_kind in KINDS {
        for y_kind in KINDS {
            let mut random = Random(61);
            (0..2000).for_each(|_| check(random.float(x_kind), random.float(y_kind)));
        }
    }
    let special = [
        0.0,
        1.0,
        2.0,
        0.5,
        3.0,
        1.5,
        f32::from_bits(0x3f7f_ffff),
        f32::from_bits(0x3f80_0001),
        f32::from_bits(1),
        f32::MIN_POSITIVE,
        f32::MAX,
        f32::INFINITY,
        f32::NAN,
        // Around where all are integers, and where all are even.
        8_388_607.5,
        8_388_609.0,
        16_777_215.0,
        16_777_216.0,
        33_554_432.0,
        149.0,
        150.0,
    ];
    let signed: Vec<f32> = special.into_iter().flat_map(|v| [v, -v]).collect();
    for &x in &signed {
        signed.iter().for_each(|&y| check(x, y));
    }
    check_random(62, |random| (f32::from_bits(random.bits() as u32), f32::from_bits(random.bits() as u32)));
}

#[test]
fn powers_of_all_sizes() {
    // Would catch: the short way beyond its bounds, (d); a wrong row of the table; overflow and subnormal powers.
    check_random(63, |random| {
        let x = f32::from_bits(random.below(0x7f80_0000) as u32);
        (x, exponent_for(x, random))
    });
    check_random(64, |random| (random.normal().exp(), 16.0 * part(random) as f32 - 8.0));
}

#[test]
fn numbers_near_one() {
    // Would catch: a logarithm that loses its leading bits, (e).
    check_random(65, |random| {
        let distance = random.normal() / (16 << random.below(20)) as f32;
        let x = 1.0 + distance;
        (x, if x == 1.0 { random.normal() } else { exponent_for(x, random) })
    });
}

#[test]
fn the_usual_exponents() {
    // Would catch: a shortcut that is not the power, signs and the parity of the exponent.
    let usual = [2.0, 3.0, -1.0, 0.5, 1.0, -2.0, -0.5, 1.5, 4.0, 0.25, -3.0, 0.75, 5.0, 2.2, 1.0 / 3.0];
    check_random(66, |random| (f32::from_bits(random.bits() as u32), usual[random.below(usual.len())]));
    check_random(67, |random| (4.0 * random.normal(), random.below(41) as f32 - 20.0));
}

#[test]
fn cubes_of_every_mantissa() {
    // Would catch: a tie between cubes of short mantissas, bits that are lost on the way, limits that are off by one.
    for exponent in [0, 1, 78, 85, 86, 127, 168, 169, 170] {
        (0..1u32 << 23).into_par_iter().for_each(|mantissa| {
            check(f32::from_bits(exponent << 23 | mantissa), 3.0);
        });
    }
}

#[test]
fn every_power_of_25_bits() {
    // Would catch: a tie that is taken for something above or below it. All bases o^(2^b) 2^(k 2^b) with exponents
    // a / 2^b and o^a < 2^25 are here but those with a / 2^b = 1, where there is nothing to see.
    let mut ties = 0;
    for roots in 0..4u32 {
        for a in 1..16u32 {
            let odds = (3..1u64 << 13).step_by(2);
            let fits = |o: &u64| o.pow(1 << roots) < 1 << 24 && o.checked_pow(a).is_some_and(|v| v < 1 << 25);
            for o in odds.take_while(fits) {
                if roots == 0 && a == 1 || roots > 0 && a % 2 == 0 {
                    continue;
                }
                let y = a as f32 / (1 << roots) as f32;
                for k in [-80, -20, -3, -1, 0, 1, 2, 7, 50].map(|k: i32| k / (1 << roots)) {
                    let x = o.pow(1 << roots) as f64 * 2f64.powi(k * (1 << roots));
                    let power = o.pow(a) as f64 * 2f64.powi(k * a as i32);
                    if f64::from(x as f32) != x {
                        continue;
                    }
                    ties += u32::from(o.pow(a) >= 1 << 24);
                    assert_eq!(pow(x as f32, y), power as f32, "{x}^{y}");
                    check(x as f32, -y);
                }
            }
        }
    }
    assert!(ties > 8000, "{ties}");
}

#[test]
fn powers_of_two() {
    // Would catch: 2^-150, which is in the middle between zero and the smallest float, rounded up.
    for k in -149..=127 {
        let x = f32::from_bits(if k < -126 { 1 << (k + 149) } else { ((k + 127) as u32) << 23 });
        for exponent in -170..=140 {
            // Rounded, this makes powers beside powers of two.
            let y = exponent as f32 / k as f32;
            for bits in y.to_bits().saturating_sub(2)..=y.to_bits() + 2 {
                let y = f32::from_bits(bits);
                let exact = f64::from(k) * f64::from(y);
                if k != 0 && exact.fract() == 0.0 {
                    let power = 2f64.powi(exact.clamp(-1000.0, 1000.0) as i32) as f32;
                    assert_eq!(pow(x, y).to_bits(), power.to_bits(), "2^{k} to {y:e}");
                } else {
                    check(x, y);
                }
            }
        }
    }
}
