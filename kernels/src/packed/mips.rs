//! Calls the assembly that `build/` writes.
#![expect(unsafe_code, reason = "assembly is called")]

use core::arch::global_asm;
use core::ptr::{null, null_mut};

use crate::dot::rows::Lines;
use crate::packed::format::{Chunk, MAX_CHUNK, Total};
use crate::packed::inner::{Dense, Fill, Filled, Finish, Open, Seen, Sparse, Start};

global_asm!(include_str!(concat!(env!("OUT_DIR"), "/packed.s")));

/// The words that the loops read, in the order of `build/packed/totals.rs`, and use up.
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
    room: *mut u32,
    totals: [*mut Total; 2],
    /// Null if there are none and there is one block.
    corrections: [*const u32; 2],
    lows: [*const u32; 2],
    /// What low words begin with.
    constant: [u32; 2],
    /// Whether vectors have one block.
    single: u32,
    groups: usize,
    /// From the `y` of a group to the next, for lists.
    group_bytes: usize,
    own: [u32; 3],
    /// What totals begin with where there are several blocks.
    wide: [[u32; 2]; 2],
}

/// What stands for corrections and low words that are not there.
static ZEROS: [Total; MAX_CHUNK] = [[0; 2]; MAX_CHUNK];

impl Call {
    const NONE: Self = Self {
        x: [null(); 2],
        end: null(),
        xi: [null(); 2],
        y: null(),
        eta: null(),
        room: null_mut(),
        totals: [null_mut(); 2],
        corrections: [null(); 2],
        lows: [null(); 2],
        constant: [0; 2],
        single: 0,
        groups: 0,
        group_bytes: 0,
        own: [0; 3],
        wide: [[0; 2]; 2],
    };

    /// Sets where the totals of a vector go and what they begin with.
    #[inline]
    fn start(&mut self, column: usize, start: &Start, totals: &mut [Total]) {
        self.totals[column] = totals.as_mut_ptr();
        self.lows[column] = if start.lows.is_empty() { &ZEROS } else { start.lows }.as_ptr().cast();
        self.corrections[column] = match start.corrections {
            [] if self.single != 0 => null(),
            [] => ZEROS.as_ptr().cast(),
            corrections => corrections.as_ptr(),
        };
        if self.single != 0 {
            self.constant[column] = start.constant as u32;
        } else {
            self.wide[column] = [(start.constant >> 32) as u32, start.constant as u32];
        }
    }
}

/// See [`gather`](super::inner::gather): `count` elements with a step in each slice.
#[inline]
pub(super) fn gather(
    count: usize,
    (x, from_step): (&[f32], usize),
    (out, to_step): (&mut [u32], usize),
    seen: &mut Seen,
) {
    let (mut from, mut to) = (x.as_ptr().cast::<u32>(), out.as_mut_ptr());
    let Seen { mut largest, mut nonzero } = *seen;
    for _ in 0..count {
        // SAFETY: `inner::gather` has made slices that reach from the first to the last element. The pointers move past
        // the last one by `wrapping_add`, which may leave the slices, and are not read then.
        let bits = unsafe { *from };
        // SAFETY: as above.
        unsafe { *to = bits };
        (from, to) = (from.wrapping_add(from_step), to.wrapping_add(to_step));
        let twice = bits << 1;
        largest = largest.max(twice);
        nonzero += u32::from(twice != 0);
    }
    *seen = Seen { largest, nonzero };
}

/// The words that `opml_finish` reads, in the order of `build/packed/finish.rs`. Steps are in bytes.
#[repr(C)]
struct FinishCall {
    totals: *const Total,
    totals_end: *const Total,
    records: *const u32,
    biases: *const u32,
    bias_step: usize,
    results: *mut f32,
    result_step: usize,
    scale: i32,
    error: u32,
    largest: u32,
    open: *mut Open,
    /// Of the first row.
    places: *const u32,
    words: *const u32,
    words_end: *const u32,
    x: *const u32,
    x_bytes: usize,
    vector_error: u32,
    /// Of the words.
    length: usize,
}

/// The words that `opml_fill` reads, in the order of `build/packed/fill.rs`.
#[repr(C)]
struct FillCall {
    x: *const u32,
    x_end: *const u32,
    out: *mut u32,
    place: i32,
    at: u32,
    /// Moves on.
    list: *mut [u32; 2],
    /// Moves on.
    inexact: *mut [u32; 2],
    squares: u32,
}

macro_rules! routines {
    ($($name:ident)+) => {
        unsafe extern "C" {
            $(fn $name(call: *mut Call);)+
            fn opml_fill(call: *mut FillCall);
            fn opml_fill_list(call: *mut FillCall);
            fn opml_finish(call: *mut FinishCall);
        }
    };
}

routines! {
    opml_correct_8 opml_correct_4 opml_correct_2 opml_correct_1
    opml_dense_8of8x1 opml_dense_4of4x1 opml_dense_2of2x1 opml_dense_1of1x1
    opml_dense_4of8x2 opml_dense_4of4x2 opml_dense_2of2x2 opml_dense_1of1x2
    opml_sparse_8 opml_sparse_4 opml_sparse_2 opml_sparse_1
}

