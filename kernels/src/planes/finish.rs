//! From a sum to a float, if it determines one. For MIPS `build/planes.rs` has the usual way in assembly.

use crate::bits::SIGN;
use crate::dot::rows::Lines;
use crate::planes::filter::Filter;
#[cfg(target_arch = "mips")]
use crate::planes::mips as machine;
use crate::planes::plane::Plane;
#[cfg(not(target_arch = "mips"))]
use crate::planes::portable as machine;
use crate::planes::sums::{DROPPED, Sum};

/// A bound that no sum fulfils.
const NEVER: u32 = 1 << 29;
/// A high word is at least the bound times two to this for the short way, (Z).
const SHORT_BITS: u32 = 12;

/// What turns the sums of a filter with a plane into floats.
#[derive(Clone, Copy)]
pub(super) struct Finish {
    /// What a sum may be wrong by, in units of 2^8, rounded up, (P).
    bound: u32,
    /// The smallest high word for the short way.
    pub least: u32,
    /// The exponent of a sum whose leading bit is bit 63, less the one that the leading bit adds, in its place in a float.
    pub exponent: u32,
}

impl Finish {
    pub(super) fn new(plane: &Plane, filter: &Filter) -> Self {
        // (Z): leading bits from 34 to 62 give normal numbers.
        let exponent = 63 + 126 - filter.scale;
        if !(29..=254).contains(&exponent) {
            return Self { bound: NEVER, least: u32::MAX, exponent: 0 };
        }
        // (P), in units of 2^10: half for each product, one for each remainder, and four.
        let units = 3 * filter.weights.len() as u32 + 4;
        let of_unlisted = if plane.unlisted { (filter.sum >> 1) + 1 } else { 0 };
        let bound = (units << (DROPPED - 8)) + of_unlisted;
        let least = if bound >> (31 - SHORT_BITS) == 0 { bound << SHORT_BITS } else { u32::MAX };
        Self { bound, least, exponent: (exponent as u32) << 23 }
    }

    /// Writes the floats that the first sums are, up to one that needs more than the short way; how many these are.
    #[inline]
    pub(super) fn run(&self, sums: &[Sum], lines: &mut Lines) -> usize {
        let last = lines.start + sums.len().saturating_sub(1) * lines.step;
        assert!(last < lines.values.len(), "planes: result too short");
        machine::finish(self, sums, lines)
    }

    /// The float that a sum is, unless it is small or next to a tie, (Z).
    #[cfg_attr(target_arch = "mips", expect(dead_code, reason = "the assembly does this"))]
    #[inline(always)]
    pub(super) fn short(&self, sum: Sum) -> Option<u32> {
        let (sign, high, low) = magnitude(sum);
        if high < self.least {
            return None;
        }
        let zeros = high.leading_zeros();
        let head = high << zeros | low >> (zeros.wrapping_neg() & 31);
        if head.wrapping_add(1) & 0xfe == 0x80 {
            return None;
        }
        Some(self.float(sign, zeros, head))
    }

    /// The float that a sum is, if the bound leaves only one, (Z).
    #[inline(never)]
    pub(super) fn long(&self, sum: Sum) -> Option<u32> {
        let (sign, high, low) = magnitude(sum);
        // At most a quarter of the last place: next to a power of two, where the floats below are twice as dense, the power of
        // two is RN of the whole interval. Then high is not zero, and `zeros` is 1 to 29.
        if high < self.bound << 2 {
            return None;
        }
        let zeros = high.leading_zeros();
        let head = high << zeros | low >> (zeros.wrapping_neg() & 31);
        // The part below the last bit and the bound, in units of 2^-32 of it.
        let tail = head << 24 | low << zeros >> 8;
        let bound = self.bound << zeros;
        if tail.wrapping_sub(SIGN).wrapping_add(bound) <= bound << 1 {
            return None;
        }
        Some(self.float(sign, zeros, head))
    }

    /// The leading bit of `head` adds one to the exponent, and so does a carry out of the fraction.
    #[inline(always)]
    fn float(&self, sign: u32, zeros: u32, head: u32) -> u32 {
        (self.exponent.wrapping_sub(zeros << 23) + (((head >> 7) + 1) >> 1)) | sign & SIGN
    }
}

/// The sign of a sum as a mask, and both words of its magnitude; of a negative number one less, for which the bound has one.
#[inline(always)]
fn magnitude([high, low]: Sum) -> (u32, u32, u32) {
    let high = high.wrapping_add((low as i32 >> (32 - DROPPED)) as u32);
    let sign = (high as i32 >> 31) as u32;
    (sign, high ^ sign, low << DROPPED ^ sign)
}
