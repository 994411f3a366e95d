//! Every operation against the host's hardware; the tests and the fuzz target call these.
//!
//! A NaN is one NaN. The bits are asked whether they are one, since to the compiler one NaN is as good as another: it may
//! leave out a choice between two.

extern crate std;

use crate::{double, single};

/// The bits of a binary32 number, with one NaN.
fn bits32(x: f32) -> u32 {
    let bits = x.to_bits();
    if bits << 1 > 0xff00_0000 { single::NAN } else { bits }
}

/// The bits of a binary64 number, with one NaN.
fn bits64(x: f64) -> u64 {
    let bits = x.to_bits();
    if bits << 1 > 0xffe0_0000_0000_0000 { double::NAN } else { bits }
}

/// Everything that takes two binary32 numbers, these being their bits.
///
/// # Panics
/// If a result is not the hardware's.
pub fn check_pair32(a: u32, b: u32) {
    let (x, y) = (f32::from_bits(a), f32::from_bits(b));
    assert_eq!(single::add(a, b), bits32(x + y), "{a:#010x} + {b:#010x}");
    assert_eq!(single::sub(a, b), bits32(x - y), "{a:#010x} - {b:#010x}");
    assert_eq!(single::mul(a, b), bits32(x * y), "{a:#010x} x {b:#010x}");
    assert_eq!(single::div(a, b), bits32(x / y), "{a:#010x} / {b:#010x}");
    assert_eq!(single::compare(a, b), x.partial_cmp(&y), "{a:#010x} and {b:#010x}");
}

/// Everything that takes one binary32 number or an integer of 32 bits.
///
/// # Panics
/// If a result is not the hardware's.
pub fn check_one32(a: u32) {
    let x = f32::from_bits(a);
    assert_eq!(single::sqrt(a), bits32(x.sqrt()), "the root of {a:#010x}");
    assert_eq!(single::to_i32(a), x as i32, "{a:#010x}");
    assert_eq!(single::to_u32(a), x as u32, "{a:#010x}");
    assert_eq!(single::to_i64(a), x as i64, "{a:#010x}");
    assert_eq!(single::to_u64(a), x as u64, "{a:#010x}");
    assert_eq!(single::from_i32(a as i32), (a as i32 as f32).to_bits(), "{a}");
    assert_eq!(single::from_u32(a), (a as f32).to_bits(), "{a}");
    assert_eq!(double::from_i32(a as i32), f64::from(a as i32).to_bits(), "{a}");
    assert_eq!(double::from_u32(a), f64::from(a).to_bits(), "{a}");
    assert_eq!(double::from_single(a), bits64(f64::from(x)), "{a:#010x}");
}

/// Everything that takes two binary64 numbers.
///
/// # Panics
/// If a result is not the hardware's.
pub fn check_pair64(a: u64, b: u64) {
    let (x, y) = (f64::from_bits(a), f64::from_bits(b));
    assert_eq!(double::add(a, b), bits64(x + y), "{a:#018x} + {b:#018x}");
    assert_eq!(double::sub(a, b), bits64(x - y), "{a:#018x} - {b:#018x}");
    assert_eq!(double::mul(a, b), bits64(x * y), "{a:#018x} x {b:#018x}");
    assert_eq!(double::div(a, b), bits64(x / y), "{a:#018x} / {b:#018x}");
    assert_eq!(double::compare(a, b), x.partial_cmp(&y), "{a:#018x} and {b:#018x}");
}

/// Everything that takes one binary64 number or an integer of 64 bits.
///
/// # Panics
/// If a result is not the hardware's.
pub fn check_one64(a: u64) {
    let x = f64::from_bits(a);
    assert_eq!(double::to_i32(a), x as i32, "{a:#018x}");
    assert_eq!(double::to_u32(a), x as u32, "{a:#018x}");
    assert_eq!(double::to_i64(a), x as i64, "{a:#018x}");
    assert_eq!(double::to_u64(a), x as u64, "{a:#018x}");
    assert_eq!(double::to_single(a), bits32(x as f32), "{a:#018x}");
    assert_eq!(double::from_i64(a as i64), (a as i64 as f64).to_bits(), "{a}");
    assert_eq!(double::from_u64(a), (a as f64).to_bits(), "{a}");
    assert_eq!(single::from_i64(a as i64), (a as i64 as f32).to_bits(), "{a}");
    assert_eq!(single::from_u64(a), (a as f32).to_bits(), "{a}");
}

/// Every operation on every pair of binary64 numbers in `data`, big-endian, and on their halves as pairs of binary32;
/// the fuzz target and the replay of its corpus call it.
///
/// # Panics
/// If a result is not the hardware's: that is a bug.
pub fn fuzz_soft_float(data: &[u8]) {
    for pair in data.as_chunks::<16>().0 {
        let pair = u128::from_be_bytes(*pair);
        let (a, b) = ((pair >> 64) as u64, pair as u64);
        check_pair64(a, b);
        check_pair32((a >> 32) as u32, (b >> 32) as u32);
        check_pair32(a as u32, b as u32);
        for x in [a, b] {
            check_one64(x);
            check_one32((x >> 32) as u32);
            check_one32(x as u32);
        }
    }
}
