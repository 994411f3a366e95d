//! Calls the assembly that `build/` writes.
#![expect(unsafe_code, reason = "assembly is called")]

use core::arch::global_asm;
use core::ops::Range;

use crate::integer::Byte;
use crate::integer::format::Group;
use crate::integer::inner::Fields;
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

routines! { Call: opml_integer_12 opml_integer_8 opml_integer_4 opml_integer_2 }
routines! { ColumnsCall: opml_columns_20s opml_columns_4s opml_columns_1s opml_columns_20u opml_columns_4u opml_columns_1u }

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
