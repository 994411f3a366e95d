//! Products of bytes against plain sums in 64 bits, and their bytes against the formula in binary32.

mod support;

use opml_kernels::integer::{self, multiplier, pack};
use opml_kernels::{
    Byte, ByteMatrix, IntegerMatMul, Requantise, integer_scratch, matmul_integer, matmul_integer_packed,
    qlinear_matmul, qlinear_matmul_packed,
};
use support::Random;
use support::bytes::{FAMILIES, Family, Problem, requantised};

/// Compares all sums of a problem, with weights that are known before and without.
fn check(problem: &Problem, what: &str) -> usize {
    let (shape, [a, b]) = (&problem.shape, problem.matrices());
    let expected = problem.sums();
    let mut scratch = vec![0xdead_beef; integer_scratch(shape)];
    let mut out = vec![0x5a5a_5a5a; expected.len()];
    matmul_integer(shape, &a, &b, &mut scratch, &mut out);
    assert_eq!(out, expected, "{what}");
    let mut out = vec![0x5a5a_5a5a; expected.len()];
    matmul_integer_packed(shape, &a, &pack(shape.k, shape.n, &b), &mut scratch, &mut out);
    assert_eq!(out, expected, "packed, {what}");
    expected.len()
}

#[test]
fn every_pair_of_families_is_exact() {
    // Would catch: a field that overflows or borrows, (Q); pairs around the middle that do not fit, (R); fields added
    // up or taken apart wrongly, (S); a zero point forgotten, rows of groups mixed up, padding that counts.
    let mut random = Random(51);
    let mut sums = 0;
    for (a, b) in FAMILIES.iter().flat_map(|&a| FAMILIES.map(|b| (a, b))) {
        for _ in 0..200 {
            let shape =
                IntegerMatMul { m: 1 + random.below(2), k: 1 + random.below(70), n: 1 + random.below(20) };
            let problem = Problem::new(&mut random, shape, a, b);
            sums += check(&problem, &format!("{a:?} x {b:?}, {problem:?}"));
        }
    }
    assert!(sums > 100_000, "only {sums} sums");
}

#[test]
fn every_width() {
    // Would catch: a group that is left out, or whose weights lie elsewhere.
    let mut random = Random(52);
    for n in 0..40 {
        for k in [0, 1, 7, 8, 9, 16] {
            let problem = Problem::new(&mut random, IntegerMatMul { m: 2, k, n }, Family::Any, Family::Any);
            check(&problem, &format!("{k} {n}"));
        }
    }
}

#[test]
fn long_sums_of_extremes_do_not_wrap() {
    // Would catch: sums of fields that leave 32 bits, (S), and totals that do, (T).
    let mut random = Random(53);
    for k in [255, 256, 257, 8191, 20_000, integer::MAX_K] {
        for (a, b) in FAMILIES.iter().flat_map(|&a| FAMILIES.map(|b| (a, b))) {
            let problem = Problem::new(&mut random, IntegerMatMul { m: 1, k, n: 3 }, a, b);
            check(&problem, &format!("{a:?} x {b:?}, {k}"));
        }
    }
    for (byte, a, b) in [(Byte::Unsigned, 255, 255), (Byte::Signed, 0x80, 0x80), (Byte::Signed, 0x80, 0x7f)] {
        for zero in [0, 0x7f, 0x80, 0xff] {
            let shape = IntegerMatMul { m: 1, k: integer::MAX_K, n: 2 };
            let problem = Problem {
                shape,
                bytes: [vec![a; shape.k], vec![b; 2 * shape.k]],
                kinds: [byte; 2],
                zeros: [vec![zero], vec![zero]],
            };
            check(&problem, &format!("{a} {b} {zero}"));
        }
    }
}

