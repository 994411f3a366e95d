//! `%f`, `%e`, `%g` and `%a`: the exact value, rounded once, of two texts as near to the even digit, as glibc writes it.

use core::fmt::Write;

use arrayvec::ArrayString;

use super::conversion::Conversion;
use super::decimal::Digits;
use super::format::{Counted, NOTHING, Part};
use super::{Refused, Sink};

/// Room for the 309 digits in front of the point, the point, and those behind.
type Text = ArrayString<1400>;

/// Puts `value` by one of the letters `aefg`, small or capital.
pub(super) fn convert<S: Sink>(
    out: &mut Counted<'_, S>,
    conversion: &Conversion,
    value: f64,
) -> Result<(), Refused> {
    let capital = conversion.letter.is_ascii_uppercase();
    let sign = [if value.is_sign_negative() { b'-' } else { conversion.plus }];
    let sign = if sign[0] == 0 { &sign[..0] } else { &sign };
    let magnitude = f64::from_bits(value.to_bits() & !(1 << 63));
    if !magnitude.is_finite() {
        let word: &[u8] = match (magnitude.is_nan(), capital) {
            (true, true) => b"NAN",
            (true, false) => b"nan",
            (false, true) => b"INF",
            (false, false) => b"inf",
        };
        return out.field(conversion, false, [Part::Text(sign), Part::Text(word), NOTHING, NOTHING, NOTHING]);
    }
    // In one place from here on: it is too large to be passed around.
    let mut number = Number::new();
    match conversion.letter | 0x20 {
        b'f' => number.fixed(magnitude, conversion.precision.unwrap_or(6)),
        b'e' => number.scientific(magnitude, conversion.precision.unwrap_or(6)),
        b'g' => number.shorter(magnitude, conversion),
        _ => number.hexadecimal(magnitude, conversion.precision),
    }
    if conversion.alternative && !number.mantissa.contains('.') {
        number.push(format_args!("."));
    }
    if capital {
        number.mantissa.make_ascii_uppercase();
        number.exponent.make_ascii_uppercase();
    }
    let (prefix, mantissa) = number.mantissa.as_bytes().split_at(number.prefix);
    // The field's zeros go behind its first part: the sign and the prefix.
    let mut first = [0; 3];
    first[..sign.len()].copy_from_slice(sign);
    first[sign.len()..][..prefix.len()].copy_from_slice(prefix);
    let first = &first[..sign.len() + prefix.len()];
    let parts = [
        Part::Text(first),
        Part::Text(mantissa),
        Part::Zeros(number.zeros),
        Part::Text(number.exponent.as_bytes()),
        NOTHING,
    ];
    out.field(conversion, conversion.zeros, parts)
}

/// The text of a number without its sign.
struct Number {
    digits: Digits,
    /// The digits that are written, with a point, behind the prefix.
    mantissa: Text,
    /// Length of the prefix `0x`.
    prefix: usize,
    /// Zeros behind the digits.
    zeros: usize,
    /// The exponent with its letter.
    exponent: ArrayString<8>,
}

impl Number {
    const fn new() -> Self {
        let (mantissa, exponent) = (Text::new_const(), ArrayString::new_const());
        Self { digits: Digits::new(), mantissa, prefix: 0, zeros: 0, exponent }
    }

    /// Appends to the mantissa, which has room for the longest number.
    fn push(&mut self, text: core::fmt::Arguments<'_>) {
        self.mantissa.write_fmt(text).expect("there is room for any number");
    }

    fn set_exponent(&mut self, letter: char, digits: usize, exponent: i32) {
        let (sign, exponent) = (sign(exponent), exponent.unsigned_abs());
        let text = self.exponent.write_fmt(format_args!("{letter}{sign}{exponent:0digits$}"));
        text.expect("there is room for any exponent");
    }

    /// Digits from place `from` on, `count` of them; zeros where there are none. Those behind the last one are only counted.
    fn push_digits(&mut self, from: i32, count: usize) {
        let zeros = count.min(from.min(0).unsigned_abs() as usize);
        (0..zeros).for_each(|_| self.mantissa.push('0'));
        let there = self.digits.digits.get(from.max(0) as usize..).unwrap_or_default();
        let there = &there[..there.len().min(count - zeros)];
        there.iter().for_each(|digit| self.mantissa.push(char::from(b'0' + digit)));
        self.zeros = count - zeros - there.len();
    }

