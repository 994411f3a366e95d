//! `strtod` and `strtof`. Decimal numbers of any length are read by Rust's `core`, hexadecimal ones here; both are rounded once.

use core::str::FromStr;

use super::tell_end;
use crate::ctype::is_space;
use crate::errno::{self, ERANGE};
use crate::string::at;

/// What the two formats differ in.
trait Binary: FromStr + Copy {
    /// Bits of the fraction.
    const FRACTION: u32;
    /// Biased exponent of 1.
    const BIAS: i32;

    fn of(bits: u64) -> Self;
    fn magnitude(self) -> u64;
}

impl Binary for f64 {
    const FRACTION: u32 = 52;
    const BIAS: i32 = 1023;

    fn of(bits: u64) -> Self {
        Self::from_bits(bits)
    }
    fn magnitude(self) -> u64 {
        self.to_bits()
    }
}

impl Binary for f32 {
    const FRACTION: u32 = 23;
    const BIAS: i32 = 127;

    fn of(bits: u64) -> Self {
        Self::from_bits(bits as u32)
    }
    fn magnitude(self) -> u64 {
        self.to_bits().into()
    }
}

const fn infinity<F: Binary>() -> u64 {
    (2 * F::BIAS as u64 + 1) << F::FRACTION
}

/// The bits of `head` x 2^`exponent`, rounded to nearest, of two to the even one. A lowest bit that is set says that there is more.
fn scaled<F: Binary>(head: u64, exponent: i64) -> u64 {
    if head == 0 {
        return 0;
    }
    let zeros = head.leading_zeros();
    let mut head = head << zeros;
    let biased = exponent - i64::from(zeros) + 63 + i64::from(F::BIAS);
    let base = if biased >= 1 {
        (biased - 1).min(2 * i64::from(F::BIAS)) as u64
    } else {
        let shift = (1 - biased).min(63) as u32;
        head = head >> shift | u64::from(head << (64 - shift) != 0);
        0
    };
    let dropped = 63 - F::FRACTION;
    let truncated = (base << F::FRACTION) + (head >> dropped);
    let rest = head & ((1 << dropped) - 1);
    (truncated + u64::from(rest + (truncated & 1) > 1 << (dropped - 1))).min(infinity::<F>())
}

/// Reads from place `i` of a text on, and never behind its zero byte.
struct Reader {
    text: *const u8,
    i: usize,
}

impl Reader {
    fn byte(&self, ahead: usize) -> u8 {
        // SAFETY: bytes are asked for in their order, each only if none in front of it was zero.
        unsafe { at(self.text, self.i + ahead) }
    }

    /// Whether `word` (small letters) comes next; then it is passed.
    fn word(&mut self, word: &[u8]) -> bool {
        let same = (0..word.len()).all(|k| self.byte(k).to_ascii_lowercase() == word[k]);
        self.i += if same { word.len() } else { 0 };
        same
    }

    /// Passes decimal digits; how many.
    fn digits(&mut self) -> usize {
        let first = self.i;
        while self.byte(0).is_ascii_digit() {
            self.i += 1;
        }
        self.i - first
    }

    /// Passes an exponent that begins with `letter`, if there is one, and gives its value, cut off where no number reaches.
    fn exponent(&mut self, letter: u8) -> i64 {
        let sign = usize::from(matches!(self.byte(1), b'+' | b'-') && self.byte(0) | 0x20 == letter);
        if self.byte(0) | 0x20 != letter || !self.byte(1 + sign).is_ascii_digit() {
            return 0;
        }
        let negative = self.byte(1) == b'-';
        self.i += 1 + sign;
        let first = self.i;
        self.digits();
        let mut value = 0i64;
        for k in first..self.i {
            // SAFETY: a digit that was passed.
            let digit = unsafe { at(self.text, k) } - b'0';
            value = (value * 10 + i64::from(digit)).min(1 << 40);
        }
        if negative { -value } else { value }
    }

    /// A hexadecimal number behind its prefix.
    fn hexadecimal<F: Binary>(&mut self) -> u64 {
        let (mut head, mut exponent, mut point) = (0u64, 0i64, false);
        loop {
            match char::from(self.byte(0)).to_digit(16) {
                Some(digit) if head >> 58 == 0 => {
                    head = head << 4 | u64::from(digit);
                    exponent -= if point { 4 } else { 0 };
                }
                Some(digit) => {
                    head |= u64::from(digit != 0);
                    exponent += if point { 0 } else { 4 };
                }
                None if self.byte(0) == b'.' && !point => point = true,
                None => break,
            }
            self.i += 1;
        }
        let exponent = exponent + self.exponent(b'p');
        let bits = scaled::<F>(head, exponent);
        if bits == infinity::<F>() || (bits == 0 && head != 0) {
            errno::set(ERANGE);
        }
        bits
    }

