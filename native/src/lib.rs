//! The native form of the operators: the bits of `opml-kernels`, on vector units and threads.
//!
//! The contract (docs/numerics.md) makes every sum of products the exact sum, rounded once, and so leaves the way to it
//! open. The guest's way is integers. Here products of two binary32 are added up in binary64, where each of them is
//! exact, in whatever order the vector units like; a proven bound on the error tells whether one float only is possible,
//! and what that leaves open goes through the definition, [`Accumulator`](opml_kernels::dot::Accumulator). The bound, (U)
//! to (W), has its proof in docs/numerics.md.
//!
//! No result depends on the [`Level`] or on the number of threads, which is that of the caller's rayon pool.

#![forbid(unsafe_code)]

mod blocks;
mod bound;
mod operators;
mod tiles;
mod vectors;

pub use fearless_simd::Level;
pub use operators::{conv2d, matmul, reduce_sum, softmax, unary};
