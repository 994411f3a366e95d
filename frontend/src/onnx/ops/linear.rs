//! Products of matrices and convolutions.

use opml_abi::DataType;
use opml_kernels::BinaryOp;

use super::pools::Windows;
use super::{Call, Family, qdq};
use crate::builder::{Built, Value};

pub(super) const OPERATORS: Family =
    &[("BatchNormalization", batch_normalization), ("Conv", conv), ("Gemm", gemm), ("MatMul", matmul)];

fn matmul(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (a, b) = (call.input(0)?, call.input(1)?);
    if let Some(sums) = qdq::matmul(call, &a, &b, false, None)? {
        return Ok(vec![sums]);
    }
    Ok(vec![product(call, &a, &b)?])
}

/// As numpy's: a vector is a row on the left and a column on the right, and the result does not have its axis of length 1.
pub(super) fn product(call: &mut Call<'_>, a: &Value, b: &Value) -> Built {
    let left = if a.rank() == 1 { call.b.unsqueeze(a, 0) } else { a.clone() };
    let right = if b.rank() == 1 { call.b.unsqueeze(b, 1) } else { b.clone() };
    let mut out = call.b.matmul(&left, &right)?;
    if b.rank() == 1 {
        out = call.b.index(&out, out.rank() - 1, 0);
    }
    if a.rank() == 1 {
        let rows = out.rank() - if b.rank() == 1 { 1 } else { 2 };
        out = call.b.index(&out, rows, 0);
    }
    Ok(out)
}

/// alpha * A' B' + beta * C.
fn gemm(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (mut a, mut b) = (call.input(0)?, call.input(1)?);
    if a.rank() != 2 || b.rank() != 2 {
        return Err(format!("operands of the shapes {:?} and {:?}", a.shape, b.shape));
    }
    let (alpha, beta) = (call.float("alpha", 1.0), call.float("beta", 1.0));
    let transposed = call.flag("transB", false);
    if !call.flag("transA", false) && alpha == 1.0 && beta == 1.0 {
        let bias = call.optional(2).filter(|bias| bias.rank() == 1);
        if bias.is_some() == call.optional(2).is_some()
            && let Some(sums) = qdq::matmul(call, &a, &b, transposed, bias.as_ref())?
        {
            return Ok(vec![sums]);
        }
    }
    if call.flag("transA", false) {
        a = call.b.transpose(&a, &[1, 0]);
    }
    if transposed {
        b = call.b.transpose(&b, &[1, 0]);
    }
    let mut out = call.b.matmul(&a, &b)?;
    if alpha != 1.0 {
        out = call.times(&out, alpha)?;
    }
    if let Some(mut bias) = call.optional(2).filter(|_| beta != 0.0) {
        if beta != 1.0 {
            bias = call.times(&bias, beta)?;
        }
        if let Some(fused) = call.b.fuse_bias(&out, &bias) {
            return Ok(vec![fused]);
        }
        out = call.b.binary(BinaryOp::Add, &out, &bias)?;
    }
    Ok(vec![out])
}

fn conv(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (x, w, bias) = (call.input(0)?, call.input(1)?, call.optional(2));
    if x.dtype != DataType::Float32 || w.rank() != x.rank() {
        return Err(format!("operands {} {:?} and {:?}", x.dtype, x.shape, w.shape));
    }
    if let Some(sums) = qdq::conv(call, &x, &w, bias.as_ref())? {
        return Ok(vec![sums]);
    }
    let groups = usize::try_from(call.int("group", 1)).map_err(|_| "a negative number of groups")?;
    let windows = Windows::new(call, &x.shape, Some(&w.shape))?;
    if windows.axes() > 2 {
        return Ok(vec![super::pools::conv_by_windows(call, &x, &w, bias.as_ref(), &windows, groups)?]);
    }
    let (image, filters) = (windows.image(call, &x), windows.image(call, &w));
    let out = call.b.conv2d(&image, &filters, bias.as_ref(), &windows.plane(), groups)?;
    Ok(vec![windows.of_image(call, out)?])
}

/// (x - mean) / sqrt(variance + epsilon) * scale + bias, with the statistics of the training.
fn batch_normalization(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    if call.flag("training_mode", false) {
        return Err("it is in training mode: its statistics would be those of the input".into());
    }
    if x.rank() < 2 {
        return Err(format!("an operand of the shape {:?}", x.shape));
    }
    let [scale, bias, mean, variance] = [call.input(1)?, call.input(2)?, call.input(3)?, call.input(4)?];
    let channels = x.shape[1];
    if [&scale, &bias, &mean, &variance].iter().any(|value| value.shape != [channels]) {
        return Err(format!("its parameters are not for {channels} channels"));
    }
    let epsilon = call.float("epsilon", 1e-5);
    let more = call.plus(&variance, epsilon)?;
    let deviation = call.b.unary(opml_kernels::UnaryOp::Sqrt, &more)?;
    let factor = call.b.binary(BinaryOp::Div, &scale, &deviation)?;
    let moved = call.b.binary(BinaryOp::Mul, &mean, &factor)?;
    let shift = call.b.binary(BinaryOp::Sub, &bias, &moved)?;
    let fusible = call.fusible_at(0);
    Ok(vec![call.b.affine(&x, &factor, &shift, fusible)?])
}
