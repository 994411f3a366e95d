//! What the tests compare with: sums of products in big integers, written without looking at how the
//! kernels do it.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod bytes;
pub mod convolutions;
pub mod typed;

use num_bigint::{BigInt, Sign};
use opml_kernels::BinaryOp;

/// All functions of two numbers.
pub const BINARY: [BinaryOp; 9] = [
    BinaryOp::Add,
    BinaryOp::Sub,
    BinaryOp::Mul,
    BinaryOp::Div,
    BinaryOp::Min,
    BinaryOp::Max,
    BinaryOp::Mod,
    BinaryOp::Fmod,
    BinaryOp::Pow,
];

/// The NaN every operator gives.
pub const NAN_BITS: u32 = 0x7fc0_0000;

/// One reproducible stream of numbers: SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom
/// number generators, 2014).
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    /// Roughly normal, standard deviation 1.
    pub fn normal(&mut self) -> f32 {
        let sum: f64 = (0..12).map(|_| self.bits() as f64 / 2f64.powi(64)).sum();
        (sum - 6.0) as f32
    }

    pub fn floats(&mut self, kind: Kind, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.float(kind)).collect()
    }

    pub fn float(&mut self, kind: Kind) -> f32 {
        let bits = self.bits() as u32;
        let sign_and_fraction = bits & 0x807f_ffff;
        let scaled = |low: u32, count: usize, random: &mut Self| {
            f32::from_bits(sign_and_fraction | (low + random.below(count) as u32) << 23)
        };
        match kind {
            Kind::AnyBits => f32::from_bits(bits),
            Kind::AnyFinite => scaled(0, 255, self),
            Kind::Normal => self.normal(),
            Kind::Sparse => [0.0, 0.0, 0.0, 0.0, self.normal()][self.below(5)],
            Kind::Subnormal => f32::from_bits(sign_and_fraction),
            Kind::Tiny => scaled(0, 4, self),
            Kind::Huge => scaled(250, 5, self),
            Kind::SmallInteger => self.below(65) as f32 - 32.0,
            Kind::Ones => f32::from_bits(bits & 0x8000_0000 | 0x3fff_ffff),
            Kind::Bfloat => f32::from_bits(self.normal().to_bits() & 0xffff_0000),
            Kind::Zeros => f32::from_bits(bits & 0x8000_0000),
            Kind::MinusZero => -0.0,
            Kind::Special => {
                [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, f32::from_bits(0xffa0_0001), 1.0]
                    [self.below(7)]
            }
            Kind::RareSpecial => {
                let kind = if self.below(20) == 0 { Kind::Special } else { Kind::Normal };
                self.float(kind)
            }
        }
    }
}

/// Families of numbers, each of which some wrong code mishandles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    AnyBits,
    AnyFinite,
    Normal,
    Sparse,
    Subnormal,
    /// Products far below the smallest subnormal, and their neighbours.
    Tiny,
    /// Products and sums that overflow.
    Huge,
    SmallInteger,
    /// The largest mantissa: carries run as far as they can.
    Ones,
    /// Short mantissas: exact ties are common.
    Bfloat,
    Zeros,
    MinusZero,
    Special,
    RareSpecial,
}

pub const KINDS: [Kind; 14] = [
    Kind::AnyBits,
    Kind::AnyFinite,
    Kind::Normal,
    Kind::Sparse,
    Kind::Subnormal,
    Kind::Tiny,
    Kind::Huge,
    Kind::SmallInteger,
    Kind::Ones,
    Kind::Bfloat,
    Kind::Zeros,
    Kind::MinusZero,
    Kind::Special,
    Kind::RareSpecial,
];

/// A finite number as an integer in units of 2^-149.
fn integer(x: f32) -> BigInt {
    let bits = x.to_bits();
    let exponent = bits >> 23 & 0xff;
    let fraction = bits & 0x7f_ffff;
    let magnitude = if exponent == 0 {
        BigInt::from(fraction)
    } else {
        BigInt::from(fraction | 1 << 23) << (exponent - 1)
    };
    if x.is_sign_negative() { -magnitude } else { magnitude }
}

