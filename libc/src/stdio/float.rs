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
    let mut number = match conversion.letter | 0x20 {
        b'f' => Number::fixed(magnitude, conversion.precision.unwrap_or(6)),
        b'e' => Number::scientific(magnitude, conversion.precision.unwrap_or(6)),
        b'g' => Number::shorter(magnitude, conversion),
        _ => Number::hexadecimal(magnitude, conversion.precision),
    };
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
    /// Digits with a point, behind the prefix.
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
        Self { mantissa: Text::new_const(), prefix: 0, zeros: 0, exponent: ArrayString::new_const() }
    }

    /// Appends to the mantissa, which has room for the longest number.
    fn push(&mut self, text: core::fmt::Arguments<'_>) {
        self.mantissa.write_fmt(text).expect("there is room for any number");
    }

    fn set_exponent(&mut self, text: core::fmt::Arguments<'_>) {
        self.exponent.write_fmt(text).expect("there is room for any exponent");
    }

    /// `digits` from place `from` on, `count` of them; zeros where there are none. Those behind the last one are only counted.
    fn push_digits(&mut self, digits: &Digits, from: i32, count: usize) {
        let zeros = count.min(from.min(0).unsigned_abs() as usize);
        (0..zeros).for_each(|_| self.mantissa.push('0'));
        let there = digits.digits.get(from.max(0) as usize..).unwrap_or_default();
        let there = &there[..there.len().min(count - zeros)];
        there.iter().for_each(|digit| self.mantissa.push(char::from(b'0' + digit)));
        self.zeros = count - zeros - there.len();
    }

    fn fixed(magnitude: f64, precision: usize) -> Self {
        let (mut number, mut digits) = (Self::new(), Digits::of(magnitude));
        digits.round_behind_point(precision);
        let whole = digits.point.max(0) as usize;
        number.push_digits(&digits, 0, whole);
        // Zeros in front of the point are part of the number.
        (0..number.zeros.max(usize::from(whole == 0))).for_each(|_| number.mantissa.push('0'));
        number.push_fraction(&digits, digits.point.min(0) + whole as i32, precision);
        number
    }

    /// The point and `count` digits, the first of them at place `from`.
    fn push_fraction(&mut self, digits: &Digits, from: i32, count: usize) {
        self.zeros = 0;
        if count > 0 {
            self.mantissa.push('.');
            self.push_digits(digits, from, count);
        }
    }

    fn scientific(magnitude: f64, precision: usize) -> Self {
        let (mut number, exponent) = Self::with_exponent(magnitude, precision);
        number.set_exponent(format_args!("e{}{:02}", sign(exponent), exponent.unsigned_abs()));
        number
    }

    /// The mantissa of `precision` digits behind the point, and the decimal exponent.
    fn with_exponent(magnitude: f64, precision: usize) -> (Self, i32) {
        let (mut number, mut digits) = (Self::new(), Digits::of(magnitude));
        digits.round_to(precision.saturating_add(1));
        number.push_digits(&digits, 0, 1);
        (0..number.zeros).for_each(|_| number.mantissa.push('0'));
        number.push_fraction(&digits, 1, precision);
        (number, if digits.digits.is_empty() { 0 } else { digits.point - 1 })
    }

    /// `%g`: fixed or scientific, whichever suits the exponent, without the zeros at the end.
    fn shorter(magnitude: f64, conversion: &Conversion) -> Self {
        let precision = conversion.precision.unwrap_or(6).max(1);
        let (scientific, exponent) = Self::with_exponent(magnitude, precision - 1);
        let is_fixed = exponent >= -4 && i64::from(exponent) < precision as i64;
        let mut number = if is_fixed {
            Self::fixed(magnitude, (precision as i64 - 1 - i64::from(exponent)) as usize)
        } else {
            scientific
        };
        if !conversion.alternative {
            number.zeros = 0;
            if number.mantissa.contains('.') {
                let kept = number.mantissa.trim_end_matches('0').trim_end_matches('.').len();
                number.mantissa.truncate(kept);
            }
        }
        if !is_fixed {
            number.set_exponent(format_args!("e{}{:02}", sign(exponent), exponent.unsigned_abs()));
        }
        number
    }

    /// `%a`: the leading digit is 1, or 0 for zero and subnormal numbers.
    fn hexadecimal(magnitude: f64, precision: Option<usize>) -> Self {
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
        let mut number = Self::new();
        number.prefix = 2;
        number.push(format_args!("0x{}", mantissa >> FRACTION));
        let fraction = (mantissa & ((1 << FRACTION) - 1)) >> (4 * (13 - digits));
        if digits > 0 {
            number.push(format_args!(".{fraction:0digits$x}"));
        } else if precision.is_some_and(|wanted| wanted > 0) {
            number.push(format_args!("."));
        }
        number.zeros = precision.unwrap_or(digits) - digits;
        number.set_exponent(format_args!("p{}{}", sign(exponent), exponent.unsigned_abs()));
        number
    }
}

fn sign(exponent: i32) -> char {
    if exponent < 0 { '-' } else { '+' }
}
