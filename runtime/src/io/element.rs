//! What tensors are made of.

use alloc::vec::Vec;

use opml_abi::DataType;

/// The type of an element of a tensor.
///
/// # Safety
/// It has the size of an element of [`DTYPE`](Self::DTYPE) in a blob, no padding, an alignment of 8 at the most, and every content that
/// [`is_valid`](Self::is_valid) accepts is a value.
pub unsafe trait Element: Copy + 'static {
    /// The element type of the guest ABI.
    const DTYPE: DataType;

    /// Whether `bytes` are elements.
    fn is_valid(_bytes: &[u8]) -> bool {
        true
    }
}

// SAFETY: a number of four bytes.
unsafe impl Element for f32 {
    const DTYPE: DataType = DataType::Float32;
}

// SAFETY: a number of one byte.
unsafe impl Element for u8 {
    const DTYPE: DataType = DataType::Uint8;
}

// SAFETY: a number of one byte.
unsafe impl Element for i8 {
    const DTYPE: DataType = DataType::Int8;
}

// SAFETY: a number of four bytes.
unsafe impl Element for i32 {
    const DTYPE: DataType = DataType::Int32;
}

// SAFETY: a number of eight bytes.
unsafe impl Element for i64 {
    const DTYPE: DataType = DataType::Int64;
}

// SAFETY: one byte, of which only 0 and 1 are accepted.
unsafe impl Element for bool {
    const DTYPE: DataType = DataType::Bool;

    fn is_valid(bytes: &[u8]) -> bool {
        bytes.iter().all(|&byte| byte <= 1)
    }
}

/// A type whose shape is fixed: an element, which is a tensor without dimensions, and arrays of such.
///
/// # Safety
/// It is elements one behind the other, as many as the product of its dimensions.
pub unsafe trait Fixed: Copy + 'static {
    /// The type of its elements.
    type Of: Element;

    /// Appends the dimensions, outermost first.
    fn dimensions(to: &mut Vec<u32>);
}

// SAFETY: it is one element.
unsafe impl<T: Element> Fixed for T {
    type Of = T;

    fn dimensions(_: &mut Vec<u32>) {}
}

// SAFETY: there is nothing between the elements of an array.
unsafe impl<F: Fixed, const N: usize> Fixed for [F; N] {
    type Of = F::Of;

    fn dimensions(to: &mut Vec<u32>) {
        to.push(N as u32);
        F::dimensions(to);
    }
}
