//! The native sums against big integers, bit for bit, at every level and with several numbers of threads.

mod support;

use rayon::prelude::*;
use support::{Case, KINDS, Kind, Random, assert_same_bits, levels};

fn case(random: &mut Random, [m, k, n]: [usize; 3], [a, w]: [Kind; 2], bias: Option<Kind>) -> Case {
    let (a, w) = (random.floats(a, m * k), random.floats(w, n * k));
    Case { m, k, n, a, w, bias: bias.map(|kind| random.floats(kind, n)) }
}

#[test]
fn a_million_sums_of_every_pair_of_families_are_exact() {
    // Would catch: a bound that is too small, (V); a float taken although the other end of the interval has another one,
    // or none that is normal, (W); specials and zeros that do not go to the definition; lanes and rows mixed up.
    let pairs: Vec<(u64, [Kind; 2])> = (0..).zip(KINDS.iter().flat_map(|&a| KINDS.map(|w| [a, w]))).collect();
    let outputs: usize = pairs
        .into_par_iter()
        .map(|(seed, kinds)| {
            let mut random = Random(1000 + seed);
            let mut outputs = 0;
            while outputs < 5200 {
                let shape = [1 + random.below(13), 1 + random.below(30), 1 + random.below(40)];
                let bias = (random.below(2) == 0).then(|| KINDS[random.below(KINDS.len())]);
                let case = case(&mut random, shape, kinds, bias);
                case.check_native(&case.exact(), &format!("{kinds:?} + {bias:?}, {shape:?}"));
                outputs += shape[0] * shape[2];
            }
            outputs
        })
        .sum();
    assert!(outputs >= 1_000_000, "only {outputs} outputs");
}

#[test]
fn long_sums_are_exact() {
    // Would catch: a bound that does not grow with the number of products, (V).
    let mut random = Random(2);
    for k in [100, 784, 1023, 4096, 20_000] {
        for kinds in [
            [Kind::Ones, Kind::Ones],
            [Kind::Normal, Kind::Normal],
            [Kind::Sparse, Kind::Normal],
            [Kind::AnyFinite, Kind::AnyFinite],
            [Kind::Bfloat, Kind::Bfloat],
            [Kind::SmallInteger, Kind::SmallInteger],
            [Kind::Subnormal, Kind::Huge],
        ] {
            let mut case = case(&mut random, [2, k, 3], kinds, Some(kinds[1]));
            if k % 2 == 0 {
                case.a.iter_mut().for_each(|v| *v = v.abs());
            }
            case.check_native(&case.exact(), &format!("k {k}, {kinds:?}"));
        }
    }
}

#[test]
fn addends_that_binary64_loses_are_not_lost() {
    // Would catch: no bound, (V): one by one the small addends vanish beside the large one, which is at a tie; together they decide.
    for k in [3, 40, 1000, 20_000] {
        for sign in [1.0f32, -1.0] {
            for small in [2f32.powi(-30), -(2f32.powi(-30)), 2f32.powi(-80), 0.0] {
                let mut w = vec![small; k];
                // The floats next to 2^24 + 1 are 2^24, which is even, and 2^24 + 2.
                (w[0], w[1]) = (sign * 16_777_216.0, sign);
                let turned: Vec<f32> = w.iter().rev().copied().collect();
                for w in [w, turned] {
                    let case = Case { m: 1, k, n: 1, a: vec![1.0; k], w, bias: None };
                    case.check_native(&case.exact(), &format!("k {k}, {sign} {small:e}"));
                }
            }
        }
    }
}

#[test]
fn the_bound_grows_with_the_number_of_products_and_with_the_bias() {
    // Would catch: (V) without one or the other. Sums 2^-18 below the tie 2^24 + 1, and addends that lift them above it
    // but vanish one by one; and a bias beside which what decides vanishes.
    for sign in [1.0f32, -1.0] {
        let k = 20_000;
        let mut w = vec![sign * 2f32.powi(-30); k];
        w[..3].copy_from_slice(&[sign * 16_777_216.0, sign, -sign * 2f32.powi(-18)]);
        let case = Case { m: 1, k, n: 1, a: vec![1.0; k], w, bias: None };
        assert_eq!(case.exact(), [(sign * 16_777_218.0).to_bits()]);
        case.check_native(&case.exact(), "many products");
        for nudge in [2f32.powi(-20), -(2f32.powi(-20))] {
            let (a, w) = (vec![1.0, 1.0], vec![sign * 2f32.powi(36), nudge]);
            let case = Case { m: 1, k: 2, n: 1, a, w, bias: Some(vec![sign * 2f32.powi(60)]) };
            case.check_native(&case.exact(), "a large bias");
        }
    }
}