    /// A decimal number; none if there is not one digit.
    fn decimal<F: Binary>(&mut self) -> Option<u64> {
        let first = self.i;
        let mut digits = self.digits();
        if self.byte(0) == b'.' && (digits > 0 || self.byte(1).is_ascii_digit()) {
            self.i += 1;
            digits += self.digits();
        }
        if digits == 0 {
            return None;
        }
        let behind_mantissa = self.i;
        self.exponent(b'e');
        // SAFETY: what was passed, all of it ASCII.
        let (whole, mantissa) = unsafe {
            let start = self.text.add(first);
            let part = |end: usize| core::slice::from_raw_parts(start, end - first);
            (core::str::from_utf8_unchecked(part(self.i)), part(behind_mantissa))
        };
        let bits = whole.parse::<F>().ok()?.magnitude();
        let is_zero = mantissa.iter().all(|byte| matches!(byte, b'0' | b'.'));
        if bits == infinity::<F>() || (bits == 0 && !is_zero) {
            errno::set(ERANGE);
        }
        Some(bits)
    }

    /// What stands after a sign.
    fn magnitude<F: Binary>(&mut self) -> Option<u64> {
        if self.word(b"inf") {
            self.word(b"inity");
            return Some(infinity::<F>());
        }
        if self.word(b"nan") {
            self.payload();
            return Some(infinity::<F>() | 1 << (F::FRACTION - 1));
        }
        let after_point =
            usize::from(self.byte(0) == b'0' && self.byte(1) | 0x20 == b'x' && self.byte(2) == b'.');
        let is_hexadecimal = self.byte(0) == b'0'
            && self.byte(1) | 0x20 == b'x'
            && self.byte(2 + after_point).is_ascii_hexdigit();
        if is_hexadecimal {
            self.i += 2;
            return Some(self.hexadecimal::<F>());
        }
        self.decimal::<F>()
    }

    /// Passes the word in parentheses that a NaN may have; there is one NaN all the same.
    fn payload(&mut self) {
        if self.byte(0) != b'(' {
            return;
        }
        let mut k = 1;
        while self.byte(k).is_ascii_alphanumeric() || self.byte(k) == b'_' {
            k += 1;
        }
        self.i += if self.byte(k) == b')' { k + 1 } else { 0 };
    }
}

/// The number that `text` begins with.
///
/// # Safety
/// A text; `end` may be written, if it is no null.
unsafe fn read<F: Binary>(text: *const u8, end: *mut *mut u8) -> F {
    let mut reader = Reader { text, i: 0 };
    while is_space(reader.byte(0)) {
        reader.i += 1;
    }
    let negative = reader.byte(0) == b'-';
    reader.i += usize::from(negative || reader.byte(0) == b'+');
    let magnitude = reader.magnitude::<F>();
    let behind = magnitude.map_or(0, |_| reader.i);
    // SAFETY: the caller's promise.
    unsafe { tell_end(end, text.add(behind)) };
    let sign = if negative && magnitude.is_some() { infinity::<F>() + (1 << F::FRACTION) } else { 0 };
    F::of(magnitude.unwrap_or(0) | sign)
}

/// The number that `text` begins with, decimal or hexadecimal, `inf` or `nan`; `end`, if it is not null, gets the place behind it.
/// `ERANGE` if it is too large, or too small for any number but zero.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strtod(text: *const u8, end: *mut *mut u8) -> f64 {
    // SAFETY: the caller's promise.
    unsafe { read(text, end) }
}

/// The same for `float`, rounded once from the text.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strtof(text: *const u8, end: *mut *mut u8) -> f32 {
    // SAFETY: the caller's promise.
    unsafe { read(text, end) }
}

/// The same for `long double`, which is `double` on the VM.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn strtold(text: *const u8, end: *mut *mut u8) -> f64 {
    // SAFETY: the caller's promise.
    unsafe { read(text, end) }
}

/// The number that `text` begins with; 0 if it begins with none.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn atof(text: *const u8) -> f64 {
    // SAFETY: the caller's promise.
    unsafe { read(text, core::ptr::null_mut()) }
}
