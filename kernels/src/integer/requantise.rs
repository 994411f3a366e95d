//! Bytes of sums.

use opml_softfloat::single;

use crate::arithmetic::{div, mul};
use crate::integer::Byte;

/// How ONNX `QLinearMatMul` and `QLinearConv` make bytes of their sums: saturate(round((sum + bias) x multiplier) + zero point).
///
/// The sum with its bias, which wraps around, becomes a binary32 number, the product is one, and rounding takes ties to even
/// numbers: three roundings, as onnxruntime has them. A product that is NaN gives the least byte.
#[derive(Clone, Copy, Debug)]
pub struct Requantise<'a> {
    /// What is added to sums: one number for all columns, or one for each.
    pub bias: &'a [i32],
    /// See [`multiplier`]: one for all columns, or one for each.
    pub multipliers: &'a [f32],
    /// The zero point of the result.
    pub zero: u8,
    /// How zero point and result are read.
    pub byte: Byte,
    /// Whether nothing is below the zero point: there is a ReLU.
    pub rectified: bool,
}

/// The scales of A and B by that of the result: (`a` (x) `b`) (/) `y`, two roundings in this order, as in onnxruntime.
#[inline]
pub fn multiplier(a: f32, b: f32, y: f32) -> f32 {
    div(mul(a, b), y)
}

/// The value of a column, of one for all or one for each.
#[inline(always)]
fn of_column<T: Copy>(values: &[T], column: usize) -> T {
    values[if values.len() == 1 { 0 } else { column }]
}

impl Requantise<'_> {
    /// # Panics
    /// If there are neither one bias and one multiplier nor as many as `columns`.
    #[inline]
    pub(super) fn check(&self, columns: usize) {
        let fits = |count: usize| count == 1 || count == columns;
        assert!(fits(self.bias.len()), "integer: bias does not fit the columns");
        assert!(fits(self.multipliers.len()), "integer: multipliers do not fit the columns");
    }

    /// What makes bytes of the sums of a column.
    #[inline(always)]
    pub(super) fn column(&self, column: usize) -> Column {
        let zero = self.byte.level(self.zero);
        let least = if self.rectified { zero } else { 0 };
        Column {
            bias: of_column(self.bias, column),
            scale: Scale::new(of_column(self.multipliers, column), zero),
            least,
            byte: self.byte,
        }
    }
}

/// What makes bytes of the sums of a column.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub bias: i32,
    pub scale: Scale,
    pub least: i32,
    pub byte: Byte,
}

impl Column {
    /// The same for sums that lack `more`.
    pub(super) fn biased(&self, more: i32) -> Self {
        Self { bias: self.bias.wrapping_add(more), ..*self }
    }

    /// The byte of a sum.
    #[inline(always)]
    pub(super) fn byte_of(&self, sum: i32) -> u8 {
        let level = self.scale.level(sum.wrapping_add(self.bias));
        self.byte.of_level(level.clamp(self.least, 255) as u8)
    }
}

/// Largest magnitude of what a [`Scale`] multiplies at once: binary32 has it exactly.
const BOUND: u32 = 1 << 24;
/// What that is shifted by before.
const ROOM: u32 = 7;

/// What makes upper words of products positive: the contract shifts negative ones in another way.
const ORIGIN: u32 = 30;

/// A multiplier as an integer, and a zero point.
///
/// With the mantissa M of 24 bits and the multiplier M 2^-e, a number n becomes (2^7 n) (2^7 M), whose upper word is n times the multiplier in units of
/// 2^-(e - 18), cut off. What makes another integer of the two roundings of the definition lies next to a tie, (f).
#[derive(Clone, Copy)]
pub(super) struct Scale {
    multiplier: f32,
    zero: i32,
    pub factor: i32,
    /// Bits of the fraction.
    pub fraction: u32,
    /// How far from a tie a fraction has to be, in units of 2^-32, (f).
    pub margin: u32,
    /// The zero point less the origin.
    pub offset: i32,
    /// What is smaller in magnitude is multiplied at once; nothing if the multiplier is not one that this is for.
    pub bound: u32,
}

impl Scale {
    #[inline(always)]
    fn new(multiplier: f32, zero: i32) -> Self {
        let bits = multiplier.to_bits();
        // From 2^-25 to 2^-4, and positive: fractions of 10 to 30 bits.
        let exponent = bits >> 23;
        let is_usual = exponent.wrapping_sub(102) <= 122 - 102;
        let fraction = if is_usual { 132 - exponent } else { ORIGIN };
        Self {
            multiplier,
            zero,
            factor: ((bits << 8 | 1 << 31) >> 1) as i32,
            fraction,
            margin: (1 << (32 - fraction)) + (1 << 15),
            offset: zero - (1 << (ORIGIN - fraction)),
            bound: if is_usual { BOUND } else { 0 },
        }
    }

    /// RNI(RN(`n`) (x) multiplier) + the zero point, ties to even, or what is below 0 or above 255 on the same side; for NaN below.
    #[inline(always)]
    fn level(&self, n: i32) -> i32 {
        let bound = self.bound;
        if (n as u32).wrapping_add(bound) >= 2 * bound {
            return self.by_definition(n);
        }
        let product = i64::from(n << ROOM) * i64::from(self.factor);
        let upper = ((product >> 32) as u32).wrapping_add(1 << ORIGIN);
        let rest = upper << (32 - self.fraction);
        if rest.wrapping_sub((1 << 31) - self.margin) < 2 * self.margin {
            return self.by_definition(n);
        }
        (upper >> self.fraction) as i32 + (rest >> 31) as i32 + self.offset
    }

    #[cold]
    #[inline(never)]
    fn by_definition(&self, n: i32) -> i32 {
        rounded(single::mul(single::from_i32(n), self.multiplier.to_bits())) + self.zero
    }
}

/// The nearest integer of a binary32 number, ties to even; with the right sign beyond 255 for what is larger, and
/// the least for NaN.
#[inline(always)]
pub(crate) fn rounded(bits: u32) -> i32 {
    /// The biased exponent of 1/2.
    const HALF: u32 = 126;
    let magnitude = bits & 0x7fff_ffff;
    let exponent = magnitude >> 23;
    let nearest = match exponent.wrapping_sub(HALF) {
        // From 1/2 to 256: 24 bits, of which the last 16 to 24 are a fraction.
        above @ 0..=8 => {
            let mantissa = magnitude & 0x7f_ffff | 0x80_0000;
            let fraction = 24 - above;
            let (whole, rest) = (mantissa >> fraction, mantissa << (32 - fraction));
            (whole + u32::from(rest > 1 << 31 || rest == 1 << 31 && whole & 1 == 1)) as i32
        }
        _ if exponent < HALF => 0,
        _ if magnitude > 0x7f80_0000 => return -256,
        _ => 256,
    };
    if bits >> 31 == 0 { nearest } else { -nearest }
}