/// `sum` x 2^-298, rounded to the nearest float, ties to even; `sum` is not zero.
fn nearest(sum: &BigInt) -> f32 {
    let (sign, magnitude) = (sum.sign(), sum.magnitude());
    // Bits below the last one the result keeps: 24 stay, and none below 2^-149.
    let drop = magnitude.bits().saturating_sub(24).max(149);
    let mut kept = magnitude >> drop;
    let rest = magnitude - (&kept << drop);
    let half = num_bigint::BigUint::from(1u32) << (drop - 1);
    if rest > half || (rest == half && kept.bit(0)) {
        kept += 1u32;
    }
    let kept = f64::from(u32::try_from(kept).unwrap());
    // Exact: a mantissa of 24 bits times a power of two within the range of f64, if not too large.
    let exponent = drop as i32 - 298;
    let value = if exponent > 200 { f64::INFINITY } else { kept * 2f64.powi(exponent) };
    let value = if value >= 2f64.powi(128) { f32::INFINITY } else { value as f32 };
    if sign == Sign::Minus { -value } else { value }
}

/// The exact sum of products, bias included, rounded once; the contract in big integers.
pub fn exact_dot(pairs: impl IntoIterator<Item = (f32, f32)>, bias: Option<f32>) -> u32 {
    let mut sum = BigInt::ZERO;
    let (mut plus, mut minus, mut nan) = (false, false, false);
    let (mut addends, mut minus_zeros) = (0, 0);
    for (a, b) in pairs.into_iter().chain(bias.map(|b| (b, 1.0))) {
        addends += 1;
        if a.is_finite() && b.is_finite() {
            sum += integer(a) * integer(b);
            if (a == 0.0 || b == 0.0) && a.is_sign_negative() != b.is_sign_negative() {
                minus_zeros += 1;
            }
        } else {
            // The hardware's product says which special value the addend is.
            let product = a * b;
            nan |= product.is_nan();
            plus |= product == f32::INFINITY;
            minus |= product == f32::NEG_INFINITY;
        }
    }
    if nan || (plus && minus) {
        NAN_BITS
    } else if plus || minus {
        if plus { f32::INFINITY.to_bits() } else { f32::NEG_INFINITY.to_bits() }
    } else if sum == BigInt::ZERO {
        if addends > 0 && minus_zeros == addends { 1 << 31 } else { 0 }
    } else {
        nearest(&sum).to_bits()
    }
}

/// The same for a sum of values.
pub fn exact_sum(values: impl IntoIterator<Item = f32>) -> u32 {
    exact_dot(values.into_iter().map(|v| (v, 1.0)), None)
}

/// Bits with any NaN replaced by the canonical one.
pub fn canonical_bits(x: f32) -> u32 {
    if x.is_nan() { NAN_BITS } else { x.to_bits() }
}

#[track_caller]
pub fn assert_same_bits(got: &[f32], expected: &[u32], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}: lengths");
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert_eq!(
            got.to_bits(),
            *expected,
            "{what}: element {i} is {got:e}, expected {:e}",
            f32::from_bits(*expected)
        );
    }
}

/// The larger of two numbers with -0 below +0; the canonical NaN if either is NaN.
pub fn larger(a: f32, b: f32) -> f32 {
    if a.is_nan() || b.is_nan() {
        f32::from_bits(NAN_BITS)
    } else if a == b {
        // Equal numbers differ in bits if they are zeros of both signs.
        if a.is_sign_negative() { b } else { a }
    } else if a > b {
        a
    } else {
        b
    }
}

/// The largest of some numbers by the rule of the pools.
pub fn maximum(values: &[f32]) -> u32 {
    values.iter().copied().fold(f32::NEG_INFINITY, larger).to_bits()
}
