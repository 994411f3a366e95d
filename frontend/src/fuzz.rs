//! What the fuzz targets call, and the tests that replay their corpora.

use bytes::Bytes;
use opml_abi::{DataType, TensorInfo, decode_blob};

use crate::elements::Slice;
use crate::tensor_file::{Format, read_bytes};
use crate::{ImportError, ImportOptions, Model, ModelFile, WeightsFile};

/// Arbitrary bytes as a tensor file for an input; the first byte picks the format, then the type of the elements, then the dimensions
/// [1, 1, 4, 4] or [1, 3, 4, 4].
///
/// # Panics
/// If a tensor is accepted that does not fit the input: that is a bug.
pub fn fuzz_tensor_file(data: &[u8]) {
    let Some((&first, bytes)) = data.split_first() else { return };
    let (rest, format) = (usize::from(first) / Format::ALL.len(), usize::from(first) % Format::ALL.len());
    let (rest, dtype) = (rest / DataType::ALL.len(), rest % DataType::ALL.len());
    let shape = vec![1, [1, 3][rest % 2], 4, 4];
    let port = TensorInfo { name: "image".into(), dtype: DataType::ALL[dtype], shape };
    if let Ok(tensor) = read_bytes(Format::ALL[format], bytes, &port) {
        assert_eq!((tensor.dtype, &tensor.shape), (port.dtype, &port.shape));
        let blob = opml_abi::encode_blob(std::slice::from_ref(&tensor));
        match Slice::of_tensor(&tensor) {
            Slice::F32(values) => assert!(values.iter().all(|v| !v.is_nan())),
            Slice::Bool(values) => assert!(values.iter().all(|&v| v <= 1)),
            _ => {}
        }
        assert_eq!(decode_blob(&blob).expect("what was encoded can be decoded"), [tensor]);
    }
}

/// Arbitrary bytes as a model, ONNX or TFLite: imported, planned and written as source. It does not run. Whether weights are copied out of the
/// file or stay in it makes no difference. Gives whether it is a model that can be compiled.
///
/// # Panics
/// If it makes one, or where the code under test does, also if the import makes an error of that.
pub fn fuzz_model(data: &[u8]) -> bool {
    let mut file = ModelFile::in_memory(Bytes::copy_from_slice(data));
    // Whatever the model says of places in other files is tried on this one.
    let other = WeightsFile { bytes: Bytes::from_static(&[0x3f; 256]), sha256: String::new() };
    file.external.insert("weights".to_owned(), other);
    let source = |large| {
        let model = match Model::from_file(&file, &ImportOptions { large, ..ImportOptions::default() }) {
            Ok(model) => model,
            Err(ImportError::Unforeseen { reason }) => panic!("{reason}"),
            Err(_) => return None,
        };
        assert!(model.plan().bytes >= model.plan().lower_bound);
        Some(model.guest_source())
    };
    let copied = source(usize::MAX);
    assert!(copied.as_ref().is_none_or(|text| !text.is_empty()));
    assert_eq!(source(1), copied);
    copied.is_some()
}
