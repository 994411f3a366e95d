//! A vector of floats made one of aligned integers, once for all the rows it meets.

use core::ops::Range;

use crate::bits::{FRACTION, IMPLICIT, INFINITY_BITS, with_sign_of};
use crate::packed::format::{BLOCK, DROPPED, PackedRows, SPAN, padded};
use crate::packed::inner::{Fill, LIST_UNIT, Seen, block_count, blocks};

/// What a vector turned out to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Most elements are not zero: the integers and xi are there.
    Dense,
    /// The integers and the list of those that are not zero are there.
    Sparse,
    /// All elements are zero.
    Zero,
    /// Something is infinite or NaN, everything is tiny, or too many elements are not exact: sums come from the definition.
    Unfit,
}

/// Room for one vector, and what was made of it.
pub(super) struct Vector<'a> {
    pub kind: Kind,
    /// The integers are the elements times two to this.
    pub scale: i32,
    /// What every sum gets, in units of 2^11: half of what the low words lost, less what xi has in them.
    pub constant: i64,
    /// What every sum may be wrong by, in units of 2^11, remainders of weights apart; (I), and one for the magnitude, (M).
    pub error: u32,
    /// What no element exceeds in magnitude, in units of 2^18.
    pub largest: u32,
    pub x: &'a mut [u32],
    pub xi: &'a mut [u32],
    /// Bytes of `list` for each block.
    pub counts: &'a mut [u32],
    /// The elements that are not zero, with their positions in units of [`LIST_UNIT`].
    list: &'a mut [[u32; 2]],
    /// What the integers leave of elements, in units of 2^-21, with their positions in the same units.
    remainders: &'a mut [[u32; 2]],
    listed: usize,
    remaining: usize,
}

/// Words a vector of `k` elements needs.
pub(super) const fn vector_words(k: usize) -> usize {
    5 * padded(k) + 2 * block_count(padded(k))
}

/// Elements that may be inexact, so that what they add to a sum fits into 32 bits, (I).
const MAX_REMAINDERS: usize = 1 << 12;

/// Sums over the blocks of a vector.
struct Totals {
    xi: u64,
    /// Elements whose integers are not exact.
    inexact: u32,
}

/// The lowest exponent that the largest element of a vector may have: then no subnormal is exact in the
/// integers, so that only [`Vector::inexact`] meets one.
const LOWEST: u32 = 8;

impl<'a> Vector<'a> {
    /// Takes [`vector_words`] words off `memory`.
    pub(super) fn new(k: usize, memory: &mut &'a mut [u32]) -> Self {
        let (elements, blocks) = (padded(k), block_count(padded(k)));
        let mut take = |words: usize| memory.split_off_mut(..words).expect("packed: scratch too short");
        Self {
            kind: Kind::Zero,
            scale: 0,
            constant: 0,
            error: 0,
            largest: 0,
            x: take(elements),
            xi: take(blocks),
            counts: take(blocks),
            list: take(2 * elements).as_chunks_mut().0,
            remainders: take(2 * elements).as_chunks_mut().0,
            listed: 0,
            remaining: 0,
        }
    }

    /// What is left of elements, with their positions.
    #[inline]
    pub(super) fn remainders(&self) -> &[[u32; 2]] {
        &self.remainders[..self.remaining]
    }

    /// Whether the exponent of every sum with rows of these scales that is accepted is that of a normal number, (M).
    #[inline]
    pub(super) fn is_normal_with(&self, [lowest, highest]: [i32; 2]) -> bool {
        lowest + self.scale >= -53 && highest + self.scale <= 170
    }

    /// The part of the list for some blocks.
    pub(super) fn list_of(&self, blocks: Range<usize>) -> &[[u32; 2]] {
        let bytes = |counts: &[u32]| counts.iter().map(|&bytes| bytes as usize).sum::<usize>();
        let start = bytes(&self.counts[..blocks.start]) / 8;
        &self.list[start..start + bytes(&self.counts[blocks]) / 8]
    }

    /// Prepares `x`, the bits of floats of which `seen` tells, for `rows`, whose limits it has to keep, (G).
    #[inline(never)]
    pub(super) fn prepare(&mut self, x: &[u32], seen: Seen, rows: &PackedRows) {
        let (Seen { largest, nonzero }, limits) = (seen, rows.limits());
        self.kind = if !rows.is_finite() {
            Kind::Unfit
        } else if largest == 0 {
            Kind::Zero
        } else if largest >= INFINITY_BITS << 1 || largest >> 24 < LOWEST {
            Kind::Unfit
        } else if nonzero as usize * 16 < x.len() * 11 {
            // Some 7.6 steps for an element that is not zero, and 5.3 for any.
            Kind::Sparse
        } else {
            Kind::Dense
        };
        if !matches!(self.kind, Kind::Sparse | Kind::Dense) {
            return;
        }
        let mut place = 6 - (largest >> 24) as i32;
        let totals = loop {
            match self.fill(x, place, limits) {
                Ok(totals) => break totals,
                Err(excess) => place -= excess,
            }
        };
        let products = if self.kind == Kind::Sparse { nonzero } else { self.x.len() as u32 / 2 };
        self.scale = 150 + place;
        self.constant = i64::from(products / 2) - (totals.xi >> DROPPED) as i64;
        // (I): half of the lost low words, two for xi and eta, and one each for an odd number, the bias and (J).
        self.error = products / 2 + 6 + 2 * totals.inexact;
        if self.remaining > MAX_REMAINDERS {
            self.kind = Kind::Unfit;
        }
        let mantissa = (largest >> 1) & FRACTION | IMPLICIT;
        let place = (place + (largest >> 24) as i32) as u32;
        self.largest = (mantissa << place >> 18) + 1;
    }

