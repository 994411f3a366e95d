//! Numbers as integers in units of a scale, and back: ONNX `QuantizeLinear`, `DequantizeLinear` and `DynamicQuantizeLinear`.

use opml_softfloat::single;

use crate::arithmetic::{div, mul, sub};
use crate::bits::{SIGN, finite_parts, is_finite, is_nan, is_zero};
use crate::broadcast::{Operand, zip3};
use crate::element::Integer;
use crate::fold::{Fold, Maximum, Minimum};
use crate::integer::rounded;
use crate::rounding::round;

/// An integer that numbers are quantized to.
pub trait Quantized: Integer {
    /// `quotient` rounded to the nearest integer, ties to even, plus `zero`; the nearest one there is if that does not fit,
    /// and the least for NaN.
    fn quantized(quotient: f32, zero: Self) -> Self;

    /// (self - `zero`) x `scale`, the difference being exact and the product rounded once.
    fn dequantized(self, zero: Self, scale: f32) -> f32;
}

macro_rules! quantized {
    ($nearest:ident: $($integer:ident)*) => {$(
        impl Quantized for $integer {
            #[inline(always)]
            fn quantized(quotient: f32, zero: Self) -> Self {
                let sum = $nearest(quotient).saturating_add(zero.into());
                sum.clamp(Self::MIN.into(), Self::MAX.into()) as Self
            }

            #[inline(always)]
            fn dequantized(self, zero: Self, scale: f32) -> f32 {
                let difference = i32::from(self) - i32::from(zero);
                mul(f32::from_bits(single::from_i32(difference)), scale)
            }
        }
    )*};
}

/// The nearest integer, ties to even. What is beyond 255 is beyond the end of a byte, whatever zero point is added, and NaN is below.
#[inline(always)]
fn near_a_byte(quotient: f32) -> i32 {
    rounded(quotient.to_bits())
}

/// The nearest integer, ties to even; the nearest one there is, and the least for NaN.
#[inline(always)]
fn near(quotient: f32) -> i32 {
    if is_nan(quotient.to_bits()) { i32::MIN } else { single::to_i32(round(quotient).to_bits()) }
}

quantized!(near_a_byte: i8 u8);
quantized!(near: i16 u16);

impl Quantized for i32 {
    #[inline(always)]
    fn quantized(quotient: f32, zero: Self) -> Self {
        if is_nan(quotient.to_bits()) {
            return Self::MIN;
        }
        let nearest = single::to_i64(round(quotient).to_bits());
        nearest.saturating_add(zero.into()).clamp(Self::MIN.into(), Self::MAX.into()) as Self
    }

    #[inline]
    fn dequantized(self, zero: Self, scale: f32) -> f32 {
        let difference = i64::from(self) - i64::from(zero);
        let magnitude = difference.unsigned_abs();
        let bits = scale.to_bits();
        if magnitude <= 1 << 24 || !is_finite(bits) || is_zero(bits) {
            // A float holds the difference, or its value is of no matter.
            return mul(f32::from_bits(single::from_i64(difference)), scale);
        }
        // At most 33 bits times 24.
        let parts = finite_parts(bits & !SIGN);
        let sign = (bits ^ (difference >> 32) as u32) & SIGN;
        f32::from_bits(sign | single::pack(parts.exponent as i32, magnitude * parts.mantissa as u64))
    }
}

/// `out[i]` = saturate(RNI(`x[i]` (/) `scale[i]`) + `zero[i]`), RNI the nearest integer, ties to even; the least integer if the quotient is NaN. The
/// operands have the shape `dims` and these strides, `out` is row-major; without `zero`, whose strides are then not
/// read, it is 0.
///
/// # Panics
/// If a slice does not fit the shape, or the rank is above [`MAX_RANK`](crate::layout::MAX_RANK).
#[expect(clippy::too_many_arguments, reason = "three tensors with their strides")]
#[inline]
pub fn quantize<Q: Quantized>(
    dims: &[usize],
    x: &[f32],
    x_strides: &[usize],
    scale: &[f32],
    scale_strides: &[usize],
    zero: Option<&[Q]>,
    zero_strides: &[usize],
    out: &mut [Q],
) {
    let x = Operand { data: x, strides: x_strides };
    let scale = Operand { data: scale, strides: scale_strides };
    match zero {
        Some(data) => {
            let zero = Operand { data, strides: zero_strides };
            zip3(dims, x, scale, zero, out, |x, scale, zero| Q::quantized(div(x, scale), zero));
        }
        // Something of the right shape, which is not looked at.
        None => zip3(dims, x, scale, scale, out, |x, scale, _| Q::quantized(div(x, scale), Q::ZERO)),
    }
}

