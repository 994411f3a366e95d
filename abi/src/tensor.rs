use alloc::string::String;
use alloc::vec::Vec;

use crate::{DataType, blob};

/// A tensor as it stands in a blob.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tensor {
    /// Element type.
    pub dtype: DataType,
    /// Dimensions, outermost first; empty for a scalar.
    pub shape: Vec<u32>,
    /// Elements in row-major order, each big-endian: as many bytes as shape and dtype say.
    pub data: Vec<u8>,
}

/// What a program takes or gives: a tensor without its elements.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TensorInfo {
    /// The model's name for it.
    pub name: String,
    /// Element type.
    pub dtype: DataType,
    /// Dimensions, outermost first.
    pub shape: Vec<u32>,
}

/// Why bytes are not a blob.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlobError {
    /// The bytes end inside a tensor, or before the tensors that were announced.
    Truncated,
    /// A dtype number the ABI does not carry.
    UnknownDataType(u8),
    /// A rank above [`blob::MAX_RANK`].
    RankTooHigh(u8),
    /// The dimensions multiply to more bytes than can be addressed.
    TooLarge,
    /// A byte that has to be zero is not.
    NotZero,
    /// Bytes follow the last tensor.
    TrailingBytes,
}

impl core::error::Error for BlobError {}

impl core::fmt::Display for BlobError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Truncated => f.write_str("the blob ends inside a tensor"),
            Self::UnknownDataType(code) => write!(f, "dtype number {code} is not part of the guest ABI"),
            Self::RankTooHigh(rank) => write!(f, "rank {rank} is above {}", blob::MAX_RANK),
            Self::TooLarge => f.write_str("the dimensions multiply to more than can be addressed"),
            Self::NotZero => f.write_str("a padding byte is not zero"),
            Self::TrailingBytes => f.write_str("bytes follow the last tensor"),
        }
    }
}

impl Tensor {
    /// A float32 tensor.
    ///
    /// # Panics
    /// If `values` are not as many as `shape` says.
    pub fn from_f32(shape: &[u32], values: &[f32]) -> Self {
        let data = values.iter().flat_map(|v| v.to_bits().to_be_bytes()).collect();
        let tensor = Self { dtype: DataType::Float32, shape: shape.to_vec(), data };
        assert_eq!(tensor.elements(), values.len(), "shape {shape:?} does not fit the values");
        tensor
    }

    /// The elements of a float32 tensor, or nothing for another dtype.
    pub fn to_f32(&self) -> Option<Vec<f32>> {
        (self.dtype == DataType::Float32).then(|| {
            let word = |c: &[u8]| f32::from_bits(u32::from_be_bytes([c[0], c[1], c[2], c[3]]));
            self.data.chunks_exact(4).map(word).collect()
        })
    }

    /// How many elements the shape says.
    pub fn elements(&self) -> usize {
        self.shape.iter().map(|&d| d as usize).product()
    }
}

/// The blob of `tensors`.
///
/// # Panics
/// If a tensor's data is not as long as its shape says, or its rank is above [`blob::MAX_RANK`].
pub fn encode_blob(tensors: &[Tensor]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend((tensors.len() as u32).to_be_bytes());
    for tensor in tensors {
        assert!(tensor.shape.len() <= blob::MAX_RANK, "rank {} is too high", tensor.shape.len());
        assert_eq!(tensor.elements() * tensor.dtype.size(), tensor.data.len(), "data does not fit the shape");
        out.extend(blob::header_word(tensor.dtype, tensor.shape.len()).to_be_bytes());
        tensor.shape.iter().for_each(|d| out.extend(d.to_be_bytes()));
        out.extend(&tensor.data);
        out.resize(blob::padded(out.len()), 0);
    }
    out
}

/// The tensors of a blob.
///
/// # Errors
/// Bytes that are not exactly a blob. Memory stays below a small multiple of `bytes`.
pub fn decode_blob(bytes: &[u8]) -> Result<Vec<Tensor>, BlobError> {
    let mut rest = bytes;
    let count = take_u32(&mut rest)?;
    let mut tensors = Vec::new();
    for _ in 0..count {
        tensors.push(take_tensor(&mut rest)?);
    }
    if rest.is_empty() { Ok(tensors) } else { Err(BlobError::TrailingBytes) }
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], BlobError> {
    let (head, tail) = rest.split_at_checked(len).ok_or(BlobError::Truncated)?;
    *rest = tail;
    Ok(head)
}

fn take_u32(rest: &mut &[u8]) -> Result<u32, BlobError> {
    let bytes = take(rest, 4)?;
    Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

fn take_tensor(rest: &mut &[u8]) -> Result<Tensor, BlobError> {
    let [dtype, rank, zero @ ..] = take_u32(rest)?.to_be_bytes();
    if zero != [0, 0] {
        return Err(BlobError::NotZero);
    }
    let dtype = DataType::from_code(dtype).ok_or(BlobError::UnknownDataType(dtype))?;
    if rank as usize > blob::MAX_RANK {
        return Err(BlobError::RankTooHigh(rank));
    }
    let shape = (0..rank).map(|_| take_u32(rest)).collect::<Result<Vec<_>, _>>()?;
    let len = shape
        .iter()
        .try_fold(dtype.size(), |len, &d| len.checked_mul(d as usize))
        .ok_or(BlobError::TooLarge)?;
    let data = take(rest, len)?.to_vec();
    let padding = take(rest, blob::padded(len) - len)?;
    if padding.iter().any(|&b| b != 0) {
        return Err(BlobError::NotZero);
    }
    Ok(Tensor { dtype, shape, data })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn blob_has_the_documented_bytes() {
        let bytes = Tensor { dtype: DataType::Uint8, shape: vec![3], data: vec![7, 8, 9] };
        let floats = Tensor::from_f32(&[1, 2], &[1.0, -2.0]);
        let blob = encode_blob(&[bytes.clone(), floats.clone()]);
        #[rustfmt::skip]
        let expected = [
            0, 0, 0, 2,
            2, 1, 0, 0, 0, 0, 0, 3, 7, 8, 9, 0,
            1, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0,
        ];
        assert_eq!(blob, expected);
        assert_eq!(decode_blob(&blob).unwrap(), [bytes, floats]);
    }

    #[test]
    fn each_kind_of_damage_is_named() {
        let good = encode_blob(&[Tensor { dtype: DataType::Uint8, shape: vec![1], data: vec![7] }]);
        for len in 0..good.len() {
            assert_eq!(decode_blob(&good[..len]), Err(BlobError::Truncated), "{len} bytes");
        }
        let damaged = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            decode_blob(&bytes).unwrap_err()
        };
        assert_eq!(damaged(4, 8), BlobError::UnknownDataType(8));
        assert_eq!(damaged(5, 9), BlobError::RankTooHigh(9));
        assert_eq!(damaged(7, 1), BlobError::NotZero);
        assert_eq!(damaged(15, 1), BlobError::NotZero);
        let longer = [&good[..], &[0]].concat();
        assert_eq!(decode_blob(&longer), Err(BlobError::TrailingBytes));
    }

    #[test]
    fn absurd_dimensions_allocate_nothing() {
        let mut bytes = vec![0, 0, 0, 1, 7, 8, 0, 0];
        bytes.extend([0xff; 32]);
        assert_eq!(decode_blob(&bytes), Err(BlobError::TooLarge));
    }
}
