//! Products of numbers that were bytes: between `DequantizeLinear` and `QuantizeLinear` a model says in floats what integers do
//! exactly, and in fewer steps.
//!
//! A sum of (a - a0) s (b - b0) t is s t times a sum of integers. The integers are summed up, and what the float form would have rounded on
//! the way is rounded once.

use opml_abi::DataType;
use opml_kernels::BinaryOp;

use super::Call;
use super::quantised::{conv_sums, product, zero_point};
use crate::builder::{Built, Quantised, Scaled, Value};

/// Where a value comes from, if it is all of a tensor of bytes that was dequantised with known parameters.
fn bytes(call: &Call<'_>, value: &Value) -> Option<Quantised> {
    let from = call.b.quantised(value)?;
    let known = |value: &Value| call.b.is_constant(value);
    let parameters = known(&from.scale) && from.zero.as_ref().is_none_or(known);
    (parameters && matches!(from.x.dtype, DataType::Int8 | DataType::Uint8)).then_some(from)
}

/// A number for each channel or for all, as part of a tensor of rank `rank` whose channels are the axis `axis`.
fn along(call: &Call<'_>, value: &Value, axis: usize, rank: usize) -> Value {
    if value.len() == 1 {
        return value.with(Vec::new(), Vec::new());
    }
    (axis + 1..rank).fold(value.clone(), |value, _| call.b.unsqueeze(&value, value.rank()))
}

/// Sums as floats: times both scales, with the bias, whose channels are the axis `axis`.
fn scaled(
    call: &mut Call<'_>,
    sums: &Value,
    scales: [&Value; 2],
    bias: Option<&Value>,
    axis: usize,
) -> Built {
    let [a, b] = scales;
    let a = a.with(Vec::new(), Vec::new());
    let scale = call.b.binary(BinaryOp::Mul, b, &a)?;
    let mut term = call.b.scalar(DataType::Int32, 0.0);
    let mut rest = bias.cloned();
    // A bias that was an integer with the same scale is one more term of the sum.
    if let Some(from) = bias.and_then(|bias| call.b.quantised(bias)) {
        let zero = from.zero.as_ref().and_then(|zero| call.b.as_integers(zero));
        let fits = from.x.dtype == DataType::Int32
            && zero.is_none_or(|zero| zero.iter().all(|&zero| zero == 0))
            && call.b.as_floats(&from.scale) == call.b.as_floats(&scale)
            && from.scale.len() == scale.len();
        if fits {
            term = from.x;
            rest = None;
        }
    }
    let term = along(call, &term, axis, sums.rank());
    let scale = along(call, &scale, axis, sums.rank());
    let whole = call.b.binary(BinaryOp::Add, sums, &term)?;
    let floats = call.b.cast(&whole, DataType::Float32)?;
    let out = call.b.binary(BinaryOp::Mul, &floats, &scale)?;
    match rest {
        Some(bias) => {
            let bias = along(call, &bias, axis, sums.rank());
            call.b.binary(BinaryOp::Add, &out, &bias)
        }
        None => {
            let from = Scaled { sums: sums.clone(), bias: term, scale, rectified: false };
            call.b.remember_scaled(&out, from);
            Ok(out)
        }
    }
}

/// A convolution, if image and filters were bytes.
pub(super) fn conv(call: &mut Call<'_>, x: &Value, w: &Value, bias: Option<&Value>) -> Built<Option<Value>> {
    let (Some(image), Some(filters)) = (bytes(call, x), bytes(call, w)) else { return Ok(None) };
    let per_filter = filters.scale.len() == 1 || (filters.axis == 0 && filters.scale.len() == w.shape[0]);
    if image.scale.len() != 1 || !per_filter || !call.b.is_constant(&filters.x) {
        return Ok(None);
    }
    let x_zero = zero_point(call.b, image.zero, &image.x)?;
    let w_zero = zero_point(call.b, filters.zero, &filters.x)?;
    let sums = conv_sums(call, &image.x, &x_zero, &filters.x, &w_zero)?;
    scaled(call, &sums, [&image.scale, &filters.scale], bias, 1).map(Some)
}

/// A product of matrices, the right one perhaps transposed, if both were bytes.
pub(super) fn matmul(
    call: &mut Call<'_>,
    a: &Value,
    b: &Value,
    transposed: bool,
    bias: Option<&Value>,
) -> Built<Option<Value>> {
    let (Some(left), Some(right)) = (bytes(call, a), bytes(call, b)) else { return Ok(None) };
    let columns_axis = if transposed { 0 } else { 1 };
    let is_matrix = a.rank() >= 2 && b.rank() == 2;
    let per_column = right.scale.len() == 1
        || (right.axis == columns_axis && is_matrix && right.scale.len() == b.shape[columns_axis]);
    if !is_matrix || left.scale.len() != 1 || !per_column || !call.b.is_constant(&right.x) {
        return Ok(None);
    }
    let weights = if transposed { call.b.transpose(&right.x, &[1, 0]) } else { right.x.clone() };
    let a_zero = zero_point(call.b, left.zero, &left.x)?;
    let b_zero = zero_point(call.b, right.zero, &right.x)?;
    // Several matrices on the left are one with more rows.
    let (k, n) = (weights.shape[0], weights.shape[1]);
    if left.x.shape.last() != Some(&k) {
        return Ok(None);
    }
    let rows = left.x.len() / k.max(1);
    let flat = call.b.reshape(&left.x, &[rows, k])?;
    let sums = product(call, &flat, &a_zero, &weights, &b_zero)?;
    let shape = [&a.shape[..a.rank() - 1], &[n]].concat();
    let sums = call.b.reshape(&sums, &shape)?;
    scaled(call, &sums, [&left.scale, &right.scale], bias, a.rank() - 1).map(Some)
}
