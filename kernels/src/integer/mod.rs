//! Products of matrices of bytes, and convolutions: ONNX `MatMulInteger`, `QLinearMatMul`, `ConvInteger` and `QLinearConv`.
//!
//! A sum of products of bytes is an integer and has no rounding; what is saved here is steps. With weights that are
//! known before, one multiplication does two rows: a word with the weights of two rows in fields of 16 bits, times
//! an element, has both products in its fields. A field holds a few products before it overflows, so the vector is cut into
//! blocks whose elements are small enough together, and only what a block gives is taken apart. Neighbours whose
//! magnitudes leave room go into blocks of eight, others into blocks of four or two, and zeros into none.
//!
//! A convolution has few weights and multiplies each with many elements, so there it is two elements that share a word: two
//! columns of the image, half a row of the result apart. The taps of a filter are cut into blocks.
//!
//! docs/numerics.md has the bounds (Q) to (T), (f) and (g) with their proofs. `pack` writes the weights, `format` reads them,
//! `vector` cuts vectors into blocks, `inner` holds the loops, `plain` is for weights that are not
//! known before, and `matmul` drives both; `layout` puts columns together, `taps` makes blocks of a filter, `sums` takes apart what they give, and
//! `conv` drives these; `requantise` makes bytes of sums.

mod conv;
mod format;
mod inner;
mod layout;
mod matmul;
#[cfg(target_arch = "mips")]
mod mips;
#[cfg(not(target_os = "none"))]
mod pack;
mod plain;
#[cfg(not(target_arch = "mips"))]
mod portable;
mod requantise;
mod sums;
mod taps;
mod vector;

pub use conv::{conv2d_integer, integer_conv_scratch, qlinear_conv2d};
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

/// Bytes, each of which stands for its difference from the zero point: a matrix, an image or its filters.
#[derive(Clone, Copy, Debug)]
pub struct ByteMatrix<'a> {
    /// Row-major; of an image as its shape says.
    pub bytes: &'a [u8],
    /// How bytes and zero points are read.
    pub byte: Byte,
    /// One zero point for all or, for the right-hand side of a product, one for each column or filter.
    pub zero: &'a [u8],
}
