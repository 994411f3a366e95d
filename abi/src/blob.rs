//! Layout of a blob: how tensors cross between guest and host.
//!
//! Big-endian throughout: `u32` number of tensors; for each `u8` dtype, `u8` rank, `u16` zero,
//! rank x `u32` dimensions, the elements in row-major order, zero bytes up to a multiple of 4.

/// Highest rank a tensor in a blob may have. ONNX has no bound; models stay far below.
pub const MAX_RANK: usize = 8;

/// Bytes of the count in front of the tensors.
pub const COUNT_LEN: usize = 4;

/// Bytes of a tensor's header: dtype, rank, zero, dimensions.
pub const fn header_len(rank: usize) -> usize {
    4 + 4 * rank
}

/// `len` rounded up to the blob's alignment of 4 bytes.
pub const fn padded(len: usize) -> usize {
    len.div_ceil(4) * 4
}

/// The first word of a tensor's header: dtype, rank and two zero bytes.
pub const fn header_word(dtype: crate::DataType, rank: usize) -> u32 {
    ((dtype.code() as u32) << 24) | ((rank as u32) << 16)
}
