//! numpy's array file (numpy documentation, `numpy.lib.format`): read and written.

mod header;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use opml_abi::Tensor;

use self::header::Header;
use super::{Format, Target, TensorFileError, TensorProblem};

/// Most bytes in front of the elements: magic, length, and a header that may be 1,024 bytes.
pub(super) const HEADER_LIMIT: u64 = header::MAX_TEXT as u64 + 12;

/// The elements in `bytes`, the start of a file of `len` bytes, in row-major order.
pub(super) fn read(bytes: &[u8], len: u64, target: &Target) -> Result<Vec<f32>, TensorProblem> {
    let malformed = |reason| TensorProblem::Malformed { format: Format::Npy, reason };
    let (header, data) = Header::split(bytes).map_err(malformed)?;
    let from_bytes = match header.descr.as_str() {
        "<f4" => f32::from_le_bytes,
        ">f4" => f32::from_be_bytes,
        other => return Err(TensorProblem::ElementType { input: target.input(), got: type_name(other) }),
    };
    target.check_shape(&header.shape)?;
    target.check_length(len - (bytes.len() - data.len()) as u64)?;
    let stored: Vec<f32> = data.as_chunks().0.iter().map(|&b| from_bytes(b)).collect();
    Ok(if header.fortran_order { row_major(&stored, &header.shape) } else { stored })
}

/// Elements that are stored first axis fastest, last axis fastest.
fn row_major(stored: &[f32], shape: &[u64]) -> Vec<f32> {
    let at = |mut index: usize| {
        let mut stride = stored.len();
        shape.iter().rev().map(|&d| d as usize).fold(0, |place, d| {
            stride /= d;
            let along = index % d;
            index /= d;
            place + along * stride
        })
    };
    (0..stored.len()).map(|index| stored[at(index)]).collect()
}

/// numpy's name of a type given as its string, e.g. `uint8` for `|u1`.
fn type_name(descr: &str) -> String {
    let plain = descr.trim_start_matches(['<', '>', '|', '=']);
    let kind = match plain.as_bytes().first() {
        Some(b'f') => "float",
        Some(b'i') => "int",
        Some(b'u') => "uint",
        Some(b'c') => "complex",
        Some(b'b') => return "bool".into(),
        _ => return format!("`{descr}`"),
    };
    match plain[1..].parse::<u8>() {
        Ok(bytes @ 1..=16) => format!("{kind}{}", 8 * u32::from(bytes)),
        _ => format!("`{descr}`"),
    }
}

/// Writes a float32 tensor: `<f4`, C order, the bytes that numpy itself would write. The file is there
/// whole or not at all.
///
/// # Errors
/// A tensor that is not float32 ([`TensorProblem::ElementType`]), or what the file system reports.
pub fn write_npy(path: &Path, tensor: &Tensor) -> Result<(), TensorFileError> {
    let fail = |problem| TensorFileError { path: path.to_owned(), problem };
    let values = tensor.to_f32().ok_or_else(|| {
        fail(TensorProblem::ElementType { input: "output".into(), got: tensor.dtype.to_string() })
    })?;
    let mut bytes = header::write(&tensor.shape);
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    replace(path, &bytes).map_err(|e| fail(TensorProblem::Io(e)))
}

/// Writes a temporary file beside `path` and renames it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".npy-").suffix(".partial");
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
