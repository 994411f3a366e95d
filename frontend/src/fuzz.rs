//! What the fuzz targets call, and the tests that replay their corpora.

use std::collections::BTreeMap;

use bytes::Bytes;
use opml_abi::{DataType, TensorInfo, decode_blob};

use crate::Model;
use crate::tensor_file::{Format, read_bytes};

/// Arbitrary bytes as a tensor file for an input [1, 1, 4, 4]; the first byte picks the format.
///
/// # Panics
/// If a tensor is accepted that does not fit the input: that is a bug.
pub fn fuzz_tensor_file(data: &[u8]) {
    let Some((&first, bytes)) = data.split_first() else { return };
    let format = Format::ALL[usize::from(first) % Format::ALL.len()];
    let port = TensorInfo { name: "image".into(), dtype: DataType::Float32, shape: vec![1, 1, 4, 4] };
    if let Ok(tensor) = read_bytes(format, bytes, &port) {
        assert_eq!(tensor.shape, port.shape);
        let values = tensor.to_f32().expect("an input is float32");
        assert!(values.len() == 16 && values.iter().all(|v| !v.is_nan()));
        let blob = opml_abi::encode_blob(std::slice::from_ref(&tensor));
        assert_eq!(decode_blob(&blob).expect("what was encoded can be decoded"), [tensor]);
    }
}

/// Arbitrary bytes as an ONNX model: imported, planned and written as source. It does not run. Whether weights are copied out of the
/// file or stay in it makes no difference.
///
/// # Panics
/// If it makes one, or where the code under test does.
pub fn fuzz_onnx(data: &[u8]) {
    let file = Bytes::copy_from_slice(data);
    let source = |large| {
        let model = Model::from_file(&file, &BTreeMap::new(), large).ok()?;
        assert!(model.plan().bytes >= model.plan().lower_bound);
        Some(model.guest_source())
    };
    let copied = source(usize::MAX);
    assert!(copied.as_ref().is_none_or(|text| !text.is_empty()));
    assert_eq!(source(1), copied);
}
