use std::time::Instant;

use opml_kernels::spatial::Window;
use opml_kernels::{Conv2d, Image, MatMul};
use opml_native::Level;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::Serialize;

use super::kernels::Random;

/// The native twin's sums beside a plain loop of binary32 and beside `matrixmultiply`'s product of binary32 (with AVX2, not
/// AVX-512), neither of which gives the same bits everywhere.
#[derive(Debug, Serialize)]
pub struct NativeFigures {
    /// What is computed.
    pub work: &'static str,
    /// Threads where it says all.
    pub threads: usize,
    /// 10^9 multiply-accumulates a second, on one thread and on all.
    pub billions_per_second: [f64; 2],
    /// How many times as fast as the plain loop, both on one thread.
    pub times_plain_loop: f64,
    /// How many times as fast as `matrixmultiply`, both on one thread and both on all.
    pub times_sgemm: [f64; 2],
    /// How many times as fast on all threads as on one.
    pub times_one_thread: f64,
}

/// Weights with a row for each output, and what they meet.
struct Work {
    name: &'static str,
    op: Op,
    /// Products in a sum.
    k: usize,
    /// Rows of weights.
    rows: usize,
    /// Vectors that each row meets.
    columns: usize,
}

enum Op {
    Dense,
    Conv(Conv2d),
}

/// Rounds of everything in turn; the best of each is the least disturbed.
const ROUNDS: usize = 7;

/// Measures dense layers and a convolution.
pub fn measure() -> Vec<NativeFigures> {
    [dense("dense 784 x 500, one vector", 1), dense("dense 784 x 500, 64 vectors", 64), conv()]
        .iter()
        .map(Work::measure)
        .collect()
}

const fn dense(name: &'static str, vectors: usize) -> Work {
    Work { name, op: Op::Dense, k: 784, rows: 500, columns: vectors }
}

const fn conv() -> Work {
    let (image, side) = (Image::planes(64, 28, 28), Window::new(3, 1).padded(1, 1));
    let shape = Conv2d { input: image, output: image, vertical: side, horizontal: side, groups: 1 };
    Work { name: "conv 3x3, 64 channels, 28x28", op: Op::Conv(shape), k: 576, rows: 64, columns: 784 }
}

impl Work {
    fn measure(&self) -> NativeFigures {
        let mut random = Random(11);
        let mut normal = |len: usize| (0..len).map(|_| random.normal()).collect::<Vec<f32>>();
        let (weights, bias) = (normal(self.rows * self.k), normal(self.rows));
        let x = match &self.op {
            Op::Dense => normal(self.columns * self.k),
            Op::Conv(shape) => normal(shape.input.extent()),
        };
        let mut out = vec![0.0; self.rows * self.columns];
        let threads = rayon::current_num_threads();
        let pools = [1, threads].map(|count| {
            ThreadPoolBuilder::new().num_threads(count).build().expect("threads can be started")
        });
        let [mut native, mut sgemm] = [[f64::MAX; 2]; 2];
        let mut plain = f64::MAX;
        for _ in 0..ROUNDS {
            plain = plain.min(seconds(|| self.plain(&weights, &x, &bias, &mut out)));
            for (at, pool) in pools.iter().enumerate() {
                let once = seconds(|| pool.install(|| self.native(&weights, &x, &bias, &mut out)));
                native[at] = native[at].min(once);
                sgemm[at] = sgemm[at].min(seconds(|| self.sgemm(pool, &weights, &x, &bias, &mut out)));
            }
        }
        let products = (self.rows * self.columns * self.k) as f64;
        NativeFigures {
            work: self.name,
            threads,
            billions_per_second: native.map(|seconds| products / seconds / 1e9),
            times_plain_loop: plain / native[0],
            times_sgemm: [sgemm[0] / native[0], sgemm[1] / native[1]],
            times_one_thread: native[0] / native[1],
        }
    }

