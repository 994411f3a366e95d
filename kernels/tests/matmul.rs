//! Matrix products against exact sums.

mod support;

use opml_kernels::{MatMul, matmul};
use support::{Kind, Random, assert_same_bits, exact_dot};

fn check(shape: &MatMul, a: &[f32], b: &[f32], bias: Option<&[f32]>) {
    let mut expected = vec![];
    for i in 0..shape.m {
        for j in 0..shape.n {
            let pairs = (0..shape.k)
                .map(|k| (a[i * shape.a_row + k * shape.a_column], b[k * shape.b_row + j * shape.b_column]));
            expected.push(exact_dot(pairs, bias.map(|c| c[i * shape.bias_row + j * shape.bias_column])));
        }
    }
    let mut out = vec![0.5; shape.m * shape.n];
    matmul(shape, a, b, bias, &mut out);
    assert_same_bits(&out, &expected, &format!("{shape:?}"));
}

#[test]
fn all_layouts_and_biases() {
    // Would catch: rows and columns exchanged in any operand, a bias broadcast the wrong way.
    let mut random = Random(21);
    for round in 0..600 {
        let (m, k, n) = (1 + random.below(6), random.below(20), 1 + random.below(6));
        let mut shape = MatMul::new(m, k, n);
        if random.below(2) == 0 {
            (shape.a_row, shape.a_column) = (1, m);
        }
        if random.below(2) == 0 {
            (shape.b_row, shape.b_column) = (1, k);
        }
        (shape.bias_row, shape.bias_column) = [(0, 1), (1, 0), (n, 1), (0, 0), (1, m)][random.below(5)];
        let kind = [Kind::Normal, Kind::Sparse, Kind::AnyFinite, Kind::RareSpecial][round % 4];
        let (a, b) = (random.floats(kind, m * k), random.floats(kind, k * n));
        let bias = random.floats(kind, m * n);
        let bias = (random.below(3) > 0).then_some(&bias[..]);
        check(&shape, &a, &b, bias);
    }
}

#[test]
fn a_product_and_its_transpose_agree() {
    // Would catch: a result that depends on which side is taken apart first.
    let mut random = Random(22);
    let (m, k, n) = (5, 1100, 4);
    let (a, b) = (random.floats(Kind::AnyFinite, m * k), random.floats(Kind::Sparse, k * n));
    let (mut out, mut turned) = (vec![0.0; m * n], vec![0.0; m * n]);
    matmul(&MatMul::new(m, k, n), &a, &b, None, &mut out);
    let shape = MatMul { a_row: 1, a_column: n, b_row: 1, b_column: k, ..MatMul::new(n, k, m) };
    matmul(&shape, &b, &a, None, &mut turned);
    for i in 0..m {
        for j in 0..n {
            assert_eq!(out[i * n + j].to_bits(), turned[j * m + i].to_bits(), "({i}, {j})");
        }
    }
}

#[test]
fn empty_sums_and_empty_results() {
    // Would catch: a slice taken outside an empty operand.
    check(&MatMul::new(2, 0, 3), &[], &[], None);
    check(&MatMul::new(2, 0, 3), &[], &[], Some(&[1.0, -0.0, f32::NAN]));
    check(&MatMul::new(0, 2, 3), &[], &[1.0; 6], None);
    check(&MatMul::new(2, 3, 0), &[1.0; 6], &[], None);
}

#[test]
#[should_panic(expected = "matmul: A too short")]
fn a_short_operand_is_refused() {
    matmul(&MatMul::new(2, 2, 2), &[0.0; 3], &[0.0; 4], None, &mut [0.0; 4]);
}
