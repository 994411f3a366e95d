/// Element type of a tensor, numbered as ONNX `TensorProto.DataType`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum DataType {
    /// IEEE 754 binary32.
    Float32 = 1,
    /// Unsigned, 8 bits.
    Uint8 = 2,
    /// Two's complement, 8 bits.
    Int8 = 3,
    /// Two's complement, 32 bits.
    Int32 = 6,
    /// Two's complement, 64 bits.
    Int64 = 7,
    /// One byte, 0 or 1.
    Bool = 9,
}

impl DataType {
    /// Every element type, in the order of their numbers.
    pub const ALL: [DataType; 6] =
        [Self::Float32, Self::Uint8, Self::Int8, Self::Int32, Self::Int64, Self::Bool];

    /// The type with ONNX number `code`, if the ABI carries it.
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Float32,
            2 => Self::Uint8,
            3 => Self::Int8,
            6 => Self::Int32,
            7 => Self::Int64,
            9 => Self::Bool,
            _ => return None,
        })
    }

    /// The ONNX number.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Bytes an element takes in a blob.
    pub const fn size(self) -> usize {
        match self {
            Self::Uint8 | Self::Int8 | Self::Bool => 1,
            Self::Float32 | Self::Int32 => 4,
            Self::Int64 => 8,
        }
    }

    /// The name used in manifests and messages (numpy's).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Uint8 => "uint8",
            Self::Int8 => "int8",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Bool => "bool",
        }
    }

    /// The type with [`name`](Self::name) `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dtype| dtype.name() == name)
    }
}

impl core::fmt::Display for DataType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}
