//! From a sum to a float, if it determines one.

use crate::bits::SIGN;
use crate::planes::filter::Filter;
use crate::planes::plane::Plane;
use crate::planes::sums::{DROPPED, Sums, Taps};

/// A bound that no sum fulfils.
const NEVER: u32 = 1 << 29;

/// What turns the sums of a filter with a plane into floats.
#[derive(Clone, Copy)]
pub(super) struct Finish {
    /// Errors without and with the remainders, in units of 2^8, rounded up.
    bounds: [u32; 2],
    /// The exponent of a sum whose leading bit is bit 63, less the one that the leading bit adds, in its place in a float.
    exponent: u32,
}

impl Finish {
    pub(super) fn new(plane: &Plane, filter: &Filter) -> Self {
        let taps = filter.weights.len() as u32;
        // (Y), in units of 2^8.
        let words = taps / 2 + 3;
        let of_plane = if plane.inexact { (filter.sum >> 9) + 1 } else { 0 };
        let of_filter = filter.inexact << 22;
        // (Z): seven for each tap.
        let bounds = [words + of_plane + of_filter, words + taps / 32 + 1];
        // Leading bits from 32 to 62 must give a normal number.
        let exponent = 63 + 126 - filter.scale;
        if !(31..=254).contains(&exponent) {
            return Self { bounds: [NEVER; 2], exponent: 0 };
        }
        Self { bounds: bounds.map(|bound| bound.min(NEVER)), exponent: (exponent as u32) << 23 }
    }

    /// The float that a sum is, if its bound leaves only one.
    #[inline(always)]
    pub(super) fn short(&self, sums: Sums) -> Option<u32> {
        let high = sums.high.wrapping_add(sums.low >> (32 - DROPPED));
        self.round(high, sums.low << DROPPED, self.bounds[0])
    }

    /// The same with the remainders; `x` and `remainders` begin with the window's first tap, (Z).
    #[inline(never)]
    pub(super) fn long(&self, sums: Sums, taps: &Taps, filter: &Filter, x: [&[u32]; 2]) -> Option<u32> {
        let mut high = 0;
        let mut add = |a: u32, b: u32| high += i64::from(a as i32) * i64::from(b as i32) >> 32;
        let [integers, remainders] = x;
        for (&offset, &weight) in taps.offsets.iter().zip(taps.weights) {
            let remainder = remainders[offset as usize];
            if remainder != 0 {
                add(remainder, weight);
            }
        }
        if filter.inexact != 0 {
            for (&offset, &remainder) in taps.offsets.iter().zip(&*filter.remainders) {
                add(integers[offset as usize], remainder);
            }
        }
        let total = sums.total() + 2 * high;
        self.round((total >> 32) as u32, total as u32, self.bounds[1])
    }

    /// RN of every number within `bound` x 2^8 of the sum, if they all have the same.
    #[inline(always)]
    fn round(&self, high: u32, low: u32, bound: u32) -> Option<u32> {
        // Of a negative number one less than the magnitude; the bound has one more for it.
        let sign = (high as i32 >> 31) as u32;
        let (high, low) = (high ^ sign, low ^ sign);
        // At most a quarter of the last place: next to a power of two, where the floats below are twice as dense, the power of
        // two is RN of the whole interval. Then high is not zero, and `zeros` is 1 to 29.
        if high < bound << 2 {
            return None;
        }
        let zeros = high.leading_zeros();
        let head = high << zeros | low >> (zeros.wrapping_neg() & 31);
        // The part below the last bit and the bound, in units of 2^-32 of it.
        let tail = head << 24 | low << zeros >> 8;
        let bound = bound << zeros;
        if tail.wrapping_sub(SIGN).wrapping_add(bound) <= bound << 1 {
            return None;
        }
        // The leading bit adds one to the exponent, and so does a carry out of the fraction.
        let bits = self.exponent.wrapping_sub(zeros << 23) + (((head >> 7) + 1) >> 1);
        Some(bits | sign & SIGN)
    }
}
