//! Two-dimensional pools.

use crate::bits::canonical;
use crate::dot::Accumulator;
use crate::element::Number;
use crate::fold::Fold;
use crate::spatial::{Image, Taps, Window};

/// Shape of a two-dimensional pool (ONNX `MaxPool`, `AveragePool`) of one image. The images must have
/// as many channels as each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pool2d {
    /// The image that is read.
    pub input: Image,
    /// The image that is written.
    pub output: Image,
    /// The window along the height.
    pub vertical: Window,
    /// The window along the width.
    pub horizontal: Window,
    /// Whether an average counts the padding as zeros. A maximum never sees it.
    pub count_include_pad: bool,
}

impl Pool2d {
    fn check<T>(&self, x: &[T], out: &[T]) {
        assert!(self.input.channels == self.output.channels, "pool: channels differ");
        assert!(x.len() >= self.input.extent(), "pool: input too short");
        assert!(out.len() >= self.output.extent(), "pool: output too short");
    }

    /// Writes to each output pixel of each channel what `reduce` makes of its window.
    #[inline(always)]
    fn for_each_window<T>(&self, out: &mut [T], mut reduce: impl FnMut(&Patch) -> T) {
        let (input, output) = (&self.input, &self.output);
        for row in 0..output.height {
            let tall = self.vertical.taps(row, input.height);
            for column in 0..output.width {
                let wide = self.horizontal.taps(column, input.width);
                let mut patch = Patch { row, column, tall, wide, start: 0 };
                if !patch.is_empty() {
                    patch.start = tall.input * input.row_stride + wide.input * input.column_stride;
                }
                let mut target = row * output.row_stride + column * output.column_stride;
                for _ in 0..input.channels {
                    out[target] = reduce(&patch);
                    patch.start += input.channel_stride;
                    target += output.channel_stride;
                }
            }
        }
    }

    /// Calls `visit` with each element of the patch.
    #[inline(always)]
    fn for_each_element<T: Copy>(&self, patch: &Patch, x: &[T], mut visit: impl FnMut(T)) {
        if patch.is_empty() {
            return;
        }
        let row_step = self.vertical.dilation * self.input.row_stride;
        let column_step = self.horizontal.dilation * self.input.column_stride;
        let mut line = patch.start;
        for _ in 0..patch.tall.count {
            let mut at = line;
            for _ in 0..patch.wide.count {
                visit(x[at]);
                at += column_step;
            }
            line += row_step;
        }
    }
}

/// The part of a window that lies on the image, in one channel.
struct Patch {
    row: usize,
    column: usize,
    tall: Taps,
    wide: Taps,
    /// Index of its first element, if it has one.
    start: usize,
}

impl Patch {
    #[inline(always)]
    fn is_empty(&self) -> bool {
        self.tall.count == 0 || self.wide.count == 0
    }
}

/// The largest element under each window: of floats with -0 below +0, and NaN if the window has one. The least there is, -infinity of floats, if it
/// lies in the padding altogether.
///
/// # Panics
/// If a slice does not fit the shape.
#[inline]
pub fn max_pool2d<T: Number>(shape: &Pool2d, x: &[T], out: &mut [T]) {
    shape.check(x, out);
    shape.for_each_window(out, |patch| {
        let mut largest = T::Largest::empty();
        shape.for_each_element(patch, x, |value| largest.add(value));
        largest.current()
    });
}

/// RN(sum) / n under each window, the sum being the exact one and the division rounded; n counts the
/// elements on the image or, with `count_include_pad`, on the padded image. NaN if n is 0.
///
/// # Panics
/// If a slice does not fit the shape.
#[inline]
pub fn average_pool2d(shape: &Pool2d, x: &[f32], out: &mut [f32]) {
    shape.check(x, out);
    let mut sum = Accumulator::new();
    shape.for_each_window(out, |patch| {
        let count = if shape.count_include_pad {
            shape.vertical.padded_taps(patch.row, shape.input.height)
                * shape.horizontal.padded_taps(patch.column, shape.input.width)
        } else {
            patch.tall.count * patch.wide.count
        };
        shape.for_each_element(patch, x, |value| sum.add_value(value));
        canonical(sum.round() / count as f32)
    });
}
