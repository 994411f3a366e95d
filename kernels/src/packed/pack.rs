//! Writes the format. Runs where a program is built; nothing here is in a guest.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::bits::{INFINITY_BITS, SIGN, finite_parts, is_finite};
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
    let mut packer = Packer::new(k, n);
    let mut words = vec![0; HEAD];
    words.extend(packer.add(Rows::new(k, n, 0..n, weight)).1);
    let [(_, head), (_, tail)] = packer.finish();
    words.extend(tail);
    words[..HEAD].copy_from_slice(&head);
    words
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
    /// The `rows` of `n`, of `k` weights each, `weight(row, element)`. They begin at a multiple of eight, and end at one or with
    /// the last row.
    ///
    /// # Panics
    /// If they do not, or if a row is longer than [`MAX_K`].
    pub fn new(k: usize, n: usize, rows: Range<usize>, weight: impl Fn(usize, usize) -> f32) -> Self {
        assert!(k <= MAX_K, "pack: rows too long");
        let whole = rows.end == n || rows.end.is_multiple_of(MAX_ROWS);
        assert!(rows.start.is_multiple_of(MAX_ROWS) && whole, "pack: a group is cut in two");
        let len = rows.len();
        let mut out = Self {
            first: rows.start,
            len,
            y: Vec::with_capacity(padded(k) * len),
            eta: Vec::with_capacity(block_count(padded(k)) * len),
            squares: vec![0; block_count(padded(k))],
            lows: Vec::new(),
            records: Vec::new(),
            ends: Vec::new(),
            lists: Vec::new(),
            head: Head { infinite: false, scales: [i32::MAX, i32::MIN] },
        };
        let mut first = rows.start;
        while first < rows.end {
            let group: Vec<PackedRow> = (first..first + group_rows(first, n))
                .map(|row| PackedRow::new((0..k).map(|element| weight(row, element).to_bits()).collect()))
                .collect();
            out.add_group(k, &group);
            first += group.len();
        }
        out
    }

    fn add_group(&mut self, k: usize, group: &[PackedRow]) {
        for element in 0..padded(k) {
            self.y.extend(group.iter().map(|row| row.weights[element].y as u32));
        }
        for (block, squares) in self.squares.iter_mut().enumerate() {
            // Negative, as sums start with it.
            self.eta.extend(group.iter().map(|row| row.eta(block).0.wrapping_neg()));
            *squares = group.iter().map(|row| row.squares(block)).max().unwrap_or(0).max(*squares);
        }
        for row in group {
            self.lists.extend(row.lists());
            self.ends.push(self.lists.len());
            self.lows.extend(row.low());
            self.records.extend([row.scale as u32, row.remainder()]);
            self.head.add(row);
        }
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
    fn add(&mut self, row: &PackedRow) {
        self.infinite |= !row.bits.iter().all(|&bits| is_finite(bits));
        self.scales = [self.scales[0].min(row.scale), self.scales[1].max(row.scale)];
    }

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
        let end = self.weights.len().min((block + 1) * BLOCK);
        &self.weights[(block * BLOCK).min(end)..end]
    }

    /// Sums of the high and of the low words of the products of neighbours in a block.
    fn eta(&self, block: usize) -> (u32, u64) {
        self.block(block).chunks(2).fold((0u32, 0), |(high, low), pair| {
            let product = i64::from(pair[0].y) * i64::from(pair[1].y);
            (high.wrapping_add((product >> 32) as u32), low + u64::from(product as u32))
        })
    }

    fn squares(&self, block: usize) -> u128 {
        // A square is below 2^60.
        self.block(block).iter().map(|weight| u128::from(u64::from(weight.y.unsigned_abs()).pow(2))).sum()
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
            .map(|(element, weight)| [4 * element, (weight.s << REMAINDER_SHIFT) as u32])
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
