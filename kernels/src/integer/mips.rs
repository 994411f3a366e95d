//! Calls the assembly that `build/` writes.
#![expect(unsafe_code, reason = "assembly is called")]

use core::arch::global_asm;
use core::ops::Range;

use crate::integer::Byte;
use crate::integer::format::Group;
use crate::integer::inner::Fields;
use crate::integer::requantise::Column;
use crate::integer::sums::Sums;
use crate::integer::taps::START;
use crate::integer::vector::Vector;

global_asm!(include_str!(concat!(env!("OUT_DIR"), "/integer.s")));

/// The words that the loops read, in the order of `build/integer.rs`.
#[repr(C)]
struct Call {
    /// Begin and end of each list.
    lists: [[*const u32; 2]; 3],
    weights: *const u32,
    out: *mut Fields,
}

/// The words that the loops over single elements read.
#[repr(C)]
struct ColumnsCall {
    list: *const [u32; 2],
    end: *const [u32; 2],
    b: *const u8,
    out: *mut i32,
}

macro_rules! routines {
    ($call:ty: $($name:ident)+) => {
        unsafe extern "C" {
            $(fn $name(call: *mut $call);)+
        }
    };
}

/// The words that the loops over strips read.
#[repr(C)]
struct StripsCall {
    image: *const u32,
    taps: *const u32,
    start: u32,
    places: *const u32,
    places_end: *const u32,
    sums: *mut u32,
    /// From whole words to upper halves, in bytes.
    upper: usize,
}

/// The words that `opml_integer_bytes` reads.
#[repr(C)]
struct BytesCall {
    /// Where it stops, afterwards.
    whole: *const u32,
    upper: *const u32,
    end: *const u32,
    out: [*mut u8; 2],
    step: usize,
    bias: i32,
    bound: u32,
    factor: i32,
    fraction: u32,
    margin: u32,
    offset: i32,
    least: i32,
    /// What makes a byte of a level.
    flip: u32,
    /// Behind the last pair of the row.
    row_end: *const u32,
    /// Bytes of the words of a row, and of those behind its pairs.
    row: usize,
    skip: usize,
    /// From behind the last pair of a row to the first of the next.
    out_skip: usize,
}

routines! { Call: opml_integer_12 opml_integer_8 opml_integer_4 opml_integer_2 }
routines! { ColumnsCall: opml_columns_20s opml_columns_4s opml_columns_1s opml_columns_20u opml_columns_4u opml_columns_1u }
routines! { StripsCall: opml_strips_1 opml_strips_2 opml_strips_3 opml_strips_4 opml_strips_5 opml_strips_6 opml_strips_7 }
routines! { BytesCall: opml_integer_bytes }

/// See [`Fields::new`].
pub(super) fn blocks(vector: &Vector, group: &Group) -> Fields {
    let mut out = Fields::default();
    let mut call = Call {
        lists: [0, 1, 2].map(|list: usize| {
            let words = vector.lists[list].words().as_ptr_range();
            [words.start, words.end]
        }),
        weights: group.weights.as_ptr(),
        out: &mut out,
    };
    let routine = match group.rows {
        12 => opml_integer_12,
        8 => opml_integer_8,
        4 => opml_integer_4,
        2 => opml_integer_2,
        _ => unreachable!("no such group"),
    };
    // SAFETY: the vector was cut for as many elements as the group has, so the blocks lie inside the weights; no routine
    // has more rows than `Fields`.
    unsafe { routine(&mut call) };
    out
}

/// See [`Elements::sums`](crate::integer::plain::Elements::sums); `b` begins with the first column.
pub(super) fn columns(list: &[[u32; 2]], b: &[u8], byte: Byte, sums: &mut [i32]) {
    let Range { start, end } = list.as_ptr_range();
    let mut call = ColumnsCall { list: start, end, b: b.as_ptr(), out: sums.as_mut_ptr() };
    let routine = match (byte, sums.len()) {
        (Byte::Signed, 20) => opml_columns_20s,
        (Byte::Signed, 4) => opml_columns_4s,
        (Byte::Signed, 1) => opml_columns_1s,
        (Byte::Unsigned, 20) => opml_columns_20u,
        (Byte::Unsigned, 4) => opml_columns_4u,
        (Byte::Unsigned, 1) => opml_columns_1u,
        _ => unreachable!("no such number of columns"),
    };
    // SAFETY: `Elements::sums` has seen that the list is not empty and compared the last line with the length of B; as many sums are written as there are.
    unsafe { routine(&mut call) };
}

/// See `portable.rs`. Places are those of the layout of `image`.
pub(super) fn strips(strip: usize, image: &[u32], taps: &[u32], strips: &[u32], sums: &mut [u32]) {
    let Range { start: places, end: places_end } = strips.as_ptr_range();
    let (image, taps, upper) = (image.as_ptr(), taps.as_ptr(), size_of_val(sums) / 2);
    let sums = sums.as_mut_ptr();
    let mut call = StripsCall { image, taps, start: START, places, places_end, sums, upper };
    let routine = match strip {
        1 => opml_strips_1,
        2 => opml_strips_2,
        3 => opml_strips_3,
        4 => opml_strips_4,
        5 => opml_strips_5,
        6 => opml_strips_6,
        7 => opml_strips_7,
        _ => unreachable!("no such strip"),
    };
    // SAFETY: there is a word for each tap of each window of a strip, and two for each of its sums, as `Layout` has counted them; the lengths
    // in `taps` lead from block to block and to the zero at its end, and no block is empty.
    unsafe { routine(&mut call) };
}

/// See `portable.rs`. Stops at sums that are next to a tie, or too large.
pub(super) fn bytes(sums: &Sums, column: &Column, from: usize, out: &mut [u8]) -> usize {
    let output = &sums.layout.shape.output;
    let (half, step) = (sums.layout.half, output.column_stride);
    let (pairs, at) = (output.width - half, from % half);
    let [Some(lower), Some(upper)] = sums.places(from) else { return from };
    assert!(out.len() >= output.extent() && sums.upper.len() == sums.whole.len(), "integer: sums too short");
    let (begin, out) = (sums.whole.as_ptr(), out.as_mut_ptr());
    let mut call = BytesCall {
        whole: sums.whole[from..].as_ptr(),
        upper: sums.upper[from..].as_ptr(),
        end: begin.wrapping_add(sums.whole.len()),
        out: [lower, upper].map(|place| out.wrapping_add(place)),
        step,
        bias: column.bias,
        bound: column.scale.bound,
        factor: column.scale.factor,
        fraction: column.scale.fraction,
        margin: column.scale.margin,
        offset: column.scale.offset,
        least: column.least,
        flip: column.byte.of_level(0).into(),
        row_end: begin.wrapping_add(from - at + pairs),
        row: size_of::<u32>() * half,
        skip: size_of::<u32>() * (half - pairs),
        out_skip: output.row_stride.wrapping_sub(pairs * step),
    };
    // SAFETY: `from` is a pair of a row; the output has a place for each pair from there on, and there are words for it.
    unsafe { opml_integer_bytes(&mut call) };
    (call.whole.addr() - begin.addr()) / size_of::<u32>()
}
