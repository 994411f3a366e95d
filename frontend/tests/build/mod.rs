//! Small ONNX models, made in the tests.

use prost::Message;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto,
    TypeProto, ValueInfoProto, attribute_proto::AttributeType, tensor_proto::DataType, type_proto,
};

fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = |&d: &i64| Dimension { denotation: String::new(), value: Some(dimension::Value::DimValue(d)) };
    let shape = Some(TensorShapeProto { dim: dims.iter().map(dim).collect() });
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape };
    let r#type =
        Some(TypeProto { denotation: String::new(), value: Some(type_proto::Value::TensorType(tensor)) });
    ValueInfoProto { name: name.into(), r#type, doc_string: String::new() }
}

/// A node without a name.
pub fn node(op: &str, inputs: &[&str], outputs: &[&str], attribute: Vec<AttributeProto>) -> NodeProto {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    NodeProto {
        op_type: op.into(),
        input: owned(inputs),
        output: owned(outputs),
        attribute,
        ..Default::default()
    }
}

/// An attribute of integers.
pub fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::Ints as i32,
        ints: ints.to_vec(),
        ..Default::default()
    }
}

/// An attribute that is a tensor.
pub fn tensor(name: &str, tensor: TensorProto) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::Tensor as i32,
        t: Some(tensor),
        ..Default::default()
    }
}

/// A float32 tensor, its elements typed.
pub fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    let (dims, float_data) = (dims.to_vec(), values.to_vec());
    TensorProto {
        name: name.into(),
        dims,
        data_type: DataType::Float as i32,
        float_data,
        ..Default::default()
    }
}

/// A vector of int64, as shapes, axes and bounds are.
pub fn shape(name: &str, values: &[i64]) -> TensorProto {
    let (dims, int64_data) = (vec![values.len() as i64], values.to_vec());
    TensorProto {
        name: name.into(),
        dims,
        data_type: DataType::Int64 as i32,
        int64_data,
        ..Default::default()
    }
}

/// A model of `nodes` from the input `x` of `dims` to `y`.
pub fn model(dims: &[i64], initializer: Vec<TensorProto>, nodes: Vec<NodeProto>) -> Vec<u8> {
    let graph = GraphProto {
        node: nodes,
        initializer,
        input: vec![value("x", dims)],
        output: vec![value("y", &[1])],
        ..Default::default()
    };
    let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: 17 }];
    ModelProto { ir_version: 8, opset_import, graph: Some(graph), ..Default::default() }.encode_to_vec()
}
