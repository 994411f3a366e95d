//! Numbers out of text.

use std::ffi::{CString, c_int};
use std::ptr::null_mut;

use opml_libc::number;

use crate::Random;

mod host {
    use std::ffi::c_int;

    unsafe extern "C" {
        pub fn strtoll(text: *const u8, end: *mut *mut u8, base: c_int) -> i64;
        pub fn strtoull(text: *const u8, end: *mut *mut u8, base: c_int) -> u64;
        pub fn strtod(text: *const u8, end: *mut *mut u8) -> f64;
        pub fn strtof(text: *const u8, end: *mut *mut u8) -> f32;
    }
}

/// What a function makes of a text: the value, and how far it read.
fn read<T>(text: &CString, call: impl FnOnce(*const u8, *mut *mut u8) -> T) -> (T, usize) {
    let mut end = null_mut();
    let value = call(text.as_ptr().cast(), &mut end);
    (value, end.addr() - text.as_ptr().addr())
}

/// Text from pieces: numbers, and what is nearly one.
fn pieces(random: &mut Random, from: &[&str]) -> CString {
    let text: String = (0..1 + random.below(7)).map(|_| random.pick(from)).collect();
    CString::new(text).unwrap()
}

#[test]
fn integers() {
    let mut random = Random(31);
    let from = [
        "0",
        "1",
        "7",
        "9",
        "f",
        "z",
        "0x",
        "0X",
        "-",
        "+",
        " ",
        "\t",
        "9223372036854775807",
        "18446744073709551615",
        "99",
        ".",
        "_",
    ];
    for _ in 0..100_000 {
        let text = pieces(&mut random, &from);
        let base = [0, 2, 8, 10, 16, 36][random.below(6)];
        // SAFETY: texts.
        unsafe {
            let ours = read(&text, |t, e| number::strtoll(t, e, base));
            assert_eq!(ours, read(&text, |t, e| host::strtoll(t, e, base)), "{text:?} {base}");
            let ours = read(&text, |t, e| number::strtoull(t, e, base));
            assert_eq!(ours, read(&text, |t, e| host::strtoull(t, e, base)), "{text:?} {base}");
            // `long` has 32 bits here: what fits is the same.
            let (long, end) = read(&text, |t, e| number::strtol(t, e, base));
            let (long_long, same_end) = read(&text, |t, e| host::strtoll(t, e, base));
            assert_eq!(long, long_long.clamp(i32::MIN.into(), i32::MAX.into()) as i32, "{text:?} {base}");
            assert_eq!(end, same_end);
        }
    }
}

/// glibc 2.36 rounds some hexadecimal numbers to the wrong subnormal one: `subnormal_numbers_too` has those.
fn same_floats(text: &CString) {
    let is_hexadecimal = text.as_bytes().contains(&b'x');
    // SAFETY: texts.
    unsafe {
        let (ours, end) = read(text, |t, e| number::strtod(t, e));
        let (theirs, their_end) = read(text, |t, e| host::strtod(t, e));
        if !(is_hexadecimal && ours.is_subnormal()) {
            assert_eq!((ours.to_bits(), end), (theirs.to_bits(), their_end), "{text:?}: {ours:e} {theirs:e}");
        }
        let (ours, end) = read(text, |t, e| number::strtof(t, e));
        let (theirs, their_end) = read(text, |t, e| host::strtof(t, e));
        if !(is_hexadecimal && ours.is_subnormal()) {
            assert_eq!((ours.to_bits(), end), (theirs.to_bits(), their_end), "{text:?}: {ours:e} {theirs:e}");
        }
    }
}

#[test]
fn floats_of_any_form() {
    let mut random = Random(32);
    let from = [
        "0",
        "1",
        "5",
        "9",
        "25",
        "123456789012345678901234567890",
        ".",
        "e",
        "E",
        "e-",
        "e+",
        "p",
        "P-",
        "0x",
        "0X",
        "a",
        "F",
        "-",
        "+",
        " ",
        "inf",
        "INFINITY",
        "nan",
        "nan(12_ab)",
        "nan(",
        "400",
        "1023",
        "000000000000000000000",
        ",",
    ];
    for _ in 0..300_000 {
        same_floats(&pieces(&mut random, &from));
    }
}

#[test]
fn floats_are_rounded_once() {
    let mut random = Random(33);
    for _ in 0..30_000 {
        let value = f64::from_bits(random.next() & !(1 << 63));
        if !value.is_finite() {
            continue;
        }
        // All digits of a number, of the middle between it and the next one, and of a little more.
        let single = f64::from(value as f32);
        let next = f64::from(f32::from_bits((value as f32).to_bits().saturating_add(1)));
        let middle = single / 2.0 + next / 2.0;
        for text in [format!("{value:.40e}"), format!("{middle:.60e}"), format!("{middle:.150}1")] {
            same_floats(&CString::new(text).unwrap());
        }
        let exponent = random.below(2300) as c_int - 1150;
        let digits = random.next();
        same_floats(&CString::new(format!("0x{:x}.{digits:016x}p{exponent}", random.below(20))).unwrap());
        // The middle between two numbers of 53 and of 24 bits.
        for bits in [11, 40] {
            let tie = (digits | 1 << 63) >> bits << bits | 1 << (bits - 1);
            same_floats(&CString::new(format!("0x{tie:x}p{exponent}")).unwrap());
            same_floats(&CString::new(format!("0x{tie:x}0001p{exponent}")).unwrap());
        }
    }
}

#[test]
fn subnormal_numbers_too() {
    // The last place of a subnormal float is 2^-149, of a double 2^-1074.
    for (text, places) in [
        (c"0xd7a84a8000000000p-191", 3_533_331),
        (c"0x1p-149", 1),
        (c"0x0.8p-149", 0),
        (c"0x0.80000000000000001p-149", 1),
        (c"0x1.8p-149", 2),
        (c"0x2.8p-149", 2),
        (c"0x7fffff.8p-149", 0x80_0000),
        (c"0x1p-999999999999", 0),
    ] {
        // SAFETY: texts.
        let (single, double) = unsafe {
            let double = text.to_str().unwrap().replace("-149", "-1074").replace("-191", "-1116");
            let double = CString::new(double).unwrap();
            (
                number::strtof(text.as_ptr().cast(), null_mut()),
                number::strtod(double.as_ptr().cast(), null_mut()),
            )
        };
        assert_eq!((u64::from(single.to_bits()), double.to_bits()), (places, places), "{text:?}");
    }
}
