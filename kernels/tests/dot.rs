//! Sums of products against big integers, bit for bit.

mod support;

use opml_kernels::dense;
use opml_kernels::dot::Accumulator;
use proptest::prelude::*;
use support::{KINDS, Kind, Random, assert_same_bits, exact_dot};

fn accumulate(a: &[f32], b: &[f32], bias: Option<f32>) -> f32 {
    let mut sum = Accumulator::new();
    a.iter().zip(b).for_each(|(&a, &b)| sum.add(a, b));
    bias.into_iter().for_each(|v| sum.add_value(v));
    sum.round()
}

/// Runs `dense` and the accumulator on the same data and compares both with the exact sums.
fn check(x: &[f32], w: &[f32], bias: Option<&[f32]>, rows: usize, what: &str) {
    let k = x.len();
    let row = |r: usize| &w[r * k..(r + 1) * k];
    let expected: Vec<u32> = (0..rows)
        .map(|r| exact_dot(x.iter().copied().zip(row(r).iter().copied()), bias.map(|b| b[r])))
        .collect();
    let mut out = vec![1.5; rows];
    dense(x, w, bias, &mut out);
    assert_same_bits(&out, &expected, &format!("dense {what}"));
    let out: Vec<f32> = (0..rows).map(|r| accumulate(x, row(r), bias.map(|b| b[r]))).collect();
    assert_same_bits(&out, &expected, &format!("accumulator {what}"));
}

#[test]
fn every_pair_of_families_is_exact() {
    // Would catch: a wrong shift, lane or sign anywhere; a lost sticky bit; ties away from even;
    // flushed subnormals; sums that overflow, or must not; specials or zeros of the wrong sign.
    let mut random = Random(1);
    let mut outputs = 0;
    for x_kind in KINDS {
        for w_kind in KINDS {
            for _ in 0..40 {
                let (k, rows) = (1 + random.below(40), 13);
                let x = random.floats(x_kind, k);
                let w = random.floats(w_kind, k * rows);
                let bias_kind = KINDS[random.below(KINDS.len())];
                let bias = random.floats(bias_kind, rows);
                let bias = (random.below(2) == 0).then_some(&bias[..]);
                check(&x, &w, bias, rows, &format!("{x_kind:?} x {w_kind:?} + {bias_kind:?}, k {k}"));
                outputs += rows;
            }
        }
    }
    assert!(outputs > 100_000, "only {outputs} outputs");
}

#[test]
fn cancellation_leaves_the_small_remainder() {
    // Would catch: any rounding before the end, and a search for the leading digit that stops early, (E).
    let mut random = Random(2);
    for round in 0..2000 {
        let pairs = 1 + random.below(20);
        let kind = [Kind::Normal, Kind::AnyFinite, Kind::Ones, Kind::Huge][round % 4];
        let (mut x, mut w) = (random.floats(kind, pairs), random.floats(kind, pairs));
        x.extend_from_within(..);
        w.extend_from_within(..);
        w[pairs..].iter_mut().for_each(|v| *v = -*v);
        // Nothing, or one product far below the others.
        if round % 3 > 0 {
            x.push(random.float(Kind::Tiny));
            w.push(random.float([Kind::Tiny, Kind::Normal][round % 2]));
        }
        check(&x, &w, None, 1, "cancellation");
    }
}

