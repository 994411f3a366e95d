//! What tensors are made of: `f32` and the integers; ONNX `bool` is `u8` with 0 or 1.
//!
//! Floats go through [`arithmetic`] and the bits, so that generated code has no calls
//! for them and every NaN is the one of docs/numerics.md. Integers wrap around, as ONNX runtimes have them.

use core::cmp::Ordering;

use opml_softfloat::single;

use crate::arithmetic;
use crate::bits::{NAN, SIGN, canonical, is_nan, is_zero, order};
use crate::dot::Accumulator;
use crate::elementary::pow;
use crate::fold::{Fold, Greatest, Least, Maximum, Minimum, Total};
use crate::remainder::{fmod, modulo};

/// An element of a tensor.
pub trait Element: Copy + PartialOrd + Default {
    /// An integer with the order of the elements, see [`key`](Self::key).
    type Key: Copy + Ord;

    /// An integer that orders as the elements do. The zeros of a float are one number; its NaN are another, above
    /// +infinity or, with `nan_low`, below -infinity.
    fn key(self, nan_low: bool) -> Self::Key;

    /// How two elements compare; nothing if one is NaN. The zeros of a float are equal.
    fn compare(self, other: Self) -> Option<Ordering>;

    /// Whether it is a zero, of whatever sign.
    fn is_zero(self) -> bool;
}

/// An element that can be calculated with. Integers wrap around; a float is rounded once, and
/// a NaN that comes in goes out as [`NAN`].
pub trait Number: Element {
    /// The sum of none.
    const ZERO: Self;
    /// The product of none.
    const ONE: Self;
    /// The largest of none: the least integer, or -infinity.
    const LOWEST: Self;
    /// The least of none: the largest integer, or +infinity.
    const HIGHEST: Self;

    /// Adds up a line: of floats the exact sum, rounded once.
    type Sum: Fold<Self>;
    /// Finds the largest of a line.
    type Largest: Fold<Self>;
    /// Finds the least of a line.
    type Smallest: Fold<Self>;

    /// self + other
    fn add(self, other: Self) -> Self;
    /// self - other
    fn sub(self, other: Self) -> Self;
    /// self x other
    fn mul(self, other: Self) -> Self;
    /// self / other. Of integers the quotient towards zero; by zero it is 0, which ONNX leaves open and C++ traps, and
    /// of the least integer by -1 it wraps around to itself.
    fn div(self, other: Self) -> Self;
    /// The remainder with the sign of the divisor, as Python's `%`; by zero that of integers is 0 and that of floats NaN.
    fn modulo(self, other: Self) -> Self;
    /// The remainder with the sign of the dividend, as C's `%` and `fmod`; by zero as [`modulo`](Self::modulo).
    fn fmod(self, other: Self) -> Self;
    /// The smaller, with -0 below +0; NaN if either is.
    fn min(self, other: Self) -> Self;
    /// The larger, with -0 below +0; NaN if either is.
    fn max(self, other: Self) -> Self;
    /// -self
    fn neg(self) -> Self;
    /// |self|; the least integer is its own.
    fn abs(self) -> Self;
    /// 1 above zero, -1 below, 0 (+0) at zeros.
    fn sign(self) -> Self;
    /// self^exponent, of floats see [`pow`]. An integer with a negative exponent is the quotient 1 / self^-exponent towards
    /// zero: that of 1 and -1, and 0 for all others, 0 itself among them.
    fn power(self, exponent: Self) -> Self;
}

/// An integer.
pub trait Integer: Number {
    /// Bit by bit; of 0 and 1 the logical one.
    fn and(self, other: Self) -> Self;
    /// Bit by bit; of 0 and 1 the logical one.
    fn or(self, other: Self) -> Self;
    /// Bit by bit; of 0 and 1 the logical one.
    fn xor(self, other: Self) -> Self;
    /// Every bit the other one.
    fn not(self) -> Self;
    /// self x 2^places; 0 if that moves every bit out, and if `places` is negative.
    fn shift_left(self, places: Self) -> Self;
    /// self / 2^places, rounded down; 0, or -1 for a negative number, if that moves every bit out, and if
    /// `places` is negative.
    fn shift_right(self, places: Self) -> Self;
}

impl Element for f32 {
    type Key = i32;

    #[inline(always)]
    fn key(self, nan_low: bool) -> i32 {
        let bits = self.to_bits();
        if is_nan(bits) {
            if nan_low { i32::MIN } else { i32::MAX }
        } else if bits == SIGN {
            0
        } else {
            order(bits)
        }
    }

    #[inline(always)]
    fn compare(self, other: Self) -> Option<Ordering> {
        single::compare(self.to_bits(), other.to_bits())
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        is_zero(self.to_bits())
    }
}

