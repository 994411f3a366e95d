//! Elements as a file has them, before they are an input's.

use opml_abi::{DataType, Tensor};

/// Elements of a file.
pub(super) struct Stored {
    /// Their type in the file.
    pub dtype: DataType,
    /// The elements, row-major, each big-endian as in a [`Tensor`].
    pub data: Vec<u8>,
}

impl Stored {
    /// Elements whose bytes are in `data` with the least significant one first.
    pub fn little_endian(dtype: DataType, mut data: Vec<u8>) -> Self {
        swap(dtype, &mut data);
        Self { dtype, data }
    }

    pub fn floats(values: impl IntoIterator<Item = f32>) -> Self {
        let data = values.into_iter().flat_map(|v| v.to_bits().to_be_bytes()).collect();
        Self { dtype: DataType::Float32, data }
    }

    /// Integers of any type.
    ///
    /// # Errors
    /// Index and value of the first that `dtype` does not hold, which is no type of floats.
    pub fn integers(dtype: DataType, values: impl IntoIterator<Item = i64>) -> Result<Self, (usize, i64)> {
        let mut data = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            let unfit = |_| (index, value);
            match dtype {
                DataType::Int64 => data.extend(value.to_be_bytes()),
                DataType::Int32 => data.extend(i32::try_from(value).map_err(unfit)?.to_be_bytes()),
                DataType::Int8 => data.extend(i8::try_from(value).map_err(unfit)?.to_be_bytes()),
                DataType::Uint8 => data.push(u8::try_from(value).map_err(unfit)?),
                DataType::Bool if matches!(value, 0 | 1) => data.push(u8::from(value == 1)),
                DataType::Bool | DataType::Float32 => return Err((index, value)),
            }
        }
        Ok(Self { dtype, data })
    }

    /// Elements that are stored first axis fastest, last axis fastest. `shape` is that of the elements.
    pub fn row_major(self, shape: &[u64]) -> Self {
        let size = self.dtype.size();
        let elements = self.data.len() / size;
        let at = |mut index: usize| {
            let mut stride = elements;
            shape.iter().rev().map(|&d| d as usize).fold(0, |place, d| {
                stride /= d;
                let along = index % d;
                index /= d;
                place + along * stride
            })
        };
        let data = (0..elements).flat_map(|index| &self.data[at(index) * size..][..size]).copied().collect();
        Self { dtype: self.dtype, data }
    }

    /// The same numbers in the other of the types int32 and int64.
    ///
    /// # Errors
    /// Index and value of the first that does not fit.
    pub fn other_width(self) -> Result<Self, (usize, i64)> {
        match self.dtype {
            DataType::Int32 => {
                let values = self.data.as_chunks().0.iter().map(|&b| i32::from_be_bytes(b).into());
                Self::integers(DataType::Int64, values)
            }
            _ => {
                let values = self.data.as_chunks().0.iter().map(|&b| i64::from_be_bytes(b));
                Self::integers(DataType::Int32, values)
            }
        }
    }
}

/// The elements of `tensor`, each with its least significant byte first.
pub(super) fn little_endian(tensor: &Tensor) -> Vec<u8> {
    let mut data = tensor.data.clone();
    swap(tensor.dtype, &mut data);
    data
}

/// Turns the bytes of each element around.
fn swap(dtype: DataType, data: &mut [u8]) {
    if dtype.size() > 1 {
        data.chunks_exact_mut(dtype.size()).for_each(<[u8]>::reverse);
    }
}