#[test]
fn a_field_holds_the_largest_sum_that_a_block_may_have() {
    // Would catch: a limit that is too large by one, or a start that is, (Q) and (R): all blocks are at the limit, with
    // products of one sign.
    let mut sums = 0;
    for zero in [0u8, 1, 127, 128, 129, 255] {
        for largest in 1..=128u8 {
            let limit = 32_767 / u32::from(largest);
            for size in [2, 4, 8] {
                // As even as they may be, with the sum `limit`, if bytes reach that far.
                let share = limit.div_ceil(size).min(255) as i32;
                let level = |sign: i32| (i32::from(zero) + sign * share).clamp(0, 255) as u8;
                for a in [level(1), level(-1)] {
                    let mut row = vec![zero; 24];
                    row[8..8 + size as usize].fill(a);
                    row[16..16 + size as usize].fill(a);
                    let weights = [128 - largest, (127 + u32::from(largest)).min(255) as u8];
                    let problem = Problem {
                        shape: IntegerMatMul { m: 1, k: 24, n: 4 },
                        bytes: [row, [weights[0], weights[1], weights[1], weights[0]].repeat(24)],
                        kinds: [Byte::Unsigned; 2],
                        zeros: [vec![zero], vec![128, 0, 255, 7]],
                    };
                    sums +=
                        check(&problem, &format!("zero {zero}, largest {largest}, size {size}, byte {a}"));
                }
            }
        }
    }
    assert_eq!(sums, 6 * 128 * 3 * 2 * 4);
}

/// The byte of a sum, with packed weights and without.
fn bytes_of(sum: i32, multiplier: f32, zero: u8, byte: Byte) -> u8 {
    // As many products of one as it takes.
    let k = sum.unsigned_abs() as usize;
    let shape = IntegerMatMul { m: 1, k, n: 1 };
    let (ones, signed) = (vec![1; k], vec![if sum < 0 { 0xff } else { 1 }; k]);
    let a = ByteMatrix { bytes: &ones, byte: Byte::Unsigned, zero: &[0] };
    let b = ByteMatrix { bytes: &signed, byte: Byte::Signed, zero: &[0] };
    let result = Requantise { bias: &[0], multipliers: &[multiplier], zero, byte, rectified: false };
    let (mut plain, mut packed) = ([0x5a], [0x5a]);
    let mut scratch = vec![0; integer_scratch(&shape)];
    qlinear_matmul(&shape, &a, &b, &result, &mut scratch, &mut plain);
    qlinear_matmul_packed(&shape, &a, &pack(k, 1, &b), &result, &mut scratch, &mut packed);
    assert_eq!(plain, packed);
    plain[0]
}

#[test]
fn bytes_are_the_rounded_products() {
    // Would catch: ties rounded up or away from zero, a bound of the range that is wrong by one, a sign lost, NaN.
    let specials =
        [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MIN_POSITIVE, 1e-45, f32::MAX];
    let scales = [0.5, 0.25, 0.125, 1.0, -0.5, 0.3, 1.0 / 3.0, 7.5, 0.500_000_06, 0.499_999_97, 1e-3];
    for sum in (-300..=300).chain([-30_000, 30_000, 12_345]) {
        for multiplier in specials.into_iter().chain(scales) {
            for byte in [Byte::Unsigned, Byte::Signed] {
                for zero in [0, 1, 128, 255] {
                    let expected = requantised(sum, multiplier, zero, byte);
                    let got = bytes_of(sum, multiplier, zero, byte);
                    assert_eq!(got, expected, "{sum} x {multiplier:e}, zero {zero}, {byte:?}");
                }
            }
        }
    }
}

