//! Sums with packed weights against big integers, bit for bit.

mod support;

use opml_kernels::packed::pack;
use opml_kernels::{MatMul, matmul, matmul_packed, matmul_scratch};
use support::{KINDS, Kind, Random, assert_same_bits, exact_dot};

/// Runs `m` vectors through the packed product and compares with the exact sums, or with the product
/// that is compared with them elsewhere, which is faster.
fn check(shape: &MatMul, a: &[f32], w: &[f32], bias: Option<&[f32]>, exact: bool, what: &str) {
    let (m, k, n) = (shape.m, shape.k, shape.n);
    let packed = pack(k, n, |row, element| w[row * k + element]);
    let mut scratch = vec![0xdead_beef; matmul_scratch(shape)];
    let mut out = vec![1.5; m * n];
    matmul_packed(shape, a, &packed, bias, &mut scratch, &mut out);
    let expected: Vec<u32> = if exact {
        let sum = |i: usize, j: usize| {
            let pairs = (0..k).map(|e| (a[i * shape.a_row + e * shape.a_column], w[j * k + e]));
            exact_dot(pairs, bias.map(|c| c[i * shape.bias_row + j * shape.bias_column]))
        };
        (0..m).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| sum(i, j)).collect()
    } else {
        let mut out = vec![0.0; m * n];
        matmul(shape, a, w, bias, &mut out);
        out.iter().map(|v| v.to_bits()).collect()
    };
    assert_same_bits(&out, &expected, what);
}

/// Row-major A, and rows of weights as they are packed.
fn shape(m: usize, k: usize, n: usize) -> MatMul {
    MatMul { b_row: 1, b_column: k, ..MatMul::new(m, k, n) }
}

#[test]
fn every_pair_of_families_is_exact() {
    // Would catch: a wrong scale, a bound that is too small, a remainder lost or of the wrong sign, weights that
    // do not come back to the bit, rows or vectors mixed up in a group of any size.
    let mut random = Random(31);
    let mut outputs = 0;
    for x_kind in KINDS {
        for w_kind in KINDS {
            for _ in 0..40 {
                let (m, k, n) = (1 + random.below(3), 1 + random.below(80), 1 + random.below(15));
                let (x, w) = (random.floats(x_kind, m * k), random.floats(w_kind, k * n));
                let bias_kind = KINDS[random.below(KINDS.len())];
                let bias = random.floats(bias_kind, n);
                let bias = (random.below(2) == 0).then_some(&bias[..]);
                let what = format!("{x_kind:?} x {w_kind:?} + {bias_kind:?}, {m} {k} {n}");
                check(&shape(m, k, n), &x, &w, bias, true, &what);
                outputs += m * n;
            }
        }
    }
    assert!(outputs > 100_000, "only {outputs} outputs");
}

#[test]
fn long_vectors() {
    let mut random = Random(33);
    for k in [63, 64, 65, 500, 2047, 2048, 2049, 5000, 20_000] {
        for (x_kind, w_kind) in [
            (Kind::Ones, Kind::Ones),
            (Kind::Normal, Kind::Normal),
            (Kind::Sparse, Kind::Normal),
            (Kind::AnyFinite, Kind::AnyFinite),
            (Kind::Bfloat, Kind::Bfloat),
            (Kind::SmallInteger, Kind::Normal),
        ] {
            for signed in [true, false] {
                let (m, n) = (2, 3);
                let mut x = random.floats(x_kind, m * k);
                let mut w = random.floats(w_kind, k * n);
                if !signed {
                    x.iter_mut().for_each(|v| *v = v.abs());
                    w.iter_mut().for_each(|v| *v = -v.abs());
                }
                let bias = random.floats(w_kind, n);
                check(&shape(m, k, n), &x, &w, Some(&bias), k <= 2049, &format!("k {k}, {x_kind:?} {w_kind:?}"));
            }
        }
    }
}