pub(super) fn fill(work: Fill) -> Filled {
    let Fill { x, place, at, out, list, inexact } = work;
    let range = x.as_ptr_range();
    let mut call = FillCall {
        x: range.start,
        x_end: range.end,
        out: out.as_mut_ptr(),
        place,
        at,
        list: list.as_mut_ptr(),
        inexact: inexact.as_mut_ptr(),
        squares: 0,
    };
    let routine = if list.is_empty() { opml_fill } else { opml_fill_list };
    // SAFETY: `Fill::run` has compared the lengths: there is room for each element in `out`, on the list if there is one, and
    // on that of inexact elements, and there is an element.
    unsafe { routine(&mut call) };
    let count =
        |end: *mut [u32; 2], start: &[[u32; 2]]| (end.addr() - start.as_ptr().addr()) / size_of::<[u32; 2]>();
    Filled { squares: call.squares, listed: count(call.list, list), inexact: count(call.inexact, inexact) }
}

pub(super) fn correct(list: &[[u32; 2]], chunk: &Chunk, corrections: &mut [u32]) {
    let range = list.as_ptr_range();
    let mut call = Call {
        x: [range.start.cast(), null()],
        end: range.end.cast(),
        y: chunk.y.as_ptr(),
        corrections: [corrections.as_mut_ptr(), null()],
        groups: chunk.groups,
        group_bytes: size_of_val(chunk.y) / chunk.groups,
        ..Call::NONE
    };
    let routine = match chunk.rows {
        8 => opml_correct_8,
        4 => opml_correct_4,
        2 => opml_correct_2,
        1 => opml_correct_1,
        _ => unreachable!("no such group"),
    };
    // SAFETY: the list is not empty, its positions lie inside the vector, which has as many elements as each group of `y`, and
    // `inner::correct` has compared the number of rows.
    unsafe { routine(&mut call) };
}

pub(super) fn dense<const C: usize>(work: &Dense<C>, room: &mut [u32], totals: [&mut [Total]; C]) {
    let mut call = Call {
        end: work.x[0].as_ptr_range().end,
        y: work.y.as_ptr(),
        eta: work.eta.as_ptr(),
        room: room.as_mut_ptr(),
        single: u32::from(work.starts[0].narrow),
        groups: work.groups,
        ..Call::NONE
    };
    for (column, totals) in totals.into_iter().enumerate() {
        call.x[column] = work.x[column].as_ptr();
        call.xi[column] = work.xi[column].as_ptr();
        call.start(column, &work.starts[column], totals);
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
    // SAFETY: `Dense::run` has compared the lengths with what the routine reads and writes for this number of groups, of
    // rows, of vectors and of elements.
    unsafe { routine(&mut call) };
}

pub(super) fn sparse(work: &Sparse, room: &mut [u32], totals: &mut [Total]) {
    let mut call = Call {
        x: [work.list.as_ptr().cast(), null()],
        end: work.counts.as_ptr_range().end,
        xi: [work.counts.as_ptr(), null()],
        y: work.y.as_ptr(),
        room: room.as_mut_ptr(),
        single: u32::from(work.start.narrow),
        groups: work.groups,
        group_bytes: size_of_val(work.y) / work.groups,
        ..Call::NONE
    };
    call.start(0, &work.start, totals);
    let routine = match work.rows {
        8 => opml_sparse_8,
        4 => opml_sparse_4,
        2 => opml_sparse_2,
        1 => opml_sparse_1,
        _ => unreachable!("no such group"),
    };
    // SAFETY: as in `correct`, but that the list may be empty; the counts add up to the list, and `Sparse::run` has compared
    // `room`, the start and `totals` with what is read and written.
    unsafe { routine(&mut call) };
}

pub(super) fn finish(work: &Finish, totals: &[Total], results: &mut Lines, open: &mut Open) {
    let (biases, bias_step) = match work.biases {
        [] => (&[0; 2], 0),
        [first, ..] => (first, size_of_val(first)),
    };
    let (range, words) = (totals.as_ptr_range(), work.words.as_ptr_range());
    let mut call = FinishCall {
        totals: range.start,
        totals_end: range.end,
        records: work.records.as_ptr().cast(),
        biases: biases.as_ptr(),
        bias_step,
        results: &mut results.values[results.start],
        result_step: size_of::<f32>() * results.step,
        scale: work.vector.scale,
        error: (work.vector.error >> 2) + 64,
        largest: work.vector.largest,
        open,
        places: work.places.as_ptr(),
        words: words.start,
        words_end: words.end,
        x: work.vector.x.as_ptr(),
        x_bytes: size_of_val(work.vector.x),
        vector_error: work.vector.error,
        length: work.words.len(),
    };
    // SAFETY: `Finish::run` has compared the lengths: there is a record, a bias if there is any, a place, a
    // result and room on the list for each total. The routine itself compares places, lists and positions with the words and the vector.
    unsafe { opml_finish(&mut call) };
}
