//! What the compiler calls for arithmetic on floats (the names are libgcc's), from `opml-softfloat`.
//!
//! The compiler's own library has the same functions in more steps; its symbols are weak, so these are
//! linked. A comparison returns a number whose relation to zero is that of the operands, and one
//! for which the relation is false if an operand is NaN.

use core::cmp::Ordering;

use opml_softfloat::{double, single};

/// Functions with C linkage, each a call of one of ours.
macro_rules! library {
    ($($name:ident($($argument:ident: $type:ty),+) -> $result:ty = $value:expr;)*) => {$(
        // SAFETY: the name and the types are those of the function that the compiler calls.
        #[unsafe(no_mangle)]
        extern "C" fn $name($($argument: $type),+) -> $result {
            $value
        }
    )*};
}

/// The ordering as a number, or `unordered`.
#[inline(always)]
fn number(ordering: Option<Ordering>, unordered: i32) -> i32 {
    ordering.map_or(unordered, |ordering| ordering as i32)
}

library! {
    __addsf3(a: u32, b: u32) -> u32 = single::add(a, b);
    __subsf3(a: u32, b: u32) -> u32 = single::sub(a, b);
    __mulsf3(a: u32, b: u32) -> u32 = single::mul(a, b);
    __divsf3(a: u32, b: u32) -> u32 = single::div(a, b);
    __eqsf2(a: u32, b: u32) -> i32 = number(single::compare(a, b), 1);
    __nesf2(a: u32, b: u32) -> i32 = number(single::compare(a, b), 1);
    __ltsf2(a: u32, b: u32) -> i32 = number(single::compare(a, b), 1);
    __lesf2(a: u32, b: u32) -> i32 = number(single::compare(a, b), 1);
    __gtsf2(a: u32, b: u32) -> i32 = number(single::compare(a, b), -1);
    __gesf2(a: u32, b: u32) -> i32 = number(single::compare(a, b), -1);
    __unordsf2(a: u32, b: u32) -> i32 = i32::from(single::compare(a, b).is_none());
    __floatsisf(value: i32) -> u32 = single::from_i32(value);
    __floatunsisf(value: u32) -> u32 = single::from_u32(value);
    __floatdisf(value: i64) -> u32 = single::from_i64(value);
    __floatundisf(value: u64) -> u32 = single::from_u64(value);
    __fixsfsi(x: u32) -> i32 = single::to_i32(x);
    __fixunssfsi(x: u32) -> u32 = single::to_u32(x);
    __fixsfdi(x: u32) -> i64 = single::to_i64(x);
    __fixunssfdi(x: u32) -> u64 = single::to_u64(x);
    __adddf3(a: u64, b: u64) -> u64 = double::add(a, b);
    __subdf3(a: u64, b: u64) -> u64 = double::sub(a, b);
    __muldf3(a: u64, b: u64) -> u64 = double::mul(a, b);
    __divdf3(a: u64, b: u64) -> u64 = double::div(a, b);
    __eqdf2(a: u64, b: u64) -> i32 = number(double::compare(a, b), 1);
    __nedf2(a: u64, b: u64) -> i32 = number(double::compare(a, b), 1);
    __ltdf2(a: u64, b: u64) -> i32 = number(double::compare(a, b), 1);
    __ledf2(a: u64, b: u64) -> i32 = number(double::compare(a, b), 1);
    __gtdf2(a: u64, b: u64) -> i32 = number(double::compare(a, b), -1);
    __gedf2(a: u64, b: u64) -> i32 = number(double::compare(a, b), -1);
    __unorddf2(a: u64, b: u64) -> i32 = i32::from(double::compare(a, b).is_none());
    __floatsidf(value: i32) -> u64 = double::from_i32(value);
    __floatunsidf(value: u32) -> u64 = double::from_u32(value);
    __floatdidf(value: i64) -> u64 = double::from_i64(value);
    __floatundidf(value: u64) -> u64 = double::from_u64(value);
    __fixdfsi(x: u64) -> i32 = double::to_i32(x);
    __fixunsdfsi(x: u64) -> u32 = double::to_u32(x);
    __fixdfdi(x: u64) -> i64 = double::to_i64(x);
    __fixunsdfdi(x: u64) -> u64 = double::to_u64(x);
    __extendsfdf2(x: u32) -> u64 = double::from_single(x);
    __truncdfsf2(x: u64) -> u32 = double::to_single(x);
}
