//! Calls the assembly that `build/planes.rs` writes.
#![expect(unsafe_code, reason = "assembly is called")]

use core::arch::global_asm;

use crate::planes::finish::{Finish, Lines};
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

unsafe extern "C" {
    fn opml_planes_three_1(call: *mut SumsCall);
    fn opml_planes_three_2(call: *mut SumsCall);
    fn opml_planes_finish(call: *mut FinishCall);
}

/// [`Taps::all`] for windows of three by three, each row without gaps, with a horizontal stride of 1 or 2 and at least
/// [`WIDE`] columns.
pub(super) fn three_by_three(taps: &Taps, x: &[u32], columns: usize, sums: &mut [Sum]) {
    let (stride, rows) = (taps.horizontal.stride, sums.len() / columns);
    let next = taps.vertical.dilation * taps.width;
    assert!(taps.weights.len() == 9 && columns >= WIDE && (1..=2).contains(&stride), "planes: not for this");
    assert!(rows > 0 && sums.len() == rows * columns, "planes: rows left over");
    let last = (rows - 1) * taps.below() + 2 * next + (columns - 1) * stride + 2;
    assert!(last < x.len(), "planes: plane too short");
    let routine = if stride == 1 { opml_planes_three_1 } else { opml_planes_three_2 };
    let mut run = |first: usize, strips: usize| {
        let row = WORD * WIDE * stride * strips;
        let mut call = SumsCall {
            x: x[stride * first..].as_ptr(),
            below: WORD * next,
            weights: taps.weights.as_ptr(),
            start: taps.start,
            out: sums[first..].as_mut_ptr(),
            row,
            x_skip: (WORD * taps.below()).wrapping_sub(row),
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
