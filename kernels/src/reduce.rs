//! Reductions and running sums along one axis, and softmax.

use crate::arithmetic;
use crate::dot::Accumulator;
use crate::element::Number;
use crate::elementary::exp;
use crate::fold::{Fold, Maximum, Product};

/// What a line of elements is reduced to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReduceOp {
    /// The sum, of floats the exact one rounded once; 0 (+0) of none.
    Sum,
    /// The largest, with -0 below +0; NaN if there is one; the least integer or -infinity of none.
    Max,
    /// The least, with -0 below +0; NaN if there is one; the largest integer or +infinity of none.
    Min,
    /// The product in the order of the elements, each step of floats rounded; 1 of none.
    Product,
}

/// The axis of a row-major tensor that is reduced: the tensor is seen as `outer` x `len` x `inner`.
/// Neighbouring axes reduced together are one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Axis {
    /// Product of the dimensions before the axis.
    pub outer: usize,
    /// Elements along it.
    pub len: usize,
    /// Product of the dimensions after it.
    pub inner: usize,
}

impl Axis {
    /// Calls `visit` with each line's number, in the order of the reduced tensor, and the indices of
    /// its elements.
    #[inline(always)]
    pub(crate) fn for_each_line(self, mut visit: impl FnMut(usize, Line)) {
        for outer in 0..self.outer {
            for inner in 0..self.inner {
                let first = outer * self.len * self.inner + inner;
                visit(outer * self.inner + inner, Line { first, len: self.len, step: self.inner });
            }
        }
    }

    #[inline]
    pub(crate) fn check(self, full: usize, reduced: Option<usize>) {
        assert!(full == self.outer * self.len * self.inner, "axis: input does not fit the shape");
        assert!(reduced.is_none_or(|n| n == self.outer * self.inner), "axis: output does not fit the shape");
    }
}

/// Evenly spaced elements.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    pub first: usize,
    pub len: usize,
    pub step: usize,
}

impl Line {
    #[inline(always)]
    pub fn for_each(self, mut visit: impl FnMut(usize)) {
        let mut at = self.first;
        for _ in 0..self.len {
            visit(at);
            at += self.step;
        }
    }
}

/// What `op` makes of each line. Integers wrap around.
///
/// # Panics
/// If a slice does not fit the shape.
// Always inlined: else programs with two reductions would have the code of all of them.
#[inline(always)]
pub fn reduce<T: Number>(op: ReduceOp, axis: Axis, x: &[T], out: &mut [T]) {
    match op {
        ReduceOp::Sum => fold_lines::<T, T::Sum>(axis, x, out),
        ReduceOp::Max => fold_lines::<T, T::Largest>(axis, x, out),
        ReduceOp::Min => fold_lines::<T, T::Smallest>(axis, x, out),
        ReduceOp::Product => fold_lines::<T, Product<T>>(axis, x, out),
    }
}

#[inline]
fn fold_lines<T: Number, F: Fold<T>>(axis: Axis, x: &[T], out: &mut [T]) {
    axis.check(x.len(), Some(out.len()));
    let mut fold = F::empty();
    axis.for_each_line(|number, line| {
        line.for_each(|at| fold.add(x[at]));
        out[number] = fold.take();
    });
}

/// The sums of the first elements of each line: ONNX `CumSum`. Element i is the sum of those up to it or, if `exclusive`, of those
/// before it; with `reverse` of those from it, or after it. Of floats each is RN of the exact sum, +0 of none; of
/// integers it wraps around.
///
/// # Panics
/// If a slice does not fit the shape.
#[inline]
pub fn cumulative_sum<T: Number>(axis: Axis, exclusive: bool, reverse: bool, x: &[T], out: &mut [T]) {
    axis.check(x.len(), None);
    axis.check(out.len(), None);
    let mut sum = T::Sum::empty();
    axis.for_each_line(|_, line| {
        for step in 0..line.len {
            let at = line.first + line.step * if reverse { line.len - 1 - step } else { step };
            if exclusive {
                out[at] = sum.current();
            }
            sum.add(x[at]);
            if !exclusive {
                out[at] = sum.current();
            }
        }
        sum.take();
    });
}

/// RN(exact sum) of each line; +0 for empty lines.
///
/// # Panics
/// If a slice does not fit the shape.
#[inline]
pub fn reduce_sum(axis: Axis, x: &[f32], out: &mut [f32]) {
    reduce(ReduceOp::Sum, axis, x, out);
}

/// RN(exact sum) / length of each line, the division rounded; NaN for empty lines.
///
/// # Panics
/// If a slice does not fit the shape.
#[inline]
pub fn reduce_mean(axis: Axis, x: &[f32], out: &mut [f32]) {
    reduce_sum(axis, x, out);
    let len = axis.len as f32;
    out.iter_mut().for_each(|value| *value = arithmetic::div(*value, len));
}

/// The largest element of each line: with -0 below +0, NaN if there is one, -infinity for empty lines.
///
/// # Panics
/// If a slice does not fit the shape.
#[inline]
pub fn reduce_max(axis: Axis, x: &[f32], out: &mut [f32]) {
    reduce(ReduceOp::Max, axis, x, out);
}

/// Softmax of each line: with m its largest element, e_i = [`exp`]`(x_i - m)` and
/// s = RN(exact sum of the e_i), element i is e_i / s; subtraction and division are rounded.
///
/// A line with a NaN or +infinity, or with nothing but -infinity, becomes NaN.
///
/// # Panics
/// If a slice does not fit the shape.
#[inline]
pub fn softmax(axis: Axis, x: &[f32], out: &mut [f32]) {
    axis.check(x.len(), None);
    axis.check(out.len(), None);
    let mut sum = Accumulator::new();
    axis.for_each_line(|_, line| {
        let mut largest = Maximum::empty();
        line.for_each(|at| largest.add(x[at]));
        let largest = largest.current();
        line.for_each(|at| {
            out[at] = exp(arithmetic::sub(x[at], largest));
            sum.add_value(out[at]);
        });
        let sum = sum.round();
        line.for_each(|at| out[at] = arithmetic::div(out[at], sum));
    });
}
