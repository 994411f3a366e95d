//! Sums with packed weights against big integers, bit for bit.

mod support;

use opml_kernels::packed::pack;
use opml_kernels::spatial::Window;
use opml_kernels::{
    Conv2d, Image, MatMul, conv2d, conv2d_packed, conv2d_scratch, matmul, matmul_packed, matmul_scratch,
};
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
    // Would catch: integers too large by one bit, (F); blocks whose high words wrap around, (G): the largest mantissas of one sign
    // make vectors lose bits;
    // spans that overflow, (H); blocks or spans that are added up wrongly, (N); totals that are too large, (L).
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
                check(
                    &shape(m, k, n),
                    &x,
                    &w,
                    Some(&bias),
                    k <= 2049,
                    &format!("k {k}, {x_kind:?} {w_kind:?}"),
                );
            }
        }
    }
}

#[test]
fn low_words_of_all_ones() {
    // Would catch: a span with more low words than 32 bits hold, (H), or a span's high words put together wrongly, (N): every
    // product but the first is -1, whose low word is the largest there is and whose high word is -1.
    let unit = 2f32.powi(-29);
    for k in [1024, 2048, 2050, 4096, 5000] {
        for sparse in [false, true] {
            let (mut x, mut w) = (vec![0.0; k], vec![0.0; k]);
            (x[0], w[0]) = (1.0, 1.0);
            for at in 2..k {
                // In pairs (x_0 + y_1)(x_1 + y_0) = (-2 + 1)(1 + 0); on a list -1 times 1.
                (x[at], w[at]) = match (sparse, at % 2, at % 8) {
                    (false, 0, _) => (-2.0 * unit, 0.0),
                    (false, ..) => (unit, unit),
                    (true, _, 0..5) => (-unit, unit),
                    (true, ..) => (0.0, unit),
                };
            }
            check(&shape(1, k, 1), &x, &w, None, true, &format!("k {k}, sparse {sparse}"));
            // Without the first product, which still makes the scale, nothing but the words decides.
            (x[1], w[1]) = (-1.0, 1.0);
            check(&shape(1, k, 1), &x, &w, None, true, &format!("k {k}, sparse {sparse}, cancelled"));
        }
    }
}

#[test]
fn cancellation_leaves_the_small_remainder() {
    // Would catch: a bound that does not grow with the addends, (I), (J) or (K), where nearly all of a sum is lost.
    let mut random = Random(34);
    for round in 0..600 {
        let (pairs, n) = (1 + random.below(200), 1 + random.below(9));
        let kind = [Kind::Normal, Kind::AnyFinite, Kind::Ones, Kind::Bfloat][round % 4];
        let k = 2 * pairs + 1;
        let mut x = random.floats(kind, k);
        x.copy_within(..pairs, pairs);
        x[k - 1] = random.float([Kind::Tiny, Kind::Normal][round % 2]);
        let mut w = random.floats(kind, k * n);
        for w in w.chunks_mut(k) {
            w.copy_within(..pairs, pairs);
            w[pairs..2 * pairs].iter_mut().for_each(|v| *v = -*v);
            // Nothing, or one product far below the others.
            w[k - 1] = [0.0, random.float(Kind::Tiny), random.float(Kind::Normal)][round % 3];
        }
        check(&shape(1, k, n), &x, &w, None, true, &format!("{kind:?}, {pairs} pairs"));
    }
}

#[test]
fn ties_and_their_neighbours() {
    // Would catch: (M) with a distance or an error in the wrong unit: sums at a tie and next to it, at powers of two and
    // elsewhere, with what decides far below.
    for mantissa in [0x80_0000u32, 0x80_0001, 0xff_fffe, 0xff_ffff] {
        for distance in [1, 2, 8, 14, 15, 16, 20, 24, 30, 48, 100] {
            for (sign, nudge) in [(1.0, 1.0), (1.0, -1.0), (1.0, 0.0), (-1.0, 1.0), (-1.0, 0.0)] {
                let small = nudge * 2f32.powi(-1 - distance);
                let terms = [sign * mantissa as f32, sign * 0.5, small];
                let mut x = [1.0; 9];
                let mut w = [0.0; 9];
                w[..3].copy_from_slice(&terms);
                check(&shape(1, 9, 1), &x, &w, None, true, &format!("{terms:?} as weights"));
                check(&shape(1, 9, 1), &w, &x, None, true, &format!("{terms:?} as a vector"));
                (x[3], w[3]) = (1.0, 0.0);
                check(&shape(1, 9, 1), &x, &w, Some(&[small]), true, &format!("{terms:?} and a bias"));
            }
        }
    }
}

