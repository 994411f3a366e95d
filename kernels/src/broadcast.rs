//! Loops over tensors of one shape that lie in memory in several ways.

use crate::layout::{check_extent, for_each_row, row_len, row_step};

/// A function of two elements as a type: a function passed as a value would be called in loops that hold it more
/// than once.
pub(crate) trait Function<T> {
    /// Of what type its values are.
    type Result;

    fn of(a: T, b: T) -> Self::Result;
}

/// A tensor with its strides.
#[derive(Clone, Copy)]
pub(crate) struct Operand<'a, T> {
    pub data: &'a [T],
    pub strides: &'a [usize],
}

impl<T> Operand<'_, T> {
    /// Whether the elements lie in row-major order without gaps.
    #[inline]
    fn is_contiguous(&self, dims: &[usize]) -> bool {
        let mut expected = 1;
        dims.iter().zip(self.strides).rev().all(|(&dim, &stride)| {
            let fits = dim == 1 || stride == expected;
            expected *= dim;
            fits
        })
    }

    #[inline]
    fn check(&self, dims: &[usize]) {
        check_extent(dims, self.strides, self.data.len());
    }
}

/// `out[i]` = `F::of(a[i], b[i])`, `out` being row-major.
#[inline]
pub(crate) fn zip2<T: Copy, F: Function<T>>(
    dims: &[usize],
    a: Operand<T>,
    b: Operand<T>,
    out: &mut [F::Result],
) {
    a.check(dims);
    b.check(dims);
    assert!(out.len() == dims.iter().product(), "output does not fit the shape");
    if a.is_contiguous(dims) && b.is_contiguous(dims) {
        contiguous::<T, F>(&a.data[..out.len()], &b.data[..out.len()], out);
        return;
    }
    let (a_step, b_step) = (row_step(a.strides), row_step(b.strides));
    let mut lines = out.chunks_exact_mut(row_len(dims).max(1));
    for_each_row(dims, [a.strides, b.strides], |[mut i, mut j]| {
        for out in lines.next().into_iter().flatten() {
            *out = F::of(a.data[i], b.data[j]);
            i += a_step;
            j += b_step;
        }
    });
}

/// `out[i]` = `F::of(a[i], b[i])`, four at a time: counting is a sixth of the steps of a sum otherwise. Not inlined, so
/// that the registers are its own.
#[inline(never)]
fn contiguous<T: Copy, F: Function<T>>(a: &[T], b: &[T], out: &mut [F::Result]) {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let (out, out_rest) = out.as_chunks_mut::<4>();
    for (out, (a, b)) in out.iter_mut().zip(a.iter().zip(b)) {
        out[0] = F::of(a[0], b[0]);
        out[1] = F::of(a[1], b[1]);
        out[2] = F::of(a[2], b[2]);
        out[3] = F::of(a[3], b[3]);
    }
    out_rest.iter_mut().zip(a_rest.iter().zip(b_rest)).for_each(|(out, (&a, &b))| *out = F::of(a, b));
}

/// `out[i]` = `f(a[i], b[i], c[i])`, `out` being row-major.
#[inline(always)]
pub(crate) fn zip3<A: Copy, B: Copy, C: Copy, R>(
    dims: &[usize],
    a: Operand<A>,
    b: Operand<B>,
    c: Operand<C>,
    out: &mut [R],
    f: impl Fn(A, B, C) -> R,
) {
    a.check(dims);
    b.check(dims);
    c.check(dims);
    assert!(out.len() == dims.iter().product(), "output does not fit the shape");
    let steps = [row_step(a.strides), row_step(b.strides), row_step(c.strides)];
    let mut lines = out.chunks_exact_mut(row_len(dims).max(1));
    for_each_row(dims, [a.strides, b.strides, c.strides], |[mut i, mut j, mut k]| {
        for out in lines.next().into_iter().flatten() {
            *out = f(a.data[i], b.data[j], c.data[k]);
            i += steps[0];
            j += steps[1];
            k += steps[2];
        }
    });
}
