//! The operators that have packed weights.

use crate::conv::Conv2d;
use crate::dot::rows::Bias;
use crate::dot::terms::Pairs;
use crate::matmul::MatMul;
use crate::packed::dots::{COLUMNS, Dots, Input, scratch_words};
use crate::packed::format::PackedRows;

/// Words of scratch that [`matmul_packed`] needs.
pub const fn matmul_scratch(shape: &MatMul) -> usize {
    scratch_words(shape.m, shape.k, shape.n)
}

/// What [`matmul`](crate::matmul()) computes, with the columns of B packed: `b` is
/// [`pack`](super::pack)`(k, n, ...)` of `b[k, n]` at (n, k). The strides of B in `shape` do not matter.
///
/// # Panics
/// If a slice does not fit the shape or `scratch` is shorter than [`matmul_scratch`].
#[inline]
pub fn matmul_packed(
    shape: &MatMul,
    a: &[f32],
    b: &[u32],
    bias: Option<&[f32]>,
    scratch: &mut [u32],
    out: &mut [f32],
) {
    shape.check_without_b(a, bias, out);
    let mut dots = Dots::new(PackedRows::new(b, shape.k, shape.n), shape.m, scratch);
    let input = |i: usize| Input {
        x: a,
        pairs: Pairs::line(shape.k, i * shape.a_row, shape.a_column, 1),
        out: i * shape.n,
        out_step: 1,
    };
    let bias =
        |i: usize| bias.map(|values| Bias { values, start: i * shape.bias_row, step: shape.bias_column });
    // Vectors that are multiplied together have the same bias.
    let columns = if shape.bias_row == 0 { COLUMNS } else { 1 };
    for i in (0..shape.m).step_by(columns) {
        if i == 0 || shape.bias_row != 0 {
            dots.set_bias(bias(i));
        }
        let inputs = [input(i), input(i + 1)];
        dots.run(&inputs[..columns.min(shape.m - i)], out);
    }
}

/// Words of scratch that [`conv2d_packed`] needs.
pub const fn conv2d_scratch(shape: &Conv2d) -> usize {
    scratch_words(shape.output.width, shape.taps(), shape.output.channels)
}

/// What [`conv2d`](crate::conv2d()) computes for a shape with one group, with the weights packed: `w` is
/// [`pack`](super::pack) of the weights of an output channel as a row.
///
/// # Panics
/// If a slice does not fit the shape, there are several groups, or `scratch` is shorter than [`conv2d_scratch`].
#[inline]
pub fn conv2d_packed(
    shape: &Conv2d,
    x: &[f32],
    w: &[u32],
    bias: Option<&[f32]>,
    scratch: &mut [u32],
    out: &mut [f32],
) {
    assert!(shape.groups == 1, "conv2d: packed weights have one group");
    shape.check_images(x, bias, out);
    let image = &shape.output;
    let mut dots = Dots::new(PackedRows::new(w, shape.taps(), image.channels), image.width, scratch);
    dots.set_bias(bias.map(|values| Bias { values, start: 0, step: 1 }));
    let input = |row: usize, column: usize| Input {
        x,
        pairs: shape.patch(0, row, column),
        out: row * image.row_stride + column * image.column_stride,
        out_step: image.channel_stride,
    };
    for row in 0..image.height {
        for column in (0..image.width).step_by(COLUMNS) {
            let inputs = [input(row, column), input(row, column + 1)];
            dots.run(&inputs[..COLUMNS.min(image.width - column)], out);
        }
    }
}
