//! The operators that have a native form; the others are those of `opml-kernels`.

use fearless_simd::Level;
use opml_kernels::dot::Accumulator;
use opml_kernels::{self as kernels, Axis, Conv2d, MatMul, UnaryOp};
use rayon::prelude::*;

use crate::bound::Bound;
use crate::tiles::{Biases, Sums, run};
use crate::vectors::{Lines, Vectors, Windows};

/// Elements that are worth a task of their own.
const ELEMENTS: usize = 1 << 12;

/// What [`opml_kernels::matmul()`] computes.
///
/// # Panics
/// If a slice does not fit the shape.
pub fn matmul(level: Level, shape: &MatMul, a: &[f32], b: &[f32], bias: Option<&[f32]>, out: &mut [f32]) {
    shape.check(a, b, bias, out);
    let sums = Sums {
        m: shape.m,
        n: shape.n,
        k: shape.k,
        rows: Lines { values: a, start: 0, step: shape.a_row, element: shape.a_column },
        lanes: Vectors::Lines(Lines { values: b, start: 0, step: shape.b_column, element: shape.b_row }),
        biases: bias.map(|values| Biases { values, start: 0, row: shape.bias_row, lane: shape.bias_column }),
    };
    run(level, &[sums], |_, row, column, value| out[row * shape.n + column] = value);
}

/// What [`opml_kernels::conv2d()`] computes.
///
/// # Panics
/// If a slice does not fit the shape.
pub fn conv2d(level: Level, shape: &Conv2d, x: &[f32], w: &[f32], bias: Option<&[f32]>, out: &mut [f32]) {
    shape.check(x, w, bias, out);
    let (image, taps) = (&shape.output, shape.taps());
    let filters = image.channels / shape.groups;
    let windows = Windows::new(shape);
    let group = |group: usize| Sums {
        m: filters,
        n: image.height * image.width,
        k: taps,
        rows: Lines { values: w, start: group * filters * taps, step: taps, element: 1 },
        lanes: Vectors::Windows { windows: &windows, x, channel: group * shape.depth() },
        biases: bias.map(|values| Biases { values, start: group * filters, row: 1, lane: 0 }),
    };
    let groups: Vec<Sums> = (0..shape.groups).map(group).collect();
    let pixels = (0..image.height).flat_map(|row| (0..image.width).map(move |column| (row, column)));
    let places: Vec<usize> =
        pixels.map(|(row, column)| row * image.row_stride + column * image.column_stride).collect();
    run(level, &groups, |group, filter, pixel, value| {
        out[(group * filters + filter) * image.channel_stride + places[pixel]] = value;
    });
}

/// What [`opml_kernels::reduce_sum`] computes.
///
/// # Panics
/// If a slice does not fit the shape.
pub fn reduce_sum(axis: Axis, x: &[f32], out: &mut [f32]) {
    assert!(x.len() == axis.outer * axis.len * axis.inner, "axis: input does not fit the shape");
    assert!(out.len() == axis.outer * axis.inner, "axis: output does not fit the shape");
    let bound = Bound::new(axis.len);
    out.par_iter_mut().with_min_len(ELEMENTS / axis.len.max(1)).enumerate().for_each(|(line, out)| {
        let first = line / axis.inner * axis.len * axis.inner + line % axis.inner;
        let values = || (0..axis.len).map(|element| x[first + element * axis.inner]);
        // Binary64 holds each of them; (V) with ones as the other side, whose products are the values.
        let (mut sum, mut magnitude) = (0.0, 0.0);
        for value in values().map(f64::from) {
            sum += value;
            magnitude += value.abs();
        }
        let (value, certain) = bound.round(sum, magnitude);
        *out = if certain {
            value
        } else {
            let mut sum = Accumulator::new();
            values().for_each(|value| sum.add_value(value));
            sum.round()
        };
    });
}

/// What [`opml_kernels::softmax`] computes.
///
/// # Panics
/// If a slice does not fit the shape.
pub fn softmax(axis: Axis, x: &[f32], out: &mut [f32]) {
    let plane = axis.len * axis.inner;
    if plane == 0 {
        return kernels::softmax(axis, x, out);
    }
    assert!(x.len() == axis.outer * plane, "axis: input does not fit the shape");
    assert!(out.len() == x.len(), "axis: output does not fit the shape");
    let one = Axis { outer: 1, ..axis };
    let planes = out.par_chunks_mut(plane).zip(x.par_chunks(plane));
    planes.with_min_len(ELEMENTS / plane).for_each(|(out, x)| kernels::softmax(one, x, out));
}

/// What [`opml_kernels::unary`] computes.
///
/// # Panics
/// If the slices differ in length.
pub fn unary(op: UnaryOp, x: &[f32], out: &mut [f32]) {
    assert!(x.len() == out.len(), "unary: lengths differ");
    let parts = out.par_chunks_mut(ELEMENTS).zip(x.par_chunks(ELEMENTS));
    parts.for_each(|(out, x)| kernels::unary(op, x, out));
}
