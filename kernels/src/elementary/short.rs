//! What the short ways share: a value as a mantissa of 24 bits and the 32 bits behind it.

/// `head` + `tail` / 2^32.
#[derive(Clone, Copy)]
pub(super) struct Value {
    pub head: u32,
    pub tail: u32,
}

impl Value {
    /// The first 56 of 64 bits.
    #[inline(always)]
    pub(super) fn of_bits(bits: u64) -> Self {
        Self { head: (bits >> 40) as u32, tail: (bits >> 8) as u32 }
    }

    /// The same with eight zeros behind them.
    #[inline(always)]
    pub(super) fn bits(self) -> u64 {
        u64::from(self.head) << 40 | u64::from(self.tail) << 8
    }

    /// The sum with `units` / 2^`PLACES`, for 0 < `PLACES` < 32.
    #[inline(always)]
    pub(super) fn plus<const PLACES: u32>(self, units: u32) -> Self {
        let (tail, carry) = self.tail.overflowing_add(units << (32 - PLACES));
        Self { head: self.head + (units >> PLACES) + u32::from(carry), tail }
    }

    /// The nearest integer, or nothing if the value is less than 2^-`CERTAIN` from the middle between two, so
    /// that its error may decide.
    #[inline(always)]
    pub(super) fn round<const CERTAIN: u32>(self) -> Option<u32> {
        let from_middle = self.tail.wrapping_sub((1 << 31) - (1 << (32 - CERTAIN)));
        (from_middle >> (33 - CERTAIN) != 0).then(|| self.head + (self.tail >> 31))
    }
}

/// `a` x `b` / 2^32, rounded down, for `a` below 2^31.
#[inline(always)]
pub(super) fn high_signed(a: u32, b: i32) -> i32 {
    ((i64::from(a as i32) * i64::from(b)) >> 32) as i32
}

/// `value` / 2^`places`, for any number of places.
#[inline(always)]
pub(super) fn shifted(value: u64, places: u32) -> u64 {
    if places < 32 { value >> places } else { (value >> 32).checked_shr(places - 32).unwrap_or(0) }
}
