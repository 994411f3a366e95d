//! Bytes of sums.

use opml_softfloat::single;

use crate::arithmetic::{div, mul};
use crate::integer::Byte;

/// How ONNX `QLinearMatMul` makes bytes of its sums: saturate(round(sum x multiplier) + zero point).
///
/// The sum becomes a binary32 number, the product is one, and rounding takes ties to even numbers: three roundings, as
/// onnxruntime has them. A product that is NaN gives the least byte.
#[derive(Clone, Copy, Debug)]
pub struct Requantise<'a> {
    /// See [`multiplier`]: one for all columns, or one for each.
    pub multipliers: &'a [f32],
    /// The zero point of the result.
    pub zero: u8,
    /// How zero point and result are read.
    pub byte: Byte,
}

/// The scales of A and B by that of the result: (`a` (x) `b`) (/) `y`, two roundings in this order, as in onnxruntime.
#[inline]
pub fn multiplier(a: f32, b: f32, y: f32) -> f32 {
    div(mul(a, b), y)
}

impl Requantise<'_> {
    /// # Panics
    /// If there are neither one multiplier nor as many as `columns`.
    #[inline]
    pub(super) fn check(&self, columns: usize) {
        let count = self.multipliers.len();
        assert!(count == 1 || count == columns, "integer: multipliers do not fit the columns");
    }

    /// The byte of a sum in a column.
    #[inline(always)]
    pub(super) fn byte_of(&self, column: usize, sum: i32) -> u8 {
        let multiplier = self.multipliers[if self.multipliers.len() == 1 { 0 } else { column }];
        let product = single::mul(single::from_i32(sum), multiplier.to_bits());
        let level = (rounded(product) + self.byte.level(self.zero)).clamp(0, 255);
        self.byte.of_level(level as u8)
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
