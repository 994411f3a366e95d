//! What goes in and out of a model.

use std::collections::BTreeMap;

use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{GraphProto, NodeProto, TensorShapeProto, TypeProto, ValueInfoProto, type_proto};
use tract_tflite::tflite::{Model, SubGraph, TensorMap, TensorType};

use super::net::{Id, Name, Net};
use super::{signature, tensor_count, tensors};
use crate::error::ImportError;
use crate::onnx::Payloads;

/// Names the values that go in, before anything reads them. Gives the tensors that come out, and their names.
pub fn begin(
    net: &mut Net<'_>,
    model: &Model<'_>,
    subgraph: &SubGraph<'_>,
) -> Result<Vec<(Id, Name)>, ImportError> {
    let count = tensor_count(subgraph);
    let signed = signature(model).and_then(|signature| signature.inputs());
    let signed = names(signed.iter().flatten());
    for id in ports(subgraph.inputs().iter().flatten(), count)? {
        let name = name(net, id, &signed);
        let info = info(net, id, &name)?;
        net.bind(id, name);
        net.graph.input.push(info);
    }
    let signed = signature(model).and_then(|signature| signature.outputs());
    let signed = names(signed.iter().flatten());
    let outputs = ports(subgraph.outputs().iter().flatten(), count)?;
    Ok(outputs.into_iter().map(|id| (id, name(net, id, &signed))).collect())
}

/// The whole graph.
pub fn finish(mut net: Net<'_>, outputs: Vec<(Id, Name)>) -> Result<(GraphProto, Payloads), ImportError> {
    for (id, name) in outputs {
        let value = net.stored(id).map_err(|_| malformed(format!("nothing makes the output `{name}`")))?;
        net.graph.node.push(NodeProto {
            op_type: "Identity".into(),
            input: vec![value],
            output: vec![name.clone()],
            ..NodeProto::default()
        });
        net.graph.output.push(ValueInfoProto { name, ..ValueInfoProto::default() });
    }
    Ok((net.graph, net.payloads))
}

fn malformed(problem: String) -> ImportError {
    ImportError::Malformed { problem }
}

fn ports(ids: impl Iterator<Item = i32>, count: usize) -> Result<Vec<Id>, ImportError> {
    let port = |id: i32| {
        let known = usize::try_from(id).ok().filter(|&id| id < count);
        known.ok_or_else(|| malformed(format!("an input or output is tensor {id} of {count}")))
    };
    ids.map(port).collect()
}

/// What the signature calls tensors.
fn names<'a>(maps: impl Iterator<Item = TensorMap<'a>>) -> BTreeMap<Id, String> {
    maps.filter_map(|map| Some((map.tensor_index() as Id, map.name()?.to_owned()))).collect()
}

/// A tensor's name in the signature; its own if it has none there. The name is unique.
fn name(net: &mut Net<'_>, id: Id, names: &BTreeMap<Id, String>) -> String {
    let wish = names.get(&id).filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| net.label(id));
    net.fresh(&wish)
}

fn info(net: &Net<'_>, id: Id, name: &str) -> Result<ValueInfoProto, ImportError> {
    let of = net.kind(id);
    let dtype = if of == TensorType::FLOAT16 { Err("float16".to_owned()) } else { tensors::dtype(of) };
    let elem_type = dtype
        .map_err(|_| {
            let dtype = of.variant_name().map_or_else(|| of.0.to_string(), str::to_lowercase);
            ImportError::ElementType { tensor: name.to_owned(), dtype }
        })?
        .into();
    let dims = net.shape(id).map_err(|problem| malformed(format!("input `{name}`: {problem}")))?;
    let dim =
        |d: usize| Dimension { value: Some(dimension::Value::DimValue(d as i64)), ..Dimension::default() };
    let shape = Some(TensorShapeProto { dim: dims.into_iter().map(dim).collect() });
    let tensor = type_proto::Tensor { elem_type, shape };
    let kind = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() };
    Ok(ValueInfoProto { name: name.to_owned(), r#type: Some(kind), ..ValueInfoProto::default() })
}
