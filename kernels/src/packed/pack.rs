//! Writes the format. Runs where a program is built; nothing here is in a guest.

use alloc::vec;
use alloc::vec::Vec;

use crate::bits::{INFINITY_BITS, SIGN, finite_parts, is_finite};
use crate::packed::format::{
    BLOCK, BOUND_BITS, DROPPED, HEAD, MAX_K, MAX_SCALE, Places, REMAINDER_BITS, REMAINDER_SHIFT, group_rows,
    padded,
};
use crate::packed::inner::block_count;

/// `n` rows of `k` weights, `weight(row, element)`, as [`PackedRows`](super::PackedRows) reads them.
///
/// These are about K N + K N / 64 + 5 N words and two for each weight that is not exact in its row's integers: those
/// below a 64th of the row's largest, as a rule.
///
/// # Panics
/// If a row is longer than [`MAX_K`].
pub fn pack(k: usize, n: usize, weight: impl Fn(usize, usize) -> f32) -> Vec<u32> {
    assert!(k <= MAX_K, "pack: rows too long");
    let mut y = Vec::with_capacity(padded(k) * n);
    let (mut eta, mut lows, mut records) = (Vec::new(), Vec::new(), Vec::new());
    let (mut places, mut lists) = (Vec::new(), Vec::new());
    let mut squares = vec![0; block_count(padded(k))];
    let mut head = Head { infinite: false, scales: [i32::MAX, i32::MIN] };
    let mut first = 0;
    while first < n {
        let group: Vec<PackedRow> = (first..first + group_rows(first, n))
            .map(|row| PackedRow::new((0..k).map(|element| weight(row, element).to_bits()).collect()))
            .collect();
        for element in 0..padded(k) {
            y.extend(group.iter().map(|row| row.weights[element].y as u32));
        }
        for (block, squares) in squares.iter_mut().enumerate() {
            // Negative, as sums start with it.
            eta.extend(group.iter().map(|row| row.eta(block).0.wrapping_neg()));
            *squares = group.iter().map(|row| row.squares(block)).max().unwrap_or(0).max(*squares);
        }
        for row in &group {
            let list = row.lists();
            places.push(if list.is_empty() { 0 } else { Places::new(k, n).lists + lists.len() } as u32);
            lists.extend(list);
            lows.extend(row.low());
            records.extend([row.scale as u32, row.remainder()]);
            head.add(row);
        }
        first += group.len();
    }
    let limits = squares.into_iter().map(limit).collect();
    let parts = [head.words().to_vec(), y, eta, limits, lows, records, places, lists];
    let mut words = parts.concat();
    words[0] = words.len() as u32;
    words
}

/// What the head says of all rows together.
struct Head {
    infinite: bool,
    /// The lowest and the highest.
    scales: [i32; 2],
}

impl Head {
    fn add(&mut self, row: &PackedRow) {
        self.infinite |= !row.bits.iter().all(|&bits| is_finite(bits));
        self.scales = [self.scales[0].min(row.scale), self.scales[1].max(row.scale)];
    }

    /// Without the number of all words, which is not known yet.
    fn words(&self) -> [u32; HEAD] {
        [0, u32::from(self.infinite), self.scales[0] as u32, self.scales[1] as u32]
    }
}

/// The largest sum of squares, in units of 2^36, that a vector may have in a block where the rows' largest
/// is `squares`, (G).
fn limit(squares: u128) -> u32 {
    let bound = (1u128 << 63) - (1 << 39);
    u32::try_from((bound * bound / squares.max(1)) >> 36).unwrap_or(u32::MAX)
}

/// The exponent of numbers about as large as one.
const LIKELY: u32 = 127;

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

/// A weight times 2^`scale`.
fn quantise(bits: u32, scale: i32) -> Quantised {
    if !is_finite(bits) {
        return Quantised::default();
    }
    let parts = finite_parts(bits);
    let shift = parts.exponent as i32 - 150 + scale;
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
    scale: i32,
    /// With the padding.
    weights: Vec<Quantised>,
}

impl PackedRow {
    fn new(bits: Vec<u32>) -> Self {
        let finite = bits.iter().map(|bits| bits & !SIGN).filter(|&bits| bits < INFINITY_BITS);
        // The largest exponent gets the place that leaves all integers below 2^30. Without one any scale will do.
        let largest = finite.max().filter(|&bits| bits != 0).map_or(LIKELY, |bits| (bits >> 23).max(1));
        let scale = (156 - largest as i32).min(MAX_SCALE);
        let mut weights: Vec<_> = bits.iter().map(|&bits| quantise(bits, scale)).collect();
        weights.resize(padded(bits.len()), Quantised { exact: true, ..Quantised::default() });
        Self { bits, scale, weights }
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

    /// Minus the low words of eta, without their last bits: the upper and the lower half.
    fn low(&self) -> [u32; 2] {
        let blocks = block_count(self.weights.len());
        let low = ((0..blocks).map(|block| self.eta(block).1).sum::<u64>() >> DROPPED).wrapping_neg();
        [(low >> 32) as u32, low as u32]
    }

    /// The sum of the magnitudes of the remainders in the units of the format, rounded up.
    fn remainder(&self) -> u32 {
        // What a list does not hold exactly is less than a unit of 2^-15 more.
        let bound = |weight: &Quantised| weight.s.unsigned_abs() + u32::from(!weight.exact);
        self.weights.iter().map(bound).sum::<u32>().div_ceil(1 << (REMAINDER_BITS - BOUND_BITS))
    }

    /// Remainders, odd weights and signs of zeros, if there are any.
    fn lists(&self) -> Vec<u32> {
        let weights = || (0..).zip(&self.weights);
        let remainders: Vec<[u32; 2]> = weights()
            .filter(|(_, weight)| weight.s != 0)
            .map(|(element, weight)| [element, (weight.s << REMAINDER_SHIFT) as u32])
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
        [&head[..], remainders.as_flattened(), odd.as_flattened(), &signs].concat()
    }
}
