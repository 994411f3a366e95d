//! The decimal digits of a binary number, all of them if need be: each finite number has finitely many.
//!
//! Rust's `core` has such code too; the compiler makes instructions of it that the on-chain VM has not, as it adds products of words
//! to numbers of 64 bits.

use arrayvec::ArrayVec;

/// Digits that are made at once, and ten to that power.
const GROUP: usize = 9;
const BASE: u32 = 1_000_000_000;

/// Words of the largest integer part (2^1024), and of the longest fraction (2^-1074).
const WORDS: usize = 34;

/// Room for 309 digits in front of the point, 1074 behind it, and a group.
const MOST: usize = 1400;

/// Digits as numbers from 0 to 9.
pub(super) struct Digits {
    /// At first those in front of the point, none for a number below 1.
    pub digits: ArrayVec<u8, MOST>,
    /// How many stand in front of the point; negative if zeros behind the point are left out.
    pub point: i32,
    /// Behind the point, to come: a fraction of 2^32 in each word, the highest first.
    fraction: ArrayVec<u32, WORDS>,
}

impl Digits {
    pub const fn new() -> Self {
        Self { digits: ArrayVec::new_const(), point: 0, fraction: ArrayVec::new_const() }
    }

    /// Becomes a finite number that is not negative: its integer part, and no digit of its fraction yet.
    pub fn set(&mut self, magnitude: f64) {
        const FRACTION: u32 = 52;
        let bits = magnitude.to_bits();
        let biased = (bits >> FRACTION) as i32;
        let mantissa = bits & ((1 << FRACTION) - 1) | u64::from(biased != 0) << FRACTION;
        // The number is mantissa x 2^exponent.
        let exponent = biased.max(1) - 1075;
        if exponent >= 0 {
            self.integer(mantissa, exponent as u32);
        } else {
            let whole = if exponent > -64 { mantissa >> -exponent } else { 0 };
            self.integer(whole, 0);
            self.fraction(mantissa, (-exponent) as u32);
        }
    }

    /// The decimal exponent; 0 of zero.
    pub fn exponent(&self) -> i32 {
        if self.digits.is_empty() { 0 } else { self.point - 1 }
    }

    /// The digits of `mantissa` x 2^`shift`.
    fn integer(&mut self, mantissa: u64, shift: u32) {
        // The words, the lowest first; 2^1024 is the largest number there is.
        let (place, shifted) = ((shift / 32) as usize, u128::from(mantissa) << (shift % 32));
        let mut words: ArrayVec<u32, WORDS> = core::iter::repeat_n(0, place).collect();
        words.extend((0..3).map(|k| (shifted >> (32 * k)) as u32));
        let mut groups: ArrayVec<u32, 36> = ArrayVec::new();
        let mut len = words.iter().rposition(|word| *word != 0).map_or(0, |top| top + 1);
        while len > 0 {
            let mut rest = 0;
            for word in words[..len].iter_mut().rev() {
                (*word, rest) = divide(rest, *word);
            }
            groups.push(rest);
            len -= usize::from(words[len - 1] == 0);
        }
        groups.iter().rev().for_each(|group| self.push_group(*group));
        let zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..zeros);
        self.point = self.digits.len() as i32;
    }

    /// Keeps the last `bits` bits of `mantissa` as the fraction.
    fn fraction(&mut self, mantissa: u64, bits: u32) {
        let len = bits.div_ceil(32);
        // Bits behind the lowest, so that words end where the fraction does.
        let shifted = u128::from(mantissa) << (32 * len - bits);
        for k in (0..len).rev() {
            self.fraction.push(if k < 4 { (shifted >> (32 * k)) as u32 } else { 0 });
        }
        // The integer part stands above the fraction if that is short.
        self.forget_zeros();
    }

    fn forget_zeros(&mut self) {
        while self.fraction.last() == Some(&0) {
            self.fraction.pop();
        }
    }

    fn push_group(&mut self, mut group: u32) {
        let mut digits = [0; GROUP];
        for digit in digits.iter_mut().rev() {
            *digit = (group % 10) as u8;
            group /= 10;
        }
        self.digits.extend(digits);
    }

    /// Makes the next digits of the fraction; zeros in front of the first digit of all are counted instead.
    fn extend(&mut self) {
        let mut carry = 0;
        for word in self.fraction.iter_mut().rev() {
            (*word, carry) = multiply(*word, carry);
        }
        self.forget_zeros();
        let first = self.digits.len();
        self.push_group(carry);
        if first == 0 {
            let zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
            self.digits.drain(..zeros);
            self.point -= zeros as i32;
        }
    }

    /// Rounds to `places` digits behind the point: all digits there are then as many, or fewer if zeros follow.
    pub fn round_behind_point(&mut self, places: usize) {
        let kept = |number: &Self| (number.point as isize).saturating_add_unsigned(places);
        while !self.fraction.is_empty() && kept(self) >= self.digits.len() as isize {
            self.extend();
        }
        match usize::try_from(kept(self)) {
            Ok(count) => self.round(count),
            // The first digit is behind the first one that is dropped.
            Err(_) => self.digits.clear(),
        }
    }

    /// Rounds to `count` digits, the first of which is not zero.
    pub fn round_to(&mut self, count: usize) {
        while !self.fraction.is_empty() && count >= self.digits.len() {
            self.extend();
        }
        self.round(count);
    }

    /// Keeps `count` digits: rounds to nearest, of two to the even one.
    fn round(&mut self, count: usize) {
        let Some((&next, below)) = self.digits.get(count..).and_then(<[u8]>::split_first) else { return };
        let more = below.iter().any(|digit| *digit != 0) || !self.fraction.is_empty();
        let odd = count > 0 && self.digits[count - 1] % 2 == 1;
        let up = next > 5 || next == 5 && (more || odd);
        self.digits.truncate(count);
        if !up {
            return;
        }
        let nines = self.digits.iter().rev().take_while(|digit| **digit == 9).count();
        self.digits.truncate(count - nines);
        match self.digits.last_mut() {
            Some(digit) => *digit += 1,
            None => {
                self.digits.push(1);
                self.point += 1;
            }
        }
        // What follows is zeros, which the caller writes.
    }
}

/// `high` x 2^32 + `low` by ten to the ninth, `high` being below it: the quotient and the rest.
fn divide(high: u32, low: u32) -> (u32, u32) {
    if high == 0 {
        return (low / BASE, low % BASE);
    }
    let value = u64::from(high) << 32 | u64::from(low);
    ((value / u64::from(BASE)) as u32, (value % u64::from(BASE)) as u32)
}

/// `word` x 10^9 + `carry`: the low word and the high one.
fn multiply(word: u32, carry: u32) -> (u32, u32) {
    let product = u64::from(word) * u64::from(BASE);
    // Word by word: see above.
    let (low, over) = (product as u32).overflowing_add(carry);
    (low, (product >> 32) as u32 + u32::from(over))
}
