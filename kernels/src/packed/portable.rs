//! The inner loops in Rust; for MIPS `build/` writes the same in assembly.

use crate::packed::finish::{round, with_bias};
use crate::packed::format::{DROPPED, MAX_ROWS, Record};
use crate::packed::inner::{Dense, Finish, Lines, Sparse, Start, blocks};

/// The sums of the words of products.
#[derive(Clone, Copy, Default)]
struct Sums {
    high: u32,
    low: u32,
}

impl Sums {
    /// Adds a product, (G) and (H).
    #[inline(always)]
    fn add(&mut self, a: u32, b: u32) {
        let product = i64::from(a as i32) * i64::from(b as i32);
        self.high = self.high.wrapping_add((product >> 32) as u32);
        self.low = self.low.wrapping_add(product as u32 >> DROPPED);
    }

    /// A block's sums in units of 2^11.
    fn total(self) -> i64 {
        (i64::from(self.high as i32) << 21) + i64::from(self.low)
    }
}

/// See [`Dense`]. The room is for assembly, which has fewer registers.
pub(super) fn dense<const C: usize>(work: &Dense<C>, _room: &mut [u32], mut totals: [&mut [i64]; C]) {
    let (rows, stride) = (work.rows, work.stride);
    for (block, range) in blocks(work.x[0].len()).enumerate() {
        for ((x, xi), totals) in work.x.iter().zip(work.xi).zip(&mut totals) {
            for (row, total) in totals[..rows].iter_mut().enumerate() {
                let mut sums = Sums { high: work.eta[block * stride + row].wrapping_sub(xi[block]), low: 0 };
                let y = work.y[range.start * stride + row..].iter().step_by(stride);
                let pairs = y.clone().step_by(2).zip(y.skip(1).step_by(2));
                for ([x0, x1], (y0, y1)) in x[range.clone()].as_chunks::<2>().0.iter().zip(pairs) {
                    sums.add(x0.wrapping_add(*y1), x1.wrapping_add(*y0));
                }
                *total += sums.total();
            }
        }
    }
}

/// See [`Sparse`].
pub(super) fn sparse(work: &Sparse, _room: &mut [u32], totals: &mut [i64]) {
    let mut list = work.list;
    for &bytes in work.counts {
        let (block, rest) = list.split_at(bytes as usize / 8);
        list = rest;
        let mut sums = [Sums::default(); MAX_ROWS];
        for &[x, at] in block {
            let y = &work.y[at as usize / 4 * work.rows..][..work.rows];
            sums.iter_mut().zip(y).for_each(|(sums, y)| sums.add(x, *y));
        }
        totals.iter_mut().zip(sums).for_each(|(total, sums)| *total += sums.total());
    }
}

/// See [`Start`].
pub(super) fn start(work: &Start, totals: &mut [i64]) {
    let rows = totals.len();
    let mut sums = [0u32; MAX_ROWS];
    for &[x, at] in work.list {
        for (sum, y) in sums.iter_mut().zip(&work.y[at as usize / 4 * rows..][..rows]) {
            let product = i64::from(x as i32) * i64::from(*y as i32);
            *sum = sum.wrapping_add((product >> 32) as u32);
        }
    }
    for (total, sum) in totals.iter_mut().zip(sums) {
        *total = work.constant + i64::from(sum as i32);
    }
}

/// See [`Finish`].
pub(super) fn finish(work: &Finish, totals: &mut [i64], results: &mut Lines) -> u32 {
    let (vector, low_mask) = (work.vector, work.low_mask());
    let mut open = 0;
    for (row, total) in totals.iter_mut().enumerate() {
        let record = Record(&work.records[row]);
        let scale = vector.scale + record.scale();
        let low = if low_mask == 0 { 0 } else { record.low() };
        *total -= low;
        let bias = work.biases.map_or(0, |bias| bias.at(row).to_bits());
        let Some(complete) = with_bias(*total, bias, scale) else {
            open |= 1 << (8 + row);
            continue;
        };
        *total = complete;
        // (J): the remainders by the largest element, in units of 2^(18 - 11 - 11) = 2^-4.
        let bound = u64::from(record.remainder()) * u64::from(vector.largest);
        let found =
            u32::try_from(bound).ok().and_then(|bound| round(complete, vector.error + (bound >> 4), scale));
        match found {
            Some(bits) => results.values[results.start + row * results.step] = f32::from_bits(bits),
            None => open |= 1 << row,
        }
    }
    open
}
