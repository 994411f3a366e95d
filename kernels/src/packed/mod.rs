//! Sums of products with weights that were prepared when the program was built.
//!
//! Winograd's identity (A new algorithm for inner product, IEEE Trans. Computers C-17, 1968), over pairs j,
//!
//! ```text
//! sum of x_i y_i = sum of (x_2j + y_2j+1)(x_2j+1 + y_2j) - xi - eta,  xi = sum of x_2j x_2j+1,  eta = sum of y_2j y_2j+1
//! ```
//!
//! needs one multiplication for two products, as xi is shared by all rows and eta is known before. It holds for integers,
//! so vector and row are made integers first, each with one power of two. A product takes two words; their high words are
//! added up and wrap around, their low words are added up without their last bits. What is lost has a bound, and if
//! one float only is within the bound of the sum, that is the result. Otherwise, for about one sum in some
//! thousand, the definition decides: [`Accumulator`](crate::dot::Accumulator).
//!
//! docs/numerics.md has the bounds (F) to (N) with their proofs. `pack` writes the weights, `format` reads
//! them, `vector` makes integers of the other side, `inner` holds the loops, `finish` the bounds, and `dots` drives them.

mod dots;
mod finish;
mod format;
mod inner;
#[cfg(target_arch = "mips")]
mod mips;
mod operators;
#[cfg(not(target_os = "none"))]
mod pack;
#[cfg(not(target_arch = "mips"))]
mod portable;
mod vector;

pub use format::{MAX_K, PackedRows};
pub use operators::{conv2d_packed, conv2d_scratch, matmul_packed, matmul_scratch};
#[cfg(not(target_os = "none"))]
pub use pack::{Packer, Rows, groups, pack};
