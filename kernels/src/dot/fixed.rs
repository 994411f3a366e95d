//! An integer wide enough to hold any sum of products of finite floats exactly.
//!
//! The sum is kept in lanes: 64-bit signed integers, lane j in units of 2^(8j - 300). A product of
//! two numbers m_a 2^(e_a - 150) and m_b 2^(e_b - 150) is m_a m_b 2^(e_a + e_b - 300); with
//! e = e_a + e_b it goes, shifted left by e mod 8, into lane e / 8: one multiplication and one 64-bit
//! addition, no carry into another lane. Lanes overlap widely, which is why no other lane is touched.
//!
//! The invariants the code relies on:
//!
//! * (A) |m| < 2^24 and 1 <= e_a, e_b <= 254, so a shifted product is below 2^55 in magnitude and its
//!   lane is at most 508 / 8 = 63.
//! * (B) Between two calls of `spill` at most [`RUN`] = 240 products are added. After `spill` a
//!   lane is below 2^33 in magnitude, so a lane stays below 240 x 2^55 + 2^33 < 2^63 - 2^58.
//! * (C) `spill` moves what exceeds 32 bits up by four lanes. Lanes 64 to 67 only receive: less than
//!   2^31 a call, so 2^32 calls, 2^39 products, fit. No slice is that long.
//! * (D) Only lanes `low..=high` differ from zero.
//! * (E) Rounding sees more than 25 leading bits of the sum and one bit that says whether anything is
//!   below them; a single rounding to 24 bits or fewer needs no more.

use crate::bits::{INFINITY_BITS, Parts, SIGN, finite_parts, normal_parts};
use crate::dot::terms::Term;

/// Lanes a product can fall into, (A).
const PRODUCT_LANES: usize = 64;
/// All lanes, those of (C) included.
const LANES: usize = PRODUCT_LANES + 4;
/// Products that may be added between two calls of `spill`, (B).
pub(super) const RUN: usize = 240;

/// Weights within 2^-24 <= |w| < 2^8 take the short way: they are normal, and the lanes they reach
/// follow from the range of the other factor, so nothing has to be tracked for each product.
const USUAL_LOW: u32 = 127 - 24;
const USUAL_HIGH: u32 = 127 + 8;

/// A 64-bit signed integer in two halves.
#[derive(Clone, Copy)]
struct Lane {
    high: u32,
    low: u32,
}

impl Lane {
    const ZERO: Self = Self { high: 0, low: 0 };

    #[inline(always)]
    fn get(self) -> i64 {
        i64::from(self.high) << 32 | i64::from(self.low)
    }

    #[inline(always)]
    fn set(&mut self, value: i64) {
        *self = Self { high: (value >> 32) as u32, low: value as u32 };
    }
}

/// The exact sum.
pub(super) struct Fixed {
    lanes: [Lane; LANES],
    /// The low byte of each lane while rounding; kept here so that it is cleared once only.
    digits: [u8; LANES],
    low: usize,
    high: usize,
    /// Products since the last `spill`.
    load: usize,
}

impl Fixed {
    /// Zero.
    pub(super) const fn new() -> Self {
        Self { lanes: [Lane::ZERO; LANES], digits: [0; LANES], low: LANES, high: 0, load: 0 }
    }

    /// Adds the product of two numbers.
    #[inline]
    pub(super) fn add_product(&mut self, a: Parts, b: Parts) {
        self.reserve(1);
        let exponent = a.exponent + b.exponent;
        self.touch(exponent, exponent);
        self.add_shifted(a.mantissa, b.mantissa, exponent);
    }

    /// Adds a finite number.
    #[inline]
    pub(super) fn add_value(&mut self, bits: u32) {
        // The number 1, as a factor whose mantissa is 1 instead of 2^23.
        self.add_product(finite_parts(bits), Parts { mantissa: 1, exponent: 150 });
    }

    /// Adds the products of `terms` with the elements of `w` they point at, all of them finite.
    /// `low` and `high` bound the exponents of the terms.
    #[inline]
    pub(super) fn add_terms(&mut self, terms: &[Term], low: u32, high: u32, w: &[f32]) {
        for run in terms.chunks(RUN) {
            self.reserve(run.len());
            self.touch(low + USUAL_LOW, high + USUAL_HIGH - 1);
            self.add_run(run, w);
        }
    }

    fn add_run(&mut self, run: &[Term], w: &[f32]) {
        for term in run {
            let bits = w[term.offset as usize].to_bits();
            // One unsigned comparison asks for both ends of the usual range, whatever the sign.
            if (bits << 1).wrapping_sub(USUAL_LOW << 24) < (USUAL_HIGH - USUAL_LOW) << 24 {
                let factor = normal_parts(bits);
                self.add_shifted(term.mantissa, factor.mantissa, term.exponent + factor.exponent);
            } else {
                self.add_unusual(term, bits);
            }
        }
    }

    /// Adds the product of a term with a factor that may be zero, subnormal, tiny or large.
    #[cold]
    #[inline(never)]
    fn add_unusual(&mut self, term: &Term, bits: u32) {
        let factor = finite_parts(bits);
        let exponent = term.exponent + factor.exponent;
        if factor.mantissa != 0 {
            self.touch(exponent, exponent);
            self.add_shifted(term.mantissa, factor.mantissa, exponent);
        }
    }