impl Number for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const LOWEST: Self = Self::NEG_INFINITY;
    const HIGHEST: Self = Self::INFINITY;

    type Sum = Accumulator;
    type Largest = Maximum;
    type Smallest = Minimum;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        arithmetic::add(self, other)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        arithmetic::sub(self, other)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        arithmetic::mul(self, other)
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        arithmetic::div(self, other)
    }

    #[inline(always)]
    fn modulo(self, other: Self) -> Self {
        modulo(self, other)
    }

    #[inline(always)]
    fn fmod(self, other: Self) -> Self {
        fmod(self, other)
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        arithmetic::minimum(self, other)
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        arithmetic::maximum(self, other)
    }

    #[inline(always)]
    fn neg(self) -> Self {
        canonical(Self::from_bits(self.to_bits() ^ SIGN))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        canonical(Self::from_bits(self.to_bits() & !SIGN))
    }

    #[inline(always)]
    fn sign(self) -> Self {
        let bits = self.to_bits();
        if is_nan(bits) {
            NAN
        } else if is_zero(bits) {
            0.0
        } else {
            Self::from_bits(1f32.to_bits() | bits & SIGN)
        }
    }

    #[inline(always)]
    fn power(self, exponent: Self) -> Self {
        pow(self, exponent)
    }
}

macro_rules! integers {
    ($($integer:ident)*) => {$(
        impl Element for $integer {
            type Key = Self;

            #[inline(always)]
            fn key(self, _: bool) -> Self {
                self
            }

            #[inline(always)]
            fn compare(self, other: Self) -> Option<Ordering> {
                Some(self.cmp(&other))
            }

            #[inline(always)]
            fn is_zero(self) -> bool {
                self == 0
            }
        }

        impl Number for $integer {
            const ZERO: Self = 0;
            const ONE: Self = 1;
            const LOWEST: Self = Self::MIN;
            const HIGHEST: Self = Self::MAX;

            type Sum = Total<Self>;
            type Largest = Greatest<Self>;
            type Smallest = Least<Self>;

            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }

            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }

            #[inline(always)]
            fn div(self, other: Self) -> Self {
                if other == 0 { 0 } else { self.wrapping_div(other) }
            }

            #[inline(always)]
            fn modulo(self, other: Self) -> Self {
                let rest = Number::fmod(self, other);
                // Zeros by name: the compiler warns of literals below which no number without sign lies.
                let turned = rest != 0 && (rest < Self::ZERO) != (other < Self::ZERO);
                if turned { rest + other } else { rest }
            }

            #[inline(always)]
            fn fmod(self, other: Self) -> Self {
                if other == 0 { 0 } else { self.wrapping_rem(other) }
            }

            #[inline(always)]
            fn min(self, other: Self) -> Self {
                Ord::min(self, other)
            }

            #[inline(always)]
            fn max(self, other: Self) -> Self {
                Ord::max(self, other)
            }

            #[inline(always)]
            fn neg(self) -> Self {
                self.wrapping_neg()
            }

            #[inline(always)]
            fn abs(self) -> Self {
                if self < Self::ZERO { self.wrapping_neg() } else { self }
            }

            #[inline(always)]
            fn sign(self) -> Self {
                if self < Self::ZERO { !0 } else { Self::from(self != 0) }
            }

            // A loop of its own: not in each of the loops that call it.
            #[inline(never)]
            fn power(self, exponent: Self) -> Self {
                let (mut base, mut left, mut power) = (self, exponent, 1 as Self);
                if exponent < Self::ZERO {
                    // 1 / self: what is left are the numbers whose square is 1.
                    base = if Number::abs(self) == 1 { self } else { 0 };
                    left = if base == 0 { 1 } else { exponent & 1 };
                }
                while left != 0 {
                    if left & 1 == 1 {
                        power = power.wrapping_mul(base);
                    }
                    base = base.wrapping_mul(base);
                    left >>= 1;
                }
                power
            }
        }

        impl Integer for $integer {
            #[inline(always)]
            fn and(self, other: Self) -> Self {
                self & other
            }

            #[inline(always)]
            fn or(self, other: Self) -> Self {
                self | other
            }

            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                self ^ other
            }

            #[inline(always)]
            fn not(self) -> Self {
                !self
            }

            #[inline(always)]
            fn shift_left(self, places: Self) -> Self {
                // A negative number of places is a large one without its sign.
                if (places as u64) < u64::from(Self::BITS) { self << places } else { 0 }
            }

            #[inline(always)]
            fn shift_right(self, places: Self) -> Self {
                // Without its sign: the on-chain VM shifts signed numbers by the whole register, not by its low five bits, and
                // LLVM relies on these.
                let sign = if self < Self::ZERO { !0 } else { 0 };
                let bits = self ^ sign;
                if (places as u64) >= u64::from(Self::BITS) {
                    sign
                } else if Self::BITS <= 32 {
                    (bits as u32 >> places as u32) as Self ^ sign
                } else {
                    (bits as u64 >> places as u32) as Self ^ sign
                }
            }
        }
    )*};
}

integers!(i8 u8 i16 u16 i32 u32 i64 u64);
