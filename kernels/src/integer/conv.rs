//! Convolutions.

use crate::conv::Conv2d;
use crate::integer::layout::{CENTRE, Layout};
#[cfg(target_arch = "mips")]
use crate::integer::mips as machine;
#[cfg(not(target_arch = "mips"))]
use crate::integer::portable as machine;
use crate::integer::requantise::Requantise;
use crate::integer::sums::Sums;
use crate::integer::taps::{Taps, taps_words};
use crate::integer::{Byte, ByteMatrix};

/// Words of scratch that a convolution of bytes needs.
pub fn integer_conv_scratch(shape: &Conv2d) -> usize {
    if shape.output.extent() == 0 {
        return 0;
    }
    let layout = Layout::new(shape);
    layout.image_words() + shape.taps() + taps_words(shape.taps()) + layout.strip_words() + layout.sum_words()
}

/// ONNX `ConvInteger` for one image: `out[o, y, x]` = sum over c, i, j of (`x[c, y s - p + i d, x s - p + j d]` - its zero point)
/// (`w[o, c, i, j]` - that of filter o), modulo 2^32; see [`conv2d`](crate::conv2d()) for what the letters mean. There is one zero
/// point for all filters, or one for each.
///
/// # Panics
/// If a slice does not fit the shape, or `scratch` is shorter than [`integer_conv_scratch`].
#[inline]
pub fn conv2d_integer(shape: &Conv2d, x: &ByteMatrix, w: &ByteMatrix, scratch: &mut [u32], out: &mut [i32]) {
    check(shape, x, w, out);
    run(shape, x, w, scratch, |sums| sums.each(|place, sum| out[place] = sum));
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
    check(shape, x, w, out);
    result.check(shape.output.channels);
    run(shape, x, w, scratch, |sums| sums.bytes(&result.column(sums.filter), out));
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

/// Calls `take` with the sums of each filter.
#[inline(always)]
fn run(shape: &Conv2d, x: &ByteMatrix, w: &ByteMatrix, scratch: &mut [u32], mut take: impl FnMut(&Sums)) {
    if shape.output.extent() == 0 {
        return;
    }
    let layout = &Layout::new(shape);
    let (taps, filters) = (shape.taps(), shape.output.channels / shape.groups);
    let (image, scratch) = scratch.split_at_mut(layout.image_words());
    let (places, scratch) = scratch.split_at_mut(taps);
    let (list, scratch) = scratch.split_at_mut(taps_words(taps));
    let (strips, scratch) = scratch.split_at_mut(layout.strip_words());
    let sums = &mut scratch[..layout.sum_words()];
    layout.strips(strips);
    layout.taps(places);
    let shift = CENTRE - x.byte.level(x.zero[0]);
    for group in 0..shape.groups {
        layout.fill(x, group * shape.depth(), image);
        for filter in group * filters..(group + 1) * filters {
            let taps = filter_taps(w, filter, places, list);
            machine::strips(layout.strip, image, taps.words(), strips, sums);
            let (whole, upper) = sums.split_at(sums.len() / 2);
            take(&Sums { layout, whole, upper, filter, correction: taps.correction(shift) });
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
