//! Tensors in files: inputs of a model as users have them, and its outputs.
//!
//! | ending | what it holds |
//! |---|---|
//! | `.npy` | numpy's array of float32, either byte order, C or Fortran order |
//! | `.pb` | ONNX's `TensorProto` of float32, raw or typed, as in the ONNX backend suite |
//! | `.bin` | the elements alone: float32, little-endian, row-major |
//! | `.png`, `.pgm` | an 8-bit greyscale picture as a tensor [height, width] of pixel / 255 |
//!
//! The dimensions in the file have to be the input's but for axes of length 1, which do not change
//! where an element lies: a picture of 28 by 28 pixels serves [28, 28], [1, 1, 28, 28] and
//! [1, 28, 28, 1] alike. No other value is changed on the way, and a NaN is refused.

mod error;
mod npy;
mod picture;
mod proto;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use opml_abi::{Tensor, TensorInfo};

pub use error::{TensorFileError, TensorProblem};
pub use npy::write_npy;

/// A format of tensor files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// numpy's array.
    Npy,
    /// ONNX's `TensorProto`.
    Proto,
    /// Little-endian float32 and nothing else.
    Raw,
    /// Portable Network Graphics.
    Png,
    /// Portable GrayMap, binary (P5) or plain (P2).
    Pgm,
}

impl Format {
    /// All formats, in the order in which they are named to the user.
    pub const ALL: [Format; 5] = [Self::Npy, Self::Proto, Self::Raw, Self::Png, Self::Pgm];

    /// The ending of the format's files, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Npy => "npy",
            Self::Proto => "pb",
            Self::Raw => "bin",
            Self::Png => "png",
            Self::Pgm => "pgm",
        }
    }

    /// The format that `path` ends in, in upper or lower case.
    ///
    /// # Errors
    /// [`TensorProblem::UnknownExtension`].
    pub fn of(path: &Path) -> Result<Self, TensorProblem> {
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        let known = Self::ALL.into_iter().find(|format| extension.eq_ignore_ascii_case(format.extension()));
        known.ok_or_else(|| TensorProblem::UnknownExtension { extension: extension.into_owned() })
    }

    fn extensions() -> String {
        Self::ALL.map(|format| format!(".{}", format.extension())).join(", ")
    }

    /// Most bytes a sensible file of the format takes for `elements` elements.
    fn limit(self, elements: u64) -> u64 {
        let (per_element, around) = match self {
            Self::Npy => (4, npy::HEADER_LIMIT),
            // Unpacked, each element of the typed field has a tag in front of it.
            Self::Proto => (5, 4 << 10),
            Self::Raw => (4, 0),
            // A picture that does not compress takes more than a byte a pixel, and cameras and editors
            // write about themselves.
            Self::Png => (2, 64 << 10),
            // Plain text: up to three digits and a space.
            Self::Pgm => (4, 4 << 10),
        };
        elements.saturating_mul(per_element).saturating_add(around)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ".{}", self.extension())
    }
}

/// Reads the file `path` for the input `port`. No more of it is read than a file for that input can need.
///
/// # Errors
/// Everything that is not float32, of the input's shape and free of NaN; see [`TensorProblem`].
pub fn read(path: &Path, port: &TensorInfo) -> Result<Tensor, TensorFileError> {
    let fail = |problem| TensorFileError { path: path.to_owned(), problem };
    let format = Format::of(path).map_err(fail)?;
    let (bytes, len) = read_bounded(path, format.limit(Target::new(port).elements)).map_err(|e| {
        fail(match e.kind() {
            io::ErrorKind::NotFound => TensorProblem::Missing,
            _ => TensorProblem::Io(e),
        })
    })?;
    parse(format, &bytes, len, port).map_err(fail)
}

/// Reads `bytes`, a whole file of `format`, for the input `port`.
///
/// # Errors
/// As [`read`], but for those of the file system.
pub fn read_bytes(format: Format, bytes: &[u8], port: &TensorInfo) -> Result<Tensor, TensorProblem> {
    parse(format, bytes, bytes.len() as u64, port)
}

/// At most one byte more than `limit` of the file, and its whole length.
fn read_bounded(path: &Path, limit: u64) -> io::Result<(Vec<u8>, u64)> {
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    let len = len.max(bytes.len() as u64);
    Ok((bytes, len))
}

/// Reads the start `bytes` of a file of `len` bytes. The start of a file that is too long is looked at
/// first where it says what the file holds: a wrong shape says more than a wrong length.
fn parse(format: Format, bytes: &[u8], len: u64, port: &TensorInfo) -> Result<Tensor, TensorProblem> {
    let target = Target::new(port);
    let values = match format {
        Format::Npy => npy::read(bytes, len, &target)?,
        Format::Proto => proto::read(bytes, len, &target)?,
        Format::Raw => {
            target.check_length(len)?;
            bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
        }
        Format::Png => picture::read_png(bytes, len, &target)?,
        Format::Pgm => picture::read_pgm(bytes, len, &target)?,
    };
    target.tensor(&values)
}

/// The input that a file is read for.
struct Target<'a> {
    port: &'a TensorInfo,
    elements: u64,
}

impl<'a> Target<'a> {
    fn new(port: &'a TensorInfo) -> Self {
        Self { port, elements: port.shape.iter().fold(1, |n, &d| n.saturating_mul(d.into())) }
    }

    fn input(&self) -> String {
        self.port.name.clone()
    }

    /// Refuses a file of `len` bytes that is longer than any for this input.
    fn check_size(&self, format: Format, len: u64) -> Result<(), TensorProblem> {
        let limit = format.limit(self.elements);
        if len <= limit { Ok(()) } else { Err(TensorProblem::TooLarge { input: self.input(), limit }) }
    }

    /// Refuses dimensions that differ in more than axes of length 1.
    fn check_shape(&self, got: &[u64]) -> Result<(), TensorProblem> {
        let own = self.port.shape.iter().map(|&d| u64::from(d)).filter(|&d| d != 1);
        if own.eq(got.iter().copied().filter(|&d| d != 1)) {
            return Ok(());
        }
        Err(TensorProblem::Shape {
            input: self.input(),
            expected: self.port.shape.clone(),
            got: got.to_vec(),
        })
    }

    /// Refuses another number of bytes than the elements take.
    fn check_length(&self, got: u64) -> Result<(), TensorProblem> {
        let expected = self.elements.saturating_mul(4);
        if got == expected {
            Ok(())
        } else {
            Err(TensorProblem::Length { input: self.input(), expected, got })
        }
    }

    fn tensor(&self, values: &[f32]) -> Result<Tensor, TensorProblem> {
        match values.iter().position(|v| v.is_nan()) {
            Some(index) => Err(TensorProblem::NotANumber { input: self.input(), index }),
            None => Ok(Tensor::from_f32(&self.port.shape, values)),
        }
    }
}
