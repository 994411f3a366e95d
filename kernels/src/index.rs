//! Elements that are chosen by indices: ONNX `Gather`, `GatherElements`, `GatherND` and `ReverseSequence`.
//!
//! An index is `i32` or `i64`, and a negative one counts from the end. One that is out of range ends the program: in the guest there is no
//! other answer, as a result made of something else would be a wrong one that can be proven.

use crate::element::Number;
use crate::layout::{check_extent, for_each_position};

/// An integer that says a place.
pub trait Index: Number {
    /// The place among `len`.
    ///
    /// # Panics
    /// If it is out of range.
    fn place(self, len: usize) -> usize;
}

impl Index for i32 {
    #[inline(always)]
    fn place(self, len: usize) -> usize {
        let place = if self < 0 { (self as usize).wrapping_add(len) } else { self as usize };
        assert!(place < len, "index out of range");
        place
    }
}

impl Index for i64 {
    #[inline(always)]
    fn place(self, len: usize) -> usize {
        let place = if self < 0 { self.wrapping_add(len as i64) } else { self };
        // As a number without sign, what is still negative is too large.
        assert!((place as u64) < len as u64, "index out of range");
        place as usize
    }
}

/// Shape of a gathering of slices along an axis. The input is seen as `outer` x `len` x `inner`, the result is
/// `outer` x `count` x `inner`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gather {
    /// Product of the dimensions before the axis.
    pub outer: usize,
    /// Elements along it.
    pub len: usize,
    /// Product of the dimensions after it.
    pub inner: usize,
    /// Number of indices.
    pub count: usize,
}

/// `out[o, i, ..]` = `x[o, indices[i], ..]`: ONNX `Gather`.
///
/// # Panics
/// If a slice does not fit the shape, or an index is out of range.
#[inline]
pub fn gather<T: Copy, I: Index>(shape: Gather, x: &[T], indices: &[I], out: &mut [T]) {
    let Gather { outer, len, inner, count } = shape;
    assert!(x.len() == outer * len * inner, "gather: input does not fit the shape");
    assert!(indices.len() == count, "gather: indices do not fit the shape");
    assert!(out.len() == outer * count * inner, "gather: output does not fit the shape");
    for line in 0..outer {
        for (number, index) in indices.iter().enumerate() {
            let (from, to) = (line * len + index.place(len), line * count + number);
            out[to * inner..][..inner].copy_from_slice(&x[from * inner..][..inner]);
        }
    }
}

/// How a tensor lies along the axis in which its elements are indexed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Along {
    /// Elements.
    pub len: usize,
    /// Distance between neighbours.
    pub stride: usize,
}

impl Along {
    /// Panics unless a slice of `elements` holds the tensor that the indices of shape `dims` go into.
    #[inline]
    fn check(self, dims: &[usize], strides: &[usize], elements: usize) {
        let reach = self.len.saturating_sub(1) * self.stride;
        assert!(reach <= elements, "slice too short for its axis");
        check_extent(dims, strides, elements - reach);
    }

    /// Calls `visit` for each index with its number and the place it says; the tensor has the strides `strides`, 0
    /// being the one along the axis.
    #[inline(always)]
    pub(crate) fn for_each_place<I: Index>(
        self,
        dims: &[usize],
        strides: &[usize],
        elements: usize,
        indices: &[I],
        mut visit: impl FnMut(usize, usize),
    ) {
        self.check(dims, strides, elements);
        assert!(indices.len() == dims.iter().product(), "indices do not fit the shape");
        let mut numbered = indices.iter().enumerate();
        for_each_position(dims, [strides], |[at]| {
            if let Some((number, index)) = numbered.next() {
                visit(number, at + index.place(self.len) * self.stride);
            }
        });
    }
}

