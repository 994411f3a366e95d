//! The inner loops in Rust; for MIPS `build/` writes the same in assembly.

use crate::bits::{FRACTION, IMPLICIT, is_zero, with_sign_of};
pub(super) use crate::packed::finish::finish;
use crate::packed::format::{Chunk, DROPPED, MAX_ROWS, Total, halves, whole};
use crate::packed::inner::{Dense, Fill, Filled, LIST_UNIT, Seen, Sparse, blocks};
use crate::packed::vector::square;

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
pub(super) fn dense<const C: usize>(work: &Dense<C>, _room: &mut [u32], totals: [&mut [Total]; C]) {
    let (stride, elements) = (work.stride, work.x[0].len());
    let block_count = work.xi[0].len();
    for (column, totals) in totals.into_iter().enumerate() {
        let (x, xi) = (work.x[column], work.xi[column]);
        for (group, row) in (0..work.groups).flat_map(|group| (0..work.rows).map(move |row| (group, row))) {
            let place = group * stride + row;
            let mut total = work.starts[column].total(place);
            for (block, range) in blocks(elements).enumerate() {
                let eta = work.eta[(group * block_count + block) * stride + row];
                let mut sums = Sums { high: eta.wrapping_sub(xi[block]), low: 0 };
                let y = work.y[(group * elements + range.start) * stride + row..].iter().step_by(stride);
                let pairs = y.clone().step_by(2).zip(y.skip(1).step_by(2));
                for ([x0, x1], (y0, y1)) in x[range].as_chunks::<2>().0.iter().zip(pairs) {
                    sums.add(x0.wrapping_add(*y1), x1.wrapping_add(*y0));
                }
                total += sums.total();
            }
            totals[place] = halves(total);
        }
    }
}

/// See [`Sparse`].
pub(super) fn sparse(work: &Sparse, _room: &mut [u32], totals: &mut [Total]) {
    let rows = work.rows;
    let elements = work.y.len() / (rows * work.groups);
    for (group, totals) in totals.chunks_mut(rows).enumerate() {
        let y = &work.y[group * elements * rows..];
        let mut list = work.list;
        for (row, total) in totals.iter_mut().enumerate() {
            *total = halves(work.start.total(group * rows + row));
        }
        for &bytes in work.counts {
            let (block, rest) = list.split_at(bytes as usize / 8);
            list = rest;
            let mut sums = [Sums::default(); MAX_ROWS];
            for &[x, at] in block {
                let y = &y[(at / LIST_UNIT) as usize * rows..][..rows];
                sums.iter_mut().zip(y).for_each(|(sums, y)| sums.add(x, *y));
            }
            totals.iter_mut().zip(sums).for_each(|(total, sums)| {
                *total = halves(whole(*total) + sums.total());
            });
        }
    }
}

/// See [`gather`](super::inner::gather): `count` elements with a step in each slice.
pub(super) fn gather(
    count: usize,
    (x, from_step): (&[f32], usize),
    (out, to_step): (&mut [u32], usize),
    seen: &mut Seen,
) {
    for element in 0..count {
        let bits = x[element * from_step].to_bits();
        out[element * to_step] = bits;
        seen.largest = seen.largest.max(bits << 1);
        seen.nonzero += u32::from(bits << 1 != 0);
    }
}

/// See [`Fill`].
pub(super) fn fill(work: Fill) -> Filled {
    let Fill { x, place, mut at, out, list, inexact } = work;
    let mut filled = Filled { squares: 0, listed: 0, inexact: 0 };
    for (&bits, out) in x.iter().zip(out) {
        let shift = (bits << 1 >> 24) as i32 + place;
        if is_zero(bits) {
            *out = 0;
        } else if shift >= 0 {
            let magnitude = ((bits & FRACTION) | IMPLICIT) << shift;
            *out = with_sign_of(magnitude as i32, bits) as u32;
            filled.squares += square(magnitude);
            if !list.is_empty() {
                list[filled.listed] = [*out, at];
                filled.listed += 1;
            }
        } else {
            inexact[filled.inexact] = [bits, at];
            filled.inexact += 1;
        }
        at += LIST_UNIT;
    }
    filled
}

/// See [`correct`](super::inner::correct).
pub(super) fn correct(list: &[[u32; 2]], chunk: &Chunk, corrections: &mut [u32]) {
    let rows = chunk.rows;
    let elements = chunk.y.len() / chunk.len();
    for (group, corrections) in corrections.chunks_mut(rows).enumerate() {
        corrections.fill(0);
        for &[x, at] in list {
            let y = &chunk.y[(group * elements + (at / LIST_UNIT) as usize) * rows..];
            for (sum, y) in corrections.iter_mut().zip(y) {
                let product = i64::from(x as i32) * i64::from(*y as i32);
                *sum = sum.wrapping_add((product >> 32) as u32);
            }
        }
    }
}
