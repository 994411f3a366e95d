//! Elements that are put to the places that indices say: ONNX `ScatterElements` and `ScatterND`.
//!
//! They work on the data where it stands. Updates are taken in row-major order, so that of several with one place the last
//! one stays, and a sum of floats is rounded after each; ONNX leaves both open.

use crate::element::Number;
use crate::index::{Along, Index, Slices};

/// What an update does to the element in its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scatter {
    /// Takes its place.
    Replace,
    /// Is added to it.
    Add,
    /// Is multiplied with it.
    Mul,
    /// Takes its place if it is smaller, see [`Number::min`].
    Min,
    /// Takes its place if it is larger, see [`Number::max`].
    Max,
}

impl Scatter {
    #[inline(always)]
    fn apply<T: Number>(self, element: T, update: T) -> T {
        match self {
            Self::Replace => update,
            Self::Add => element.add(update),
            Self::Mul => element.mul(update),
            Self::Min => element.min(update),
            Self::Max => element.max(update),
        }
    }
}

/// `out[i, indices[i, j, ..], ..]` takes `updates[i, j, ..]`: ONNX `ScatterElements`. `dims` is the shape of `indices` and `updates`, which
/// are row-major; `strides` are those of `out`, with 0 for the axis that is indexed.
///
/// # Panics
/// If a slice does not fit the shape, an index is out of range, or the rank is above
/// [`MAX_RANK`](crate::layout::MAX_RANK).
#[inline]
pub fn scatter_elements<T: Number, I: Index>(
    op: Scatter,
    along: Along,
    dims: &[usize],
    strides: &[usize],
    indices: &[I],
    updates: &[T],
    out: &mut [T],
) {
    assert!(updates.len() == indices.len(), "scatter: updates do not fit the shape");
    let elements = out.len();
    along.for_each_place(dims, strides, elements, indices, |number, place| {
        out[place] = op.apply(out[place], updates[number]);
    });
}

/// `out[b, indices[b, i, 0], indices[b, i, 1], .., ..]` takes `updates[b, i, ..]`: ONNX `ScatterND`, which has a batch of 1. `dims`
/// are the indexed dimensions of `out`.
///
/// # Panics
/// If a slice does not fit the shape, or an index is out of range.
#[inline]
pub fn scatter_nd<T: Number, I: Index>(
    op: Scatter,
    shape: Slices,
    dims: &[usize],
    indices: &[I],
    updates: &[T],
    out: &mut [T],
) {
    let (inner, elements) = (shape.inner, out.len());
    assert!(updates.len() == shape.batch * shape.count * inner, "scatter: updates do not fit the shape");
    shape.for_each_place(dims, elements, indices, |number, place| {
        let updates = &updates[number * inner..][..inner];
        let slice = &mut out[place..][..inner];
        slice.iter_mut().zip(updates).for_each(|(element, &update)| *element = op.apply(*element, update));
    });
}
