//! Operators that treat each element alone.

use crate::arithmetic;
use crate::bits::{INFINITY_BITS, NAN, SIGN, canonical, from_order, is_nan, order};
use crate::elementary::{
    acos, acosh, asin, asinh, atan, atanh, cos, cosh, erf, exp, log, pow, sigmoid, sin, sinh, sqrt, tan, tanh,
};
use crate::layout::{check_extent, for_each_row, row_len, row_step};

/// A function of two numbers. Arithmetic is rounded once; a NaN that comes in goes out as
/// [`NAN`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BinaryOp {
    /// a + b
    Add,
    /// a - b
    Sub,
    /// a b
    Mul,
    /// a / b
    Div,
    /// The smaller, with -0 below +0; NaN if either is.
    Min,
    /// The larger, with -0 below +0; NaN if either is.
    Max,
    /// See [`pow`]; 1 for some NaN.
    Pow,
}

/// A function of one number. A NaN that comes in goes out as [`NAN`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnaryOp {
    /// -x
    Neg,
    /// |x|
    Abs,
    /// 1 / x, rounded
    Reciprocal,
    /// See [`sqrt`].
    Sqrt,
    /// See [`exp`].
    Exp,
    /// See [`log`].
    Log,
    /// See [`tanh`].
    Tanh,
    /// See [`sigmoid`].
    Sigmoid,
    /// See [`erf`].
    Erf,
    /// See [`sin`].
    Sin,
    /// See [`cos`].
    Cos,
    /// See [`tan`].
    Tan,
    /// See [`asin`].
    Asin,
    /// See [`acos`].
    Acos,
    /// See [`atan`].
    Atan,
    /// See [`sinh`].
    Sinh,
    /// See [`cosh`].
    Cosh,
    /// See [`asinh`].
    Asinh,
    /// See [`acosh`].
    Acosh,
    /// See [`atanh`].
    Atanh,
}

#[inline(always)]
fn minimum(a: f32, b: f32) -> f32 {
    let (a, b) = (a.to_bits(), b.to_bits());
    if is_nan(a) || is_nan(b) { NAN } else { f32::from_bits(from_order(order(a).min(order(b)))) }
}

#[inline(always)]
fn maximum(a: f32, b: f32) -> f32 {
    let (a, b) = (a.to_bits(), b.to_bits());
    if is_nan(a) || is_nan(b) { NAN } else { f32::from_bits(from_order(order(a).max(order(b)))) }
}

/// x above zero, else +0; NaN for NaN.
#[inline(always)]
fn rectified(x: f32) -> f32 {
    let bits = x.to_bits();
    if bits <= INFINITY_BITS {
        x
    } else if is_nan(bits) {
        NAN
    } else {
        0.0
    }
}

/// Calls `f` on each element.
#[inline(always)]
fn map(x: &[f32], out: &mut [f32], f: impl Fn(f32) -> f32) {
    assert!(x.len() == out.len(), "lengths differ");
    x.iter().zip(out).for_each(|(&x, out)| *out = f(x));
}

/// `out[i]` = `x[i]` above zero, else +0 (for -0 too); NaN for NaN.
///
/// # Panics
/// If the lengths differ.
#[inline]
pub fn relu(x: &[f32], out: &mut [f32]) {
    map(x, out, rectified);
}

/// [`relu`] where the data stands.
#[inline]
pub fn relu_in_place(x: &mut [f32]) {
    x.iter_mut().for_each(|x| *x = rectified(*x));
}

/// `out[i]` = min(max(`x[i]`, `low`), `high`) as [`BinaryOp::Min`] and [`BinaryOp::Max`] define them:
/// `high` wins where the bounds cross.
///
/// # Panics
/// If the lengths differ.
#[inline]
pub fn clip(x: &[f32], low: f32, high: f32, out: &mut [f32]) {
    map(x, out, |x| minimum(maximum(x, low), high));
}

/// [`clip`] where the data stands.
#[inline]
pub fn clip_in_place(x: &mut [f32], low: f32, high: f32) {
    x.iter_mut().for_each(|x| *x = minimum(maximum(*x, low), high));
}

