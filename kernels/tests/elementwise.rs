//! Element-wise operators, reductions and data movement against the host's own arithmetic.

mod support;

use opml_kernels::{
    Axis, BinaryOp, UnaryOp, binary, clip, clip_in_place, concat_part, copy_strided, elementary, reduce_max,
    reduce_mean, reduce_sum, relu, relu_in_place, softmax, transpose, unary,
};
use support::typed::{positions, shape_and_strides};
use support::{BINARY, KINDS, Random, assert_same_bits, canonical_bits, exact_sum, larger, maximum};

/// Python's remainder from the exact one.
fn python_modulo(a: f32, b: f32) -> f32 {
    let rest = a % b;
    if rest == 0.0 {
        0f32.copysign(b)
    } else if (rest < 0.0) != (b < 0.0) {
        rest + b
    } else {
        rest
    }
}

/// What the hardware, or a comparison written out, makes of two numbers.
fn hardware(op: BinaryOp, a: f32, b: f32) -> u32 {
    canonical_bits(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        BinaryOp::Min => -larger(-a, -b),
        BinaryOp::Max => larger(a, b),
        BinaryOp::Mod => python_modulo(a, b),
        // Exact by the standard of C.
        BinaryOp::Fmod => a % b,
        // What it gives is tried in pow.rs.
        BinaryOp::Pow => elementary::pow(a, b),
    })
}

#[test]
fn binary_operators_match_the_hardware() {
    // Would catch: a NaN that keeps its payload, -0 and +0 confused, operands exchanged.
    let mut random = Random(31);
    for a_kind in KINDS {
        for b_kind in KINDS {
            let (a, b) = (random.floats(a_kind, 200), random.floats(b_kind, 200));
            for op in BINARY {
                let mut out = vec![0.5; 200];
                binary(op, &[200], &a, &[1], &b, &[1], &mut out);
                let expected: Vec<u32> = a.iter().zip(&b).map(|(&a, &b)| hardware(op, a, b)).collect();
                assert_same_bits(&out, &expected, &format!("{op:?}"));
            }
        }
    }
}

#[test]
fn broadcasting_follows_the_strides() {
    // Would catch: an odometer that turns the wrong wheel; the fast path taken for gaps or repeats;
    // scalars and empty tensors.
    let mut random = Random(32);
    let data = random.floats(support::Kind::Normal, 256);
    for _ in 0..2000 {
        let (dims, [a_strides, b_strides]) = shape_and_strides(&mut random);
        let (at_a, at_b) = (positions(&dims, &a_strides), positions(&dims, &b_strides));
        let mut out = vec![0.5; at_a.len()];
        binary(BinaryOp::Sub, &dims, &data, &a_strides, &data, &b_strides, &mut out);
        let expected: Vec<u32> =
            at_a.iter().zip(&at_b).map(|(&i, &j)| hardware(BinaryOp::Sub, data[i], data[j])).collect();
        assert_same_bits(&out, &expected, &format!("{dims:?} {a_strides:?} {b_strides:?}"));
    }
}

#[test]
fn transpose_and_copy_follow_the_strides() {
    // Would catch: the same, and bits changed on the way (signalling NaN included).
    let mut random = Random(33);
    let data = random.floats(support::Kind::AnyBits, 256);
    for _ in 0..2000 {
        let (dims, [strides, _]) = shape_and_strides(&mut random);
        let expected: Vec<u32> = positions(&dims, &strides).iter().map(|&i| data[i].to_bits()).collect();
        let mut out = vec![0.5; expected.len()];
        transpose(&dims, &strides, &data, &mut out);
        assert_same_bits(&out, &expected, &format!("{dims:?} {strides:?}"));
        // Every second place of a wider row-major tensor.
        let mut wide = 2;
        let mut out_strides: Vec<usize> = dims
            .iter()
            .rev()
            .map(|&dim| {
                wide *= dim.max(1);
                wide / dim.max(1)
            })
            .collect();
        out_strides.reverse();
        let mut out = vec![0.5; 2 * expected.len()];
        copy_strided(&dims, &data, &strides, &mut out, &out_strides);
        let (copied, gaps): (Vec<f32>, Vec<f32>) = out.chunks(2).map(|c| (c[0], c[1])).unzip();
        assert_same_bits(&copied, &expected, &format!("{dims:?} {strides:?} {out_strides:?}"));
        assert!(gaps.iter().all(|&v| v == 0.5));
    }
}

