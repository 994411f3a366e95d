//! numpy's array file (numpy documentation, `numpy.lib.format`): read and written.

mod header;

use std::path::Path;

use opml_abi::{DataType, Tensor};

use self::header::Header;
use super::stored::{self, Stored};
use super::{Format, Target, TensorFileError, TensorProblem};

/// Most bytes in front of the elements: magic, length, and a header that may be 1,024 bytes.
pub(super) const HEADER_LIMIT: u64 = header::MAX_TEXT as u64 + 12;

/// The elements in `bytes`, the start of a file of `len` bytes.
pub(super) fn read(bytes: &[u8], len: u64, target: &Target) -> Result<Stored, TensorProblem> {
    let malformed = |reason| TensorProblem::Malformed { format: Format::Npy, reason };
    let (header, data) = Header::split(bytes).map_err(malformed)?;
    let descr = header.descr.as_str();
    let (dtype, big_endian) = element_type(descr).ok_or_else(|| target.other_type(type_name(descr)))?;
    target.check_type(dtype)?;
    target.check_shape(&header.shape)?;
    target.check_length(dtype, len - (bytes.len() - data.len()) as u64)?;
    let data = data.to_vec();
    let stored = if big_endian { Stored { dtype, data } } else { Stored::little_endian(dtype, data) };
    Ok(if header.fortran_order { stored.row_major(&header.shape) } else { stored })
}

/// The type given as numpy's string, and whether its most significant byte comes first.
fn element_type(descr: &str) -> Option<(DataType, bool)> {
    let (order, kind) = descr.split_at_checked(1)?;
    let dtype = DataType::ALL.into_iter().find(|&dtype| self::kind(dtype) == kind)?;
    match order {
        "<" => Some((dtype, false)),
        ">" => Some((dtype, true)),
        "|" if dtype.size() == 1 => Some((dtype, false)),
        _ => None,
    }
}

/// numpy's letter and number of bytes.
fn kind(dtype: DataType) -> &'static str {
    match dtype {
        DataType::Float32 => "f4",
        DataType::Int64 => "i8",
        DataType::Int32 => "i4",
        DataType::Int8 => "i1",
        DataType::Uint8 => "u1",
        DataType::Bool => "b1",
    }
}

/// numpy's name of a type given as its string, e.g. `float64` for `<f8`.
fn type_name(descr: &str) -> String {
    let plain = descr.trim_start_matches(['<', '>', '|', '=']);
    let kind = match plain.as_bytes().first() {
        Some(b'f') => "float",
        Some(b'i') => "int",
        Some(b'u') => "uint",
        Some(b'c') => "complex",
        _ => return format!("`{descr}`"),
    };
    match plain[1..].parse::<u8>() {
        Ok(bytes @ 1..=16) => format!("{kind}{}", 8 * u32::from(bytes)),
        _ => format!("`{descr}`"),
    }
}

/// Writes a tensor: little-endian, C order, the bytes that numpy itself would write. The file is there
/// whole or not at all.
///
/// # Errors
/// What the file system reports.
pub fn write_npy(path: &Path, tensor: &Tensor) -> Result<(), TensorFileError> {
    let order = if tensor.dtype.size() == 1 { '|' } else { '<' };
    let mut bytes = header::write(&format!("{order}{}", kind(tensor.dtype)), &tensor.shape);
    bytes.extend(stored::little_endian(tensor));
    let fail = |e| TensorFileError { path: path.to_owned(), problem: TensorProblem::Io(e) };
    super::replace(path, &bytes).map_err(fail)
}
