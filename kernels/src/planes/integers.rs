//! A float as an integer in given units, and what that leaves.

use crate::bits::{SIGN, is_zero, with_sign_of};

/// The lowest exponent that the largest of some aligned numbers may have: a subnormal is then too small to leave a
/// remainder, so that nobody has to ask whether there is an implicit bit.
pub(super) const LOWEST: u32 = 64;

/// The largest shift that leaves nothing of a mantissa of 24 bits, whose last bit is bit 8.
const EXACT: u32 = 8;

/// The number whose integers are themselves has this exponent and the shift 0.
pub(super) const ONE: i32 = 158;

/// x = round(`value` x 2^(158 - top)), and `value` x 2^(158 - top) - x in units of 2^-31.
#[derive(Clone, Copy)]
pub(super) struct Aligned {
    pub integer: u32,
    pub remainder: u32,
}

impl Aligned {
    /// `bits` are those of a number below 2^(`top` - 127), so that the integer is below 2^31, (O).
    pub(super) fn new(bits: u32, top: u32) -> Self {
        match Self::exact(bits, top) {
            Some(integer) => Self { integer, remainder: 0 },
            None => Self::rounded(bits, top),
        }
    }

    /// The integer of a number that is normal and leaves nothing.
    #[inline(always)]
    pub(super) fn exact(bits: u32, top: u32) -> Option<u32> {
        let shift = top - (bits << 1 >> 24);
        (shift <= EXACT).then(|| with_sign_of(((bits << 8 | SIGN) >> (shift & 31)) as i32, bits) as u32)
    }

    /// That of any number.
    #[inline(never)]
    pub(super) fn rounded(bits: u32, top: u32) -> Self {
        let shift = top - (bits << 1 >> 24);
        if is_zero(bits) || shift >= 64 {
            return Self { integer: 0, remainder: 0 };
        }
        let fixed = u64::from(bits << 8 | SIGN) << 31 >> shift;
        let integer = ((fixed + (1 << 30)) >> 31) as u32;
        let remainder = (fixed as u32).wrapping_sub(integer << 31);
        Self {
            integer: with_sign_of(integer as i32, bits) as u32,
            remainder: with_sign_of(remainder as i32, bits) as u32,
        }
    }
}
