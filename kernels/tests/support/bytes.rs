//! Problems of bytes, and their sums in 64 bits.

use opml_kernels::{Byte, ByteMatrix, IntegerMatMul};

use super::Random;

/// Families of bytes, each of which some wrong code mishandles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Family {
    /// All bytes.
    Any,
    /// The two ends of the range.
    Ends,
    /// One byte, again and again: 0, 127, 128 or 255.
    One,
    /// Around the zero point, as trained networks have them.
    Near,
    /// Mostly the zero point.
    Sparse,
    /// Far above the zero point, which is small.
    High,
}

pub const FAMILIES: [Family; 6] =
    [Family::Any, Family::Ends, Family::One, Family::Near, Family::Sparse, Family::High];

/// A product with its matrices.
#[derive(Clone, Debug)]
pub struct Problem {
    pub shape: IntegerMatMul,
    /// Those of A and of B.
    pub bytes: [Vec<u8>; 2],
    pub kinds: [Byte; 2],
    pub zeros: [Vec<u8>; 2],
}

/// What a byte stands for.
pub fn value(kind: Byte, byte: u8) -> i32 {
    match kind {
        Byte::Unsigned => byte.into(),
        Byte::Signed => (byte as i8).into(),
    }
}

/// Bytes of a family.
pub fn bytes(random: &mut Random, family: Family, zero: u8, len: usize) -> Vec<u8> {
    let one = [0, 127, 128, 255][random.below(4)];
    let near = |random: &mut Random| zero.wrapping_add((random.normal() * 25.0) as i32 as u8);
    let byte = |random: &mut Random| match family {
        Family::Any => random.bits() as u8,
        Family::Ends => [0, 255, 0x7f, 0x80][random.below(4)],
        Family::One => one,
        Family::Near => near(random),
        Family::Sparse => [zero, zero, zero, zero, near(random), random.bits() as u8][random.below(6)],
        Family::High => 200 + random.below(56) as u8,
    };
    (0..len).map(|_| byte(random)).collect()
}

/// How bytes are read.
pub fn kind(random: &mut Random) -> Byte {
    [Byte::Unsigned, Byte::Signed][random.below(2)]
}

/// A zero point for bytes of a family.
pub fn zero(random: &mut Random, family: Family) -> u8 {
    match family {
        Family::High => random.below(8) as u8,
        _ => [0, 128, 255, random.bits() as u8][random.below(4)],
    }
}

impl Problem {
    /// Random matrices of two families, with random zero points: for B one, or one for each column.
    pub fn new(random: &mut Random, shape: IntegerMatMul, a: Family, b: Family) -> Self {
        let kinds =
            if [a, b].contains(&Family::High) { [Byte::Unsigned; 2] } else { [kind(random), kind(random)] };
        let a_zero = zero(random, a);
        let b_zeros: Vec<_> =
            (0..if random.below(2) == 0 { 1 } else { shape.n }).map(|_| zero(random, b)).collect();
        let b_zero = b_zeros.first().copied().unwrap_or(0);
        let bytes =
            [bytes(random, a, a_zero, shape.m * shape.k), bytes(random, b, b_zero, shape.k * shape.n)];
        Self { shape, bytes, kinds, zeros: [vec![a_zero], b_zeros] }
    }

    /// The operands.
    pub fn matrices(&self) -> [ByteMatrix<'_>; 2] {
        [0, 1].map(|side| ByteMatrix {
            bytes: &self.bytes[side],
            byte: self.kinds[side],
            zero: &self.zeros[side],
        })
    }

    /// Every sum by the definition, in 64 bits; none needs more than 32.
    pub fn sums(&self) -> Vec<i32> {
        let IntegerMatMul { m, k, n } = self.shape;
        let value = |side: usize, byte: u8| i64::from(value(self.kinds[side], byte));
        let zero = value(0, self.zeros[0][0]);
        let sum = |i: usize, j: usize| {
            let b_zero = value(1, self.zeros[1][if self.zeros[1].len() == 1 { 0 } else { j }]);
            let product = |e| {
                (value(0, self.bytes[0][i * k + e]) - zero) * (value(1, self.bytes[1][e * n + j]) - b_zero)
            };
            i32::try_from((0..k).map(product).sum::<i64>()).expect("K is bounded")
        };
        (0..m).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| sum(i, j)).collect()
    }
}

/// saturate(round(sum x multiplier) + zero) in the host's arithmetic.
pub fn requantised(sum: i32, multiplier: f32, zero: u8, byte: Byte) -> u8 {
    let (low, high) = if byte == Byte::Unsigned { (0.0, 255.0) } else { (-128.0, 127.0) };
    let product = sum as f32 * multiplier;
    let rounded = (product.round_ties_even() + value(byte, zero) as f32).clamp(low, high);
    if product.is_nan() { low as i32 as u8 } else { rounded as i32 as u8 }
}
