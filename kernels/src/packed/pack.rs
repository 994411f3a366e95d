//! Writes the format. Runs where a program is built; nothing here is in a guest.

use alloc::vec;
use alloc::vec::Vec;

use crate::bits::{INFINITY_BITS, SIGN, finite_parts, is_finite};
use crate::packed::format::{
    BLOCK, BOUND_BITS, DROPPED, MAX_K, NO_BOUND, Places, REMAINDER_BITS, group_rows, padded,
};
use crate::packed::inner::block_count;

/// `n` rows of `k` weights, `weight(row, element)`, as [`PackedRows`](super::PackedRows) reads them.
///
/// These are about K N + K N / 64 + 4 N words and one for each weight that is not exact in its row's integers: those
/// below a 64th of the row's largest, as a rule.
///
/// # Panics
/// If a row is longer than [`MAX_K`].
pub fn pack(k: usize, n: usize, weight: impl Fn(usize, usize) -> f32) -> Vec<u32> {
    assert!(k <= MAX_K, "pack: rows too long");
    let places = Places::new(k, n);
    let mut words = vec![0];
    let (mut eta, mut rows, mut lists) = (Vec::new(), Vec::new(), Vec::new());
    let mut squares = vec![0; block_count(padded(k))];
    let mut first = 0;
    while first < n {
        let group: Vec<PackedRow> = (first..first + group_rows(first, n))
            .map(|row| PackedRow::new((0..k).map(|element| weight(row, element).to_bits()).collect()))
            .collect();
        for element in 0..padded(k) {
            words.extend(group.iter().map(|row| row.weights[element].y as u32));
        }
        for (block, squares) in squares.iter_mut().enumerate() {
            // Negative, as sums start with it.
            eta.extend(group.iter().map(|row| row.eta(block).0.wrapping_neg()));
            *squares = group.iter().map(|row| row.squares(block)).max().unwrap_or(0).max(*squares);
        }
        for row in &group {
            let list = row.lists();
            let at = if list.is_empty() { 0 } else { places.lists + lists.len() };
            rows.extend(row.words(at as u32));
            lists.extend(list);
        }
        first += group.len();
    }
    words.extend(eta);
    words.extend(squares.into_iter().map(limit));
    words.extend(rows);
    words.extend(lists);
    words[0] = words.len() as u32;
    words
}

/// The largest sum of squares, in units of 2^36, that a vector may have in a block where the rows' largest
/// is `squares`, (G).
fn limit(squares: u128) -> u32 {
    let bound = (1u128 << 63) - (1 << 39);
    u32::try_from((bound * bound / squares.max(1)) >> 36).unwrap_or(u32::MAX)
}

/// A weight w as y + s/2^15, times two to minus the row's scale.
#[derive(Clone, Copy, Default)]
struct Quantised {
    /// |y| < 2^30, (F).
    y: i32,
    /// |s| <= 2^14.
    s: i32,
    /// Whether this is all of w.
    exact: bool,
}

/// The largest exponent of a row gets the place that leaves all integers below 2^30.
fn quantise(bits: u32, largest: u32) -> Quantised {
    if !is_finite(bits) {
        return Quantised::default();
    }
    let parts = finite_parts(bits);
    let shift = parts.exponent as i32 - largest as i32 + 6;
    if shift >= 0 {
        return Quantised { y: parts.mantissa << shift, s: 0, exact: true };
    }
    // Nothing of 24 bits is left at 2^-41.
    let drop = (-shift).min(41) as u32;
    // On the magnitude, so that a number and its negative become each other's negatives.
    let magnitude = i64::from(parts.mantissa.unsigned_abs());
    let y = (magnitude + (1 << (drop - 1))) >> drop;
    let rest = magnitude - (y << drop);
    let (s, exact) = if drop <= REMAINDER_BITS {
        (rest << (REMAINDER_BITS - drop), true)
    } else {
        let lost = drop - REMAINDER_BITS;
        (rest >> lost, rest & ((1 << lost) - 1) == 0)
    };
    let sign = if parts.mantissa < 0 { -1 } else { 1 };
    Quantised { y: sign * y as i32, s: sign * s as i32, exact }
}

/// A row, ready to be written.
struct PackedRow {
    bits: Vec<u32>,
    /// The largest biased exponent of its finite weights, at least 1.
    largest: u32,
    /// With the padding.
    weights: Vec<Quantised>,
}

impl PackedRow {
    fn new(bits: Vec<u32>) -> Self {
        let finite = bits.iter().map(|bits| bits & !SIGN).filter(|&bits| bits < INFINITY_BITS);
        let largest = finite.max().map_or(1, |bits| (bits >> 23).max(1));
        let mut weights: Vec<_> = bits.iter().map(|&bits| quantise(bits, largest)).collect();
        weights.resize(padded(bits.len()), quantise(0, largest));
        Self { bits, largest, weights }
    }

    fn block(&self, block: usize) -> &[Quantised] {
        self.weights.chunks(BLOCK).nth(block).unwrap_or(&[])
    }

    /// Sums of the high and of the low words of the products of neighbours in a block.
    fn eta(&self, block: usize) -> (u32, u64) {
        self.block(block).chunks(2).fold((0u32, 0), |(high, low), pair| {
            let product = i64::from(pair[0].y) * i64::from(pair[1].y);
            (high.wrapping_add((product >> 32) as u32), low + u64::from(product as u32))
        })
    }

    fn squares(&self, block: usize) -> u128 {
        self.block(block).iter().map(|weight| u128::from(weight.y.unsigned_abs()).pow(2)).sum()
    }

    /// The row's own words, with the place of its lists.
    fn words(&self, list: u32) -> [u32; 4] {
        let scale = 156 - self.largest as i32;
        let blocks = block_count(self.weights.len());
        let low = (0..blocks).map(|block| self.eta(block).1).sum::<u64>() >> DROPPED;
        // What a list does not hold exactly is less than a unit of 2^-15 more.
        let bound = |weight: &Quantised| weight.s.unsigned_abs() + u32::from(!weight.exact);
        let finite = self.bits.iter().all(|&bits| is_finite(bits));
        let remainder = match self.weights.iter().map(bound).sum::<u32>() {
            _ if !finite => NO_BOUND,
            0 => 0,
            sum => (sum >> (REMAINDER_BITS - BOUND_BITS)) + 1,
        };
        [(scale as u32) << 16 | (low >> 32) as u32, low as u32, remainder, list]
    }

    /// Remainders, odd weights and signs of zeros, if there are any.
    fn lists(&self) -> Vec<u32> {
        let weights = || (0..).zip(&self.weights);
        let remainders: Vec<u32> = weights()
            .filter(|(_, weight)| weight.s != 0)
            .map(|(element, weight)| element << 16 | (weight.s as u32 & 0xffff))
            .collect();
        let odd: Vec<[u32; 2]> = weights()
            .filter(|(_, weight)| !weight.exact)
            .map(|(element, _)| [element, self.bits[element as usize]])
            .collect();
        let signs: Vec<u32> = if self.bits.contains(&SIGN) {
            let word = |bits: &[u32]| (0..).zip(bits).map(|(at, &bits)| u32::from(bits == SIGN) << at).sum();
            self.bits.chunks(32).map(word).collect()
        } else {
            Vec::new()
        };
        if remainders.is_empty() && odd.is_empty() && signs.is_empty() {
            return Vec::new();
        }
        let head = [(remainders.len() as u32) << 16 | odd.len() as u32, signs.len() as u32];
        [&head[..], &remainders, odd.as_flattened(), &signs].concat()
    }
}
