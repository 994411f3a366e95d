//! Writes the format. Runs where a program is built; nothing here is in a guest.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::bits::{INFINITY_BITS, SIGN, finite_parts, is_finite, with_sign_of};
use crate::packed::format::{
    BLOCK, BOUND_BITS, DROPPED, HEAD, MAX_K, MAX_ROWS, MAX_SCALE, Places, REMAINDER_BITS, REMAINDER_SHIFT,
    group_rows, padded,
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
    let weight = &weight;
    let lines = |group: Range<usize>| {
        (0..k).flat_map(move |element| group.clone().map(move |row| weight(row, element)))
    };
    let weights: Vec<f32> = groups(0..n, n).flat_map(lines).collect();
    let mut packer = Packer::new(k, n);
    let mut words = vec![0; HEAD];
    words.extend(packer.add(Rows::new(k, n, 0..n, &weights)).1);
    let [(_, head), (_, tail)] = packer.finish();
    words.extend(tail);
    words[..HEAD].copy_from_slice(&head);
    words
}

/// Those of the `rows` of `n` that are computed together; `rows` begin with a group.
pub fn groups(rows: Range<usize>, n: usize) -> impl Iterator<Item = Range<usize>> {
    let mut first = rows.start;
    core::iter::from_fn(move || {
        let group = (first < rows.end).then(|| first..first + group_rows(first, n))?;
        first = group.end;
        Some(group)
    })
}

/// Packed rows with their neighbours: a piece of the work that does not depend on the others.
pub struct Rows {
    first: usize,
    len: usize,
    y: Vec<u32>,
    eta: Vec<u32>,
    /// Of each block the largest sum of squares.
    squares: Vec<u128>,
    lows: Vec<u32>,
    records: Vec<u32>,
    /// Where the lists of each row end among `lists`.
    ends: Vec<usize>,
    lists: Vec<u32>,
    head: Head,
}

impl Rows {
    /// The `rows` of `n`, of `k` weights each. They begin at a multiple of eight, and end at one or with the last row. `weights`
    /// has them group by group, see [`groups`], and of a group for each element those of its rows.
    ///
    /// # Panics
    /// If they do not, if there are fewer or more weights, or if a row is longer than [`MAX_K`].
    pub fn new(k: usize, n: usize, rows: Range<usize>, weights: &[f32]) -> Self {
        assert!(k <= MAX_K, "pack: rows too long");
        let whole = rows.end == n || rows.end.is_multiple_of(MAX_ROWS);
        assert!(rows.start.is_multiple_of(MAX_ROWS) && whole, "pack: a group is cut in two");
        let len = rows.len();
        assert!(weights.len() == k * len, "pack: {} weights for {len} rows of {k}", weights.len());
        let blocks = block_count(padded(k));
        let mut out = Self {
            first: rows.start,
            len,
            y: vec![0; padded(k) * len],
            eta: Vec::with_capacity(blocks * len),
            squares: vec![0; blocks],
            lows: Vec::with_capacity(2 * len),
            records: Vec::with_capacity(2 * len),
            ends: Vec::with_capacity(len),
            lists: Vec::new(),
            head: Head { infinite: false, scales: [i32::MAX, i32::MIN] },
        };
        // Taken out, so that groups can be written to it.
        let mut y = core::mem::take(&mut out.y);
        for group in groups(rows.clone(), n) {
            let start = group.start - rows.start;
            let weights = &weights[k * start..][..k * group.len()];
            let y = &mut y[padded(k) * start..][..padded(k) * group.len()];
            match group.len() {
                8 => out.add_group::<8>(weights, y),
                4 => out.add_group::<4>(weights, y),
                2 => out.add_group::<2>(weights, y),
                _ => out.add_group::<1>(weights, y),
            }
        }
        out.y = y;
        out
    }

