//! Facts about binary32 that are cheaper to ask of the bits than of the soft-float library.

/// The one NaN that leaves an operator: quiet, positive, no payload.
pub const NAN: f32 = f32::from_bits(NAN_BITS);

pub(crate) const NAN_BITS: u32 = 0x7fc0_0000;
pub(crate) const INFINITY_BITS: u32 = 0x7f80_0000;
pub(crate) const SIGN: u32 = 0x8000_0000;
pub(crate) const FRACTION: u32 = 0x007f_ffff;
pub(crate) const IMPLICIT: u32 = 0x0080_0000;

/// Twice the bits of infinity: with the sign shifted out, greater means NaN, equal means infinity.
const INFINITY_TWICE: u32 = INFINITY_BITS << 1;

/// `x`, or [`NAN`] if `x` is any NaN.
#[inline(always)]
pub fn canonical(x: f32) -> f32 {
    if is_nan(x.to_bits()) { NAN } else { x }
}

#[inline(always)]
pub(crate) fn is_nan(bits: u32) -> bool {
    bits << 1 > INFINITY_TWICE
}

#[inline(always)]
pub(crate) fn is_zero(bits: u32) -> bool {
    bits << 1 == 0
}

#[inline(always)]
pub(crate) fn is_finite(bits: u32) -> bool {
    bits << 1 < INFINITY_TWICE
}

/// An integer that orders all numbers as their values do, with -0 below +0. Positive NaN lie above
/// +infinity, negative ones below -infinity. Its own inverse, see [`from_order`].
#[inline(always)]
pub(crate) fn order(bits: u32) -> i32 {
    (bits ^ ((bits as i32 >> 31) as u32 >> 1)) as i32
}

/// The bits whose [`order`] is `key`.
#[inline(always)]
pub(crate) fn from_order(key: i32) -> u32 {
    order(key as u32) as u32
}

/// A finite number taken apart: its value is `mantissa` x 2^(`exponent` - 150).
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    /// |mantissa| < 2^24, with the sign of the number.
    pub mantissa: i32,
    /// 1 to 254.
    pub exponent: u32,
}

/// Takes apart a number that is normal: a biased exponent of 1 to 254.
#[inline(always)]
pub(crate) fn normal_parts(bits: u32) -> Parts {
    let magnitude = ((bits & FRACTION) | IMPLICIT) as i32;
    Parts { mantissa: with_sign_of(magnitude, bits), exponent: bits << 1 >> 24 }
}

/// Takes apart any finite number; a zero has mantissa 0.
#[inline(always)]
pub(crate) fn finite_parts(bits: u32) -> Parts {
    if bits & INFINITY_BITS != 0 {
        normal_parts(bits)
    } else {
        Parts { mantissa: with_sign_of((bits & FRACTION) as i32, bits), exponent: 1 }
    }
}

/// A magnitude, which is not negative, with the sign of a float.
#[inline(always)]
pub(crate) fn with_sign_of(magnitude: i32, bits: u32) -> i32 {
    let sign = bits as i32 >> 31;
    (magnitude ^ sign) - sign
}

/// `value` x 2^`exponent`, which is not zero and a finite float, as its bits.
pub(crate) fn binary32(value: i64, exponent: i32) -> u32 {
    let magnitude = value.unsigned_abs();
    let sign = if value < 0 { SIGN } else { 0 };
    let top = 63 - magnitude.leading_zeros() as i32;
    // The unit of a float with this leading bit; what lies below it is zero.
    let unit = (top + exponent - 23).max(-149);
    let shift = unit - exponent;
    let mantissa = if shift >= 0 { magnitude >> shift } else { magnitude << -shift } as u32;
    // A subnormal has no leading bit to add to the exponent.
    sign | (((unit + 149) as u32) << 23).wrapping_add(mantissa)
}

/// Whether no element is infinite or NaN.
///
/// Blocks whose numbers all lie below 2 in magnitude, as weights do, cost two steps a number: bit 30
/// is the top bit of the exponent, and an OR over the block shows whether any is set.
pub(crate) fn all_finite(x: &[f32]) -> bool {
    let (blocks, rest) = x.as_chunks::<16>();
    blocks.iter().all(|block| {
        let any = block.iter().fold(0, |any, v| any | v.to_bits());
        any & 0x4000_0000 == 0 || block.iter().all(|v| is_finite(v.to_bits()))
    }) && rest.iter().all(|v| is_finite(v.to_bits()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_agrees_with_comparison_and_inverts() {
        // Would catch: a key that puts -0 and +0 or the negative numbers the wrong way round.
        let rising =
            [f32::NEG_INFINITY, f32::MIN, -1.5, -1e-45, -0.0, 0.0, 1e-45, 1.0, f32::MAX, f32::INFINITY];
        for pair in rising.windows(2) {
            assert!(order(pair[0].to_bits()) < order(pair[1].to_bits()), "{pair:?}");
        }
        for x in rising {
            assert_eq!(from_order(order(x.to_bits())), x.to_bits());
        }
        assert!(order(0x7f80_0001) > order(INFINITY_BITS));
        assert!(order(0xff80_0001) < order(SIGN | INFINITY_BITS));
    }

    #[test]
    fn all_finite_finds_a_lone_special_anywhere() {
        // Would catch: the block shortcut hiding a special, or the remainder not being looked at.
        for len in 0..50 {
            let large = [3.0e38; 50];
            assert!(all_finite(&large[..len]));
            for at in 0..len {
                for special in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    let mut x = [0.5; 50];
                    x[at] = special;
                    assert!(!all_finite(&x[..len]), "{special} at {at} of {len}");
                }
            }
        }
    }

    #[test]
    fn parts_give_the_value_back() {
        // Would catch: a wrong implicit bit, sign or subnormal exponent.
        for bits in [0, 1, 0x8000_0001, 0x007f_ffff, 0x0080_0000, 0x3f80_0000, 0xff7f_ffff] {
            let parts = finite_parts(bits);
            let value = f64::from(parts.mantissa) * exp2(parts.exponent as i32 - 150);
            assert_eq!(value, f64::from(f32::from_bits(bits)), "{bits:08x}");
        }
    }

    #[test]
    fn binary32_puts_together_what_was_taken_apart() {
        // Would catch: a wrong unit at the border of the subnormals, a lost sign, a wrong shift.
        for bits in [1, 0x8000_0001, 0x007f_ffff, 0x0080_0000, 0x00ff_ffff, 0x3f80_0001, 0xff7f_ffff] {
            let parts = finite_parts(bits);
            for shift in [0, 1, 16, 39] {
                let value = i64::from(parts.mantissa) << shift;
                assert_eq!(binary32(value, parts.exponent as i32 - 150 - shift), bits, "{bits:08x}");
            }
        }
    }

    fn exp2(exponent: i32) -> f64 {
        f64::from_bits(((exponent + 1023) as u64) << 52)
    }
}
