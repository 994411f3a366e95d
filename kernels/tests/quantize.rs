//! Quantization against plain definitions in wider numbers.

mod support;

use opml_kernels::{Quantized, dequantize, dynamic_quantize, quantize};
use support::typed::{Sample, assert_same, positions, shape_and_strides};
use support::{KINDS, Kind, Random, canonical_bits, exact_dot};

trait Plain: Quantized + Sample {
    const RANGE: [i64; 2];
    fn wide(self) -> i64;
    fn of(value: i64) -> Self;
}

macro_rules! plain {
    ($($integer:ident)*) => {$(
        impl Plain for $integer {
            const RANGE: [i64; 2] = [Self::MIN as i64, Self::MAX as i64];

            fn wide(self) -> i64 {
                self.into()
            }

            fn of(value: i64) -> Self {
                value.try_into().expect("it was saturated")
            }
        }
    )*};
}

plain!(i8 u8 i16 u16 i32);

/// By the hardware's division and a sum in 64 bits.
fn quantized<Q: Plain>(x: f32, scale: f32, zero: Q) -> Q {
    let [least, largest] = Q::RANGE;
    let quotient = x / scale;
    if quotient.is_nan() {
        return Q::of(least);
    }
    let nearest = f64::from(quotient).round_ties_even().clamp(-1e15, 1e15) as i64;
    Q::of((nearest + zero.wide()).clamp(least, largest))
}

/// By big integers: the difference in two parts that floats hold.
fn dequantized<Q: Plain>(x: Q, scale: f32, zero: Q) -> f32 {
    let difference = x.wide() - zero.wide();
    if !scale.is_finite() || scale == 0.0 {
        return difference as f32 * scale;
    }
    let low = difference & 0xffff;
    let parts = [(difference - low) as f32, low as f32];
    // A part that is zero would be an addend with a sign.
    let parts = parts.into_iter().filter(|&part| part != 0.0 || difference == 0);
    f32::from_bits(exact_dot(parts.map(|part| (part, scale)), None))
}

/// Quotients near the integers of the type and half-way between them, or anything.
fn numbers<Q: Plain>(random: &mut Random, scale: f32) -> f32 {
    let near = |random: &mut Random| (random.below(600) as f32 - 300.0) / 2.0;
    match random.below(4) {
        0 => f32::sample(random),
        1 => Q::sample(random).wide() as f32 * scale,
        _ => near(random) * scale,
    }
}

fn check_type<Q: Plain>() {
    let mut random = Random(81);
    for round in 0..1500 {
        let (dims, [x_strides, scale_strides]) = shape_and_strides(&mut random);
        let zero_strides: Vec<usize> = dims.iter().map(|_| random.below(8)).collect();
        let scales: Vec<f32> = if round % 3 == 0 {
            f32::samples(&mut random, 256)
        } else {
            (0..256).map(|_| [1.0, 0.5, 0.1, 0.007, -0.3][random.below(5)]).collect()
        };
        let x: Vec<f32> = scales.iter().map(|&scale| numbers::<Q>(&mut random, scale)).collect();
        let zeros = Q::samples(&mut random, 256);
        let levels = Q::samples(&mut random, 256);
        let at = |strides: &[usize]| positions(&dims, strides);
        let (at_x, at_scale, at_zero) = (at(&x_strides), at(&scale_strides), at(&zero_strides));
        for with_zero in [true, false] {
            let zero = with_zero.then_some(&zeros[..]);
            // Strides that nobody reads need not fit.
            let zero_strides: &[usize] = if with_zero { &zero_strides } else { &[] };
            let zero_at = |i: usize| if with_zero { zeros[at_zero[i]] } else { Q::ZERO };
            let mut out = vec![Q::ONE; at_x.len()];
            quantize(&dims, &x, &x_strides, &scales, &scale_strides, zero, zero_strides, &mut out);
            let expected: Vec<Q> =
                (0..out.len()).map(|i| quantized(x[at_x[i]], scales[at_scale[i]], zero_at(i))).collect();
            assert_same(&out, &expected, "quantize");
            let mut out = vec![0.5; at_x.len()];
            dequantize(&dims, &levels, &x_strides, &scales, &scale_strides, zero, zero_strides, &mut out);
            let expected: Vec<f32> = (0..out.len())
                .map(|i| dequantized(levels[at_x[i]], scales[at_scale[i]], zero_at(i)))
                .collect();
            assert_same(&out, &expected, "dequantize");
        }
    }
}

