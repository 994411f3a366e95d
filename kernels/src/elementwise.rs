//! Operators that treat each element alone.

use crate::arithmetic::{self, maximum, minimum};
use crate::bits::{INFINITY_BITS, NAN, is_nan};
use crate::broadcast::{Function, Operand, zip2};
use crate::element::{Integer, Number};
use crate::elementary::{
    acos, acosh, asin, asinh, atan, atanh, cos, cosh, erf, exp, log, sigmoid, sin, sinh, sqrt, tan, tanh,
};
use crate::rounding::{ceil, floor, round};

/// A function of two numbers; [`Number`] has the rules. Arithmetic of floats is rounded once, that of integers wraps
/// around; a NaN that comes in goes out as [`NAN`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BinaryOp {
    /// a + b
    Add,
    /// a - b
    Sub,
    /// a b
    Mul,
    /// a / b; of integers towards zero, and 0 by zero
    Div,
    /// The smaller, with -0 below +0; NaN if either is.
    Min,
    /// The larger, with -0 below +0; NaN if either is.
    Max,
    /// The remainder with the sign of b.
    Mod,
    /// The remainder with the sign of a.
    Fmod,
    /// a^b, see [`Number::power`]; of floats 1 for some NaN.
    Pow,
}

/// A function of two integers; [`Integer`] has the rules. Of bools, which are 0 and 1, the first three are the logical ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BitOp {
    /// Bits that both have.
    And,
    /// Bits that one has, or both.
    Or,
    /// Bits that one has and not the other.
    Xor,
    /// a 2^b
    ShiftLeft,
    /// a / 2^b, rounded down
    ShiftRight,
}

/// A function of one integer, which wraps around.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IntegerOp {
    /// -x
    Neg,
    /// |x|
    Abs,
    /// 1, 0 or -1
    Sign,
    /// Every bit the other one.
    Not,
}

/// A function of one number. A NaN that comes in goes out as [`NAN`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnaryOp {
    /// -x
    Neg,
    /// |x|
    Abs,
    /// 1 above zero, -1 below, +0 at zeros
    Sign,
    /// The largest integer that is not above x.
    Floor,
    /// The least integer that is not below x.
    Ceil,
    /// The nearest integer, of two the even one.
    Round,
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
pub(crate) fn map<T: Copy, U>(x: &[T], out: &mut [U], f: impl Fn(T) -> U) {
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
        UnaryOp::Neg => map(x, out, Number::neg),
        UnaryOp::Abs => map(x, out, Number::abs),
        UnaryOp::Sign => map(x, out, Number::sign),
        UnaryOp::Floor => map(x, out, floor),
        UnaryOp::Ceil => map(x, out, ceil),
        UnaryOp::Round => map(x, out, round),
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

/// `out[i]` = `op(x[i])` for integers.
///
/// # Panics
/// If the lengths differ.
#[inline]
pub fn unary_integer<T: Integer>(op: IntegerOp, x: &[T], out: &mut [T]) {
    match op {
        IntegerOp::Neg => map(x, out, T::neg),
        IntegerOp::Abs => map(x, out, T::abs),
        IntegerOp::Sign => map(x, out, T::sign),
        IntegerOp::Not => map(x, out, T::not),
    }
}

/// `out[i]` = `op(a[i], b[i])` over tensors of shape `dims`, `out` being row-major.
///
/// The strides, in elements, say where the operands lie; a stride of 0 repeats an element along that
/// dimension, which is what broadcasting is.
///
/// # Panics
/// If a slice does not fit the shape, or the rank is above [`MAX_RANK`](crate::layout::MAX_RANK).
// Always inlined: else programs with two operations would have the code of all of them.
#[inline(always)]
pub fn binary<T: Number>(
    op: BinaryOp,
    dims: &[usize],
    a: &[T],
    a_strides: &[usize],
    b: &[T],
    b_strides: &[usize],
    out: &mut [T],
) {
    let (a, b) = (Operand { data: a, strides: a_strides }, Operand { data: b, strides: b_strides });
    match op {
        BinaryOp::Add => zip2::<T, Add>(dims, a, b, out),
        BinaryOp::Sub => zip2::<T, Sub>(dims, a, b, out),
        BinaryOp::Mul => zip2::<T, Mul>(dims, a, b, out),
        BinaryOp::Div => zip2::<T, Div>(dims, a, b, out),
        BinaryOp::Min => zip2::<T, Min>(dims, a, b, out),
        BinaryOp::Max => zip2::<T, Max>(dims, a, b, out),
        BinaryOp::Mod => zip2::<T, Mod>(dims, a, b, out),
        BinaryOp::Fmod => zip2::<T, Fmod>(dims, a, b, out),
        BinaryOp::Pow => zip2::<T, Pow>(dims, a, b, out),
    }
}

/// [`binary`] for functions that only integers have.
///
/// # Panics
/// As [`binary`].
#[inline(always)]
pub fn bitwise<T: Integer>(
    op: BitOp,
    dims: &[usize],
    a: &[T],
    a_strides: &[usize],
    b: &[T],
    b_strides: &[usize],
    out: &mut [T],
) {
    let (a, b) = (Operand { data: a, strides: a_strides }, Operand { data: b, strides: b_strides });
    match op {
        BitOp::And => zip2::<T, And>(dims, a, b, out),
        BitOp::Or => zip2::<T, Or>(dims, a, b, out),
        BitOp::Xor => zip2::<T, Xor>(dims, a, b, out),
        BitOp::ShiftLeft => zip2::<T, ShiftLeft>(dims, a, b, out),
        BitOp::ShiftRight => zip2::<T, ShiftRight>(dims, a, b, out),
    }
}

macro_rules! functions {
    ($($kind:ident { $($name:ident: $function:ident,)* })*) => {$($(
        struct $name;

        impl<T: $kind> Function<T> for $name {
            type Result = T;

            #[inline(always)]
            fn of(a: T, b: T) -> T {
                $kind::$function(a, b)
            }
        }
    )*)*};
}

functions! {
    Number {
        Add: add,
        Sub: sub,
        Mul: mul,
        Div: div,
        Min: min,
        Max: max,
        Mod: modulo,
        Fmod: fmod,
        Pow: power,
    }
    Integer {
        And: and,
        Or: or,
        Xor: xor,
        ShiftLeft: shift_left,
        ShiftRight: shift_right,
    }
}
