//! binary64 against the hardware: all pairs of edge cases, and 10^8 random pairs.

mod support;

use opml_softfloat::double;
use rayon::prelude::*;
use support::Random;

/// The bits, with one NaN; it asks the bits as in `single.rs`.
fn canonical(x: f64) -> u64 {
    let bits = x.to_bits();
    if bits << 1 > 0xffe0_0000_0000_0000 { double::NAN } else { bits }
}

fn canonical_single(x: f32) -> u32 {
    let bits = x.to_bits();
    if bits << 1 > 0xff00_0000 { 0x7fc0_0000 } else { bits }
}

/// Everything that takes two numbers.
fn check(a: u64, b: u64) {
    let (x, y) = (f64::from_bits(a), f64::from_bits(b));
    let compared = |ours: u64, theirs: f64, sign: char| {
        assert_eq!(ours, canonical(theirs), "{a:#018x} {sign} {b:#018x}");
    };
    compared(double::add(a, b), x + y, '+');
    compared(double::sub(a, b), x - y, '-');
    compared(double::mul(a, b), x * y, 'x');
    compared(double::div(a, b), x / y, '/');
    assert_eq!(double::compare(a, b), x.partial_cmp(&y), "{a:#018x} and {b:#018x}");
}

/// Everything that takes one.
fn check_one(a: u64) {
    let x = f64::from_bits(a);
    assert_eq!(double::to_i32(a), x as i32, "{a:#018x}");
    assert_eq!(double::to_u32(a), x as u32, "{a:#018x}");
    assert_eq!(double::to_i64(a), x as i64, "{a:#018x}");
    assert_eq!(double::to_u64(a), x as u64, "{a:#018x}");
    assert_eq!(double::to_single(a), canonical_single(x as f32), "{a:#018x}");
    assert_eq!(double::from_i64(a as i64), (a as i64 as f64).to_bits(), "{a}");
    assert_eq!(double::from_u64(a), (a as f64).to_bits(), "{a}");
    let low = a as u32;
    assert_eq!(double::from_i32(low as i32), f64::from(low as i32).to_bits(), "{low}");
    assert_eq!(double::from_u32(low), f64::from(low).to_bits(), "{low}");
    assert_eq!(double::from_single(low), canonical(f64::from(f32::from_bits(low))), "{low:#010x}");
}

/// Exponents near the ends, the middle and the limits of integers and of binary32, with the fractions at which
/// rounding and carries go wrong.
fn edges() -> Vec<u64> {
    let exponents = [0..4, 60..66, 870..875, 895..899, 1020..1028, 1050..1058, 1074..1080, 1084..1089]
        .into_iter()
        .chain([1149..1152, 1980..1985, 2044..2048])
        .flatten();
    let fractions = [0, 1, 2, 3, 1 << 28, 1 << 29, (1 << 51) - 1, 1 << 51, (1 << 51) + 1]
        .into_iter()
        .chain([0x5_5555_5555_5555, (1 << 52) - 2, (1 << 52) - 1]);
    let positive: Vec<u64> =
        exponents.flat_map(|e| fractions.clone().map(move |fraction| e << 52 | fraction)).collect();
    positive.iter().flat_map(|&x| [x, x | 1 << 63]).collect()
}

#[test]
fn edge_cases_match_the_hardware() {
    // Would catch: specials, subnormals, overflow and underflow, carries, signs of zeros, limits of integers.
    let edges = edges();
    edges.par_iter().for_each(|&a| {
        check_one(a);
        edges.iter().for_each(|&b| check(a, b));
    });
}

#[test]
fn random_numbers_match_the_hardware() {
    // Would catch: what nobody thought of. A quarter of the pairs is arbitrary; the others lie close together, a
    // third of them with short mantissas, where ties are common.
    const TASKS: u64 = 1000;
    const PAIRS: u64 = 100_000;
    (0..TASKS).into_par_iter().for_each(|task| {
        let mut random = Random::new(task);
        for pair in 0..PAIRS {
            let (a, b) = (random.bits(), random.bits());
            let near = |x: u64| x & 0x803f_ffff_ffff_ffff | 0x3fc0_0000_0000_0000;
            match pair % 4 {
                0 => check(a, b),
                1 => check(near(a), near(b)),
                2 => check(near(a), near(a ^ b >> 25)),
                _ => check(near(a) & !0x3ff_ffff, near(b) & !0x3ff_ffff),
            }
            check_one(a >> (b % 64));
        }
    });
}