    fn native(&self, weights: &[f32], x: &[f32], bias: &[f32], out: &mut [f32]) {
        let level = Level::new();
        match &self.op {
            Op::Dense => {
                let shape =
                    MatMul { b_row: 1, b_column: self.k, ..MatMul::new(self.columns, self.k, self.rows) };
                opml_native::matmul(level, &shape, x, weights, Some(bias), out);
            }
            Op::Conv(shape) => opml_native::conv2d(level, shape, x, weights, Some(bias), out),
        }
    }

    /// The loop that comes to mind.
    fn plain(&self, weights: &[f32], x: &[f32], bias: &[f32], out: &mut [f32]) {
        let window = |column: usize, element: usize| match &self.op {
            Op::Dense => x[column * self.k + element],
            Op::Conv(shape) => tap(shape, x, column, element),
        };
        for (row, (weights, bias)) in weights.chunks(self.k).zip(bias).enumerate() {
            for column in 0..self.columns {
                let products = weights.iter().enumerate().map(|(element, w)| w * window(column, element));
                out[row * self.columns + column] = bias + products.sum::<f32>();
            }
        }
    }

    /// The product by `matrixmultiply`, of windows that were copied out, and the bias; rows are shared by the threads.
    fn sgemm(&self, pool: &ThreadPool, weights: &[f32], x: &[f32], bias: &[f32], out: &mut [f32]) {
        let mut copied = Vec::new();
        let (columns, steps) = match &self.op {
            Op::Dense => (x, [1, self.k]),
            Op::Conv(shape) => {
                copied.resize(self.k * self.columns, 0.0);
                pool.install(|| {
                    copied.par_chunks_mut(self.columns).enumerate().for_each(|(element, line)| {
                        line.iter_mut().enumerate().for_each(|(at, to)| *to = tap(shape, x, at, element));
                    });
                });
                (&copied[..], [self.columns, 1])
            }
        };
        let rows = self.rows.div_ceil(pool.current_num_threads());
        pool.install(|| {
            let parts = out.par_chunks_mut(rows * self.columns).zip(weights.par_chunks(rows * self.k));
            parts.zip(bias.par_chunks(rows)).for_each(|((out, weights), bias)| {
                out.chunks_mut(self.columns).zip(bias).for_each(|(line, &bias)| line.fill(bias));
                product(weights, columns, steps, self.k, out, self.columns);
            });
        });
    }
}

/// What the window of output pixel `pixel` has at tap `element`, 0 on the padding.
fn tap(shape: &Conv2d, x: &[f32], pixel: usize, element: usize) -> f32 {
    let (width, size) = (shape.output.width, shape.horizontal.size);
    let (channel, row, column) = (element / (size * size), element / size % size, element % size);
    // One pixel of padding on each side.
    let (row, column) = ((pixel / width + row).wrapping_sub(1), (pixel % width + column).wrapping_sub(1));
    let inside = row < shape.input.height && column < width;
    if inside { x[channel * shape.input.channel_stride + row * width + column] } else { 0.0 }
}

/// `out` += `a` `b`, a and out row-major; element (k, j) of b is at k `steps[0]` + j `steps[1]`.
fn product(a: &[f32], b: &[f32], steps: [usize; 2], k: usize, out: &mut [f32], n: usize) {
    let m = out.len() / n;
    assert!(a.len() == m * k && out.len() == m * n, "product: operands do not fit");
    assert!(b.len() > (k - 1) * steps[0] + (n - 1) * steps[1], "product: right side too short");
    let [down, across] = steps.map(|step| step as isize);
    // SAFETY: the lengths were compared with what the strides reach, and `out` is borrowed mutably.
    unsafe {
        matrixmultiply::sgemm(
            m,
            k,
            n,
            1.0,
            a.as_ptr(),
            k as isize,
            1,
            b.as_ptr(),
            down,
            across,
            1.0,
            out.as_mut_ptr(),
            n as isize,
            1,
        );
    }
}

fn seconds(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64()
}
