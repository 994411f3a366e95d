//! A plane of the image as integers.

use crate::bits::{FRACTION, IMPLICIT, INFINITY_BITS};
use crate::conv::Conv2d;
use crate::planes::integers::{Aligned, LOWEST, ONE};
#[cfg(target_arch = "mips")]
use crate::planes::mips as machine;
#[cfg(not(target_arch = "mips"))]
use crate::planes::portable as machine;
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
        let windows = (outputs - 1).saturating_mul(window.stride);
        let len = windows.saturating_add((window.size - 1).saturating_mul(window.dilation)).saturating_add(1);
        let first = if window.pad_before < len { window.pad_before } else { len };
        let count = if inputs < len - first { inputs } else { len - first };
        Self { len, first, count }
    }
}

/// An element that its integer does not hold exactly.
#[derive(Clone, Copy)]
pub(super) struct Rest {
    /// Where it lies in the padded plane.
    pub row: usize,
    pub column: usize,
    /// What the integer leaves, in units of 2^-31.
    pub remainder: u32,
}

/// A plane with its padding: rows without gaps.
pub(super) struct Plane<'a> {
    pub kind: Kind,
    /// The integers are the elements times two to this, rounded.
    pub scale: i32,
    /// What no integer exceeds in magnitude, in units of 2^15.
    pub largest: u32,
    pub integers: &'a mut [u32],
    /// Indices of elements and their remainders.
    list: &'a mut [[u32; 2]],
    listed: usize,
    /// Whether the list was too short.
    pub unlisted: bool,
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

/// Whether the padded plane is not much larger than the plane.
pub(super) const fn padding_is_small(shape: &Conv2d) -> bool {
    let [vertical, horizontal] = sides(shape);
    vertical.len <= 4 * shape.input.height + 64 && horizontal.len <= 4 * shape.input.width + 64
}

/// Elements of a padded plane.
const fn elements(shape: &Conv2d) -> usize {
    let [vertical, horizontal] = sides(shape);
    vertical.len * horizontal.len
}

/// The longest list: with more remainders, the products with them cost as much as the definition.
const fn list_len(shape: &Conv2d) -> usize {
    elements(shape) / 4
}

/// Words that a plane takes.
pub(super) const fn plane_words(shape: &Conv2d) -> usize {
    elements(shape) + 2 * list_len(shape)
}

impl<'a> Plane<'a> {
    /// A plane of zeros: the padding stays as it is.
    pub(super) fn new(shape: &Conv2d, memory: &mut &'a mut [u32]) -> Self {
        let sides = sides(shape);
        let mut take = |words| memory.split_off_mut(..words).expect("planes: scratch too short");
        let integers = take(elements(shape));
        integers.fill(0);
        let list = take(2 * list_len(shape)).as_chunks_mut().0;
        Self { kind: Kind::Zero, scale: 0, largest: 0, integers, list, listed: 0, unlisted: false, sides }
    }

    /// Elements from one row to the next.
    pub(super) fn width(&self) -> usize {
        self.sides[1].len
    }

    /// The elements that have a remainder.
    pub(super) fn rests(&self) -> impl Iterator<Item = Rest> {
        let width = self.width();
        self.list[..self.listed].iter().map(move |&[index, remainder]| {
            // There is a width if there is an element.
            let row = (index as usize).checked_div(width).unwrap_or(0);
            Rest { row, column: index as usize - row * width, remainder }
        })
    }

    /// Makes integers of the elements that windows see of the channel that `x` begins with.
    #[inline(never)]
    pub(super) fn prepare(&mut self, shape: &Conv2d, x: &[f32]) {
        let [vertical, horizontal] = self.sides;
        let image = Part {
            x,
            rows: vertical.count,
            columns: horizontal.count,
            row_stride: shape.input.row_stride,
            step: shape.input.column_stride,
        };
        let largest = image.largest();
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
        self.largest = (((largest >> 1) & FRACTION | IMPLICIT) >> 8) + 1;
        (self.listed, self.unlisted) = (0, false);
        let first = vertical.first * horizontal.len + horizontal.first;
        let Self { integers, list, listed, unlisted, .. } = self;
        machine::fill(&image, top, integers, first, horizontal.len, |index, bits| {
            let aligned = Aligned::rounded(bits, top);
            if aligned.remainder != 0 {
                match list.get_mut(*listed) {
                    Some(entry) => {
                        *entry = [index as u32, aligned.remainder];
                        *listed += 1;
                    }
                    None => *unlisted = true,
                }
            }
            aligned.integer
        });
    }
}

/// The part of a channel that windows see.
pub(super) struct Part<'a> {
    /// Begins with the first element.
    pub x: &'a [f32],
    pub rows: usize,
    pub columns: usize,
    pub row_stride: usize,
    /// From one column to the next.
    pub step: usize,
}

impl Part<'_> {
    /// The elements of a row, with what lies between them.
    pub(super) fn line(&self, row: usize) -> &[f32] {
        let len = if self.columns == 0 { 0 } else { (self.columns - 1) * self.step + 1 };
        &self.x[row * self.row_stride..][..len]
    }

    /// Twice the bits of the largest magnitude; for a NaN or an infinity at least twice those of infinity.
    fn largest(&self) -> u32 {
        let largest = |largest: u32, value: &f32| largest.max(value.to_bits() << 1);
        (0..self.rows).fold(0, |before, row| {
            if self.step != 1 {
                return self.line(row).iter().step_by(self.step).fold(before, largest);
            }
            let (blocks, rest) = self.line(row).as_chunks::<4>();
            let block = |before, block: &[f32; 4]| block.iter().fold(before, largest);
            rest.iter().fold(blocks.iter().fold(before, block), largest)
        })
    }
}
