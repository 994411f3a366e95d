//! Positive numbers with 64 bits of mantissa.

use opml_softfloat::single;
use opml_softfloat::wide::high;

/// `mantissa` x 2^(`exponent` - 63); the mantissa's top bit is set.
#[derive(Clone, Copy)]
pub(super) struct Real {
    pub mantissa: u64,
    pub exponent: i32,
}

impl Real {
    pub(super) const ONE: Self = Self { mantissa: 1 << 63, exponent: 0 };

    /// `value` x 2^`scale`, cut off to 64 bits; `value` is not zero.
    pub(super) fn new(value: u128, scale: i32) -> Self {
        let zeros = value.leading_zeros();
        Self { mantissa: ((value << zeros) >> 64) as u64, exponent: scale + 127 - zeros as i32 }
    }

    /// The product, cut off.
    pub(super) fn times(self, other: Self) -> Self {
        let product = high(self.mantissa, other.mantissa);
        let zeros = product.leading_zeros();
        Self { mantissa: product << zeros, exponent: self.exponent + other.exponent + 1 - zeros as i32 }
    }

    /// The quotient, cut off.
    pub(super) fn by(self, other: Self) -> Self {
        let quotient = (u128::from(self.mantissa) << 64) / u128::from(other.mantissa);
        Self::new(quotient, self.exponent - other.exponent - 64)
    }

    /// The difference from a number that is smaller.
    pub(super) fn minus(self, smaller: Self) -> Self {
        let wide = |number: Self| u128::from(number.mantissa) << 63;
        let distance = (self.exponent - smaller.exponent) as u32;
        let difference = wide(self) - wide(smaller).checked_shr(distance).unwrap_or(0);
        Self::new(difference, self.exponent - 126)
    }

    /// The sum with a number that is not larger, cut off.
    pub(super) fn plus(self, smaller: Self) -> Self {
        let distance = (self.exponent - smaller.exponent) as u32;
        let (sum, carry) = self.mantissa.overflowing_add(smaller.mantissa.checked_shr(distance).unwrap_or(0));
        if carry {
            Self { mantissa: sum >> 1 | 1 << 63, exponent: self.exponent + 1 }
        } else {
            Self { mantissa: sum, exponent: self.exponent }
        }
    }

    /// The square root, cut off.
    pub(super) fn root(self) -> Self {
        let odd = self.exponent & 1;
        let root = (u128::from(self.mantissa) << (63 + odd)).isqrt();
        Self::new(root, (self.exponent - odd) / 2 - 63)
    }

    /// The integer part of the number times 2^`places`, for a result below 2^64.
    pub(super) fn to_fixed(self, places: i32) -> u64 {
        self.mantissa.checked_shr((63 - places - self.exponent) as u32).unwrap_or(0)
    }

    /// The bits of the nearest float.
    pub(super) fn round(self) -> u32 {
        single::pack(self.exponent + 150 - 63, self.mantissa)
    }
}