/// `out[i]` = `op(x[i])`.
///
/// # Panics
/// If the lengths differ.
#[inline]
pub fn unary(op: UnaryOp, x: &[f32], out: &mut [f32]) {
    match op {
        UnaryOp::Neg => map(x, out, |x| canonical(f32::from_bits(x.to_bits() ^ SIGN))),
        UnaryOp::Abs => map(x, out, |x| canonical(f32::from_bits(x.to_bits() & !SIGN))),
        UnaryOp::Reciprocal => map(x, out, |x| arithmetic::div(1.0, x)),
        UnaryOp::Sqrt => map(x, out, sqrt),
        UnaryOp::Exp => map(x, out, exp),
        UnaryOp::Log => map(x, out, log),
        UnaryOp::Tanh => map(x, out, tanh),
        UnaryOp::Sigmoid => map(x, out, sigmoid),
        UnaryOp::Erf => map(x, out, erf),
        UnaryOp::Sin => map(x, out, sin),
        UnaryOp::Cos => map(x, out, cos),
        UnaryOp::Tan => map(x, out, tan),
        UnaryOp::Asin => map(x, out, asin),
        UnaryOp::Acos => map(x, out, acos),
        UnaryOp::Atan => map(x, out, atan),
        UnaryOp::Sinh => map(x, out, sinh),
        UnaryOp::Cosh => map(x, out, cosh),
        UnaryOp::Asinh => map(x, out, asinh),
        UnaryOp::Acosh => map(x, out, acosh),
        UnaryOp::Atanh => map(x, out, atanh),
    }
}

/// `out[i]` = `op(a[i], b[i])` over tensors of shape `dims`, `out` being row-major.
///
/// The strides, in elements, say where the operands lie; a stride of 0 repeats an element along that
/// dimension, which is what broadcasting is.
///
/// # Panics
/// If a slice does not fit the shape, or the rank is above [`MAX_RANK`](crate::layout::MAX_RANK).
#[inline]
pub fn binary(
    op: BinaryOp,
    dims: &[usize],
    a: &[f32],
    a_strides: &[usize],
    b: &[f32],
    b_strides: &[usize],
    out: &mut [f32],
) {
    let (a, b) = (Operand { data: a, strides: a_strides }, Operand { data: b, strides: b_strides });
    match op {
        BinaryOp::Add => broadcast::<Add>(dims, a, b, out),
        BinaryOp::Sub => broadcast::<Sub>(dims, a, b, out),
        BinaryOp::Mul => broadcast::<Mul>(dims, a, b, out),
        BinaryOp::Div => broadcast::<Div>(dims, a, b, out),
        BinaryOp::Min => broadcast::<Min>(dims, a, b, out),
        BinaryOp::Max => broadcast::<Max>(dims, a, b, out),
        BinaryOp::Pow => broadcast::<Pow>(dims, a, b, out),
    }
}

/// A [`BinaryOp`] as a type: a function passed as a value would be called in loops that hold it more than once.
trait Function {
    fn of(a: f32, b: f32) -> f32;
}

macro_rules! functions {
    ($($name:ident: $function:path,)*) => {$(
        struct $name;

        impl Function for $name {
            #[inline(always)]
            fn of(a: f32, b: f32) -> f32 {
                $function(a, b)
            }
        }
    )*};
}

functions! {
    Add: arithmetic::add,
    Sub: arithmetic::sub,
    Mul: arithmetic::mul,
    Div: arithmetic::div,
    Min: minimum,
    Max: maximum,
    Pow: pow,
}

#[derive(Clone, Copy)]
struct Operand<'a> {
    data: &'a [f32],
    strides: &'a [usize],
}

impl Operand<'_> {
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
}

#[inline]
fn broadcast<F: Function>(dims: &[usize], a: Operand, b: Operand, out: &mut [f32]) {
    check_extent(dims, a.strides, a.data.len());
    check_extent(dims, b.strides, b.data.len());
    assert!(out.len() == dims.iter().product(), "output does not fit the shape");
    if a.is_contiguous(dims) && b.is_contiguous(dims) {
        contiguous::<F>(&a.data[..out.len()], &b.data[..out.len()], out);
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
fn contiguous<F: Function>(a: &[f32], b: &[f32], out: &mut [f32]) {
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