/// `out[i, j, ..]` = `x[i, indices[i, j, ..], ..]`: ONNX `GatherElements`. `dims` is the shape of `indices` and `out`, which are row-major;
/// `strides` are those of `x`, with 0 for the axis that is indexed.
///
/// # Panics
/// If a slice does not fit the shape, an index is out of range, or the rank is above
/// [`MAX_RANK`](crate::layout::MAX_RANK).
#[inline]
pub fn gather_elements<T: Copy, I: Index>(
    along: Along,
    dims: &[usize],
    strides: &[usize],
    x: &[T],
    indices: &[I],
    out: &mut [T],
) {
    assert!(out.len() == indices.len(), "gather: output does not fit the shape");
    along.for_each_place(dims, strides, x.len(), indices, |number, place| out[number] = x[place]);
}

/// Shape of a gathering of slices, each of which several indices choose together. The tensor they choose from is seen as
/// `batch` x the indexed dimensions x `inner`, the indices as `batch` x `count` x the number of those dimensions, and
/// the slices as `batch` x `count` x `inner`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slices {
    /// Product of the dimensions that indices and tensor share.
    pub batch: usize,
    /// Slices in each of the batch.
    pub count: usize,
    /// Elements of a slice.
    pub inner: usize,
}

impl Slices {
    /// Calls `visit` for each slice with its number and where in the tensor its elements begin.
    #[inline(always)]
    pub(crate) fn for_each_place<I: Index>(
        self,
        dims: &[usize],
        elements: usize,
        indices: &[I],
        mut visit: impl FnMut(usize, usize),
    ) {
        let Self { batch, count, inner } = self;
        let one = dims.iter().product::<usize>() * inner;
        assert!(elements == batch * one, "slices: tensor does not fit the shape");
        assert!(indices.len() == batch * count * dims.len(), "slices: indices do not fit the shape");
        let mut number = 0;
        for part in 0..batch {
            for _ in 0..count {
                let indices = &indices[number * dims.len()..][..dims.len()];
                let place = dims.iter().zip(indices).fold(0, |at, (&dim, index)| at * dim + index.place(dim));
                visit(number, part * one + place * inner);
                number += 1;
            }
        }
    }
}

/// `out[b, i, ..]` = `x[b, indices[b, i, 0], indices[b, i, 1], .., ..]`: ONNX `GatherND`. `dims` are the indexed dimensions of `x`.
///
/// # Panics
/// If a slice does not fit the shape, or an index is out of range.
#[inline]
pub fn gather_nd<T: Copy, I: Index>(shape: Slices, dims: &[usize], x: &[T], indices: &[I], out: &mut [T]) {
    let inner = shape.inner;
    assert!(out.len() == shape.batch * shape.count * inner, "slices: output does not fit the shape");
    shape.for_each_place(dims, x.len(), indices, |number, place| {
        out[number * inner..][..inner].copy_from_slice(&x[place..][..inner]);
    });
}

/// Shape of sequences that are reversed, each up to its own length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sequences {
    /// Number of sequences.
    pub batch: usize,
    /// Elements of each.
    pub time: usize,
    /// Numbers in an element.
    pub inner: usize,
    /// Whether the tensor is `time` x `batch` x `inner`, or `batch` x `time` x `inner`.
    pub time_first: bool,
}

/// The first `lens[b]` elements of sequence b in reverse, and the others as they are: ONNX `ReverseSequence`.
///
/// # Panics
/// If a slice does not fit the shape, or a length is negative or exceeds `time`.
#[inline]
pub fn reverse_sequence<T: Copy, I: Index>(shape: Sequences, x: &[T], lens: &[I], out: &mut [T]) {
    let Sequences { batch, time, inner, time_first } = shape;
    assert!(x.len() == batch * time * inner, "reverse: input does not fit the shape");
    assert!(out.len() == x.len(), "reverse: output does not fit the shape");
    assert!(lens.len() == batch, "reverse: lengths do not fit the shape");
    let (next, step) = if time_first { (inner, batch * inner) } else { (time * inner, inner) };
    for (sequence, len) in lens.iter().enumerate() {
        assert!(*len >= I::ZERO, "reverse: negative length");
        let len = len.place(time + 1);
        for element in 0..time {
            let from = if element < len { len - 1 - element } else { element };
            let (from, to) = (sequence * next + from * step, sequence * next + element * step);
            out[to..][..inner].copy_from_slice(&x[from..][..inner]);
        }
    }
}
