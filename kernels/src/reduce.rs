//! Reductions along one axis, and softmax.

use crate::arithmetic;
use crate::dot::Accumulator;
use crate::elementary::exp;
use crate::pool::Maximum;

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
    fn for_each_line(self, mut visit: impl FnMut(usize, Line)) {
        for outer in 0..self.outer {
            for inner in 0..self.inner {
                let first = outer * self.len * self.inner + inner;
                visit(outer * self.inner + inner, Line { first, len: self.len, step: self.inner });
            }
        }
    }

    #[inline]
    fn check(self, full: usize, reduced: Option<usize>) {
        assert!(full == self.outer * self.len * self.inner, "axis: input does not fit the shape");
        assert!(reduced.is_none_or(|n| n == self.outer * self.inner), "axis: output does not fit the shape");
    }
}

/// Evenly spaced elements.
#[derive(Clone, Copy)]
struct Line {
    first: usize,
    len: usize,
    step: usize,
}

impl Line {
    #[inline(always)]
    fn for_each(self, mut visit: impl FnMut(usize)) {
        let mut at = self.first;
        for _ in 0..self.len {
            visit(at);
            at += self.step;
        }
    }
}

/// RN(exact sum) of each line; +0 for empty lines.
///
/// # Panics
/// If a slice does not fit the shape.
#[inline]
pub fn reduce_sum(axis: Axis, x: &[f32], out: &mut [f32]) {
    axis.check(x.len(), Some(out.len()));
    let mut sum = Accumulator::new();
    axis.for_each_line(|number, line| {
        line.for_each(|at| sum.add_value(x[at]));
        out[number] = sum.round();
    });
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
    axis.check(x.len(), Some(out.len()));
    axis.for_each_line(|number, line| {
        let mut largest = Maximum::new();
        line.for_each(|at| largest.add(x[at]));
        out[number] = largest.get();
    });
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
        let mut largest = Maximum::new();
        line.for_each(|at| largest.add(x[at]));
        let largest = largest.get();
        line.for_each(|at| {
            out[at] = exp(arithmetic::sub(x[at], largest));
            sum.add_value(out[at]);
        });
        let sum = sum.round();
        line.for_each(|at| out[at] = arithmetic::div(out[at], sum));
    });
}
