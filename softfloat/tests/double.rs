//! binary64 against the hardware: all pairs of edge cases, and 10^8 random pairs.

mod support;

use opml_softfloat::{check_one32, check_one64, check_pair64};
use rayon::prelude::*;
use support::Random;

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
        check_one64(a);
        edges.iter().for_each(|&b| check_pair64(a, b));
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
                0 => check_pair64(a, b),
                1 => check_pair64(near(a), near(b)),
                2 => check_pair64(near(a), near(a ^ b >> 25)),
                _ => check_pair64(near(a) & !0x3ff_ffff, near(b) & !0x3ff_ffff),
            }
            check_one64(a >> (b % 64));
            check_one32(a as u32);
        }
    });
}
