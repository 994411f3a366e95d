//! Calls the assembly that `build/planes.rs` writes.
#![expect(unsafe_code, reason = "assembly is called")]

use core::arch::global_asm;

use crate::dot::rows::Lines;
use crate::planes::finish::Finish;
use crate::planes::plane::Part;
use crate::planes::sums::{Sum, Taps, WIDE};

global_asm!(include_str!(concat!(env!("OUT_DIR"), "/planes.s")));

/// Bytes of a word.
const WORD: usize = size_of::<u32>();

/// The words that the sums' loops read, in the order of `build/planes.rs`. Distances are in bytes.
#[repr(C)]
struct SumsCall {
    /// The first window of the first row.
    x: *const u32,
    /// From one row of a window to the next.
    below: usize,
    /// From the last row of a window to the first of the strip's next.
    back: usize,
    weights: *const u32,
    start: Sum,
    out: *mut Sum,
    /// What the strips of a row of outputs advance in the plane.
    row: usize,
    /// From there to the first window of the next row.
    x_skip: usize,
    /// From the last sum of a row to the first of the next.
    out_skip: usize,
    /// Where `x` is after the last row.
    x_end: *const u32,
}

/// The words that `opml_planes_finish` reads.
#[repr(C)]
struct FinishCall {
    /// Where it stops, afterwards.
    sums: *const Sum,
    sums_end: *const Sum,
    results: *mut f32,
    /// In bytes.
    result_step: usize,
    least: u32,
    exponent: u32,
}

/// The words that `opml_planes_fill` reads, and where it stops afterwards. Distances are in bytes.
#[repr(C)]
struct FillCall {
    x: *const f32,
    out: *mut u32,
    /// Behind the integers of the row.
    row_end: *mut u32,
    /// From one element to the next.
    step: usize,
    /// From behind a row to the next.
    x_skip: usize,
    out_skip: usize,
    /// What the integers of a row take.
    row: usize,
    /// Where the row behind the last begins.
    end: *mut u32,
    top: u32,
}

unsafe extern "C" {
    fn opml_planes_fill(call: *mut FillCall);
    fn opml_planes_square_3_1(call: *mut SumsCall);
    fn opml_planes_square_3_2(call: *mut SumsCall);
    fn opml_planes_square_5_1(call: *mut SumsCall);
    fn opml_planes_square_5_2(call: *mut SumsCall);
    fn opml_planes_finish(call: *mut FinishCall);
}

/// Makes integers of a part of the image, whose rows go to `integers` from `first` on, `width` apart. For elements that are not
/// exact, `other` is asked, with the index of the integer.
pub(super) fn fill(
    part: &Part,
    top: u32,
    integers: &mut [u32],
    first: usize,
    width: usize,
    mut other: impl FnMut(usize, u32) -> u32,
) {
    let Part { rows, columns, row_stride, step, .. } = *part;
    if rows == 0 || columns == 0 {
        return;
    }
    let last = first + (rows - 1) * width + columns;
    assert!(columns <= width && last <= integers.len(), "planes: plane too short");
    assert!((rows - 1) * row_stride + (columns - 1) * step < part.x.len(), "planes: image too short");
    // As if behind a row in front of the first: the routine begins with the step to the next.
    let (x_skip, out_skip) = (row_stride.wrapping_sub(columns * step), width - columns);
    let start = integers.as_mut_ptr();
    let before = start.wrapping_add(first).wrapping_sub(out_skip);
    let mut call = FillCall {
        x: part.x.as_ptr().wrapping_sub(x_skip),
        out: before,
        row_end: before,
        step: WORD * step,
        x_skip: WORD.wrapping_mul(x_skip),
        out_skip: WORD * out_skip,
        row: WORD * columns,
        end: start.wrapping_add(first + rows * width),
        top,
    };
    loop {
        // SAFETY: the rows are in the image and in the plane, as asserted above; the routine reads and writes elements of rows.
        unsafe { opml_planes_fill(&mut call) };
        if call.out == call.end {
            return;
        }
        let index = (call.out.addr() - start.addr()) / WORD;
        // SAFETY: the routine stopped at an element of the image and at its place in the plane.
        unsafe { *call.out = other(index, (*call.x).to_bits()) };
        call.out = call.out.wrapping_add(1);
        call.x = call.x.wrapping_add(step);
    }
}

/// [`Taps::all`] for windows that are [square](Taps::is_square), with at least [`WIDE`] columns.
pub(super) fn square(taps: &Taps, x: &[u32], columns: usize, sums: &mut [Sum]) {
    let (side, stride, rows) = (taps.horizontal.size, taps.horizontal.stride, sums.len() / columns);
    let next = taps.vertical.dilation * taps.width;
    assert!(taps.is_square() && taps.weights.len() == side * side, "planes: not a square");
    assert!(columns >= WIDE && rows > 0 && sums.len() == rows * columns, "planes: sums left over");
    let last = (rows - 1) * taps.below() + (side - 1) * next + (columns - 1) * stride + side - 1;
    assert!(last < x.len(), "planes: plane too short");
    let routine = match (side, stride) {
        (3, 1) => opml_planes_square_3_1,
        (3, 2) => opml_planes_square_3_2,
        (5, 1) => opml_planes_square_5_1,
        (5, 2) => opml_planes_square_5_2,
        _ => unreachable!("no such square"),
    };
    let mut run = |first: usize, strips: usize| {
        let strip = WORD * WIDE * stride;
        let mut call = SumsCall {
            x: x[stride * first..].as_ptr(),
            below: WORD * next,
            back: strip.wrapping_sub(WORD * (side - 1) * next),
            weights: taps.weights.as_ptr(),
            start: taps.start,
            out: sums[first..].as_mut_ptr(),
            row: strip * strips,
            x_skip: (WORD * taps.below()).wrapping_sub(strip * strips),
            out_skip: size_of::<Sum>() * (columns - WIDE * strips),
            x_end: x.as_ptr().wrapping_add(stride * first + rows * taps.below()),
        };
        // SAFETY: `strips` of WIDE outputs from `first` on are in each row, and the last window of the last row is in the plane,
        // as asserted above; a sum is written for each output.
        unsafe { routine(&mut call) };
    };
    run(0, columns / WIDE);
    if !columns.is_multiple_of(WIDE) {
        // Once more some of those before, which does no harm.
        run(columns - WIDE, 1);
    }
}

/// See [`Finish::run`].
pub(super) fn finish(finish: &Finish, sums: &[Sum], lines: &mut Lines) -> usize {
    if sums.is_empty() {
        return 0;
    }
    let range = sums.as_ptr_range();
    let mut call = FinishCall {
        sums: range.start,
        sums_end: range.end,
        results: &mut lines.values[lines.start],
        result_step: WORD * lines.step,
        least: finish.least,
        exponent: finish.exponent,
    };
    // SAFETY: `Finish::run` has compared the lengths: there is a result for each sum, and there are sums.
    unsafe { opml_planes_finish(&mut call) };
    (call.sums.addr() - range.start.addr()) / size_of::<Sum>()
}
