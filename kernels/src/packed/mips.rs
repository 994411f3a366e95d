//! Calls the assembly that `build/` writes.
#![expect(unsafe_code, reason = "assembly is called")]

use core::arch::global_asm;
use core::ptr::{null, null_mut};

use crate::packed::inner::{Dense, Finish, Sparse};

global_asm!(include_str!(concat!(env!("OUT_DIR"), "/packed.s")));

/// The words that the assembly reads, in the order of `build/loops.rs`, and uses up.
#[repr(C)]
struct Call {
    /// The vectors; for lists, the list.
    x: [*const u32; 2],
    /// Behind the first vector; behind the counts; behind the list, for corrections.
    end: *const u32,
    /// High words of xi; for lists, the counts.
    xi: [*const u32; 2],
    y: *const u32,
    eta: *const u32,
    out: *mut u32,
    /// The same, where `out` moves on.
    first: *mut u32,
    totals: [*mut i64; 2],
}

/// The words that `opml_finish` reads, in the order of `build/finish.rs`.
#[repr(C)]
struct FinishCall {
    totals: *mut i64,
    totals_end: *mut i64,
    corrections: *const u32,
    records: *const u32,
    bias: *const f32,
    /// In bytes.
    bias_step: usize,
    results: *mut f32,
    scale: i32,
    constant: i64,
    error: u32,
    largest: u32,
    low_mask: u32,
    open: u32,
}

macro_rules! routines {
    ($($name:ident)+) => {
        unsafe extern "C" {
            $(fn $name(call: *mut Call);)+
            fn opml_finish(call: *mut FinishCall);
        }
    };
}

routines! {
    opml_dense_8of8x1 opml_dense_4of4x1 opml_dense_2of2x1 opml_dense_1of1x1
    opml_dense_4of8x2 opml_dense_4of4x2 opml_dense_2of2x2 opml_dense_1of1x2
    opml_sparse_8 opml_sparse_4 opml_sparse_2 opml_sparse_1
    opml_correction_8 opml_correction_4 opml_correction_2 opml_correction_1
}

pub(super) fn dense<const C: usize>(work: &Dense<C>, room: &mut [u32], totals: [&mut [i64]; C]) {
    let column = |column: usize, of: &[&[u32]; C]| of.get(column).map_or(null(), |x| x.as_ptr());
    let mut call = Call {
        x: [column(0, &work.x), column(1, &work.x)],
        end: work.x[0].as_ptr_range().end,
        xi: [column(0, &work.xi), column(1, &work.xi)],
        y: work.y.as_ptr(),
        eta: work.eta.as_ptr(),
        out: room.as_mut_ptr(),
        first: room.as_mut_ptr(),
        totals: [null_mut(); 2],
    };
    for (at, totals) in call.totals.iter_mut().zip(totals) {
        *at = totals.as_mut_ptr();
    }
    let routine = match (work.rows, work.stride, C) {
        (8, 8, 1) => opml_dense_8of8x1,
        (4, 4, 1) => opml_dense_4of4x1,
        (2, 2, 1) => opml_dense_2of2x1,
        (1, 1, 1) => opml_dense_1of1x1,
        (4, 8, 2) => opml_dense_4of8x2,
        (4, 4, 2) => opml_dense_4of4x2,
        (2, 2, 2) => opml_dense_2of2x2,
        (1, 1, 2) => opml_dense_1of1x2,
        _ => unreachable!("no such group"),
    };
    // SAFETY: `Dense::check` has compared the lengths with what the routine reads and writes for this number of rows,
    // of rows in the group, of vectors and of elements.
    unsafe { routine(&mut call) };
}

pub(super) fn sparse(work: &Sparse, room: &mut [u32], totals: &mut [i64]) {
    let mut call = Call {
        x: [work.list.as_ptr().cast(), null()],
        end: work.counts.as_ptr_range().end,
        xi: [work.counts.as_ptr(), null()],
        y: work.y.as_ptr(),
        eta: null(),
        out: room.as_mut_ptr(),
        first: room.as_mut_ptr(),
        totals: [totals.as_mut_ptr(), null_mut()],
    };
    let routine = match work.rows {
        8 => opml_sparse_8,
        4 => opml_sparse_4,
        2 => opml_sparse_2,
        1 => opml_sparse_1,
        _ => unreachable!("no such group"),
    };
    // SAFETY: the vector was prepared for as many elements as the group has, so the positions on the list lie inside
    // `y`, and the counts add up to the list; `Sparse::run` has compared `room` and `totals` with what is written.
    unsafe { routine(&mut call) };
}

pub(super) fn correction(rows: usize, list: &[[u32; 2]], y: &[u32], out: &mut [u32; 8]) {
    if list.is_empty() {
        return out.fill(0);
    }
    let range = list.as_ptr_range();
    let mut call = Call {
        x: [range.start.cast(), null()],
        end: range.end.cast(),
        xi: [null(); 2],
        y: y.as_ptr(),
        eta: null(),
        out: out.as_mut_ptr(),
        first: null_mut(),
        totals: [null_mut(); 2],
    };
    let routine = match rows {
        8 => opml_correction_8,
        4 => opml_correction_4,
        2 => opml_correction_2,
        1 => opml_correction_1,
        _ => unreachable!("no such group"),
    };
    // SAFETY: the positions on the list lie inside `y`, as in `sparse`; at most eight words are written.
    unsafe { routine(&mut call) };
}

pub(super) fn finish(work: &Finish, totals: &mut [i64], results: &mut [f32]) -> u32 {
    let (bias, bias_step) = match work.biases {
        Some(bias) => (&bias.values[bias.start], size_of::<f32>() * bias.step),
        None => (&0.0, 0),
    };
    let range = totals.as_mut_ptr_range();
    let mut call = FinishCall {
        totals: range.start,
        totals_end: range.end,
        corrections: work.corrections.as_ptr(),
        records: work.records.as_ptr().cast(),
        bias,
        bias_step,
        results: results.as_mut_ptr(),
        scale: work.vector.scale,
        constant: work.vector.constant,
        error: work.vector.error,
        largest: work.vector.largest,
        low_mask: work.low_mask(),
        open: 0,
    };
    // SAFETY: `Finish::run` has compared the lengths: there is a correction, a record, a bias and a result for each total.
    unsafe { opml_finish(&mut call) };
    call.open
}
