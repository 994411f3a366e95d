//! Cuts a vector into blocks.

use crate::integer::Byte;
use crate::integer::format::{BLOCK, FIELD, MIDDLE, padded};

/// Words of a block in front of its factors.
pub(super) const ENTRY_HEAD: usize = 2;
/// Both fields of a word, one each.
const BOTH: u32 = 0x0001_0001;
/// Words of the lists of blocks of eight and of four for each element, in eighths.
const LONG_WORDS: [usize; 2] = [ENTRY_HEAD + 8, 2 * (ENTRY_HEAD + 4)];
/// Steps that two rows take for a block of each size; only their ratios matter.
const STEPS: [usize; 3] = [34, 19, 12];

/// Words of scratch that the lists of a vector take.
///
/// Blocks of two may be twice as many as in a vector without others, less what (R) allows and a block of eight adds.
pub(super) const fn vector_words(k: usize) -> usize {
    let elements = padded(k);
    (LONG_WORDS[0] + LONG_WORDS[1]) * elements / 8 + pairs_words(elements)
}

const fn pairs_words(elements: usize) -> usize {
    (ENTRY_HEAD + 2) * (elements / 2 + BLOCK)
}

/// Blocks of one size, one behind the other: four times the first element, what the sums begin with, and the factors.
pub(super) struct List<'a> {
    words: &'a mut [u32],
    len: usize,
    blocks: usize,
}

impl<'a> List<'a> {
    fn new(words: &'a mut [u32]) -> Self {
        Self { words, len: 0, blocks: 0 }
    }

    /// The words of the blocks.
    #[inline]
    pub(super) fn words(&self) -> &[u32] {
        &self.words[..self.len]
    }

    /// Takes a block.
    #[inline(always)]
    fn push<const B: usize>(&mut self, element: usize, x: [i32; B]) {
        let entry = &mut self.words[self.len..][..ENTRY_HEAD + B];
        let sum: i32 = x.iter().sum();
        entry[0] = 4 * element as u32;
        // So that fields of sums of x u, u = y + 128, are sums of x y, and not negative.
        entry[1] = ((FIELD - MIDDLE * sum) as u32).wrapping_mul(BOTH);
        for (factors, x) in entry[ENTRY_HEAD..].chunks_exact_mut(2).zip(x.chunks_exact(2)) {
            // A word of weights is E + 256 O, E having the even elements: x_0 E + x_1 O is the word times x_0 and O times
            // the second factor.
            factors[0] = x[0] as u32;
            factors[1] = (x[1] - 256 * x[0]) as u32;
        }
        self.len += entry.len();
        self.blocks += 1;
    }
}

/// A vector as blocks.
pub(super) struct Vector<'a> {
    /// Blocks of eight, of four and of two elements.
    pub lists: [List<'a>; 3],
    /// What x is the difference from, less the zero point.
    pub shift: i32,
    /// Sum of the elements, less their zero point each.
    pub sum: i32,
    /// The largest sum of magnitudes of a block.
    limit: u32,
}

impl<'a> Vector<'a> {
    /// Cuts the vector `bytes` with its zero point.
    #[inline]
    pub(super) fn new(bytes: &[u8], byte: Byte, zero: u8, limit: u32, scratch: &'a mut [u32]) -> Self {
        let elements = padded(bytes.len());
        let (eights, scratch) = scratch.split_at_mut(LONG_WORDS[0] * elements / 8);
        let (fours, scratch) = scratch.split_at_mut(LONG_WORDS[1] * elements / 8);
        let pairs = &mut scratch[..pairs_words(elements)];
        let lists = [eights, fours, pairs].map(List::new);
        let mut vector = Self { lists, shift: 0, sum: 0, limit };
        let zero = byte.level(zero);
        if !vector.cut(bytes, byte, zero) {
            vector.lists.iter_mut().for_each(|list| (list.len, list.blocks) = (0, 0));
            vector.cut(bytes, byte, MIDDLE);
            vector.shift = MIDDLE - zero;
        }
        vector.sum += vector.shift * bytes.len() as i32;
        vector
    }

    /// The number of blocks.
    #[inline]
    pub(super) fn blocks(&self) -> usize {
        self.lists.iter().map(|list| list.blocks).sum()
    }

    /// Cuts the vector of differences from `centre`; gives up where blocks of two differences from the middle are cheaper, (R).
    fn cut(&mut self, bytes: &[u8], byte: Byte, centre: i32) -> bool {
        let at_most = STEPS[2] * padded(bytes.len()) / 2;
        let (whole, rest) = bytes.as_chunks::<BLOCK>();
        self.sum = 0;
        for (block, bytes) in whole.iter().enumerate() {
            self.take(BLOCK * block, bytes.map(|b| byte.level(b) - centre), centre);
            let steps: usize = self.lists.iter().zip(STEPS).map(|(list, steps)| list.blocks * steps).sum();
            if steps > at_most && centre != MIDDLE {
                return false;
            }
        }
        if !rest.is_empty() {
            let mut x = [0; BLOCK];
            x.iter_mut().zip(rest).for_each(|(x, &b)| *x = byte.level(b) - centre);
            self.take(BLOCK * whole.len(), x, centre);
        }
        true
    }

    /// Takes eight elements as one block, or as several that fit, (Q).
    #[inline(always)]
    fn take(&mut self, element: usize, x: [i32; BLOCK], centre: i32) {
        let [eights, fours, pairs] = &mut self.lists;
        let pair_sums = [0, 2, 4, 6].map(|at| x[at].unsigned_abs() + x[at + 1].unsigned_abs());
        let half_sums = [pair_sums[0] + pair_sums[1], pair_sums[2] + pair_sums[3]];
        let magnitudes = half_sums[0] + half_sums[1];
        if magnitudes == 0 {
            return;
        }
        self.sum += x.iter().sum::<i32>();
        if magnitudes <= self.limit {
            return eights.push(element, x);
        }
        for (half, magnitudes) in half_sums.into_iter().enumerate() {
            let at = 4 * half;
            let x = [x[at], x[at + 1], x[at + 2], x[at + 3]];
            if magnitudes == 0 {
                continue;
            } else if magnitudes <= self.limit {
                fours.push(element + at, x);
                continue;
            }
            for (pair, [x0, x1]) in [[x[0], x[1]], [x[2], x[3]]].into_iter().enumerate() {
                let (magnitudes, at) = (pair_sums[2 * half + pair], element + at + 2 * pair);
                if magnitudes == 0 {
                    continue;
                } else if magnitudes <= self.limit || centre == MIDDLE {
                    pairs.push(at, [x0, x1]);
                } else {
                    pairs.push(at, [x0, 0]);
                    pairs.push(at, [0, x1]);
                }
            }
        }
    }
}
