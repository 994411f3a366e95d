//! The convolution.

use crate::bits::{all_finite, is_finite, is_zero};
use crate::conv::Conv2d;
use crate::dot::Accumulator;
use crate::dot::rows::Lines;
use crate::planes::filter::Filter;
use crate::planes::finish::Finish;
use crate::planes::plane::{Kind, Plane, padding_is_small, plane_words};
use crate::planes::sums::{Sum, Taps};

/// The largest window, (O).
const MAX_TAPS: usize = 255;

/// Whether [`conv2d_planes`] takes a shape: there are as many groups as input channels, a window has at most 255 taps, and the
/// padding, which takes memory here, is in proportion to the image.
pub const fn planes_take(shape: &Conv2d) -> bool {
    shape.groups > 0
        && shape.groups == shape.input.channels
        && shape.taps() <= MAX_TAPS
        && padding_is_small(shape)
}

/// Words of scratch that [`conv2d_planes`] needs.
pub const fn planes_scratch(shape: &Conv2d) -> usize {
    plane_words(shape) + 3 * shape.taps() + 2 * shape.output.height * shape.output.width
}

/// What [`conv2d`](crate::conv2d()) computes, for a shape that [`planes_take`] agrees with.
///
/// # Panics
/// If a slice does not fit the shape, the shape is not one of those, or `scratch` is shorter than [`planes_scratch`].
#[inline]
pub fn conv2d_planes(
    shape: &Conv2d,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    scratch: &mut [u32],
    out: &mut [f32],
) {
    shape.check(x, w, bias, out);
    assert!(planes_take(shape), "planes: not for this shape");
    if shape.output.extent() == 0 {
        return;
    }
    let filters = shape.output.channels / shape.groups;
    let mut work = Planes::new(Task { shape, x, w, bias }, scratch);
    for channel in 0..shape.input.channels {
        work.plane.prepare(shape, &x[channel * shape.input.channel_stride..]);
        for filter in channel * filters..(channel + 1) * filters {
            work.channel(filter, out);
        }
    }
}

/// The operands.
struct Task<'a> {
    shape: &'a Conv2d,
    x: &'a [f32],
    w: &'a [f32],
    bias: Option<&'a [f32]>,
}

impl Task<'_> {
    /// The weights of an output channel.
    fn weights(&self, filter: usize) -> &[f32] {
        let taps = self.shape.taps();
        &self.w[filter * taps..][..taps]
    }

    /// The sum at output pixel (`row`, `column`) of an output channel, straight from the definition.
    #[cold]
    #[inline(never)]
    fn by_definition(&self, filter: usize, row: usize, column: usize) -> f32 {
        let channel = filter / (self.shape.output.channels / self.shape.groups);
        let weights = self.weights(filter);
        let mut sum = Accumulator::new();
        self.shape.patch(channel, row, column).for_each(|i, j| sum.add(self.x[i], weights[j]));
        if let Some(bias) = self.bias {
            sum.add_value(bias[filter]);
        }
        sum.round()
    }
}

/// The operands and what is made of them.
struct Planes<'a> {
    task: Task<'a>,
    plane: Plane<'a>,
    filter: Filter<'a>,
    /// Where the taps of a window lie in the plane.
    offsets: &'a [u32],
    /// Those of an output channel.
    sums: &'a mut [Sum],
}

impl<'a> Planes<'a> {
    fn new(task: Task<'a>, mut memory: &'a mut [u32]) -> Self {
        let shape = task.shape;
        let plane = Plane::new(shape, &mut memory);
        let filter = Filter::new(shape.taps(), &mut memory);
        let offsets = memory.split_off_mut(..shape.taps()).expect("planes: scratch too short");
        for (row, offsets) in offsets.chunks_mut(shape.horizontal.size.max(1)).enumerate() {
            for (column, offset) in offsets.iter_mut().enumerate() {
                let below = row * shape.vertical.dilation * plane.width();
                *offset = (below + column * shape.horizontal.dilation) as u32;
            }
        }
        let outputs = shape.output.height * shape.output.width;
        let sums = memory.split_off_mut(..2 * outputs).expect("planes: scratch too short");
        Self { task, plane, filter, offsets, sums: sums.as_chunks_mut().0 }
    }

    /// All sums of an output channel.
    #[inline(never)]
    fn channel(&mut self, filter: usize, out: &mut [f32]) {
        let shape = self.task.shape;
        let bias = self.task.bias.map_or(0.0, |bias| bias[filter]);
        let weights = self.task.weights(filter);
        if self.plane.kind == Kind::Integers && self.filter.prepare(weights, bias.to_bits(), &self.plane) {
            return self.integers(filter, out);
        }
        // Zeros leave a bias as it is, unless that is a zero whose sign is asked for, or they meet infinities.
        let alone = self.plane.kind == Kind::Zero
            && is_finite(bias.to_bits())
            && !is_zero(bias.to_bits())
            && all_finite(weights);
        for row in 0..shape.output.height {
            for column in 0..shape.output.width {
                let sum = if alone { bias } else { self.task.by_definition(filter, row, column) };
                out[shape.output.at(filter, row, column)] = sum;
            }
        }
    }

    /// The same with the integers of the plane and of the filter.
    #[inline(always)]
    fn integers(&mut self, filter: usize, out: &mut [f32]) {
        let Self { task, plane, filter: weights, offsets, sums } = self;
        let (shape, columns) = (task.shape, task.shape.output.width);
        let taps = Taps {
            vertical: &shape.vertical,
            horizontal: &shape.horizontal,
            width: plane.width(),
            offsets,
            weights: weights.weights,
            start: weights.start,
        };
        taps.all(plane.integers, columns, sums);
        plane.rests().for_each(|rest| taps.add_rest(&rest, columns, sums));
        for (tap, &remainder) in weights.remainders.iter().enumerate() {
            if remainder != 0 {
                taps.add_weight(tap, remainder, plane.integers, columns, sums);
            }
        }

        let finish = Finish::new(plane, weights);
        let image = &shape.output;
        // Rows without gaps are one line.
        let line = if image.row_stride == columns * image.column_stride { sums.len() } else { columns };
        let mut first = 0;
        while first < sums.len() {
            let (row, column) = (first / columns, first % columns);
            let start = image.at(filter, row, column);
            let end = first / line * line + line;
            let lines = &mut Lines { values: out, start, step: image.column_stride };
            first += finish.run(&sums[first..end], lines);
            if first < end {
                let (row, column) = (first / columns, first % columns);
                out[image.at(filter, row, column)] = match finish.long(sums[first]) {
                    Some(bits) => f32::from_bits(bits),
                    None => task.by_definition(filter, row, column),
                };
                first += 1;
            }
        }
    }
}
