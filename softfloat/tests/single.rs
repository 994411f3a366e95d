//! binary32 against the hardware: all pairs of edge cases, and 10^8 random pairs.

mod support;

use opml_softfloat::{check_one32, check_one64, check_pair32};
use rayon::prelude::*;
use support::Random;

/// Every exponent with the fractions at which rounding and carries go wrong.
fn edges() -> Vec<u32> {
    let fractions = [0, 1, 2, 3, 0x3f_ffff, 0x40_0000, 0x40_0001, 0x55_5555, 0x7f_fffe, 0x7f_ffff];
    (0..512).flat_map(|upper| fractions.map(|fraction| upper << 23 | fraction)).collect()
}

#[test]
fn edge_cases_match_the_hardware() {
    // Would catch: wrong limits of the short ways, (a), specials, subnormals, carries, signs of zeros.
    let edges = edges();
    edges.par_iter().for_each(|&a| {
        check_one32(a);
        edges.iter().for_each(|&b| check_pair32(a, b));
    });
}

#[test]
fn random_numbers_match_the_hardware() {
    // Would catch: what nobody thought of. A quarter of the pairs is arbitrary; the others lie close together, a
    // third of them with short mantissas, where ties are common, (b). Quotients at random are what (c) is tried with.
    const TASKS: u64 = 1000;
    const PAIRS: u64 = 100_000;
    (0..TASKS).into_par_iter().for_each(|task| {
        let mut random = Random::new(task);
        for pair in 0..PAIRS {
            let bits = random.bits();
            let (a, b) = (bits as u32, (bits >> 32) as u32);
            let near = |x: u32| x & 0x83ff_ffff | 0x3c00_0000;
            let less_near = |x: u32| x & 0x87ff_ffff | 0x3800_0000;
            match pair % 4 {
                0 => check_pair32(a, b),
                1 => check_pair32(less_near(a), less_near(b)),
                2 => check_pair32(near(a), near(a ^ b >> 12)),
                _ => check_pair32(near(a) & !0x7ff, near(b) & !0x7ff),
            }
        }
    });
}

#[test]
fn conversions_match_the_hardware() {
    // Would catch: limits of the integers, ties, integers with more bits than a mantissa.
    let mut random = Random::new(1);
    for _ in 0..10_000_000 {
        let bits = random.bits();
        check_one32(bits as u32);
        // Integers of any size.
        let value = bits >> (random.bits() % 64);
        check_one64(value);
        check_one64(value.wrapping_neg());
    }
}
