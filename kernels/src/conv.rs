//! Two-dimensional convolution.

use crate::bits::all_finite;
use crate::dot::rows::{Bias, Rows, Workspace};
use crate::dot::terms::Pairs;
use crate::spatial::{Image, Window};

/// Shape of a two-dimensional convolution (ONNX `Conv`) of one image.
///
/// Input channels and output channels must be multiples of `groups`. The size of the output is the
/// caller's: windows that reach past the input meet padding there, whatever `pad_after` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Conv2d {
    /// The image that is read.
    pub input: Image,
    /// The image that is written.
    pub output: Image,
    /// The window along the height.
    pub vertical: Window,
    /// The window along the width.
    pub horizontal: Window,
    /// Output channels of group g see the input channels of group g only.
    pub groups: usize,
}

impl Conv2d {
    /// Input channels a window sees.
    pub const fn depth(&self) -> usize {
        self.input.channels / self.groups
    }

    /// Elements of one output channel's weights.
    pub const fn taps(&self) -> usize {
        self.depth() * self.vertical.size * self.horizontal.size
    }

    /// Checks that the operands and the result fit the shape.
    ///
    /// # Panics
    /// If one does not.
    pub fn check(&self, x: &[f32], w: &[f32], bias: Option<&[f32]>, out: &[f32]) {
        self.check_channels();
        assert!(w.len() == self.output.channels * self.taps(), "conv2d: weights do not fit the shape");
        self.check_images(x, bias, out);
    }

    pub(crate) fn check_channels(&self) {
        assert!(self.groups > 0, "conv2d: no groups");
        assert!(self.input.channels.is_multiple_of(self.groups), "conv2d: groups do not divide the input");
        assert!(self.output.channels.is_multiple_of(self.groups), "conv2d: groups do not divide the output");
    }

    pub(crate) fn check_images(&self, x: &[f32], bias: Option<&[f32]>, out: &[f32]) {
        assert!(x.len() >= self.input.extent(), "conv2d: input too short");
        assert!(out.len() >= self.output.extent(), "conv2d: output too short");
        assert!(bias.is_none_or(|b| b.len() == self.output.channels), "conv2d: bias does not fit the shape");
    }

    /// The pairs of input element and weight under the window of output pixel (`row`, `column`), for
    /// the input channels from `channel` on.
    #[inline]
    pub fn patch(&self, channel: usize, row: usize, column: usize) -> Pairs {
        let (input, kernel_width) = (&self.input, self.horizontal.size);
        let tall = self.vertical.taps(row, input.height);
        let wide = self.horizontal.taps(column, input.width);
        let empty = tall.count == 0 || wide.count == 0;
        let x =
            channel * input.channel_stride + tall.input * input.row_stride + wide.input * input.column_stride;
        let mut pairs = Pairs {
            counts: [self.depth(), tall.count, wide.count],
            x: if empty { 0 } else { x },
            x_steps: [
                input.channel_stride,
                self.vertical.dilation * input.row_stride,
                self.horizontal.dilation * input.column_stride,
            ],
            w: tall.first * kernel_width + wide.first,
            w_steps: [self.vertical.size * kernel_width, kernel_width, 1],
        };
        if empty {
            pairs.counts = [0; 3];
        }
        // The order of the pairs is free, and the longest run has the least overhead.
        if pairs.counts[0] > pairs.counts[2] {
            pairs.counts.swap(0, 2);
            pairs.x_steps.swap(0, 2);
            pairs.w_steps.swap(0, 2);
        }
        pairs
    }
}

/// `out[o, y, x]` = RN(`bias[o]` + sum over c, i, j of `input[c, y s - p + i d, x s - p + j d]`
/// x `w[o, c, i, j]`), s, d and p being stride, dilation and padding of either dimension.
///
/// `w` is `[output channels, input channels / groups, kernel height, kernel width]`. Padding adds
/// nothing to a sum: a weight that falls on it does not count, not even an infinite one.
///
/// Nothing is copied out of the image but one window at a time.
///
/// # Panics
/// If a slice does not fit the shape.
#[inline]
pub fn conv2d(shape: &Conv2d, x: &[f32], w: &[f32], bias: Option<&[f32]>, out: &mut [f32]) {
    shape.check(x, w, bias, out);
    let mut workspace = Workspace::new();
    let filters = shape.output.channels / shape.groups;
    let finite = all_finite(w);
    for group in 0..shape.groups {
        let first = group * filters;
        let rows = Rows {
            count: filters,
            w,
            start: first * shape.taps(),
            step: shape.taps(),
            finite,
            bias: bias.map(|values| Bias { values, start: first, step: 1 }),
        };
        for row in 0..shape.output.height {
            for column in 0..shape.output.width {
                let pairs = shape.patch(group * shape.depth(), row, column);
                let pixel = first * shape.output.channel_stride
                    + row * shape.output.row_stride
                    + column * shape.output.column_stride;
                workspace.dot(x, &pairs, &rows, |filter, value| {
                    out[pixel + filter * shape.output.channel_stride] = value;
                });
            }
        }
    }
}