#[test]
fn every_type_is_quantized_and_back() {
    // Would catch: ties away from zero, a zero point that is added before rounding or after saturation, a difference that
    // wraps around, two roundings of products of 32 bits, NaN at the wrong end.
    for_each_type!(check_type, i8 u8 i16 u16 i32);
}

#[test]
fn ends_and_ties() {
    let of = |x: f32, zero: i8| {
        let mut out = [7];
        quantize(&[], &[x], &[], &[1.0], &[], Some(&[zero]), &[], &mut out);
        out[0]
    };
    assert_eq!([0.5, 1.5, 2.5, -0.5, -1.5].map(|x| of(x, 0)), [0, 2, 2, 0, -2]);
    assert_eq!([f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30].map(|x| of(x, 5)), [-128, 127, -128, 127]);
    // 2^31 - 5 is an integer of 32 bits, though 2^31 is not.
    let mut out = [0];
    quantize(&[1], &[2147483648.0], &[1], &[1.0], &[1], Some(&[-5i32]), &[1], &mut out);
    assert_eq!(out, [2147483643]);
    let mut out = [0.0];
    dequantize(&[1], &[i32::MIN], &[1], &[0.3], &[1], Some(&[i32::MAX]), &[1], &mut out);
    assert_eq!(f64::from(out[0]), f64::from((-4294967295.0 * f64::from(0.3f32)) as f32));
}

#[test]
fn dynamic_quantization_matches_its_formula() {
    // Would catch: a range without zero, a zero point of another rounding, the sign of zeros.
    let mut random = Random(82);
    for round in 0..4000 {
        let kind = KINDS[round % KINDS.len()];
        let shift = [0.0, 3.0, -3.0][random.below(3)];
        let len = random.below(20);
        let x: Vec<f32> = random.floats(kind, len).into_iter().map(|x| x + shift).collect();
        let low = x.iter().copied().fold(0.0, f32::min);
        let high = x.iter().copied().fold(0.0, f32::max);
        let nan = x.iter().any(|x| x.is_nan());
        let step = match () {
            () if nan => f32::NAN,
            () if high == low => 1.0,
            () => (high - low) / 255.0,
        };
        let offset = quantized(0.0 - low / step, 1.0, 0u8);
        let mut out = vec![7; x.len()];
        let (mut scale, mut zero) = ([0.0], [7]);
        dynamic_quantize(&x, &mut out, &mut scale, &mut zero);
        assert_eq!(scale[0].to_bits(), canonical_bits(step), "{x:?}");
        assert_eq!(zero[0], offset, "{x:?}");
        let expected: Vec<u8> = x.iter().map(|&x| quantized(x, step, offset)).collect();
        assert_eq!(out, expected, "{x:?}");
    }
    // The first example of ONNX's specification.
    let x = [0.0, 2.0, -3.0, -2.5, 1.34, 0.5];
    let (mut out, mut scale, mut zero) = ([0; 6], [0.0], [0]);
    dynamic_quantize(&x, &mut out, &mut scale, &mut zero);
    assert_eq!((out, scale[0], zero[0]), ([153, 255, 0, 26, 221, 179], 0.019_607_844, 153));
    let zeros = Random(83).floats(Kind::Zeros, 6);
    dynamic_quantize(&zeros, &mut out, &mut scale, &mut zero);
    assert_eq!((out, scale[0], zero[0]), ([0; 6], 1.0, 0));
}

#[test]
#[should_panic(expected = "quantize: one scale and one zero point are needed")]
fn several_dynamic_scales_are_refused() {
    dynamic_quantize(&[1.0], &mut [0], &mut [0.0; 2], &mut [0]);
}

/// A step of its own against the three that it stands for.
#[test]
fn requantized_sums_are_quantized_products() {
    let sums: Vec<i32> = (0..600).map(|i| (i - 300) * (i % 37) * 91).collect();
    let (bias, multiplier) = ([-70, 0, 4000], [1.0 / 700.0, 0.003, 2.5e-5]);
    for rectified in [false, true] {
        let mut got = [0i8; 600];
        let zero = -5i8;
        opml_kernels::requantize(
            rectified,
            &[3, 200],
            &sums,
            &[200, 1],
            &bias,
            &[1, 0],
            &multiplier,
            &[1, 0],
            &[zero],
            &mut got,
        );
        for (i, &got) in got.iter().enumerate() {
            let product = (sums[i] + bias[i / 200]) as f32 * multiplier[i / 200];
            let level = (product.round_ties_even() as i32 - 5).clamp(-128, 127) as i8;
            assert_eq!(got, if rectified { level.max(zero) } else { level }, "{i}");
        }
        assert!(got.contains(&127) && got.contains(&if rectified { zero } else { -128 }));
    }
}
