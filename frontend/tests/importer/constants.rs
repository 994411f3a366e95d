//! Inputs that are made constants.

use std::collections::BTreeMap;

use bytes::Bytes;
use opml_abi::{DataType, Tensor};
use opml_frontend::{ImportError, ImportOptions, Model, ModelFile};
use prost::Message;
use tract_onnx::pb::{ModelProto, type_proto};

use crate::build::{model, node};

/// Reshapes `x` of [2, 6] as the input `sizes` says.
fn reshape() -> ModelFile {
    let bytes = model(&[2, 6], vec![], vec![node("Reshape", &["x", "sizes"], &["y"], vec![])]);
    let mut proto = ModelProto::decode(&*bytes).unwrap();
    let inputs = &mut proto.graph.as_mut().unwrap().input;
    let mut sizes = inputs[0].clone();
    sizes.name = "sizes".into();
    let type_proto::Value::TensorType(tensor) = sizes.r#type.as_mut().unwrap().value.as_mut().unwrap();
    tensor.elem_type = DataType::Int64.code().into();
    tensor.shape.as_mut().unwrap().dim.truncate(1);
    inputs.push(sizes);
    ModelFile::in_memory(Bytes::from(proto.encode_to_vec()))
}

fn sizes(values: [i64; 2]) -> Tensor {
    Tensor { dtype: DataType::Int64, shape: vec![2], data: values.map(i64::to_be_bytes).concat() }
}

fn import(file: &ModelFile, name: &str, tensor: Tensor) -> Result<Model, ImportError> {
    let constants = BTreeMap::from([(name.to_owned(), tensor)]);
    Model::from_file(file, &ImportOptions { constants, ..ImportOptions::default() })
}

#[test]
fn shapes_may_depend_on_a_constant() {
    let file = reshape();
    let inputs = Model::inputs(&file, &BTreeMap::new()).unwrap();
    let listed: Vec<_> =
        inputs.iter().map(|input| (input.name.as_str(), input.dtype, &input.shape[..])).collect();
    assert_eq!(listed, [("x", DataType::Float32, &[2, 6][..]), ("sizes", DataType::Int64, &[2])]);
    let refused = Model::from_file(&file, &ImportOptions::default()).unwrap_err();
    assert!(
        matches!(&refused, ImportError::Unsupported(nodes) if nodes[0].operator == "Reshape"),
        "{refused:?}"
    );

    let values: Vec<f32> = (0..12).map(|v| v as f32).collect();
    for shape in [[3, 4], [12, 1]] {
        let model = import(&file, "sizes", sizes(shape.map(i64::from))).unwrap();
        assert_eq!(model.graph().inputs.len(), 1, "a constant is no input");
        let outputs = model.run(&[Tensor::from_f32(&[2, 6], &values)]).unwrap();
        assert_eq!(outputs, [Tensor::from_f32(&shape.map(|d: i32| d as u32), &values)]);
    }
}

#[test]
fn constants_that_do_not_fit_are_refused() {
    let unknown = import(&reshape(), "size", sizes([3, 4])).unwrap_err();
    assert_eq!(unknown.to_string(), "the model has no input `size`; it has: x, sizes");
    let other = import(&reshape(), "x", sizes([3, 4])).unwrap_err();
    assert_eq!(other.to_string(), "the constant for the input `x` is int64 [2]; the input is float32 [2, 6]");
    let wrong = import(&reshape(), "sizes", sizes([5, 5])).unwrap_err();
    assert!(matches!(wrong, ImportError::Unsupported(_) | ImportError::Inconsistent { .. }), "{wrong:?}");
}