#[test]
fn concat_places_the_rows() {
    // Would catch: a part written to the columns or rows of another.
    let mut out = [0.0; 10];
    concat_part(2, &[1.0, 2.0, 3.0, 4.0], 0, 5, &mut out);
    concat_part(3, &[5.0, 6.0, 7.0, 8.0, 9.0, 10.0], 2, 5, &mut out);
    assert_eq!(out, [1.0, 2.0, 5.0, 6.0, 7.0, 3.0, 4.0, 8.0, 9.0, 10.0]);
}

#[test]
#[should_panic(expected = "concat: columns outside the output")]
fn concat_refuses_columns_outside() {
    concat_part(3, &[0.0; 6], 3, 5, &mut [0.0; 10]);
}

#[test]
#[should_panic(expected = "slice too short for its strides")]
fn strides_beyond_the_slice_are_refused() {
    transpose(&[2, 3], &[3, 1], &[0.0; 5], &mut [0.0; 6]);
}

#[test]
fn relu_clip_and_signs_match_the_definition() {
    // Would catch: relu(-0) = -0, NaN swallowed by a comparison, bounds applied in the other order.
    let mut random = Random(34);
    for kind in KINDS {
        let x = random.floats(kind, 500);
        let mut out = vec![0.5; 500];
        let positive = |v: f32| if v > 0.0 || v.is_nan() { v } else { 0.0 };
        let expected: Vec<u32> = x.iter().map(|&v| canonical_bits(positive(v))).collect();
        relu(&x, &mut out);
        assert_same_bits(&out, &expected, "relu");
        out.copy_from_slice(&x);
        relu_in_place(&mut out);
        assert_same_bits(&out, &expected, "relu in place");
        for (low, high) in [(0.0, 6.0), (-1.0, 1.0), (2.0, -2.0), (f32::NEG_INFINITY, 0.0)] {
            let clipped = |v: f32| -larger(-larger(v, low), -high);
            let expected: Vec<u32> = x.iter().map(|&v| canonical_bits(clipped(v))).collect();
            clip(&x, low, high, &mut out);
            assert_same_bits(&out, &expected, "clip");
            out.copy_from_slice(&x);
            clip_in_place(&mut out, low, high);
            assert_same_bits(&out, &expected, "clip in place");
        }
        for (op, f) in [
            (UnaryOp::Neg, (|v| -v) as fn(f32) -> f32),
            (UnaryOp::Abs, f32::abs),
            (UnaryOp::Reciprocal, |v| 1.0 / v),
            (UnaryOp::Sqrt, f32::sqrt),
            (UnaryOp::Sign, |v| if v == 0.0 { 0.0 } else { v.signum() }),
            (UnaryOp::Floor, f32::floor),
            (UnaryOp::Ceil, f32::ceil),
            (UnaryOp::Round, f32::round_ties_even),
        ] {
            unary(op, &x, &mut out);
            let expected: Vec<u32> = x.iter().map(|&v| canonical_bits(f(v))).collect();
            assert_same_bits(&out, &expected, &format!("{op:?}"));
        }
    }
}

