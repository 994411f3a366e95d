//! Cases: models, and what goes in and comes out.

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use opml_abi::{DataType, Tensor, TensorInfo};
use opml_frontend::{ImportOptions, Model, ModelFile};
use tract_tflite::tflite::root_as_model;

pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tflite/cases")
}

/// Names of all cases.
pub fn all() -> Vec<String> {
    let files =
        fs::read_dir(folder()).expect("the folder is there").map(|entry| entry.expect("a file").path());
    let models = files.filter(|path| path.extension().is_some_and(|ending| ending == "tflite"));
    let mut names: Vec<String> =
        models.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

pub fn model_bytes(case: &str) -> Vec<u8> {
    fs::read(folder().join(format!("{case}.tflite"))).expect("the case is there")
}

pub fn import(bytes: &[u8]) -> Result<Model, opml_frontend::ImportError> {
    Model::from_file(&ModelFile::in_memory(Bytes::copy_from_slice(bytes)), &ImportOptions::default())
}

/// Inputs and outputs of a case, recorded one behind the other.
pub fn recorded(case: &str, model: &Model) -> [Vec<Tensor>; 2] {
    let bytes = fs::read(folder().join(format!("{case}.bin"))).expect("the case is there");
    let mut rest = &bytes[..];
    let mut take = |info: TensorInfo| {
        let len = info.shape.iter().product::<u32>() as usize * info.dtype.size();
        let (own, behind) = rest.split_at_checked(len).unwrap_or_else(|| panic!("{case}: too few elements"));
        rest = behind;
        // Tensors of programs are big-endian.
        let data =
            own.chunks_exact(info.dtype.size()).flat_map(|element| element.iter().rev().copied()).collect();
        Tensor { dtype: info.dtype, shape: info.shape, data }
    };
    let inputs = model.graph().inputs.iter().map(|port| take(port.info())).collect();
    let outputs = model.graph().outputs.iter().map(|port| take(port.info())).collect();
    assert!(rest.is_empty(), "{case}: {} bytes too many", rest.len());
    [inputs, outputs]
}

/// How far apart tensors are: of floats relative to the larger of 1 and the expected number, of integers in units.
pub fn distance(expected: &Tensor, got: &Tensor) -> f64 {
    assert_eq!((expected.dtype, &expected.shape), (got.dtype, &got.shape));
    let numbers = |tensor: &Tensor| -> Vec<f64> {
        let elements = tensor.data.chunks_exact(tensor.dtype.size());
        let number = |bytes: &[u8]| match tensor.dtype {
            DataType::Float32 => f32::from_be_bytes(bytes.try_into().expect("four bytes")).into(),
            DataType::Int64 => i64::from_be_bytes(bytes.try_into().expect("eight bytes")) as f64,
            DataType::Int32 => i32::from_be_bytes(bytes.try_into().expect("four bytes")).into(),
            DataType::Int8 => (bytes[0] as i8).into(),
            DataType::Uint8 | DataType::Bool => bytes[0].into(),
        };
        elements.map(number).collect()
    };
    let float = expected.dtype == DataType::Float32;
    let apart = |(e, g): (f64, f64)| (e - g).abs() / if float { e.abs().max(1.0) } else { 1.0 };
    numbers(expected).into_iter().zip(numbers(got)).map(apart).fold(0.0, f64::max)
}

/// The schema's names of the operators that a model has.
pub fn operators(bytes: &[u8]) -> Vec<&'static str> {
    let model = root_as_model(bytes).expect("a model");
    let codes = model.operator_codes().expect("operators");
    let name = |code: tract_tflite::tflite::OperatorCode<'_>| code.builtin_code().variant_name();
    codes.iter().map(|code| name(code).expect("a known operator")).collect()
}
