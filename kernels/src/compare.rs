//! Questions, whose answers are bytes with 0 or 1 (ONNX `bool`), and choices by them.

use core::cmp::Ordering;

use crate::bits;
use crate::broadcast::{Function, Operand, zip2, zip3};
use crate::element::Element;
use crate::elementwise::map;

/// A comparison. None holds if one of the two is NaN; the zeros of floats are equal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CompareOp {
    /// a = b
    Equal,
    /// a < b
    Less,
    /// a <= b
    LessOrEqual,
}

struct Equal;
struct Less;
struct LessOrEqual;

impl<T: Element> Function<T> for Equal {
    type Result = u8;

    #[inline(always)]
    fn of(a: T, b: T) -> u8 {
        (a.compare(b) == Some(Ordering::Equal)).into()
    }
}

impl<T: Element> Function<T> for Less {
    type Result = u8;

    #[inline(always)]
    fn of(a: T, b: T) -> u8 {
        (a.compare(b) == Some(Ordering::Less)).into()
    }
}

impl<T: Element> Function<T> for LessOrEqual {
    type Result = u8;

    #[inline(always)]
    fn of(a: T, b: T) -> u8 {
        matches!(a.compare(b), Some(Ordering::Less | Ordering::Equal)).into()
    }
}

/// `out[i]` = whether `op(a[i], b[i])` holds, over tensors of shape `dims` with these strides, `out` being row-major.
///
/// # Panics
/// If a slice does not fit the shape, or the rank is above [`MAX_RANK`](crate::layout::MAX_RANK).
#[inline(always)]
pub fn compare<T: Element>(
    op: CompareOp,
    dims: &[usize],
    a: &[T],
    a_strides: &[usize],
    b: &[T],
    b_strides: &[usize],
    out: &mut [u8],
) {
    let (a, b) = (Operand { data: a, strides: a_strides }, Operand { data: b, strides: b_strides });
    match op {
        CompareOp::Equal => zip2::<T, Equal>(dims, a, b, out),
        CompareOp::Less => zip2::<T, Less>(dims, a, b, out),
        CompareOp::LessOrEqual => zip2::<T, LessOrEqual>(dims, a, b, out),
    }
}

/// `out[i]` = `a[i]` where `condition[i]` is not 0, else `b[i]`, with every bit of it: ONNX `Where`. The tensors
/// have the shape `dims` and these strides, `out` is row-major.
///
/// # Panics
/// If a slice does not fit the shape, or the rank is above [`MAX_RANK`](crate::layout::MAX_RANK).
#[expect(clippy::too_many_arguments, reason = "three tensors with their strides")]
#[inline]
pub fn select<T: Copy>(
    dims: &[usize],
    condition: &[u8],
    condition_strides: &[usize],
    a: &[T],
    a_strides: &[usize],
    b: &[T],
    b_strides: &[usize],
    out: &mut [T],
) {
    let condition = Operand { data: condition, strides: condition_strides };
    let (a, b) = (Operand { data: a, strides: a_strides }, Operand { data: b, strides: b_strides });
    zip3(dims, condition, a, b, out, |condition, a, b| if condition == 0 { b } else { a });
}

/// `out[i]` = 1 if `x[i]` is 0, else 0.
///
/// # Panics
/// If the lengths differ.
#[inline]
pub fn not(x: &[u8], out: &mut [u8]) {
    map(x, out, |x| (x == 0).into());
}

/// `out[i]` = whether `x[i]` is NaN.
///
/// # Panics
/// If the lengths differ.
#[inline]
pub fn is_nan(x: &[f32], out: &mut [u8]) {
    map(x, out, |x| bits::is_nan(x.to_bits()).into());
}

/// `out[i]` = whether `x[i]` is an infinity that is asked for: +infinity if `positive`, -infinity if `negative`.
///
/// # Panics
/// If the lengths differ.
#[inline]
pub fn is_inf(x: &[f32], positive: bool, negative: bool, out: &mut [u8]) {
    map(x, out, |x| {
        let infinities = [(positive, f32::INFINITY), (negative, f32::NEG_INFINITY)];
        infinities.iter().any(|(asked, infinity)| *asked && x.to_bits() == infinity.to_bits()).into()
    });
}
