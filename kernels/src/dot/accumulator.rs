use crate::bits::{NAN_BITS, SIGN, finite_parts, is_finite, is_nan, is_zero};
use crate::dot::fixed::Fixed;

/// The exact sum of products and values, rounded once.
///
/// The result is RN(sum of a_i b_i + sum of v_j), RN being the rounding to nearest binary32, ties to
/// even, of the exact real number, with overflow to infinity and gradual underflow. Where the addends
/// are not all finite numbers the rules are those of IEEE 754 addition and multiplication, applied to
/// the set of addends, since there is no order: an addend that is NaN, or zero times infinity, or
/// infinities of both signs, give [`NAN`](crate::bits::NAN); else an infinity gives that infinity.
/// A sum that is exactly zero is +0, or -0 if there are addends and all of them are -0.
///
/// At most 2^39 products may be added.
pub struct Accumulator {
    sum: Fixed,
    seen: u32,
}

const SEEN_NAN: u32 = 1;
const SEEN_PLUS_INFINITY: u32 = 2;
const SEEN_MINUS_INFINITY: u32 = 4;
const SEEN_MINUS_ZERO: u32 = 8;
/// Any finite addend that is not -0.
const SEEN_OTHER: u32 = 16;

impl Accumulator {
    /// The empty sum.
    pub const fn new() -> Self {
        Self { sum: Fixed::new(), seen: 0 }
    }

    /// Adds the product `a` x `b`.
    #[inline(never)]
    pub fn add(&mut self, a: f32, b: f32) {
        let (a, b) = (a.to_bits(), b.to_bits());
        let negative = (a ^ b) & SIGN != 0;
        self.seen |= if is_finite(a) && is_finite(b) {
            if is_zero(a) || is_zero(b) {
                if negative { SEEN_MINUS_ZERO } else { SEEN_OTHER }
            } else {
                self.sum.add_product(finite_parts(a), finite_parts(b));
                SEEN_OTHER
            }
        } else if is_nan(a) || is_nan(b) || is_zero(a) || is_zero(b) {
            SEEN_NAN
        } else if negative {
            SEEN_MINUS_INFINITY
        } else {
            SEEN_PLUS_INFINITY
        };
    }

    /// Adds `value`.
    #[inline]
    pub fn add_value(&mut self, value: f32) {
        let bits = value.to_bits();
        if is_finite(bits) && !is_zero(bits) {
            self.sum.add_value(bits);
            self.seen |= SEEN_OTHER;
        } else {
            self.add(value, 1.0);
        }
    }

    /// The rounded sum; the accumulator is empty afterwards.
    pub fn round(&mut self) -> f32 {
        let rounded = self.sum.take_rounded();
        result(rounded, core::mem::take(&mut self.seen))
    }

    /// The rounded sum so far; more may be added to the exact one afterwards.
    pub fn current(&mut self) -> f32 {
        result(self.sum.rounded(), self.seen)
    }
}

/// The sum, given the rounded one of the finite addends, if that is not zero, and what addends there were.
#[inline(always)]
fn result(rounded: Option<u32>, seen: u32) -> f32 {
    let infinities = seen & (SEEN_PLUS_INFINITY | SEEN_MINUS_INFINITY);
    let bits = if seen & SEEN_NAN != 0 || infinities == SEEN_PLUS_INFINITY | SEEN_MINUS_INFINITY {
        NAN_BITS
    } else if infinities == SEEN_PLUS_INFINITY {
        f32::INFINITY.to_bits()
    } else if infinities == SEEN_MINUS_INFINITY {
        f32::NEG_INFINITY.to_bits()
    } else {
        let zero = if seen == SEEN_MINUS_ZERO { SIGN } else { 0 };
        rounded.unwrap_or(zero)
    };
    f32::from_bits(bits)
}

impl Default for Accumulator {
    fn default() -> Self {
        Self::new()
    }
}
