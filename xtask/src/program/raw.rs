//! Inputs of a program whose manifest names none: the command line says what they are.

use std::path::{Path, PathBuf};

use opml_abi::{DataType, Tensor, TensorInfo, blob};
use opml_frontend::tensor_file;

use super::ProgramError;
use crate::outcome::Stop;

/// The tensor that is meant by `FILE`, its bytes, or by `float32[1,28,28]:FILE`, a file of any format that holds such a tensor.
pub(super) fn input(given: &Path) -> Result<Tensor, Stop> {
    match given.to_str().and_then(|text| text.split_once("]:")) {
        Some((kind, file)) if kind.contains('[') => {
            let unknown = || Stop::unable(ProgramError::TensorType { given: format!("{kind}]") });
            let info = info(kind).ok_or_else(unknown)?;
            tensor_file::read(&PathBuf::from(file), &info).map_err(Stop::unable)
        }
        _ => bytes(given),
    }
}

/// `float32[1,28,28` as a type.
fn info(kind: &str) -> Option<TensorInfo> {
    let (dtype, shape) = kind.split_once('[')?;
    let dimensions = shape.split(',').filter(|_| !shape.trim().is_empty());
    let shape: Vec<u32> = dimensions.map(|d| d.trim().parse().ok()).collect::<Option<_>>()?;
    let dtype = DataType::from_name(dtype)?;
    (shape.len() <= blob::MAX_RANK).then(|| TensorInfo { name: "input".into(), dtype, shape })
}

/// The bytes of a file.
fn bytes(path: &Path) -> Result<Tensor, Stop> {
    let data = crate::commands::read(path)?;
    let too_long = |_| Stop::unable(ProgramError::TooLong { path: path.to_owned(), got: data.len() });
    let len = u32::try_from(data.len()).map_err(too_long)?;
    Ok(Tensor { dtype: DataType::Uint8, shape: vec![len], data })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read() {
        let read = |text: &str| info(text).map(|info| (info.dtype, info.shape));
        assert_eq!(read("float32[1,28, 28"), Some((DataType::Float32, vec![1, 28, 28])));
        assert_eq!(read("int64["), Some((DataType::Int64, vec![])));
        for wrong in ["float[1", "float32[a", "float32[1,", "float32[-1", "float32[1,1,1,1,1,1,1,1,1"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