#[test]
fn ties_and_their_neighbours() {
    // Would catch: ties rounded up or down always, and remainders too small for the sticky bit, (E), at
    // every distance below the tie and on both sides of it.
    for mantissa in [0x80_0000u32, 0x80_0001, 0xff_fffe, 0xff_ffff] {
        for exponent in [-149, -148, -126, -100, 0, 100, 104] {
            for distance in [1, 2, 8, 20, 24, 30, 48, 100, 148] {
                for (sign, nudge) in [(1.0, 1.0), (1.0, -1.0), (1.0, 0.0), (-1.0, 1.0), (-1.0, 0.0)] {
                    let value = sign * mantissa as f32;
                    // value 2^e + half of 2^e + nudge 2^(e - 1 - distance)
                    let small = exponent - 1 - distance;
                    let w = [value, sign * 0.5, nudge];
                    let scale = |e: i32| (exp2(e / 2), exp2(e - e / 2));
                    let ((a, b), (c, d)) = (scale(exponent), scale(small));
                    let products = [(w[0] * a, b), (w[1] * a, b), (w[2] * c, d)];
                    let (x, w): (Vec<f32>, Vec<f32>) = products.into_iter().unzip();
                    check(&x, &w, None, 1, &format!("{mantissa:x} 2^{exponent} {nudge} 2^{small}"));
                }
            }
        }
    }
}

fn exp2(exponent: i32) -> f32 {
    2f64.powi(exponent) as f32
}

#[test]
fn the_lowest_and_the_highest_lane() {
    // Would catch: (A) with a lane too few at either end: the largest products cancel, and the smallest there is
    // decides a tie.
    let (least, most) = (f32::from_bits(1), f32::MAX);
    for (nudge, expected) in [(least, 1.0 + f32::EPSILON), (-least, 1.0), (0.0, 1.0)] {
        let x = [most, 1.0, most, nudge, f32::EPSILON];
        let w = [most, 1.0, -most, least, 0.5];
        check(&x, &w, None, 1, "both ends");
        assert_eq!(accumulate(&x, &w, None), expected, "{nudge:e}");
    }
}

#[test]
fn carries_above_the_products_are_kept() {
    // Would catch: (C) with a carry lost in the lanes that only receive: so many of the largest products that they
    // reach them, which cancel afterwards.
    let half = 5000;
    let mut x = vec![f32::MAX; 2 * half + 1];
    x[2 * half] = 1.5;
    let mut w = vec![f32::MAX; 2 * half + 1];
    w[half..2 * half].fill(f32::MIN);
    w[2 * half] = 1.0;
    check(&x, &w, None, 1, "carries");
    assert_eq!(accumulate(&x, &w, None), 1.5);
}

#[test]
fn long_vectors() {
    // Would catch: a lane that overflows, (B), a carry that is lost when lanes are emptied, (C), lists cut at
    // the wrong place, rows of a block mixed up. The largest mantissas in one lane are the worst case.
    let mut random = Random(3);
    for k in [239, 240, 241, 480, 481, 1023, 1024, 1025, 2049, 5000, 20_000] {
        for kinds in [
            (Kind::Ones, Kind::Ones),
            (Kind::Normal, Kind::Normal),
            (Kind::Huge, Kind::Huge),
            (Kind::AnyFinite, Kind::AnyFinite),
            (Kind::Sparse, Kind::Sparse),
        ] {
            let rows = if k > 3000 { 3 } else { 11 };
            let mut x = random.floats(kinds.0, k);
            let mut w = random.floats(kinds.1, k * rows);
            if k % 2 == 1 {
                // All of one sign: no cancellation keeps the lanes small.
                x.iter_mut().for_each(|v| *v = v.abs());
                w.iter_mut().for_each(|v| *v = -v.abs());
            }
            let bias = random.floats(kinds.1, rows);
            check(&x, &w, Some(&bias), rows, &format!("k {k}, {kinds:?}"));
        }
    }
}

#[test]
fn a_late_special_reaches_every_row() {
    // Would catch: specials seen in the first list of terms only, or rows that were already under way.
    let mut random = Random(4);
    let (k, rows) = (2500, 10);
    for at in [0, 1023, 1024, 2499] {
        for special in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut x = random.floats(Kind::Normal, k);
            let w = random.floats(Kind::Normal, k * rows);
            x[at] = special;
            check(&x, &w, None, rows, "special in x");
            let x = random.floats(Kind::Sparse, k);
            let mut w = w;
            w[3 * k + at] = special;
            check(&x, &w, None, rows, "special in w");
        }
    }
}

