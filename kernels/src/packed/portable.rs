//! The inner loops in Rust; for MIPS `build.rs` writes the same in assembly.

use crate::packed::format::{DROPPED, UPPER};
use crate::packed::inner::{Dense, Sparse, block_count, blocks};

/// Adds a product to a pair of accumulators, (G) and (H).
#[inline(always)]
fn accumulate(high: &mut u32, low: &mut u32, a: u32, b: u32) {
    let product = i64::from(a as i32) * i64::from(b as i32);
    *high = high.wrapping_add((product >> 32) as u32);
    *low = low.wrapping_add(product as u32 >> DROPPED);
}

/// See [`Dense`].
pub(super) fn dense<const C: usize>(work: &Dense<C>, out: &mut [u32]) {
    let (rows, stride) = (work.rows, work.stride);
    let (high, sums) = out.split_at_mut(block_count(work.x[0].len()) * C * rows);
    let low = &mut sums[2 * C * rows..];
    low.fill(0);
    for (block, range) in blocks(work.x[0].len()).enumerate() {
        for column in 0..C {
            let x = &work.x[column][range.clone()];
            for row in 0..rows {
                let sum = &mut high[(block * C + column) * rows + row];
                *sum = work.eta[block * stride + row].wrapping_sub(work.xi[column][block]);
                let y = work.y[range.start * stride + row..].iter().step_by(stride);
                let pairs = x.as_chunks::<2>().0.iter().zip(y.clone().step_by(2).zip(y.skip(1).step_by(2)));
                for ([x0, x1], (y0, y1)) in pairs {
                    let low = &mut low[column * rows + row];
                    accumulate(sum, low, x0.wrapping_add(*y1), x1.wrapping_add(*y0));
                }
            }
        }
    }
    fold(high, sums);
}

/// Adds up what the blocks left, (N).
fn fold(high: &[u32], sums: &mut [u32]) {
    let width = sums.len() / 3;
    let (whole, rest) = sums.split_at_mut(width);
    for (at, (whole, upper)) in whole.iter_mut().zip(rest).enumerate() {
        let blocks = || high.iter().skip(at).step_by(width);
        *whole = blocks().fold(0, |sum, &word| sum.wrapping_add(word));
        *upper = blocks().fold(0, |sum, &word| sum.wrapping_add((word as i32 >> UPPER) as u32));
    }
}

/// See [`Sparse`].
pub(super) fn sparse(work: &Sparse, out: &mut [u32]) {
    let rows = work.rows;
    let (high, sums) = out.split_at_mut(work.counts.len() * rows);
    let low = &mut sums[2 * rows..];
    high.fill(0);
    low.fill(0);
    let mut list = work.list;
    for (high, &bytes) in high.chunks_exact_mut(rows).zip(work.counts) {
        let (block, rest) = list.split_at(bytes as usize / 8);
        list = rest;
        for &[x, at] in block {
            let y = &work.y[at as usize / 4 * rows..][..rows];
            for ((high, low), y) in high.iter_mut().zip(&mut *low).zip(y) {
                accumulate(high, low, x, *y);
            }
        }
    }
    fold(high, sums);
}

/// Sums of the high words of the products of a list with the rows of a group.
pub(super) fn correction(rows: usize, list: &[[u32; 2]], y: &[u32], out: &mut [u32]) {
    out[..rows].fill(0);
    for &[x, at] in list {
        for (sum, y) in out.iter_mut().zip(&y[at as usize / 4 * rows..][..rows]) {
            let product = i64::from(x as i32) * i64::from(*y as i32);
            *sum = sum.wrapping_add((product >> 32) as u32);
        }
    }
}