    /// Makes the integers: elements times 2^(150 + `place`), rounded towards zero. If a block exceeds its limit,
    /// nothing is made but the number of bits that are too many.
    fn fill(&mut self, x: &[u32], place: i32, limits: &[u32]) -> Result<Totals, i32> {
        (self.listed, self.remaining) = (0, 0);
        let mut totals = Totals { xi: 0, inexact: 0 };
        for (block, range) in blocks(self.x.len()).enumerate() {
            let listed = self.listed;
            let part = &x[range.start.min(x.len())..range.end.min(x.len())];
            let squares = self.fill_block(part, range.clone(), place, &mut totals);
            if squares > limits[block] {
                // Each bit that is given up divides the sum of squares by about four.
                let mut excess = 0;
                while squares >> (2 * excess) > limits[block] {
                    excess += 1;
                }
                return Err(excess);
            }
            match self.kind {
                Kind::Dense => self.fill_xi(block, range, &mut totals),
                _ => self.counts[block] = 8 * (self.listed - listed) as u32,
            }
        }
        Ok(totals)
    }

    /// The integers of a block; the sum of their squares in units of 2^36, rounded up.
    #[inline]
    fn fill_block(&mut self, x: &[u32], range: Range<usize>, place: i32, totals: &mut Totals) -> u32 {
        let sparse = self.kind == Kind::Sparse;
        let (out, padding) = self.x[range.clone()].split_at_mut(x.len());
        padding.iter_mut().for_each(|x| *x = 0);
        if x.is_empty() {
            return 0;
        }
        let at = LIST_UNIT * range.start as u32;
        let list = if sparse { &mut self.list[self.listed..] } else { &mut [] };
        let inexact = &mut self.remainders[self.remaining..];
        let filled = Fill { x, place, at, out, list, inexact }.run();
        self.listed += filled.listed;
        filled.squares + self.fill_inexact(filled.inexact, place, totals)
    }

    /// The integers of elements that are not exact, whose bits stand where remainders go; the sum of their squares.
    #[inline]
    fn fill_inexact(&mut self, count: usize, place: i32, totals: &mut Totals) -> u32 {
        let mut squares = 0;
        for from in self.remaining..self.remaining + count {
            let [bits, at] = self.remainders[from];
            let inexact = Inexact::new(bits, place);
            totals.inexact += u32::from(inexact.rest);
            squares += square(inexact.magnitude);
            let value = with_sign_of(inexact.magnitude as i32, bits) as u32;
            self.x[(at / LIST_UNIT) as usize] = value;
            if self.kind == Kind::Sparse {
                self.list[self.listed] = [value, at];
                self.listed += 1;
            }
            if inexact.remainder != 0 {
                self.remainders[self.remaining] = [with_sign_of(inexact.remainder as i32, bits) as u32, at];
                self.remaining += 1;
            }
        }
        squares
    }

    /// The products of neighbours in a block: high words to `xi`, low words to the totals.
    #[inline]
    fn fill_xi(&mut self, block: usize, range: Range<usize>, totals: &mut Totals) {
        let (mut high, mut low) = (0u32, 0u64);
        for [x0, x1] in self.x[range].as_chunks::<2>().0 {
            let product = i64::from(*x0 as i32) * i64::from(*x1 as i32);
            high = high.wrapping_add((product >> 32) as u32);
            low += u64::from(product as u32);
        }
        self.xi[block] = high;
        totals.xi += low;
    }
}

/// An element below the units of the integers, in part or altogether.
struct Inexact {
    magnitude: u32,
    /// What is left, in units of 2^-21, rounded towards zero.
    remainder: u32,
    /// Whether anything is left.
    rest: bool,
}

impl Inexact {
    #[inline(never)]
    fn new(bits: u32, place: i32) -> Self {
        let exponent = (bits << 1 >> 24) as i32;
        // A subnormal has the exponent of the smallest normal numbers, and no implicit bit.
        let (mantissa, exponent) =
            if exponent == 0 { (bits & FRACTION, 1) } else { ((bits & FRACTION) | IMPLICIT, exponent) };
        let drop = (-(exponent + place)).clamp(1, 63) as u32;
        let whole = if drop < 24 { mantissa >> drop } else { 0 };
        let rest = if drop < 24 { mantissa & ((1 << drop) - 1) } else { mantissa };
        let remainder = if drop <= 21 {
            rest << (21 - drop)
        } else if drop < 21 + 24 {
            rest >> (drop - 21)
        } else {
            0
        };
        Self { magnitude: whole, remainder, rest: rest != 0 }
    }
}

/// A bound of a square in units of 2^36, (G).
#[inline(always)]
pub(super) fn square(magnitude: u32) -> u32 {
    let bound = (magnitude >> 18) + 1;
    bound * bound
}

/// Ranges of elements whose low words fit into 32 bits, (H), each with its blocks.
pub(super) fn spans(elements: usize) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    (0..elements).step_by(SPAN * BLOCK).map(move |start| {
        let end = elements.min(start + SPAN * BLOCK);
        (start..end, start / BLOCK..end.div_ceil(BLOCK))
    })
}