#[test]
fn each_name_has_its_function() {
    // Would catch: the wrong function behind a name. What the functions give is tried in every_float.rs and pow.rs.
    type Named = (UnaryOp, fn(f64) -> f64);
    let named: [Named; 17] = [
        (UnaryOp::Exp, f64::exp),
        (UnaryOp::Log, f64::ln),
        (UnaryOp::Tanh, f64::tanh),
        (UnaryOp::Sigmoid, |x| 1.0 / (1.0 + (-x).exp())),
        (UnaryOp::Erf, libm::erf),
        (UnaryOp::Sqrt, f64::sqrt),
        (UnaryOp::Sin, f64::sin),
        (UnaryOp::Cos, f64::cos),
        (UnaryOp::Tan, f64::tan),
        (UnaryOp::Asin, f64::asin),
        (UnaryOp::Acos, f64::acos),
        (UnaryOp::Atan, f64::atan),
        (UnaryOp::Sinh, f64::sinh),
        (UnaryOp::Cosh, f64::cosh),
        (UnaryOp::Asinh, libm::asinh),
        (UnaryOp::Acosh, libm::acosh),
        (UnaryOp::Atanh, libm::atanh),
    ];
    for (op, truth) in named {
        for x in [0.3f32, 1.0, 2.7] {
            let mut out = [0.0];
            unary(op, &[x], &mut out);
            let expected = canonical_bits(truth(f64::from(x)) as f32);
            assert_eq!(out[0].to_bits(), expected, "{op:?}({x}) is {:e}", out[0]);
        }
    }
    let mut out = [0.0];
    binary(BinaryOp::Pow, &[1], &[3.0], &[1], &[4.0], &[1], &mut out);
    assert_eq!(out, [81.0]);
}

#[test]
fn reductions_match_the_definition() {
    // Would catch: axes mixed up, sums rounded twice, flags kept from one line to the next.
    let mut random = Random(36);
    for round in 0..700 {
        let axis = Axis { outer: random.below(4), len: random.below(7), inner: random.below(4) };
        let x = random.floats(KINDS[round % KINDS.len()], axis.outer * axis.len * axis.inner);
        let mut lines: Vec<Vec<f32>> = vec![];
        for o in 0..axis.outer {
            for i in 0..axis.inner {
                lines.push((0..axis.len).map(|j| x[(o * axis.len + j) * axis.inner + i]).collect());
            }
        }
        let mut out = vec![0.5; lines.len()];
        let sums: Vec<u32> = lines.iter().map(|line| exact_sum(line.iter().copied())).collect();
        reduce_sum(axis, &x, &mut out);
        assert_same_bits(&out, &sums, "sum");
        reduce_mean(axis, &x, &mut out);
        let means: Vec<u32> =
            sums.iter().map(|&s| canonical_bits(f32::from_bits(s) / axis.len as f32)).collect();
        assert_same_bits(&out, &means, "mean");
        reduce_max(axis, &x, &mut out);
        let largest: Vec<u32> = lines.iter().map(|line| maximum(line)).collect();
        assert_same_bits(&out, &largest, "max");
    }
}

#[test]
fn softmax_matches_its_formula() {
    // Would catch: a sum that is not the exact one, lines that share their maximum, NaN in one line
    // leaking into the next.
    let mut random = Random(37);
    for round in 0..500 {
        let axis = Axis { outer: 1 + random.below(3), len: 1 + random.below(12), inner: 1 + random.below(3) };
        let x = random.floats(KINDS[round % KINDS.len()], axis.outer * axis.len * axis.inner);
        let mut expected = vec![0; x.len()];
        for o in 0..axis.outer {
            for i in 0..axis.inner {
                let line: Vec<usize> = (0..axis.len).map(|j| (o * axis.len + j) * axis.inner + i).collect();
                let values: Vec<f32> = line.iter().map(|&at| x[at]).collect();
                let largest = f32::from_bits(maximum(&values));
                let exps: Vec<f32> = values.iter().map(|v| elementary::exp(v - largest)).collect();
                let sum = f32::from_bits(exact_sum(exps.iter().copied()));
                for (&at, e) in line.iter().zip(&exps) {
                    expected[at] = canonical_bits(e / sum);
                }
            }
        }
        let mut out = vec![0.5; x.len()];
        softmax(axis, &x, &mut out);
        assert_same_bits(&out, &expected, &format!("{axis:?}"));
    }
    let mut out = [0.0; 3];
    softmax(Axis { outer: 1, len: 3, inner: 1 }, &[1.0, 2.0, 3.0], &mut out);
    assert!((out[2] - 0.665_240_96).abs() < 1e-6 && (out.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{out:?}");
}

#[test]
#[should_panic(expected = "axis: output does not fit the shape")]
fn reductions_refuse_an_output_of_another_size() {
    reduce_sum(Axis { outer: 2, len: 3, inner: 1 }, &[0.0; 6], &mut [0.0; 3]);
}
