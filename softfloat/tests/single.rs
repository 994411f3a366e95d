//! binary32 against the hardware: all pairs of edge cases, and 10^8 random pairs.

mod support;

use opml_softfloat::single;
use rayon::prelude::*;
use support::Random;

/// The bits, with one NaN. It asks the bits, since to the compiler one NaN is as good as another: it may leave out
/// a choice between two.
fn canonical(x: f32) -> u32 {
    let bits = x.to_bits();
    if bits & 0x7fff_ffff > 0x7f80_0000 { single::NAN } else { bits }
}

/// Everything that takes two numbers.
fn check(a: u32, b: u32) {
    let (x, y) = (f32::from_bits(a), f32::from_bits(b));
    let compared = |ours: u32, theirs: f32, sign: char| {
        assert_eq!(ours, canonical(theirs), "{a:#010x} {sign} {b:#010x}");
    };
    compared(single::add(a, b), x + y, '+');
    compared(single::sub(a, b), x - y, '-');
    compared(single::mul(a, b), x * y, 'x');
    compared(single::div(a, b), x / y, '/');
    assert_eq!(single::compare(a, b), x.partial_cmp(&y), "{a:#010x} and {b:#010x}");
}

/// Everything that takes one.
fn check_one(a: u32) {
    let x = f32::from_bits(a);
    assert_eq!(single::sqrt(a), canonical(x.sqrt()), "the root of {a:#010x}");
    assert_eq!(single::to_i32(a), x as i32, "{a:#010x}");
    assert_eq!(single::to_u32(a), x as u32, "{a:#010x}");
    assert_eq!(single::to_i64(a), x as i64, "{a:#010x}");
    assert_eq!(single::to_u64(a), x as u64, "{a:#010x}");
    assert_eq!(single::from_i32(a as i32), (a as i32 as f32).to_bits(), "{a}");
    assert_eq!(single::from_u32(a), (a as f32).to_bits(), "{a}");
}

/// Every exponent with the fractions at which rounding and carries go wrong.
fn edges() -> Vec<u32> {
    let fractions = [0, 1, 2, 3, 0x3f_ffff, 0x40_0000, 0x40_0001, 0x55_5555, 0x7f_fffe, 0x7f_ffff];
    (0..512).flat_map(|upper| fractions.map(|fraction| upper << 23 | fraction)).collect()
}

#[test]
fn edge_cases_match_the_hardware() {
    // Would catch: wrong limits of the short ways, (X), specials, subnormals, carries, signs of zeros.
    let edges = edges();
    edges.par_iter().for_each(|&a| {
        check_one(a);
        edges.iter().for_each(|&b| check(a, b));
    });
}

#[test]
fn random_numbers_match_the_hardware() {
    // Would catch: what nobody thought of. A quarter of the pairs is arbitrary; the others lie close together, a
    // third of them with short mantissas, where ties are common, (Y).
    const TASKS: u64 = 1000;
    const PAIRS: u64 = 100_000;
    (0..TASKS).into_par_iter().for_each(|task| {
        let mut random = Random::new(task);
        for pair in 0..PAIRS {
            let bits = random.bits();
            let (a, b) = (bits as u32, (bits >> 32) as u32);
            let near = |x: u32| x & 0x83ff_ffff | 0x3c00_0000;
            match pair % 4 {
                0 => check(a, b),
                1 => check(near(a), near(b)),
                2 => check(near(a), near(a ^ b >> 12)),
                _ => check(near(a) & !0x7ff, near(b) & !0x7ff),
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
        check_one(bits as u32);
        // Of any size.
        let value = bits >> (random.bits() % 64);
        assert_eq!(single::from_u64(value), (value as f32).to_bits(), "{value}");
        assert_eq!(single::from_i64(value as i64), (value as i64 as f32).to_bits(), "{value}");
        let negative = (value as i64).wrapping_neg();
        assert_eq!(single::from_i64(negative), (negative as f32).to_bits(), "{negative}");
    }
}
