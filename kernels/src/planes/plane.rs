//! A plane of the image as integers.

use crate::bits::INFINITY_BITS;
use crate::conv::Conv2d;
use crate::planes::integers::{Aligned, LOWEST, ONE};
use crate::spatial::Window;

/// What a plane turned out to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The integers are there.
    Integers,
    /// All elements are zero.
    Zero,
    /// Something is infinite or NaN, or everything is tiny: sums come from the definition.
    Unfit,
}

/// One dimension of the padded plane: what all windows together cover.
#[derive(Clone, Copy)]
struct Side {
    /// Positions.
    len: usize,
    /// The first position that is on the image.
    first: usize,
    /// How many are.
    count: usize,
}

impl Side {
    const fn new(window: &Window, outputs: usize, inputs: usize) -> Self {
        if outputs == 0 || window.size == 0 {
            return Self { len: 0, first: 0, count: 0 };
        }
        let len = (outputs - 1) * window.stride + (window.size - 1) * window.dilation + 1;
        let first = if window.pad_before < len { window.pad_before } else { len };
        let count = if inputs < len - first { inputs } else { len - first };
        Self { len, first, count }
    }
}

/// A plane with its padding: rows without gaps.
pub(super) struct Plane<'a> {
    pub kind: Kind,
    /// The integers are the elements times two to this, rounded.
    pub scale: i32,
    /// Whether some element has a remainder.
    pub inexact: bool,
    pub integers: &'a mut [u32],
    /// What the integers leave, in units of 2^-31.
    pub remainders: &'a mut [u32],
    sides: [Side; 2],
}

/// Both sides of the padded plane of a shape.
const fn sides(shape: &Conv2d) -> [Side; 2] {
    let (vertical, horizontal) = (&shape.vertical, &shape.horizontal);
    [
        Side::new(vertical, shape.output.height, shape.input.height),
        Side::new(horizontal, shape.output.width, shape.input.width),
    ]
}

/// Words that the integers of a plane take, and its remainders once more.
pub(super) const fn plane_words(shape: &Conv2d) -> usize {
    let [vertical, horizontal] = sides(shape);
    vertical.len * horizontal.len
}

impl<'a> Plane<'a> {
    /// A plane of zeros: the padding stays as it is.
    pub(super) fn new(shape: &Conv2d, memory: &mut &'a mut [u32]) -> Self {
        let mut take = || {
            let words = memory.split_off_mut(..plane_words(shape)).expect("planes: scratch too short");
            words.fill(0);
            words
        };
        let (integers, remainders) = (take(), take());
        Self { kind: Kind::Zero, scale: 0, inexact: false, integers, remainders, sides: sides(shape) }
    }

    /// Elements from one row to the next.
    pub(super) fn width(&self) -> usize {
        self.sides[1].len
    }

    /// Makes integers of the elements that windows see of the channel that `x` begins with.
    #[inline(never)]
    pub(super) fn prepare(&mut self, shape: &Conv2d, x: &[f32]) {
        let [vertical, horizontal] = self.sides;
        let (row_stride, step) = (shape.input.row_stride, shape.input.column_stride);
        let line = |row: usize| {
            let len = if horizontal.count == 0 { 0 } else { (horizontal.count - 1) * step + 1 };
            &x[row * row_stride..][..len]
        };
        let largest = (0..vertical.count).fold(0, |largest, row| largest.max(largest_of(line(row), step)));
        self.kind = if largest == 0 {
            Kind::Zero
        } else if largest >= INFINITY_BITS << 1 || largest >> 24 < LOWEST {
            Kind::Unfit
        } else {
            Kind::Integers
        };
        if self.kind != Kind::Integers {
            return;
        }
        let top = (largest >> 24) + 1;
        self.scale = ONE - top as i32;
        self.inexact = false;
        for row in 0..vertical.count {
            let start = (vertical.first + row) * horizontal.len + horizontal.first;
            let range = start..start + horizontal.count;
            let (integers, remainders) = (&mut self.integers[range.clone()], &mut self.remainders[range]);
            self.inexact |= fill(line(row), step, top, integers, remainders);
        }
    }
}

/// Twice the bits of the largest magnitude; for a NaN or an infinity at least twice those of infinity.
#[inline(always)]
fn largest_of(line: &[f32], step: usize) -> u32 {
    let largest = |largest: u32, value: &f32| largest.max(value.to_bits() << 1);
    if step == 1 { line.iter().fold(0, largest) } else { line.iter().step_by(step).fold(0, largest) }
}

/// The integers and the remainders of a row; whether there may be one that is not zero.
#[inline(always)]
fn fill(line: &[f32], step: usize, top: u32, integers: &mut [u32], remainders: &mut [u32]) -> bool {
    let mut inexact = false;
    let mut one = |value: &f32, integer: &mut u32, remainder: &mut u32| {
        let aligned = Aligned::new(value.to_bits(), top);
        (*integer, *remainder) = (aligned.integer, aligned.remainder);
        inexact |= aligned.inexact;
    };
    let words = integers.iter_mut().zip(remainders);
    if step == 1 {
        line.iter().zip(words).for_each(|(value, (integer, remainder))| one(value, integer, remainder));
    } else {
        let values = line.iter().step_by(step);
        values.zip(words).for_each(|(value, (integer, remainder))| one(value, integer, remainder));
    }
    inexact
}
