//! Products of matrices of bytes: ONNX `MatMulInteger` and `QLinearMatMul`.
//!
//! A sum of products of bytes is an integer and has no rounding; what is saved here is steps. With weights that are
//! known before, one multiplication does two rows: a word with the weights of two rows in fields of 16 bits, times
//! an element, has both products in its fields. A field holds a few products before it overflows, so the vector is cut into
//! blocks whose elements are small enough together, and only what a block gives is taken apart. Neighbours whose
//! magnitudes leave room go into blocks of eight, others into blocks of four or two, and zeros into none.
//!
//! docs/numerics.md has the bounds (Q) to (T) with their proofs. `pack` writes the weights, `format` reads them,
//! `vector` cuts vectors into blocks, `inner` holds the loops, `plain` is for weights that are not
//! known before, `matmul` drives both, and `requantise` makes bytes of sums.

mod format;
mod inner;
mod matmul;
#[cfg(target_arch = "mips")]
mod mips;
#[cfg(not(target_os = "none"))]
mod pack;
mod plain;
#[cfg(not(target_arch = "mips"))]
mod portable;
mod requantise;
mod vector;

pub use format::MAX_K;
pub use matmul::{
    IntegerMatMul, integer_scratch, matmul_integer, matmul_integer_packed, qlinear_matmul,
    qlinear_matmul_packed,
};
#[cfg(not(target_os = "none"))]
pub use pack::pack;
pub(crate) use requantise::rounded;
pub use requantise::{Requantise, multiplier};

/// How the bytes of a tensor are read: ONNX `uint8` or `int8`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Byte {
    /// 0 to 255.
    Unsigned,
    /// -128 to 127, two's complement.
    Signed,
}

impl Byte {
    /// The byte as a number from 0 to 255, in the order of the values: differences are those of the values.
    #[inline(always)]
    const fn level(self, byte: u8) -> i32 {
        match self {
            Self::Unsigned => byte as i32,
            Self::Signed => (byte ^ 0x80) as i32,
        }
    }

    /// What the byte stands for.
    #[inline(always)]
    const fn value(self, byte: u8) -> i32 {
        match self {
            Self::Unsigned => byte as i32,
            Self::Signed => byte as i8 as i32,
        }
    }

    /// The byte of a number from 0 to 255.
    #[inline(always)]
    const fn of_level(self, level: u8) -> u8 {
        match self {
            Self::Unsigned => level,
            Self::Signed => level ^ 0x80,
        }
    }
}

/// A matrix of bytes, each of which stands for its difference from the zero point.
#[derive(Clone, Copy, Debug)]
pub struct ByteMatrix<'a> {
    /// Row-major.
    pub bytes: &'a [u8],
    /// How bytes and zero points are read.
    pub byte: Byte,
    /// One zero point for all of the matrix or, for the right-hand side of a product, one for each column.
    pub zero: &'a [u8],
}