    /// Adds `a` x `b` x 2^(`exponent` - 300), (A).
    ///
    /// The addition is in two halves because LLVM turns a 64-bit one that follows a multiplication
    /// into `madd`, which the on-chain VM does not execute.
    #[inline(always)]
    fn add_shifted(&mut self, a: i32, b: i32, exponent: u32) {
        let product = i64::from(a) * i64::from(b << (exponent % 8));
        let lane = &mut self.lanes[exponent as usize / 8 % PRODUCT_LANES];
        let (low, carry) = lane.low.overflowing_add(product as u32);
        lane.low = low;
        lane.high = lane.high.wrapping_add((product >> 32) as u32).wrapping_add(u32::from(carry));
    }

    /// Keeps (D) for products with exponents from `low` to `high`.
    #[inline(always)]
    fn touch(&mut self, low: u32, high: u32) {
        self.low = self.low.min(low as usize / 8);
        self.high = self.high.max(high as usize / 8);
    }

    /// Makes room for `products` more, (B).
    #[inline(always)]
    fn reserve(&mut self, products: usize) {
        self.load += products;
        if self.load > RUN {
            self.spill();
            self.load = products;
        }
    }

    /// Brings every lane below 2^33 without changing the sum, (B) and (C).
    #[inline(never)]
    fn spill(&mut self) {
        for lane in self.low..=self.high.min(PRODUCT_LANES - 1) {
            let value = self.lanes[lane].get();
            let rest = i64::from(value as i32);
            let carry = (value - rest) >> 32;
            if carry != 0 {
                self.lanes[lane].set(rest);
                let above = self.lanes[lane + 4].get();
                self.lanes[lane + 4].set(above + carry);
                self.high = self.high.max(lane + 4);
            }
        }
    }

    /// The sum rounded to the nearest float, ties to even, as bits; nothing if it is exactly zero.
    /// A sum that rounds to zero keeps its sign. Leaves zero behind.
    #[inline]
    pub(super) fn take_rounded(&mut self) -> Option<u32> {
        let rounded = self.round::<true>();
        (self.low, self.high, self.load) = (LANES, 0, 0);
        rounded
    }

    /// What [`take_rounded`](Self::take_rounded) would give; leaves the sum as it is.
    #[inline]
    pub(super) fn rounded(&mut self) -> Option<u32> {
        self.round::<false>()
    }

    /// The rounded sum. With `CLEAR` the lanes are zero afterwards.
    #[inline(always)]
    fn round<const CLEAR: bool>(&mut self) -> Option<u32> {
        let (mut top, mut lane) = self.digits::<CLEAR>();
        // Cancellation, or empty lanes above the sum: bring in digits until (E) holds.
        while lane > self.low && (top ^ (top >> 63)) >> 32 == 0 {
            lane -= 1;
            top = (top << 8) | i64::from(self.digits[lane]);
        }
        let sticky = lane > self.low && self.digits[self.low..lane].iter().any(|&digit| digit != 0);
        (top != 0).then(|| {
            // The digits left out are a fraction f of `top`, 0 <= f < 1: below zero, -(top + f) is
            // !top plus another such fraction.
            let magnitude = if top >= 0 { top } else { !top + i64::from(!sticky) };
            let sign = top as u64 >> 32 & u64::from(SIGN);
            round(magnitude as u64, sticky, 8 * lane as i32 - 300) | sign as u32
        })
    }

    /// The sum as `top` x 2^(8 `lane` - 300) plus `digits[low..lane]`. With `CLEAR` the lanes are zero afterwards.
    fn digits<const CLEAR: bool>(&mut self) -> (i64, usize) {
        let mut top = 0;
        if self.low > self.high {
            return (0, self.low);
        }
        let range = self.low..=self.high;
        for (lane, digit) in self.lanes[range.clone()].iter_mut().zip(&mut self.digits[range]) {
            // (B) leaves room for what comes from the lane below: less than 2^55.
            top = (top >> 8) + lane.get();
            *digit = top as u8;
            if CLEAR {
                *lane = Lane::ZERO;
            }
        }
        (top, self.high)
    }
}

/// (`magnitude` + f) x 2^`exponent` rounded to nearest even, as the bits of a positive float, where
/// 0 < f < 1 if `sticky` and f = 0 otherwise. `magnitude` is not zero, and at least 2^26 if `sticky`.
#[inline]
fn round(magnitude: u64, sticky: bool, exponent: i32) -> u32 {
    let zeros = magnitude.leading_zeros();
    let normalised = magnitude << zeros;
    // 32 bits with everything below folded into the lowest: enough for one rounding to 24.
    let mut head = (normalised >> 32) as u32 | u32::from(normalised as u32 != 0) | u32::from(sticky);
    // 2^scale is the value of the leading bit; the biased exponent is scale + 127.
    let scale = exponent + 63 - zeros as i32;
    let biased = if scale >= -126 {
        (scale + 126) as u32
    } else {
        let shift = (-126 - scale).min(31) as u32;
        head = head >> shift | u32::from(head << (32 - shift) != 0);
        0
    };
    // The leading bit of a normal number adds the one that `biased` lacks; a carry out of the
    // fraction moves into the exponent, which is what rounding up to a power of two means.
    let truncated = (biased << 23) + (head >> 8);
    let rounded = truncated + u32::from((head & 0xff) + (truncated & 1) > 0x80);
    rounded.min(INFINITY_BITS)
}
