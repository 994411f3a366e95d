//! Calls the assembly that `build/` writes.
#![expect(unsafe_code, reason = "assembly is called")]

use core::arch::global_asm;
use core::ops::Range;

use crate::integer::Byte;
use crate::integer::format::Group;
use crate::integer::inner::Fields;
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
    /// Behind the last word, which the last block ends with.
    taps_end: *const u32,
    start: u32,
    records: *mut u32,
    records_end: *mut u32,
}

routines! { Call: opml_integer_12 opml_integer_8 opml_integer_4 opml_integer_2 }
routines! { ColumnsCall: opml_columns_20s opml_columns_4s opml_columns_1s opml_columns_20u opml_columns_4u opml_columns_1u }
routines! { StripsCall: opml_strips_1 opml_strips_2 opml_strips_3 opml_strips_4 opml_strips_5 opml_strips_6 }

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

/// See `portable.rs`. Places in `taps` and `records` are those of the layout of `image`.
pub(super) fn strips(strip: usize, image: &[u32], taps: &[u32], records: &mut [u32]) {
    let Range { start: taps, end: taps_end } = taps.as_ptr_range();
    let Range { start: records, end: records_end } = records.as_mut_ptr_range();
    let mut call = StripsCall { image: image.as_ptr(), taps, taps_end, start: START, records, records_end };
    let routine = match strip {
        1 => opml_strips_1,
        2 => opml_strips_2,
        3 => opml_strips_3,
        4 => opml_strips_4,
        5 => opml_strips_5,
        6 => opml_strips_6,
        _ => unreachable!("no such strip"),
    };
    // SAFETY: there is a record for each strip and a word for each tap of each of its windows, as `Layout` has counted them; the lengths in
    // `taps` lead from block to block and to its end, and no block is empty.
    unsafe { routine(&mut call) };
}