    /// The point and `count` digits, the first of them at place `from`.
    fn push_fraction(&mut self, from: i32, count: usize) {
        self.zeros = 0;
        if count > 0 {
            self.mantissa.push('.');
            self.push_digits(from, count);
        }
    }

    fn fixed(&mut self, magnitude: f64, precision: usize) {
        self.digits.set(magnitude);
        self.digits.round_behind_point(precision);
        self.push_fixed(precision);
    }

    fn push_fixed(&mut self, precision: usize) {
        let whole = self.digits.point.max(0) as usize;
        self.push_digits(0, whole);
        // Zeros in front of the point are part of the number.
        (0..self.zeros.max(usize::from(whole == 0))).for_each(|_| self.mantissa.push('0'));
        self.push_fraction(self.digits.point, precision);
    }

    fn scientific(&mut self, magnitude: f64, precision: usize) {
        self.digits.set(magnitude);
        self.digits.round_to(precision.saturating_add(1));
        self.push_scientific(precision);
        self.set_exponent('e', 2, self.digits.exponent());
    }

    fn push_scientific(&mut self, precision: usize) {
        self.push_digits(0, 1);
        (0..self.zeros).for_each(|_| self.mantissa.push('0'));
        self.push_fraction(1, precision);
    }

    /// `%g`: fixed or scientific, whichever suits the exponent, without the zeros at the end. The digits are the same.
    fn shorter(&mut self, magnitude: f64, conversion: &Conversion) {
        let precision = conversion.precision.unwrap_or(6).max(1);
        self.digits.set(magnitude);
        self.digits.round_to(precision);
        let exponent = self.digits.exponent();
        let is_fixed = exponent >= -4 && i64::from(exponent) < precision as i64;
        if is_fixed {
            self.push_fixed((precision as i64 - 1 - i64::from(exponent)) as usize);
        } else {
            self.push_scientific(precision - 1);
        }
        if !conversion.alternative {
            self.zeros = 0;
            if self.mantissa.contains('.') {
                let kept = self.mantissa.trim_end_matches('0').trim_end_matches('.').len();
                self.mantissa.truncate(kept);
            }
        }
        if !is_fixed {
            self.set_exponent('e', 2, exponent);
        }
    }

    /// `%a`: the leading digit is 1, or 0 for zero and subnormal numbers.
    fn hexadecimal(&mut self, magnitude: f64, precision: Option<usize>) {
        const FRACTION: u32 = 52;
        let bits = magnitude.to_bits();
        let biased = (bits >> FRACTION) as i32;
        let mut mantissa = bits & ((1 << FRACTION) - 1) | u64::from(biased != 0) << FRACTION;
        let exponent = if bits == 0 { 0 } else { biased.max(1) - 1023 };
        // Digits behind the point, of 13 that there are.
        let mut digits = 13 - (mantissa | 1 << FRACTION).trailing_zeros() as usize / 4;
        if let Some(wanted) = precision {
            digits = wanted.min(13);
            let dropped = 4 * (13 - digits as u32);
            let (rest, odd) = (mantissa & ((1 << dropped) - 1), mantissa >> dropped & 1);
            mantissa -= rest;
            if dropped > 0 && rest + odd > 1 << (dropped - 1) {
                mantissa += 1 << dropped;
            }
        }
        self.prefix = 2;
        self.push(format_args!("0x{}", mantissa >> FRACTION));
        let fraction = (mantissa & ((1 << FRACTION) - 1)) >> (4 * (13 - digits));
        if digits > 0 {
            self.push(format_args!(".{fraction:0digits$x}"));
        }
        self.zeros = precision.unwrap_or(digits) - digits;
        self.set_exponent('p', 1, exponent);
    }
}

fn sign(exponent: i32) -> char {
    if exponent < 0 { '-' } else { '+' }
}