#[test]
fn zero_times_infinity_is_nan_though_zeros_are_skipped() {
    // Would catch: skipping zeros of x without looking at w.
    for special in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
        let mut out = [0.0];
        dense(&[0.0, 1.0], &[special, 1.0], None, &mut out);
        assert_eq!(out[0].to_bits(), support::NAN_BITS);
    }
}

#[test]
fn zero_sums_have_the_sign_of_the_rule() {
    // Would catch: -0 from cancellation, +0 where all addends are -0, a sign taken from one addend.
    type Case = (&'static [f32], &'static [f32], Option<f32>, f32);
    let cases: [Case; 9] = [
        (&[], &[], None, 0.0),
        (&[], &[], Some(-0.0), -0.0),
        (&[0.0], &[-1.0], None, -0.0),
        (&[0.0], &[-1.0], Some(0.0), 0.0),
        (&[0.0], &[-1.0], Some(-0.0), -0.0),
        (&[0.0, 0.0], &[-1.0, 1.0], None, 0.0),
        (&[-0.0, 2.0], &[3.0, -0.0], None, -0.0),
        (&[1.0, -1.0], &[1.0, 1.0], None, 0.0),
        (&[-1.0, 1.0], &[1.0, 1.0], Some(-0.0), 0.0),
    ];
    for (x, w, bias, expected) in cases {
        let mut out = [1.0];
        dense(x, w, bias.as_ref().map(core::slice::from_ref), &mut out);
        assert_eq!(out[0].to_bits(), expected.to_bits(), "{x:?} {w:?} {bias:?}");
        assert_eq!(accumulate(x, w, bias).to_bits(), expected.to_bits(), "{x:?} {w:?} {bias:?}");
    }
}

#[test]
fn a_sum_that_rounds_to_zero_keeps_its_sign() {
    // Would catch: treating underflow as an exact zero.
    let least = f32::from_bits(1);
    assert_eq!(accumulate(&[least], &[-least], None).to_bits(), 1 << 31);
    assert_eq!(accumulate(&[least], &[-0.5], None).to_bits(), 1 << 31);
    assert_eq!(accumulate(&[least, least], &[-0.5, -least], None), -least);
}

#[test]
fn rounding_empties_the_accumulator() {
    // Would catch: lanes or flags that survive into the next sum, (D).
    let mut random = Random(5);
    let mut sum = Accumulator::new();
    for _ in 0..3000 {
        let kind = KINDS[random.below(KINDS.len())];
        let len = random.below(6);
        let (a, b) = (random.floats(kind, len), random.floats(kind, len));
        a.iter().zip(&b).for_each(|(&a, &b)| sum.add(a, b));
        let expected = exact_dot(a.iter().copied().zip(b.iter().copied()), None);
        assert_same_bits(&[sum.round()], &[expected], "reused");
    }
}

#[test]
#[should_panic(expected = "matmul: B too short")]
fn dense_refuses_weights_that_do_not_fit() {
    dense(&[1.0; 3], &[1.0; 5], None, &mut [0.0; 2]);
}

proptest! {
    #[test]
    fn the_order_of_the_pairs_does_not_matter(
        pairs in prop::collection::vec((any::<u32>(), any::<u32>()), 1..50),
        turn in any::<prop::sample::Index>(),
    ) {
        // Would catch: any state that depends on the order of the additions.
        let mut pairs: Vec<(f32, f32)> =
            pairs.into_iter().map(|(a, b)| (f32::from_bits(a), f32::from_bits(b))).collect();
        let sum = |pairs: &[(f32, f32)]| {
            let (a, b): (Vec<f32>, Vec<f32>) = pairs.iter().copied().unzip();
            accumulate(&a, &b, None).to_bits()
        };
        let first = sum(&pairs);
        prop_assert_eq!(first, exact_dot(pairs.iter().copied(), None));
        let turn = turn.index(pairs.len());
        pairs.rotate_left(turn);
        prop_assert_eq!(first, sum(&pairs));
    }
}
