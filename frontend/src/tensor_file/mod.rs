//! Tensors in files: inputs of a model as users have them, and its outputs.
//!
//! | ending | what it holds |
//! |---|---|
//! | `.npy` | numpy's array, either byte order, C or Fortran order |
//! | `.pb` | ONNX's `TensorProto`, raw or typed, as in the ONNX backend suite |
//! | `.bin` | the elements alone: of the input's type, little-endian, row-major |
//! | `.png`, `.pgm` | an 8-bit picture: [height, width] if it is grey, [3, height, width] or [height, width, 3] if it is in colour (PNG alone); pixel / 255 for an input of float32, the pixel itself for one of uint8 |
//! | `.json` | numbers, or `true` and `false`, in arrays inside each other |
//!
//! The elements are of the input's type ([`DataType`]), but that int32 and int64 serve each other where every value fits. The
//! dimensions in the file have to be the input's but for axes of length 1, which do not change
//! where an element lies: a picture of 28 by 28 pixels serves [28, 28], [1, 1, 28, 28] and
//! [1, 28, 28, 1] alike. No other value is changed on the way, and a NaN is refused.

mod draw;
mod error;
mod json;
mod npy;
mod picture;
mod proto;
mod stored;
mod target;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use opml_abi::{DataType, Tensor, TensorInfo};

use self::stored::Stored;
use self::target::Target;

pub use draw::{Drawn, is_picture, write_png};
pub use error::{TensorFileError, TensorProblem};
pub use npy::write_npy;

/// A format of tensor files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// numpy's array.
    Npy,
    /// ONNX's `TensorProto`.
    Proto,
    /// Little-endian elements and nothing else.
    Raw,
    /// Portable Network Graphics.
    Png,
    /// Portable GrayMap, binary (P5) or plain (P2).
    Pgm,
    /// Arrays of numbers (RFC 8259).
    Json,
}

impl Format {
    /// All formats, in the order in which they are named to the user.
    pub const ALL: [Format; 6] = [Self::Npy, Self::Proto, Self::Raw, Self::Png, Self::Pgm, Self::Json];

    /// The ending of the format's files, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Npy => "npy",
            Self::Proto => "pb",
            Self::Raw => "bin",
            Self::Png => "png",
            Self::Pgm => "pgm",
            Self::Json => "json",
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

    /// Most bytes a sensible file of the format takes for `elements` elements of `dtype`.
    fn limit(self, dtype: DataType, elements: u64) -> u64 {
        let (per_element, around) = match (self, dtype) {
            // An input of either type takes a file of the other.
            (Self::Npy, DataType::Int32 | DataType::Int64) => (8, npy::HEADER_LIMIT),
            (Self::Npy, _) => (dtype.size() as u64, npy::HEADER_LIMIT),
            // Unpacked, each element of the typed field has a tag in front of it.
            (Self::Proto, DataType::Float32) => (5, 4 << 10),
            // The same; a negative number of whatever type takes ten bytes.
            (Self::Proto, _) => (11, 4 << 10),
            (Self::Raw, _) => (dtype.size() as u64, 0),
            // A picture that does not compress takes more than a byte a pixel, and cameras and editors
            // write about themselves.
            (Self::Png, _) => (2, 64 << 10),
            // Plain text: up to three digits and a space.
            (Self::Pgm, _) => (4, 4 << 10),
            // A number of 17 digits with its exponent, on a line of its own and indented.
            (Self::Json, _) => (64, 4 << 10),
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
/// Everything that is not of the input's type and shape, and NaN; see [`TensorProblem`].
pub fn read(path: &Path, port: &TensorInfo) -> Result<Tensor, TensorFileError> {
    let fail = |problem| TensorFileError { path: path.to_owned(), problem };
    let format = Format::of(path).map_err(fail)?;
    let limit = format.limit(port.dtype, Target::new(port).elements);
    let (bytes, len) = read_bounded(path, limit).map_err(|e| {
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
    let stored = match format {
        Format::Npy => npy::read(bytes, len, &target)?,
        Format::Proto => proto::read(bytes, len, &target)?,
        Format::Raw => {
            target.check_length(port.dtype, len)?;
            Stored::little_endian(port.dtype, bytes.to_vec())
        }
        Format::Png => picture::read_png(bytes, len, &target)?,
        Format::Pgm => picture::read_pgm(bytes, len, &target)?,
        Format::Json => json::read(bytes, len, &target)?,
    };
    target.tensor(stored)
}

/// Writes a temporary file beside `path` and renames it: the file is there whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tensor-").suffix(".partial");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What any new file has before the user's mask; temporary files are private otherwise.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}