#[test]
fn bytes_of_large_sums_and_of_each_column() {
    // Would catch: sums above 2^24 that are not rounded before they are multiplied, multipliers of other columns.
    let mut random = Random(55);
    let mut beyond = 0;
    for _ in 0..400 {
        let shape = IntegerMatMul { m: 2, k: 600 + random.below(300), n: 1 + random.below(20) };
        let problem = Problem::new(&mut random, shape, Family::High, Family::High);
        let [a, b] = problem.matrices();
        let scale = |random: &mut Random| 2f32.powi(-18) * (1.0 + random.normal().abs());
        let multipliers: Vec<_> = if random.below(2) == 0 {
            vec![scale(&mut random)]
        } else {
            (0..shape.n).map(|_| scale(&mut random)).collect()
        };
        let byte = [Byte::Unsigned, Byte::Signed][random.below(2)];
        let zero = random.bits() as u8;
        let result = Requantise { bias: &[0], multipliers: &multipliers, zero, byte, rectified: false };
        let expected: Vec<_> = (0..)
            .zip(problem.sums())
            .map(|(at, sum): (usize, i32)| {
                beyond += usize::from(sum.unsigned_abs() > 1 << 24);
                let column = if multipliers.len() == 1 { 0 } else { at % shape.n };
                requantised(sum, multipliers[column], result.zero, byte)
            })
            .collect();
        let mut scratch = vec![0; integer_scratch(&shape)];
        let mut out = vec![0x5a; expected.len()];
        qlinear_matmul(&shape, &a, &b, &result, &mut scratch, &mut out);
        assert_eq!(out, expected, "{problem:?}");
        let mut out = vec![0x5a; expected.len()];
        qlinear_matmul_packed(&shape, &a, &pack(shape.k, shape.n, &b), &result, &mut scratch, &mut out);
        assert_eq!(out, expected, "packed, {problem:?}");
    }
    assert!(beyond > 1000, "only {beyond} sums need rounding");
}

#[test]
fn onnxruntime_gives_the_same_bytes_where_the_order_of_the_scales_shows() {
    // Would catch: (a (/) y) (x) b, a (x) (b (/) y), or a multiplier that is rounded once: each gives another byte for all
    // of these. Scales of A, B and the result, the two factors, and the byte of onnxruntime 1.22.1.
    let cases = [
        ([0x3f6e_5466, 0x3f1b_1f6d, 0x42b4_357f], [208, 134], 174),
        ([0x3f51_dfc0, 0x3efa_9fc8, 0x433e_47b5], [213, 128], 57),
        ([0x3f70_05a5, 0x3f2b_1e38, 0x42a2_d7f0], [212, 129], 210),
        ([0x3ef9_de80, 0x3f59_7a23, 0x420d_160d], [163, 113], 217),
        ([0x3f2c_036a, 0x3e9f_cb9e, 0x4158_8979], [123, 101], 192),
        ([0x3f7d_b910, 0x3f4d_f0dd, 0x432d_8fe7], [250, 64], 73),
    ];
    for (scales, [x, w], expected) in cases {
        let [a, b, y] = scales.map(f32::from_bits);
        let result = Requantise {
            bias: &[0],
            multipliers: &[multiplier(a, b, y)],
            zero: 0,
            byte: Byte::Unsigned,
            rectified: false,
        };
        let [x, w] = [[x], [w]];
        let [a, b] = [&x, &w].map(|bytes| ByteMatrix { bytes, byte: Byte::Unsigned, zero: &[0] });
        let (shape, mut out) = (IntegerMatMul { m: 1, k: 1, n: 1 }, [0x5a]);
        qlinear_matmul(&shape, &a, &b, &result, &mut vec![0; integer_scratch(&shape)], &mut out);
        assert_eq!(out, [expected], "{scales:x?}");
    }
}

#[test]
fn weights_take_a_byte_each() {
    let (k, n) = (784, 500);
    let b = ByteMatrix { bytes: &vec![3; k * n], byte: Byte::Signed, zero: &[0] };
    let words = pack(k, n, &b).len();
    assert!(4 * words < k * n * 102 / 100, "{words} words");
}

#[test]
#[should_panic(expected = "integer: weights do not fit the shape")]
fn packed_weights_of_another_shape_are_refused() {
    let shape = IntegerMatMul { m: 1, k: 8, n: 2 };
    let a = ByteMatrix { bytes: &[0; 8], byte: Byte::Unsigned, zero: &[0] };
    let b = ByteMatrix { bytes: &[0; 32], byte: Byte::Unsigned, zero: &[0] };
    matmul_integer_packed(&shape, &a, &pack(16, 2, &b), &mut [0; 500], &mut [0; 2]);
}
