//! Calls the assembly that `build/` writes.
#![expect(unsafe_code, reason = "assembly is called")]

use core::arch::global_asm;
use core::ptr::{null, null_mut};

use crate::packed::inner::{Dense, Finish, Lines, Sparse, Start};

global_asm!(include_str!(concat!(env!("OUT_DIR"), "/packed.s")));

/// The words that the loops read, in the order of `build/loops.rs`, and use up.
#[repr(C)]
struct Call {
    /// The vectors; or a list.
    x: [*const u32; 2],
    /// Behind the first vector; behind the counts; or behind the list.
    end: *const u32,
    /// High words of xi; or the counts of the list.
    xi: [*const u32; 2],
    y: *const u32,
    eta: *const u32,
    out: *mut u32,
    /// The same, where `out` moves on.
    first: *mut u32,
    totals: [*mut i64; 2],
    /// The first totals, upper half first.
    constant: [u32; 2],
}

impl Call {
    const NONE: Self = Self {
        x: [null(); 2],
        end: null(),
        xi: [null(); 2],
        y: null(),
        eta: null(),
        out: null_mut(),
        first: null_mut(),
        totals: [null_mut(); 2],
        constant: [0; 2],
    };
}

/// The words that `opml_finish` reads, in the order of `build/finish.rs`. Steps are in bytes.
#[repr(C)]
struct FinishCall {
    totals: *mut i64,
    totals_end: *mut i64,
    records: *const u32,
    bias: *const f32,
    bias_step: usize,
    results: *mut f32,
    result_step: usize,
    scale: i32,
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
    opml_start_8 opml_start_4 opml_start_2 opml_start_1
    opml_dense_8of8x1 opml_dense_4of4x1 opml_dense_2of2x1 opml_dense_1of1x1
    opml_dense_4of8x2 opml_dense_4of4x2 opml_dense_2of2x2 opml_dense_1of1x2
    opml_sparse_8 opml_sparse_4 opml_sparse_2 opml_sparse_1
}

pub(super) fn start(work: &Start, totals: &mut [i64]) {
    let list = work.list.as_ptr_range();
    let mut call = Call {
        x: [list.start.cast(), null()],
        end: list.end.cast(),
        y: work.y.as_ptr(),
        totals: [totals.as_mut_ptr(), null_mut()],
        constant: [(work.constant >> 32) as u32, work.constant as u32],
        ..Call::NONE
    };
    let routine = match totals.len() {
        8 => opml_start_8,
        4 => opml_start_4,
        2 => opml_start_2,
        1 => opml_start_1,
        _ => unreachable!("no such group"),
    };
    // SAFETY: the vector was prepared for as many elements as the group has, so the positions on the list lie inside
    // `y`; as many totals are written as there are.
    unsafe { routine(&mut call) };
}

pub(super) fn dense<const C: usize>(work: &Dense<C>, room: &mut [u32], totals: [&mut [i64]; C]) {
    let mut call = Call {
        end: work.x[0].as_ptr_range().end,
        y: work.y.as_ptr(),
        eta: work.eta.as_ptr(),
        out: room.as_mut_ptr(),
        first: room.as_mut_ptr(),
        ..Call::NONE
    };
    for (column, totals) in totals.into_iter().enumerate() {
        call.x[column] = work.x[column].as_ptr();
        call.xi[column] = work.xi[column].as_ptr();
        call.totals[column] = totals.as_mut_ptr();
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
    // SAFETY: `Dense::run` has compared the lengths with what the routine reads and writes for this number of rows,
    // of rows in the group, of vectors and of elements.
    unsafe { routine(&mut call) };
}

pub(super) fn sparse(work: &Sparse, room: &mut [u32], totals: &mut [i64]) {
    let mut call = Call {
        x: [work.list.as_ptr().cast(), null()],
        end: work.counts.as_ptr_range().end,
        xi: [work.counts.as_ptr(), null()],
        y: work.y.as_ptr(),
        out: room.as_mut_ptr(),
        first: room.as_mut_ptr(),
        totals: [totals.as_mut_ptr(), null_mut()],
        ..Call::NONE
    };
    let routine = match work.rows {
        8 => opml_sparse_8,
        4 => opml_sparse_4,
        2 => opml_sparse_2,
        1 => opml_sparse_1,
        _ => unreachable!("no such group"),
    };
    // SAFETY: as in `start`, and the counts add up to the list; `Sparse::run` has compared `room` and `totals` with
    // what is written.
    unsafe { routine(&mut call) };
}

pub(super) fn finish(work: &Finish, totals: &mut [i64], results: &mut Lines) -> u32 {
    let (bias, bias_step) = match work.biases {
        Some(bias) => (&bias.values[bias.start], size_of::<f32>() * bias.step),
        None => (&0.0, 0),
    };
    let range = totals.as_mut_ptr_range();
    let mut call = FinishCall {
        totals: range.start,
        totals_end: range.end,
        records: work.records.as_ptr().cast(),
        bias,
        bias_step,
        results: &mut results.values[results.start],
        result_step: size_of::<f32>() * results.step,
        scale: work.vector.scale,
        error: work.vector.error,
        largest: work.vector.largest,
        low_mask: work.low_mask(),
        open: 0,
    };
    // SAFETY: `Finish::run` has compared the lengths: there is a record, a bias and a result for each total.
    unsafe { opml_finish(&mut call) };
    call.open
}
