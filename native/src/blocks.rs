//! The inner loop: the sums of a few vectors with a few others.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch};

use crate::bound::Bound;

/// Rows of a block. With two vector registers of lanes they make twelve registers of sums: enough to hide the latency of an
/// addition, and with the operands they fit into sixteen.
pub(crate) const ROWS: usize = 6;
/// Lanes of a block: two of the largest vector registers.
pub(crate) const LANES: usize = 16;

/// The products of up to [`ROWS`] vectors with up to [`LANES`] others.
pub(crate) struct Block<'a> {
    /// Element by element, one of each row.
    pub rows: &'a [[f64; ROWS]],
    /// Element by element, one of each lane.
    pub lanes: &'a [[f64; LANES]],
    /// What to add to the sums.
    pub biases: [[f32; LANES]; ROWS],
    /// The Euclidean norms of the vectors.
    pub row_norms: [f64; ROWS],
    pub lane_norms: [f64; LANES],
    pub bound: Bound,
}

/// The rounded sums of a block, and which of them are certain.
pub(crate) struct Results {
    pub values: [[f32; LANES]; ROWS],
    pub certain: [[bool; LANES]; ROWS],
}

impl Block<'_> {
    /// The sums of the first `rows` rows.
    pub(crate) fn run(&self, level: Level, rows: usize) -> Results {
        // A single vector is common, and five rows of nothing would be most of the work.
        if rows == 1 {
            dispatch!(level, simd => self.sums::<_, 1>(simd))
        } else {
            dispatch!(level, simd => self.sums::<_, ROWS>(simd))
        }
    }

    #[inline(always)]
    fn sums<S: Simd, const R: usize>(&self, simd: S) -> Results {
        let mut sums = [[0.0; LANES]; ROWS];
        let width = S::f64s::LEN;
        for first in (0..LANES).step_by(2 * width) {
            let mut vectors = [[S::f64s::splat(simd, 0.0); 2]; R];
            for (row, lanes) in self.rows.iter().zip(self.lanes) {
                let (low, high) = lanes[first..first + 2 * width].split_at(width);
                let lanes = [S::f64s::from_slice(simd, low), S::f64s::from_slice(simd, high)];
                for (sums, &element) in vectors.iter_mut().zip(row) {
                    let element = S::f64s::splat(simd, element);
                    // One instruction where the machine has it: the product is exact, so that the sum is the same.
                    *sums = [element.mul_add(lanes[0], sums[0]), element.mul_add(lanes[1], sums[1])];
                }
            }
            for (sums, vectors) in sums.iter_mut().zip(vectors) {
                for (sums, vector) in sums[first..].chunks_mut(width).zip(vectors) {
                    vector.store_slice(sums);
                }
            }
        }
        self.round::<R>(&sums)
    }

    #[inline(always)]
    fn round<const R: usize>(&self, sums: &[[f64; LANES]; ROWS]) -> Results {
        let mut results = Results { values: [[0.0; LANES]; ROWS], certain: [[false; LANES]; ROWS] };
        for row in 0..R {
            for lane in 0..LANES {
                let bias = f64::from(self.biases[row][lane]);
                let magnitude = self.row_norms[row] * self.lane_norms[lane] + bias.abs();
                let (value, certain) = self.bound.round(sums[row][lane] + bias, magnitude);
                results.values[row][lane] = value;
                results.certain[row][lane] = certain;
            }
        }
        results
    }
}