#[test]
fn products_at_the_ends_of_the_range_are_exact() {
    // Would catch: binary64 that flushes or overflows, (U), in products, in norms or in sums.
    let least = f32::from_bits(1);
    let values = [least, -least, f32::MIN_POSITIVE, f32::MAX, f32::MIN, 1.0, 2f32.powi(-74), 2f32.powi(64)];
    for &a in &values {
        for &b in &values {
            for &c in &values {
                let case = Case { m: 1, k: 3, n: 1, a: vec![a, b, c], w: vec![b, c, a], bias: Some(vec![c]) };
                case.check_native(&case.exact(), &format!("{a:e} {b:e} {c:e}"));
            }
        }
    }
}

#[test]
fn sums_next_to_ties_and_to_the_ends_of_the_normal_range() {
    // Would catch: (W) with a wrong rounding of an end, ties, powers of two, and results that are subnormal or overflow.
    for mantissa in [0x80_0000u32, 0x80_0001, 0xff_fffe, 0xff_ffff] {
        for exponent in [-150, -149, -148, -127, -126, -125, -100, 0, 100, 103, 104] {
            for distance in [1, 8, 20, 24, 27, 28, 29, 30, 48, 100] {
                for nudge in [1.0f32, -1.0, 0.0] {
                    // mantissa 2^e + 2^(e - 1) + nudge 2^(e - 1 - distance), each as a product of two floats.
                    let power = |e: i32| [2f32.powi(e / 2), 2f32.powi(e - e / 2)];
                    let ([a, b], [c, d]) = (power(exponent), power(exponent - 1 - distance));
                    let (a, w) = (vec![mantissa as f32 * a, 0.5 * a, nudge * c], vec![b, b, d]);
                    let case = Case { m: 1, k: 3, n: 1, a, w, bias: None };
                    case.check_native(
                        &case.exact(),
                        &format!("{mantissa:x} 2^{exponent} {nudge} 2^-{distance}"),
                    );
                }
            }
        }
    }
}

#[test]
fn cancellation_leaves_the_small_remainder() {
    // Would catch: a bound by the sum instead of by its addends, (V).
    let mut random = Random(3);
    for round in 0..400 {
        let half = 1 + random.below(60);
        let kind = [Kind::Normal, Kind::AnyFinite, Kind::Ones, Kind::Huge][round % 4];
        let mut case = case(&mut random, [3, 2 * half + 1, 17], [kind; 2], None);
        for a in case.a.chunks_mut(case.k) {
            a.copy_within(..half, half);
            a[2 * half] = random.float([Kind::Tiny, Kind::Normal][round % 2]);
        }
        for w in case.w.chunks_mut(case.k) {
            w.copy_within(..half, half);
            w[half..2 * half].iter_mut().for_each(|v| *v = -*v);
            w[2 * half] = [0.0, random.float(Kind::Tiny), random.float(Kind::Normal)][round % 3];
        }
        case.check_native(&case.exact(), &format!("{kind:?}, {half} pairs"));
    }
}

#[test]
fn neither_threads_nor_vector_units_change_a_bit() {
    // Would catch: results in the order in which threads end, tiles that overlap or leave something out, a level
    // whose sums are accepted with the bound of another order.
    let mut random = Random(4);
    for (shape, kinds) in [
        ([1, 784, 500], [Kind::Normal, Kind::Normal]),
        ([50, 300, 130], [Kind::Sparse, Kind::Normal]),
        ([61, 20_000, 35], [Kind::Normal, Kind::Bfloat]),
        ([49, 33, 65], [Kind::RareSpecial, Kind::AnyFinite]),
        ([100, 5, 200], [Kind::SmallInteger, Kind::Zeros]),
    ] {
        let case = case(&mut random, shape, kinds, Some(Kind::Normal));
        let expected: Vec<u32> = case.plain().iter().map(|v| v.to_bits()).collect();
        for threads in [1, 2, 7] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            for level in levels() {
                let out = pool.install(|| case.native(level));
                assert_same_bits(&out, &expected, &format!("{threads} threads, {level:?}, {shape:?}"));
            }
        }
    }
}
