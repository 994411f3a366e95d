//! Convolutions.

use crate::conv::Conv2d;
use crate::integer::layout::{CENTRE, Layout};
#[cfg(target_arch = "mips")]
use crate::integer::mips as machine;
#[cfg(not(target_arch = "mips"))]
use crate::integer::portable as machine;
use crate::integer::requantise::Requantise;
use crate::integer::taps::{Taps, taps_words};
use crate::integer::{Byte, ByteMatrix};

/// Words of scratch that a convolution of bytes needs.
pub fn integer_conv_scratch(shape: &Conv2d) -> usize {
    if shape.output.extent() == 0 {
        return 0;
    }
    let layout = Layout::new(shape);
    layout.image_words() + shape.taps() + taps_words(shape.taps()) + layout.record_words()
}

/// ONNX `ConvInteger` for one image: `out[o, y, x]` = sum over c, i, j of (`x[c, y s - p + i d, x s - p + j d]` - its zero point)
/// (`w[o, c, i, j]` - that of filter o), modulo 2^32; see [`conv2d`](crate::conv2d()) for what the letters mean. There is one zero
/// point for all filters, or one for each.
///
/// # Panics
/// If a slice does not fit the shape, or `scratch` is shorter than [`integer_conv_scratch`].
#[inline]
pub fn conv2d_integer(shape: &Conv2d, x: &ByteMatrix, w: &ByteMatrix, scratch: &mut [u32], out: &mut [i32]) {
    run(shape, x, w, scratch, out, |_| (), |(), sum| sum);
}

/// ONNX `QLinearConv` for one image: the sums of [`conv2d_integer`], made bytes by `result`, whose columns are the filters.
///
/// # Panics
/// If a slice does not fit the shape, or `scratch` is shorter than [`integer_conv_scratch`].
#[inline]
pub fn qlinear_conv2d(
    shape: &Conv2d,
    x: &ByteMatrix,
    w: &ByteMatrix,
    result: &Requantise,
    scratch: &mut [u32],
    out: &mut [u8],
) {
    result.check(shape.output.channels);
    run(shape, x, w, scratch, out, |filter| result.column(filter), |column, sum| column.byte_of(sum));
}

fn check<T>(shape: &Conv2d, x: &ByteMatrix, w: &ByteMatrix, out: &[T]) {
    shape.check_channels();
    assert!(shape.vertical.stride > 0 && shape.horizontal.stride > 0, "integer: windows do not move");
    let filters = shape.output.channels;
    assert!(x.bytes.len() >= shape.input.extent(), "integer: image too short");
    assert!(out.len() >= shape.output.extent(), "integer: output too short");
    assert!(w.bytes.len() == filters * shape.taps(), "integer: weights do not fit the shape");
    assert!(x.zero.len() == 1, "integer: the image has one zero point");
    assert!([1, filters].contains(&w.zero.len()), "integer: zero points do not fit the filters");
}

/// All results: `of` makes one of what `column` says about a filter, and of a sum.
#[inline(always)]
fn run<C, T>(
    shape: &Conv2d,
    x: &ByteMatrix,
    w: &ByteMatrix,
    scratch: &mut [u32],
    out: &mut [T],
    column: impl Fn(usize) -> C,
    of: impl Fn(&C, i32) -> T,
) {
    check(shape, x, w, out);
    if shape.output.extent() == 0 {
        return;
    }
    let layout = Layout::new(shape);
    let (taps, filters) = (shape.taps(), shape.output.channels / shape.groups);
    let (image, scratch) = scratch.split_at_mut(layout.image_words());
    let (places, scratch) = scratch.split_at_mut(taps);
    let (list, scratch) = scratch.split_at_mut(taps_words(taps));
    let records = &mut scratch[..layout.record_words()];
    layout.begin(records);
    layout.taps(places);
    let shift = CENTRE - x.byte.level(x.zero[0]);
    for group in 0..shape.groups {
        layout.fill(x, group * shape.depth(), image);
        for filter in group * filters..(group + 1) * filters {
            let taps = filter_taps(w, filter, places, list);
            machine::strips(layout.strip, image, taps.words(), records);
            let (column, correction) = (column(filter), taps.correction(shift));
            each(&layout, filter, records, out, |sum| of(&column, sum.wrapping_add(correction)));
        }
    }
}

/// The taps of a filter.
#[inline(never)]
fn filter_taps<'a>(w: &ByteMatrix, filter: usize, places: &[u32], list: &'a mut [u32]) -> Taps<'a> {
    let weights = &w.bytes[filter * places.len()..][..places.len()];
    let zero = w.zero[if w.zero.len() == 1 { 0 } else { filter }];
    // A loop for each kind, so that nothing is asked inside.
    match w.byte {
        Byte::Unsigned => Taps::new(places, weights.iter().map(|&w| w.into()), zero.into(), list),
        Byte::Signed => {
            Taps::new(places, weights.iter().map(|&w| (w as i8).into()), (zero as i8).into(), list)
        }
    }
}

/// Writes the results of a filter: what `of` makes of the sums of x y, and of what blocks began with.
#[inline(always)]
fn each<T>(layout: &Layout, filter: usize, records: &[u32], out: &mut [T], of: impl Fn(i32) -> T) {
    let image = &layout.shape.output;
    let (width, step) = (image.width, image.column_stride);
    let rows = records.chunks_exact(layout.strips * layout.record());
    for (row, records) in rows.enumerate() {
        let mut done = 0;
        for (strip, record) in records.chunks_exact(layout.record()).enumerate() {
            let (whole, upper) = record[1..].split_at(layout.strip);
            let first = layout.first(strip);
            // Strips may overlap.
            let new = done - first;
            done = first + layout.strip;
            let start = image.at(filter, row, first);
            for (at, (&whole, &upper)) in whole.iter().zip(upper).enumerate().skip(new) {
                let place = start + at * step;
                out[place] = of(whole.wrapping_sub(upper << 16) as i32);
                if first + at + layout.half < width {
                    out[place + layout.half * step] = of(upper as i32);
                }
            }
        }
    }
}
