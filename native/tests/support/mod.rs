//! Every way to a sum of products that there is on the host, side by side.
#![allow(dead_code, reason = "each test binary uses a part of it")]

#[path = "../../../kernels/tests/support/mod.rs"]
mod kernels;

#[allow(unused_imports, reason = "each test binary uses a part of it")]
pub use kernels::{KINDS, Kind, NAN_BITS, Random, assert_same_bits, exact_dot, exact_sum};

use opml_kernels::{MatMul, matmul, matmul_packed, matmul_scratch, packed};
use opml_native::Level;

/// The levels of this machine, from none to the best.
pub fn levels() -> Vec<Level> {
    let best = Level::new();
    let mut levels = vec![Level::fallback()];
    #[cfg(target_arch = "x86_64")]
    {
        levels.extend(best.as_sse2().map(Level::Sse2));
        levels.extend(best.as_sse4_2().map(Level::Sse4_2));
        levels.extend(best.as_avx2().map(Level::Avx2));
        levels.extend(best.as_avx512().map(Level::Avx512));
    }
    levels.push(best);
    levels
}

/// Vectors and rows of weights, both of `k` elements one after another, and a bias for each row.
pub struct Case {
    pub m: usize,
    pub k: usize,
    pub n: usize,
    pub a: Vec<f32>,
    pub w: Vec<f32>,
    pub bias: Option<Vec<f32>>,
}

impl Case {
    pub fn shape(&self) -> MatMul {
        MatMul { b_row: 1, b_column: self.k, ..MatMul::new(self.m, self.k, self.n) }
    }

    /// The sums by big integers.
    pub fn exact(&self) -> Vec<u32> {
        let sum = |i: usize, j: usize| {
            let (a, w) = (&self.a[i * self.k..][..self.k], &self.w[j * self.k..][..self.k]);
            exact_dot(a.iter().copied().zip(w.iter().copied()), self.bias.as_ref().map(|bias| bias[j]))
        };
        (0..self.m).flat_map(|i| (0..self.n).map(move |j| (i, j))).map(|(i, j)| sum(i, j)).collect()
    }

    fn run(&self, way: impl FnOnce(&MatMul, Option<&[f32]>, &mut [f32])) -> Vec<f32> {
        // Distinguishes a missed output from any result.
        let mut out = vec![12345.678; self.m * self.n];
        way(&self.shape(), self.bias.as_deref(), &mut out);
        out
    }

    /// The guest's way without packed weights.
    pub fn plain(&self) -> Vec<f32> {
        self.run(|shape, bias, out| matmul(shape, &self.a, &self.w, bias, out))
    }

    /// The guest's way with packed weights.
    pub fn packed(&self) -> Vec<f32> {
        let weights = packed::pack(self.k, self.n, |row, element| self.w[row * self.k + element]);
        let mut scratch = vec![0xdead_beef; matmul_scratch(&self.shape())];
        self.run(|shape, bias, out| matmul_packed(shape, &self.a, &weights, bias, &mut scratch, out))
    }

    pub fn native(&self, level: Level) -> Vec<f32> {
        self.run(|shape, bias, out| opml_native::matmul(level, shape, &self.a, &self.w, bias, out))
    }

    /// Fails unless the native way gives `expected` at every level.
    #[track_caller]
    pub fn check_native(&self, expected: &[u32], what: &str) {
        for level in levels() {
            assert_same_bits(&self.native(level), expected, &format!("{level:?}, {what}"));
        }
    }

    /// Fails unless every way gives `expected`.
    #[track_caller]
    pub fn check(&self, expected: &[u32], what: &str) {
        assert_same_bits(&self.plain(), expected, &format!("plain, {what}"));
        assert_same_bits(&self.packed(), expected, &format!("packed, {what}"));
        self.check_native(expected, what);
    }
}
