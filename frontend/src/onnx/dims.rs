//! Open dimensions of the inputs, and the numbers the user gives for them.

use std::collections::{BTreeMap, BTreeSet};

use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value};
use tract_onnx::pb::{GraphProto, ValueInfoProto, type_proto};

use super::tensors;
use crate::builder::MAX_ELEMENTS;
use crate::error::ImportError;

/// Writes `given` over the open dimensions of the graph's inputs, refusing what stays open, what
/// does not exist, what is 0, and what is no float32 tensor.
pub fn fix(graph: &mut GraphProto, given: &BTreeMap<String, u32>) -> Result<(), ImportError> {
    let initializers: BTreeSet<_> = graph.initializer.iter().map(|t| t.name.clone()).collect();
    let mut open = BTreeSet::new();
    for input in graph.input.iter_mut().filter(|i| !initializers.contains(&i.name)) {
        for (axis, dim) in dimensions(input)?.into_iter().enumerate() {
            let name = match &dim.1.value {
                Some(Value::DimValue(value)) if *value >= 0 => continue,
                Some(Value::DimParam(name)) if !name.is_empty() => name.clone(),
                _ => format!("{}.{axis}", dim.0),
            };
            if let Some(&value) = given.get(&name) {
                dim.1.value = Some(Value::DimValue(value.into()));
            }
            open.insert(name);
        }
    }
    if let Some((name, _)) = given.iter().find(|(_, value)| **value == 0) {
        return Err(ImportError::EmptyDimension { name: name.clone() });
    }
    if let Some(name) = given.keys().find(|name| !open.contains(*name)) {
        return Err(ImportError::UnknownDimension { name: name.clone(), known: open.into_iter().collect() });
    }
    let missing: Vec<_> = open.into_iter().filter(|name| !given.contains_key(name)).collect();
    if !missing.is_empty() {
        return Err(ImportError::DynamicDimensions(missing));
    }
    graph.input.iter_mut().filter(|i| !initializers.contains(&i.name)).try_for_each(check_size)
}

/// Refuses an input that no program could hold, before its dimensions are multiplied.
fn check_size(input: &mut ValueInfoProto) -> Result<(), ImportError> {
    let value = |dim: &Dimension| match dim.value {
        Some(Value::DimValue(value)) => value,
        _ => 1,
    };
    let shape: Vec<i64> = dimensions(input)?.iter().map(|(_, dim)| value(dim)).collect();
    // Where a dimension of 0 leaves no elements, too: strides are products of the others.
    let elements =
        shape.iter().try_fold(1i64, |n, &d| n.checked_mul(d.max(1)).filter(|&n| n <= MAX_ELEMENTS as i64));
    let too_large = || ImportError::TooLarge { input: input.name.clone(), shape };
    elements.map(|_| ()).ok_or_else(too_large)
}

/// The dimensions of a tensor, each with the name of the tensor.
fn dimensions(value: &mut ValueInfoProto) -> Result<Vec<(&str, &mut Dimension)>, ImportError> {
    let name = value.name.as_str();
    let untyped =
        || ImportError::Malformed { problem: format!("input `{name}` is not a tensor of known rank") };
    let kind = value.r#type.as_mut().and_then(|t| t.value.as_mut()).ok_or_else(untyped)?;
    let type_proto::Value::TensorType(tensor) = kind;
    tensors::dtype(tensor.elem_type)
        .map_err(|dtype| ImportError::ElementType { tensor: name.to_owned(), dtype })?;
    let shape = tensor.shape.as_mut().ok_or_else(untyped)?;
    Ok(shape.dim.iter_mut().map(|d| (name, d)).collect())
}
