//! Products and reciprocals of 64 bits in words of 32, since a product of 128 bits is a call in the guest.

/// The upper half of `a` x `b`.
#[inline]
pub fn high(a: u64, b: u64) -> u64 {
    let low = (word(a) * word(b)) >> 32;
    let first = (a >> 32) * word(b) + low;
    let second = word(a) * (b >> 32) + word(first);
    (a >> 32) * (b >> 32) + (first >> 32) + (second >> 32)
}

fn word(value: u64) -> u64 {
    value & 0xffff_ffff
}

/// 2^127 / `d`, too small by less than 2^8, for a `d` with its top bit set.
#[inline(always)]
pub fn reciprocal(d: u64) -> u64 {
    let (upper, lower) = ((d >> 32) as u32, d as u32);
    // 16 bits, too small by at most 2^-15 of its value: the divisor is rounded up.
    let first = (u32::MAX / ((upper >> 15) + 1)) << 16;
    // 1 - d y in units of 2^-32, and 30 bits.
    let error = (1 << 63) - u64::from(upper) * u64::from(first);
    // Less two units, which is what the lower half of d can make: still not too large.
    let second = first + high_word(first, (error >> 31) as u32) - 2;
    // The same with all of d, in units of 2^-55, where it is below 2^28.
    let error = (1 << 63) - (u64::from(upper) * u64::from(second) + u64::from(high_word(lower, second)));
    (u64::from(second) << 32) + ((u64::from(second) * u64::from((error >> 8) as u32)) >> 23)
}

/// The upper half of the product of two words.
#[inline(always)]
pub fn high_word(a: u32, b: u32) -> u32 {
    ((u64::from(a) * u64::from(b)) >> 32) as u32
}