    /// Makes integers of a group of N rows, and of these the rest.
    fn add_group<const N: usize>(&mut self, weights: &[f32], y: &mut [u32]) {
        let (weights, y) = (weights.as_chunks::<N>().0, y.as_chunks_mut::<N>().0);
        let mut group = Group::new(weights);
        group.quantise(weights, y);
        let mut low_sums = [0; N];
        for (block, squares) in y.chunks(BLOCK).zip(&mut self.squares) {
            let sums = BlockSums::new(block);
            // Negative, as sums start with it.
            self.eta.extend(sums.high().map(u32::wrapping_neg));
            *squares = sums.squares().max(*squares);
            low_sums.iter_mut().zip(sums.low).for_each(|(sum, low)| *sum += low);
        }
        for (row, low) in low_sums.into_iter().enumerate() {
            self.lists.extend(group.lists(row, weights));
            self.ends.push(self.lists.len());
            // Without the last bits: the upper and the lower half.
            let low = (low >> DROPPED).wrapping_neg();
            self.lows.extend([(low >> 32) as u32, low as u32]);
            self.records.extend([group.scales[row] as u32, group.notes[row].bound()]);
            self.head.scales =
                [self.head.scales[0].min(group.scales[row]), self.head.scales[1].max(group.scales[row])];
        }
        self.head.infinite |= group.infinite;
    }
}

/// Puts pieces together: nearly all words can be written as they come, those that are left are few.
pub struct Packer {
    k: usize,
    n: usize,
    /// Rows that were added.
    rows: usize,
    eta: Vec<u32>,
    squares: Vec<u128>,
    lows: Vec<u32>,
    records: Vec<u32>,
    places: Vec<u32>,
    lists: Vec<u32>,
    head: Head,
}

impl Packer {
    /// For `n` rows of `k` weights.
    pub fn new(k: usize, n: usize) -> Self {
        Self {
            k,
            n,
            rows: 0,
            eta: Vec::new(),
            squares: vec![0; block_count(padded(k))],
            lows: Vec::new(),
            records: Vec::new(),
            places: Vec::new(),
            lists: Vec::new(),
            head: Head { infinite: false, scales: [i32::MAX, i32::MIN] },
        }
    }

    /// Takes the next rows. Gives words of the format, and the place of the first of them.
    ///
    /// # Panics
    /// If they are not those that follow.
    pub fn add(&mut self, rows: Rows) -> (usize, Vec<u32>) {
        assert!(rows.first == self.rows, "pack: rows out of order");
        self.rows += rows.len;
        self.eta.extend(rows.eta);
        for (squares, more) in self.squares.iter_mut().zip(rows.squares) {
            *squares = more.max(*squares);
        }
        let lists = Places::new(self.k, self.n).lists;
        let mut start = 0;
        for end in rows.ends {
            self.places.push(if start == end { 0 } else { lists + self.lists.len() } as u32);
            self.lists.extend_from_slice(&rows.lists[start..end]);
            start = end;
        }
        self.lows.extend(rows.lows);
        self.records.extend(rows.records);
        self.head.join(&rows.head);
        (HEAD + rows.first * padded(self.k), rows.y)
    }

    /// The other words, with the places of the first.
    ///
    /// # Panics
    /// If there are rows that were not added.
    pub fn finish(self) -> [(usize, Vec<u32>); 2] {
        assert!(self.rows == self.n, "pack: rows are missing");
        let limits = self.squares.into_iter().map(limit).collect();
        let tail = [self.eta, limits, self.lows, self.records, self.places, self.lists].concat();
        let eta = Places::new(self.k, self.n).eta;
        let mut head = self.head.words().to_vec();
        head[0] = (eta + tail.len()) as u32;
        [(0, head), (eta, tail)]
    }
}

/// What the head says of all rows together.
struct Head {
    infinite: bool,
    /// The lowest and the highest.
    scales: [i32; 2],
}

