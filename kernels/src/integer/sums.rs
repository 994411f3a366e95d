//! The sums of a filter, and what is made of them.

use crate::integer::layout::Layout;
#[cfg(target_arch = "mips")]
use crate::integer::mips as machine;
#[cfg(not(target_arch = "mips"))]
use crate::integer::portable as machine;
use crate::integer::requantise::Column;

/// The sums of the blocks of a filter for each word of results, one row behind the other, (g).
pub(super) struct Sums<'a> {
    pub layout: &'a Layout,
    /// Of whole words.
    pub whole: &'a [u32],
    /// Of their upper halves.
    pub upper: &'a [u32],
    pub filter: usize,
    /// What belongs to each sum besides.
    pub correction: i32,
}

impl Sums<'_> {
    /// Where the results of a word go. The last word of a row of odd length has one.
    #[inline(always)]
    pub(super) fn places(&self, word: usize) -> [Option<usize>; 2] {
        let (output, half) = (&self.layout.shape.output, self.layout.half);
        let (row, column) = (word / half, word % half);
        let lower = output.at(self.filter, row, column);
        let both = column + half < output.width;
        [Some(lower), both.then(|| lower + half * output.column_stride)]
    }

    /// The sums of a word, without the correction.
    #[inline(always)]
    pub(super) fn of(&self, word: usize) -> [i32; 2] {
        let (whole, upper) = (self.whole[word], self.upper[word]);
        [whole.wrapping_sub(upper << 16), upper].map(|sum| sum as i32)
    }

    /// Calls `take` with the place of each result and the sum.
    #[inline(always)]
    pub(super) fn each(&self, mut take: impl FnMut(usize, i32)) {
        let (output, half) = (&self.layout.shape.output, self.layout.half);
        let words = self.whole.chunks_exact(half).zip(self.upper.chunks_exact(half));
        for (row, (whole, upper)) in words.enumerate() {
            let mut place = output.at(self.filter, row, 0);
            let beside = half * output.column_stride;
            for (column, (&whole, &upper)) in whole.iter().zip(upper).enumerate() {
                let correction = self.correction as u32;
                take(place, whole.wrapping_sub(upper << 16).wrapping_add(correction) as i32);
                if column + half < output.width {
                    take(place + beside, upper.wrapping_add(correction) as i32);
                }
                place += output.column_stride;
            }
        }
    }

    /// Writes the bytes of all sums.
    #[inline(never)]
    pub(super) fn bytes(&self, column: &Column, out: &mut [u8]) {
        let column = column.biased(self.correction);
        let mut word = 0;
        while word < self.whole.len() {
            word = machine::bytes(self, &column, word, out);
            if word < self.whole.len() {
                self.word(word, &column, out);
                word += 1;
            }
        }
        // What has nothing beside it was left out.
        let (rows, half) = (self.layout.shape.output.height, self.layout.half);
        if self.layout.shape.output.width % 2 == 1 {
            (1..=rows).for_each(|row| self.word(row * half - 1, &column, out));
        }
    }

    /// The same of a word.
    #[inline(never)]
    fn word(&self, word: usize, column: &Column, out: &mut [u8]) {
        for (place, sum) in self.places(word).into_iter().zip(self.of(word)) {
            if let Some(place) = place {
                out[place] = column.byte_of(sum);
            }
        }
    }
}
