use std::io;
use std::path::PathBuf;

use miette::Diagnostic;
use opml_abi::DataType;
use thiserror::Error;

use super::Format;

/// A file that could not be read or written as a tensor.
#[derive(Debug, Error, Diagnostic)]
#[error("{}: {problem}", path.display())]
#[diagnostic(forward(problem))]
pub struct TensorFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it; part of the message, so it is no source besides.
    pub problem: TensorProblem,
}

/// Why bytes are not the tensor that is needed.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum TensorProblem {
    /// There is no such file.
    #[error("there is no such file")]
    #[diagnostic(help("a relative path counts from the current directory"))]
    Missing,

    /// The operating system refused.
    #[error("the operating system refused: {0}")]
    #[diagnostic(help("check that this is a file, its permissions, and the room on the disk"))]
    Io(io::Error),

    /// The name says nothing about the format.
    #[error("files ending in `{extension}` are not known as tensors")]
    #[diagnostic(help("known endings: {}", Format::extensions()))]
    UnknownExtension {
        /// What stands after the last dot; empty if there is none.
        extension: String,
    },

    /// The bytes are not of the format that the name says.
    #[error("this is not a readable {format} file: {reason}")]
    #[diagnostic(help("the file may be cut off or of another format; write it again"))]
    Malformed {
        /// The format.
        format: Format,
        /// What the reader met.
        reason: String,
    },

    /// Elements of a type that the input does not have.
    #[error("input `{input}` takes {expected}; the file holds {got}")]
    #[diagnostic(help("{}", convert(*.expected, .got)))]
    ElementType {
        /// Name of the model's input.
        input: String,
        /// The type of its elements.
        expected: DataType,
        /// The type in the file.
        got: String,
    },

    /// A number that the type of the elements does not hold.
    #[error("element {index} for input `{input}` is {value}, which {dtype} does not hold")]
    #[diagnostic(help("{}", range(*.dtype)))]
    OutOfRange {
        /// Name of the model's input.
        input: String,
        /// Index of the first such element, row-major.
        index: usize,
        /// The number.
        value: String,
        /// The type.
        dtype: DataType,
    },

    /// A picture of another kind than the input takes.
    #[error("the picture is {got}; {needed} is needed")]
    #[diagnostic(help(
        "convert it the way the model was trained (ImageMagick: `-colorspace Gray -depth 8`, `-alpha off`), or give the tensor as .npy"
    ))]
    PictureKind {
        /// What it is.
        got: String,
        /// What the input takes.
        needed: &'static str,
    },

    /// A tensor that is to be drawn and is no picture.
    #[error("{dtype} {shape:?} cannot be drawn")]
    #[diagnostic(help(
        "a picture is float32 or uint8 and [H, W], [1, 1, H, W] or [1, 3, H, W]; numpy reads other tensors from .npy files"
    ))]
    NoPicture {
        /// The type of its elements.
        dtype: DataType,
        /// Its dimensions.
        shape: Vec<u32>,
    },

    /// Dimensions that are not the input's.
    #[error("input `{input}` is {expected:?}; the file holds {got:?}")]
    #[diagnostic(help(
        "only axes of length 1 may be added or left out; a picture is [height, width], in colour [3, height, width] or [height, width, 3]"
    ))]
    Shape {
        /// Name of the model's input.
        input: String,
        /// Its dimensions.
        expected: Vec<u32>,
        /// The file's.
        got: Vec<u64>,
    },

    /// Too few or too many bytes of elements.
    #[error("input `{input}` takes {expected} bytes of {dtype}; the file holds {got}")]
    #[diagnostic(help(
        "elements of {dtype} are {} bytes each, row-major; a .bin file is little-endian and nothing else",
        .dtype.size()
    ))]
    Length {
        /// Name of the model's input.
        input: String,
        /// The type of the elements in the file.
        dtype: DataType,
        /// Bytes of its elements.
        expected: u64,
        /// Bytes there are.
        got: u64,
    },

    /// More than any file for this input can need; it was not read to the end.
    #[error("the file is larger than {limit} bytes, and input `{input}` cannot need more")]
    #[diagnostic(help("check that this is the file for this input; metadata in a picture can be stripped"))]
    TooLarge {
        /// Name of the model's input.
        input: String,
        /// Most bytes that are read, or taken while a picture is decoded.
        limit: u64,
    },

    /// A NaN among the elements of what is to be drawn.
    #[error("element {index} is NaN, which has no colour")]
    #[diagnostic(help("--output writes the numbers as they are"))]
    NotDrawable {
        /// Index of the first NaN, row-major.
        index: usize,
    },

    /// A NaN among the elements.
    #[error("element {index} for input `{input}` is NaN")]
    #[diagnostic(help("the outputs would not be numbers either: look at what wrote the file"))]
    NotANumber {
        /// Name of the model's input.
        input: String,
        /// Index of the first NaN, row-major.
        index: usize,
    },
}

/// Values are never scaled or rounded silently: a model that was trained on 0..1 would answer nonsense.
fn convert(expected: DataType, got: &str) -> String {
    if expected == DataType::Float32 && got == "uint8" {
        "scale pixels as the model was trained, e.g. `(x / 255).astype('float32')`, or give the picture as .png or .pgm".into()
    } else {
        format!("convert the elements first, e.g. `x.astype('{expected}')` in numpy")
    }
}

fn range(dtype: DataType) -> String {
    let (low, high) = match dtype {
        DataType::Float32 => return "give numbers".into(),
        DataType::Int64 => (i64::MIN, i64::MAX),
        DataType::Int32 => (i32::MIN.into(), i32::MAX.into()),
        DataType::Int8 => (i8::MIN.into(), i8::MAX.into()),
        DataType::Uint8 => (0, u8::MAX.into()),
        DataType::Bool => (0, 1),
    };
    format!("whole numbers from {low} to {high} are held; look at what wrote the file")
}
