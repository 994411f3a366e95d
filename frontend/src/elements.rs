//! Elements of tensors of any type: of constants, and while the twin computes.

use std::borrow::Cow;

use opml_abi::{DataType, Tensor};

use crate::values::Values;

/// Elements of a constant.
#[derive(Clone, PartialEq, Debug)]
pub enum Elements {
    /// Float32: in memory, or still in the model's file.
    F32(Values),
    /// Int64.
    I64(Vec<i64>),
    /// Int32.
    I32(Vec<i32>),
    /// Int8.
    I8(Vec<i8>),
    /// Uint8.
    U8(Vec<u8>),
    /// Bool: 0 or 1.
    Bool(Vec<u8>),
    /// Words in a form that a kernel has for itself; they count as int32.
    Words(Vec<u32>),
}

/// Elements in memory that somebody may own.
#[derive(Clone, PartialEq, Debug)]
pub enum Slice<'a> {
    /// Float32.
    F32(Cow<'a, [f32]>),
    /// Int64.
    I64(Cow<'a, [i64]>),
    /// Int32.
    I32(Cow<'a, [i32]>),
    /// Int8.
    I8(Cow<'a, [i8]>),
    /// Uint8.
    U8(Cow<'a, [u8]>),
    /// Bool: 0 or 1.
    Bool(Cow<'a, [u8]>),
    /// Words in a form that a kernel has for itself.
    Words(Cow<'a, [u32]>),
}

/// A Rust type that is the form of elements in memory.
pub trait Native: Copy + Default + PartialEq + 'static {
    /// These elements as `Self`, if that is their form. Bool has the form `u8`.
    fn of<'s>(slice: &'s Slice<'_>) -> Option<&'s [Self]>;
    /// The same, to write.
    fn of_mut<'s>(slice: &'s mut Slice<'_>) -> Option<&'s mut [Self]>;
}

macro_rules! native {
    ($type:ty, $($variant:ident)|+) => {
        impl Native for $type {
            fn of<'s>(slice: &'s Slice<'_>) -> Option<&'s [Self]> {
                match slice {
                    $(Slice::$variant(values) => Some(values),)+
                    _ => None,
                }
            }

            fn of_mut<'s>(slice: &'s mut Slice<'_>) -> Option<&'s mut [Self]> {
                match slice {
                    $(Slice::$variant(values) => Some(values.to_mut()),)+
                    _ => None,
                }
            }
        }
    };
}

native!(f32, F32);
native!(i64, I64);
native!(i32, I32);
native!(i8, I8);
native!(u8, U8 | Bool);
native!(u32, Words);

/// Evaluates an expression with `$type` as the Rust type of the elements of a [`DataType`].
macro_rules! with_type {
    ($dtype:expr, $type:ident => $body:expr) => {
        match $dtype {
            opml_abi::DataType::Float32 => {
                type $type = f32;
                $body
            }
            opml_abi::DataType::Int64 => {
                type $type = i64;
                $body
            }
            opml_abi::DataType::Int32 => {
                type $type = i32;
                $body
            }
            opml_abi::DataType::Int8 => {
                type $type = i8;
                $body
            }
            opml_abi::DataType::Uint8 | opml_abi::DataType::Bool => {
                type $type = u8;
                $body
            }
        }
    };
}
pub(crate) use with_type;

/// The Rust type of the elements, as generated source names it.
pub fn rust_type(dtype: DataType) -> &'static str {
    match dtype {
        DataType::Float32 => "f32",
        DataType::Int64 => "i64",
        DataType::Int32 => "i32",
        DataType::Int8 => "i8",
        DataType::Uint8 | DataType::Bool => "u8",
    }
}

impl Elements {
    /// Their type.
    pub fn dtype(&self) -> DataType {
        self.slice(0..0).dtype()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::I8(values) => values.len(),
            Self::U8(values) | Self::Bool(values) => values.len(),
            Self::Words(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Some of them; copied only if they are in a file.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Slice<'_> {
        match self {
            Self::F32(values) => Slice::F32(values.slice(range)),
            Self::I64(values) => Slice::I64(Cow::Borrowed(&values[range])),
            Self::I32(values) => Slice::I32(Cow::Borrowed(&values[range])),
            Self::I8(values) => Slice::I8(Cow::Borrowed(&values[range])),
            Self::U8(values) => Slice::U8(Cow::Borrowed(&values[range])),
            Self::Bool(values) => Slice::Bool(Cow::Borrowed(&values[range])),
            Self::Words(values) => Slice::Words(Cow::Borrowed(&values[range])),
        }
    }

    /// The float32 elements, if they are some.
    pub fn floats(&self) -> Option<&Values> {
        match self {
            Self::F32(values) => Some(values),
            _ => None,
        }
    }
}

impl Slice<'_> {
    /// `len` zeros.
    pub fn zeros(dtype: DataType, len: usize) -> Slice<'static> {
        match dtype {
            DataType::Float32 => Slice::F32(vec![0.0; len].into()),
            DataType::Int64 => Slice::I64(vec![0; len].into()),
            DataType::Int32 => Slice::I32(vec![0; len].into()),
            DataType::Int8 => Slice::I8(vec![0; len].into()),
            DataType::Uint8 => Slice::U8(vec![0; len].into()),
            DataType::Bool => Slice::Bool(vec![0; len].into()),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Words(words) => words.len(),
            _ => with_type!(self.dtype(), T => self.get::<T>().len()),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their type.
    pub fn dtype(&self) -> DataType {
        match self {
            Self::F32(_) => DataType::Float32,
            Self::I64(_) => DataType::Int64,
            Self::I32(_) | Self::Words(_) => DataType::Int32,
            Self::I8(_) => DataType::Int8,
            Self::U8(_) => DataType::Uint8,
            Self::Bool(_) => DataType::Bool,
        }
    }

    /// The elements.
    ///
    /// # Panics
    /// If they are of another type: who builds a graph has seen to it.
    pub fn get<T: Native>(&self) -> &[T] {
        T::of(self).unwrap_or_else(|| panic!("elements are {}", self.dtype()))
    }

    /// The elements, to write.
    ///
    /// # Panics
    /// If they are of another type.
    pub fn get_mut<T: Native>(&mut self) -> &mut [T] {
        let dtype = self.dtype();
        T::of_mut(self).unwrap_or_else(|| panic!("elements are {dtype}"))
    }

    /// Elements of one byte, whatever they say.
    ///
    /// # Panics
    /// If they are larger.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::I8(values) => bytemuck::cast_slice(values),
            _ => self.get(),
        }
    }

    /// The same, to be written.
    ///
    /// # Panics
    /// If they are larger.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Self::I8(values) => bytemuck::cast_slice_mut(values.to_mut()),
            _ => self.get_mut(),
        }
    }

    /// The same, owned.
    pub fn into_elements(self) -> Elements {
        match self {
            Self::F32(values) => Elements::F32(values.into_owned().into()),
            Self::I64(values) => Elements::I64(values.into_owned()),
            Self::I32(values) => Elements::I32(values.into_owned()),
            Self::I8(values) => Elements::I8(values.into_owned()),
            Self::U8(values) => Elements::U8(values.into_owned()),
            Self::Bool(values) => Elements::Bool(values.into_owned()),
            Self::Words(values) => Elements::Words(values.into_owned()),
        }
    }

    /// The big-endian bytes, as blobs and the target's memory have them.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::F32(values) => values.iter().flat_map(|v| v.to_bits().to_be_bytes()).collect(),
            Self::I64(values) => values.iter().flat_map(|v| v.to_be_bytes()).collect(),
            Self::I32(values) => values.iter().flat_map(|v| v.to_be_bytes()).collect(),
            Self::Words(values) => values.iter().flat_map(|v| v.to_be_bytes()).collect(),
            Self::I8(values) => values.iter().map(|&v| v as u8).collect(),
            Self::U8(values) | Self::Bool(values) => values.to_vec(),
        }
    }

    /// The elements of a tensor of a blob; its data is as long as its shape says.
    pub fn of_tensor(tensor: &Tensor) -> Slice<'static> {
        let data = &tensor.data[..];
        let words = || data.as_chunks::<4>().0.iter();
        match tensor.dtype {
            DataType::Float32 => {
                Slice::F32(words().map(|&word| f32::from_bits(u32::from_be_bytes(word))).collect())
            }
            DataType::Int64 => {
                Slice::I64(data.as_chunks().0.iter().map(|&bytes| i64::from_be_bytes(bytes)).collect())
            }
            DataType::Int32 => Slice::I32(words().map(|&word| i32::from_be_bytes(word)).collect()),
            DataType::Int8 => Slice::I8(data.iter().map(|&byte| byte as i8).collect()),
            DataType::Uint8 => Slice::U8(data.to_vec().into()),
            DataType::Bool => Slice::Bool(data.to_vec().into()),
        }
    }
}