#[test]
fn biases_of_every_size() {
    // Would catch: a bias shifted to the wrong side or by too much, (L), or lost below the unit without a place in (I).
    let mut random = Random(35);
    for exponent in -149..128 {
        let (k, n) = (12, 8);
        let (x, w) = (random.floats(Kind::Normal, k), random.floats(Kind::Normal, k * n));
        let scale = 2f64.powi(exponent);
        let bias: Vec<f32> = (0..n).map(|_| (f64::from(random.normal()) * scale) as f32).collect();
        check(&shape(1, k, n), &x, &w, Some(&bias), true, &format!("bias near 2^{exponent}"));
    }
}

#[test]
fn convolutions_agree_with_those_of_plain_weights() {
    // Would catch: a window gathered from the wrong place, padding that counts as an addend, what was gathered
    // for one window seen in the next, output channels or columns mixed up.
    let mut random = Random(36);
    for round in 0..300 {
        let mut window = |padded: bool| {
            let pad = if padded { random.below(3) } else { 0 };
            let size = 1 + random.below(3);
            Window { stride: 1 + random.below(2), dilation: 1 + random.below(2), ..Window::new(size, 1) }
                .padded(pad, pad)
        };
        let (vertical, horizontal) = (window(round % 2 == 0), window(round % 3 == 0));
        let sides = [1 + random.below(7), 1 + random.below(7)];
        let images = [1 + random.below(9), 1 + random.below(9)].map(|channels| (channels, random.below(2)));
        let image = |(channels, last): (usize, usize), [height, width]: [usize; 2]| {
            if last == 1 {
                Image::channels_last(channels, height, width)
            } else {
                Image::planes(channels, height, width)
            }
        };
        let shape = Conv2d {
            input: image(images[0], sides),
            output: image(images[1], [1 + random.below(5), 1 + random.below(5)]),
            vertical,
            horizontal,
            groups: 1,
        };
        let (channels, taps) = (images[1].0, images[0].0 * vertical.size * horizontal.size);
        let kind = [Kind::Normal, Kind::Sparse, Kind::AnyFinite, Kind::RareSpecial, Kind::Zeros][round % 5];
        let x = random.floats(kind, shape.input.extent());
        let w_kind = [kind, Kind::Normal][random.below(2)];
        let w = random.floats(w_kind, channels * taps);
        let bias = random.floats(Kind::Normal, channels);
        let bias = (round % 4 > 0).then_some(&bias[..]);
        let mut expected = vec![0.5; shape.output.extent()];
        conv2d(&shape, &x, &w, bias, &mut expected);
        let packed = pack(taps, channels, |row, element| w[row * taps + element]);
        let mut scratch = vec![0xdead_beef; conv2d_scratch(&shape)];
        let mut out = vec![0.5; shape.output.extent()];
        conv2d_packed(&shape, &x, &packed, bias, &mut scratch, &mut out);
        let expected: Vec<u32> = expected.iter().map(|v| v.to_bits()).collect();
        assert_same_bits(&out, &expected, &format!("{shape:?} {kind:?}"));
    }
}

#[test]
fn weights_grow_little() {
    // Would catch: padding of rows, or lists that hold what the integers hold.
    let mut random = Random(37);
    for (k, n, most) in [(784, 500, 1.08), (384, 384, 1.09), (288, 32, 1.09), (64, 64, 1.16), (784, 10, 1.08)]
    {
        let weights = random.floats(Kind::Normal, k * n);
        let grown = pack(k, n, |row, element| weights[row * k + element]).len() as f64 / (k * n) as f64;
        assert!(grown <= most, "{k} x {n}: {grown:.3} times");
    }
}

#[test]
#[should_panic(expected = "packed: weights cut short")]
fn weights_that_were_cut_are_refused() {
    // Weights far below the largest have lists.
    let packed = pack(8, 2, |_, element| [1.0, 1e-3][element % 2]);
    let shape = shape(1, 8, 2);
    let mut scratch = vec![0; matmul_scratch(&shape)];
    let cut = &packed[..packed.len() - 1];
    matmul_packed(&shape, &[1.0; 8], cut, None, &mut scratch, &mut [0.0; 2]);
}