/// `out[i]` = RN((`x[i]` - `zero[i]`) x `scale[i]`), the difference being exact. The operands have the shape `dims` and these
/// strides, `out` is row-major; without `zero`, whose strides are then not read, it is 0.
///
/// # Panics
/// If a slice does not fit the shape, or the rank is above [`MAX_RANK`](crate::layout::MAX_RANK).
#[expect(clippy::too_many_arguments, reason = "three tensors with their strides")]
#[inline]
pub fn dequantize<Q: Quantized>(
    dims: &[usize],
    x: &[Q],
    x_strides: &[usize],
    scale: &[f32],
    scale_strides: &[usize],
    zero: Option<&[Q]>,
    zero_strides: &[usize],
    out: &mut [f32],
) {
    let x = Operand { data: x, strides: x_strides };
    let scale = Operand { data: scale, strides: scale_strides };
    match zero {
        Some(data) => {
            let zero = Operand { data, strides: zero_strides };
            zip3(dims, x, scale, zero, out, |x, scale, zero| x.dequantized(zero, scale));
        }
        // Something of the right shape, which is not looked at.
        None => zip3(dims, x, scale, scale, out, |x, scale, _| x.dequantized(Q::ZERO, scale)),
    }
}

/// `out[i]` = saturate(RNI(RN(`x[i]` + `bias[i]`) (x) `multiplier[i]`) + `zero`), no less than `zero` with `rectified`: integers of sums in
/// another scale, as ONNX `QLinearConv` has it, perhaps with a ReLU between. The sum of the two wraps around. The operands have the shape `dims`
/// and these strides, `out` is row-major.
///
/// # Panics
/// If a slice does not fit the shape, `zero` is not one element, or the rank is above [`MAX_RANK`](crate::layout::MAX_RANK).
#[expect(clippy::too_many_arguments, reason = "three tensors with their strides")]
#[inline]
pub fn requantize<Q: Quantized>(
    rectified: bool,
    dims: &[usize],
    x: &[i32],
    x_strides: &[usize],
    bias: &[i32],
    bias_strides: &[usize],
    multiplier: &[f32],
    multiplier_strides: &[usize],
    zero: &[Q],
    out: &mut [Q],
) {
    let &[zero] = zero else { panic!("requantize: one zero point is needed") };
    let x = Operand { data: x, strides: x_strides };
    let bias = Operand { data: bias, strides: bias_strides };
    let multiplier = Operand { data: multiplier, strides: multiplier_strides };
    zip3(dims, x, bias, multiplier, out, |x, bias, multiplier| {
        let sum = f32::from_bits(single::from_i32(x.wrapping_add(bias)));
        let level = Q::quantized(mul(sum, multiplier), zero);
        if rectified && level < zero { zero } else { level }
    });
}

/// Bytes of all of `x` with a scale and a zero point of their own, which are written to the single elements of `scale` and `zero`:
/// ONNX `DynamicQuantizeLinear`. With l = min(0, least of x) and h = max(0, largest of x),
///
/// * scale = (h (-) l) (/) 255, or 1 if h = l;
/// * zero = saturate(RNI(0 (-) (l (/) scale)));
/// * out as [`quantize`] has it.
///
/// If one of `x` is NaN the scale is too, and all bytes are 0.
///
/// # Panics
/// If `x` and `out` differ in length, or `scale` and `zero` are not of one element.
#[inline]
pub fn dynamic_quantize(x: &[f32], out: &mut [u8], scale: &mut [f32], zero: &mut [u8]) {
    assert!(x.len() == out.len(), "quantize: lengths differ");
    assert!(scale.len() == 1 && zero.len() == 1, "quantize: one scale and one zero point are needed");
    let (mut low, mut high) = (Minimum::empty(), Maximum::empty());
    low.add(0.0);
    high.add(0.0);
    for &x in x {
        low.add(x);
        high.add(x);
    }
    let (low, high) = (low.current(), high.current());
    let range = sub(high, low);
    let step = if is_zero(range.to_bits()) { 1.0 } else { div(range, 255.0) };
    let offset = u8::quantized(sub(0.0, div(low, step)), 0);
    x.iter().zip(out).for_each(|(&x, out)| *out = u8::quantized(div(x, step), offset));
    (scale[0], zero[0]) = (step, offset);
}
