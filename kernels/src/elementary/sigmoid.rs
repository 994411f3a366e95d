//! 1 / (1 + e^-x), and for negative x e^x / (1 + e^x): with the power never above 1, nothing cancels.

use opml_softfloat::wide::{high_word, reciprocal};

use super::exp;
use super::short::{Value, shifted};

/// The bits of the logistic function, or nothing where it takes more care.
#[inline(always)]
pub(super) fn short(x: u32) -> Option<u32> {
    const SIGN: u32 = 1 << 31;
    let (value, n) = exp::power(x | SIGN)?;
    // The power is `mantissa` x 2^(n - 63), n from -126 to -1.
    let mantissa = value.bits();
    let inverse = reciprocal(1 << 63 | shifted(mantissa, n.wrapping_neg()));
    if x & SIGN == 0 {
        let rounded = Value::of_bits(inverse).round::<12>()?;
        return Some((125 << 23) + rounded);
    }
    let word = |value: u64| (value as u32, (value >> 32) as u32);
    let ((low_a, high_a), (low_b, high_b)) = (word(mantissa), word(inverse));
    let product = u64::from(high_a) * u64::from(high_b)
        + u64::from(high_word(high_a, low_b))
        + u64::from(high_word(low_a, high_b));
    let zeros = u32::from(product >> 63 == 0);
    let product = product << zeros;
    let rounded = Value::of_bits(product).round::<12>()?;
    Some((n.wrapping_add(126 - zeros) << 23) + rounded)
}
