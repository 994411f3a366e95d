//! Calls the assembly that `build.rs` writes.
#![expect(unsafe_code, reason = "assembly is called")]

use core::arch::global_asm;
use core::ptr::null;

use crate::packed::inner::{Dense, Sparse};

global_asm!(include_str!(concat!(env!("OUT_DIR"), "/packed.s")));

/// The words that the assembly reads, in the order of `build.rs`, and uses up.
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
}

macro_rules! routines {
    ($($name:ident)+) => {
        unsafe extern "C" {
            $(fn $name(call: *mut Call);)+
        }
    };
}

routines! {
    opml_dense_8of8x1 opml_dense_4of4x1 opml_dense_2of2x1 opml_dense_1of1x1
    opml_dense_4of8x2 opml_dense_4of4x2 opml_dense_2of2x2 opml_dense_1of1x2
    opml_sparse_8 opml_sparse_4 opml_sparse_2 opml_sparse_1
    opml_correction_8 opml_correction_4 opml_correction_2 opml_correction_1
}

pub(super) fn dense<const C: usize>(work: &Dense<C>, out: &mut [u32]) {
    let column = |column: usize, of: &[&[u32]; C]| of.get(column).map_or(null(), |x| x.as_ptr());
    let mut call = Call {
        x: [column(0, &work.x), column(1, &work.x)],
        end: work.x[0].as_ptr_range().end,
        xi: [column(0, &work.xi), column(1, &work.xi)],
        y: work.y.as_ptr(),
        eta: work.eta.as_ptr(),
        out: out.as_mut_ptr(),
        first: out.as_mut_ptr(),
    };
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

pub(super) fn sparse(work: &Sparse, out: &mut [u32]) {
    let mut call = Call {
        x: [work.list.as_ptr().cast(), null()],
        end: work.counts.as_ptr_range().end,
        xi: [work.counts.as_ptr(), null()],
        y: work.y.as_ptr(),
        eta: null(),
        out: out.as_mut_ptr(),
        first: out.as_mut_ptr(),
    };
    let routine = match work.rows {
        8 => opml_sparse_8,
        4 => opml_sparse_4,
        2 => opml_sparse_2,
        1 => opml_sparse_1,
        _ => unreachable!("no such group"),
    };
    // SAFETY: the vector was prepared for as many elements as the group has, so the positions on the list lie inside
    // `y`, and the counts add up to the list; `Sparse::run` has cut `out` to what is written.
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
        first: out.as_mut_ptr(),
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