impl Head {
    fn join(&mut self, other: &Self) {
        self.infinite |= other.infinite;
        self.scales = [self.scales[0].min(other.scales[0]), self.scales[1].max(other.scales[1])];
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

/// N rows that are computed together, element by element.
struct Group<const N: usize> {
    scales: [i32; N],
    /// Two to the scales.
    powers: [f32; N],
    /// Whether there is one that is infinite or NaN.
    infinite: bool,
    /// Whether some need more than the usual way: infinite ones and NaN, signs of zeros, and numbers so large that small
    /// ones beside them are lost when they get the same scale.
    unusual: bool,
    notes: [Notes; N],
}

/// What of a row is not in its integers.
#[derive(Default)]
struct Notes {
    /// Four times the position of an element, and what is left of it.
    remainders: Vec<[u32; 2]>,
    /// Position and bits of those that have still more.
    odd: Vec<[u32; 2]>,
    /// The sum of the magnitudes of the remainders, of each odd one with a unit more.
    sum: u32,
}

impl<const N: usize> Group<N> {
    fn new(weights: &[[f32; N]]) -> Self {
        let (mut largest, mut minus_zeros) = ([0; N], 0);
        for weights in weights {
            for (largest, weight) in largest.iter_mut().zip(weights) {
                let bits = weight.to_bits();
                *largest = (bits & !SIGN).cast_signed().max(*largest);
                minus_zeros |= u32::from(bits == SIGN);
            }
        }
        let mut largest = largest.map(i32::cast_unsigned);
        let infinite = largest.iter().any(|&bits| bits >= INFINITY_BITS);
        if infinite {
            largest = core::array::from_fn(|row| {
                let bits = weights.iter().map(|weights| weights[row].to_bits() & !SIGN);
                bits.filter(|&bits| bits < INFINITY_BITS).max().unwrap_or(0)
            });
        }
        let scales = largest.map(scale);
        Self {
            scales,
            powers: scales.map(|scale| f32::from_bits((127 + scale).cast_unsigned() << 23)),
            infinite,
            unusual: infinite || minus_zeros != 0 || scales.iter().any(|&scale| scale < 0),
            notes: core::array::from_fn(|_| Notes::default()),
        }
    }

    /// Writes the integers of `weights` to `y`, and notes what is not in them.
    fn quantise(&mut self, weights: &[[f32; N]], y: &mut [[u32; N]]) {
        for (element, (weights, y)) in (0..).zip(weights.iter().zip(y)) {
            let (mut fractions, mut more) = ([0; N], u32::from(self.unusual));
            for row in 0..N {
                let (integer, fraction) = integer(weights[row], self.powers[row]);
                y[row] = integer;
                fractions[row] = fraction.to_bits();
                more |= fractions[row];
            }
            if more != 0 {
                for row in (0..N).filter(|&row| self.unusual || fractions[row] != 0) {
                    let bits = weights[row].to_bits();
                    let quantised = quantise(bits, self.scales[row]);
                    y[row] = quantised.y as u32;
                    self.notes[row].add(element, bits, quantised);
                }
            }
        }
    }

    /// Remainders, odd weights and signs of zeros of a row, if there are any.
    fn lists(&self, row: usize, weights: &[[f32; N]]) -> Vec<u32> {
        let Notes { remainders, odd, .. } = &self.notes[row];
        let is_minus_zero = |weights: &[f32; N]| weights[row].to_bits() == SIGN;
        let signs: Vec<u32> = if self.unusual && weights.iter().any(is_minus_zero) {
            let word = |weights: &[[f32; N]]| {
                (0..).zip(weights).map(|(at, weights)| u32::from(is_minus_zero(weights)) << at).sum()
            };
            weights.chunks(32).map(word).collect()
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

/// The scale of a row whose largest finite weight has the magnitude of these bits: the largest exponent gets the place that leaves all
/// integers below 2^30. Without one any scale will do.
fn scale(largest: u32) -> i32 {
    let exponent = if largest == 0 { LIKELY } else { (largest >> 23).max(1) };
    (156 - exponent as i32).min(MAX_SCALE)
}

/// What [`quantise`] makes of a weight in the usual case, without a branch, so that a vector unit does several: the integer, and the
/// fraction it was rounded by, which is +0 if there is none.
#[inline(always)]
fn integer(weight: f32, power: f32) -> (u32, f32) {
    // Exact, as all that follows: the power is at least one, and the product below 2^30.
    let product = weight.abs() * power;
    let below = product as i32;
    let fraction = product - below as f32;
    let y = below + i32::from(fraction >= 0.5);
    (with_sign_of(y, weight.to_bits()) as u32, fraction)
}

impl Notes {
    fn add(&mut self, element: u32, bits: u32, Quantised { s, exact, .. }: Quantised) {
        if s != 0 {
            self.remainders.push([4 * element, (s << REMAINDER_SHIFT) as u32]);
        }
        if !exact {
            self.odd.push([element, bits]);
        }
        // What a list does not hold exactly is less than a unit of 2^-15 more.
        self.sum += s.unsigned_abs() + u32::from(!exact);
    }

    /// The sum in the units of the format, rounded up.
    fn bound(&self) -> u32 {
        self.sum.div_ceil(1 << (REMAINDER_BITS - BOUND_BITS))
    }
}

/// Sums over a block of the integers of N rows.
struct BlockSums<const N: usize> {
    /// Of the products of neighbours, modulo 2^64.
    products: [u64; N],
    /// Of their low words.
    low: [u64; N],
    /// Of the upper and of the lower words of the squares.
    squares: [[u64; N]; 2],
}

impl<const N: usize> BlockSums<N> {
    fn new(block: &[[u32; N]]) -> Self {
        let mut sums = Self { products: [0; N], low: [0; N], squares: [[0; N]; 2] };
        for [one, other] in block.as_chunks().0 {
            for row in 0..N {
                let product = i64::from(one[row] as i32) * i64::from(other[row] as i32);
                sums.products[row] = sums.products[row].wrapping_add(product as u64);
                sums.low[row] += u64::from(product as u32);
            }
            let [high, low] = &mut sums.squares;
            for y in [one, other] {
                for ((high, low), &y) in high.iter_mut().zip(&mut *low).zip(y) {
                    // Below 2^60.
                    let magnitude = u64::from((y as i32).unsigned_abs());
                    let square = magnitude * magnitude;
                    *high += square >> 32;
                    *low += u64::from(square as u32);
                }
            }
        }
        sums
    }

    /// Sums of the high words of the products of neighbours.
    fn high(&self) -> [u32; N] {
        core::array::from_fn(|row| (self.products[row].wrapping_sub(self.low[row]) >> 32) as u32)
    }

    /// The largest sum of squares of a row.
    fn squares(&self) -> u128 {
        let [high, low] = &self.squares;
        let sum = |(&high, &low): (&u64, &u64)| (u128::from(high) << 32) + u128::from(low);
        high.iter().zip(low).map(sum).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of every scale at which the usual way is taken, all exponents and mantissas at their ends.
    #[test]
    fn the_usual_way_makes_the_same_integers() {
        let mantissas = [0, 1, 2, 0x3f_ffff, 0x40_0000, 0x40_0001, 0x55_5555, 0x7f_fffe, 0x7f_ffff];
        for largest in 0..=254 {
            let scale = scale(largest << 23 | 0x7f_ffff);
            if scale < 0 {
                continue;
            }
            let power = f32::from_bits((127 + scale).cast_unsigned() << 23);
            for (exponent, mantissa) in (0..=largest).flat_map(|e| mantissas.map(|m| (e, m))) {
                for bits in [exponent << 23 | mantissa, SIGN | exponent << 23 | mantissa] {
                    let expected = quantise(bits, scale);
                    let (y, fraction) = integer(f32::from_bits(bits), power);
                    assert_eq!(y as i32, expected.y, "{bits:#x} at {scale}");
                    let is_whole = expected.s == 0 && expected.exact;
                    assert_eq!(fraction.to_bits() == 0, is_whole, "{bits:#x} at {scale}");
                }
            }
        }
    }
}
