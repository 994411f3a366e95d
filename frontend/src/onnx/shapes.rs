//! Target shapes that a file states outright. tract keeps 32 bits of each number and allocates what
//! they say, so an absurd one would become another shape or a great deal of memory.

use std::collections::BTreeMap;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use super::operators;
use crate::error::ImportError;

/// Most elements of a tensor: as float32 they take half of the VM's memory that programs can use.
pub const MAX_ELEMENTS: i64 = 1 << 28;
/// Most elements that a constant may be spread to: it is spread here, and lies in the image.
const MAX_CONSTANT: i64 = 1 << 24;

/// Checks the shapes that `Expand` and `Reshape` nodes of `graph` are given as constants.
pub fn check(graph: &GraphProto) -> Result<(), ImportError> {
    let constants = stated(graph);
    for node in graph.node.iter().filter(|n| matches!(n.op_type.as_str(), "Expand" | "Reshape")) {
        let operand = |index: usize| node.input.get(index).and_then(|name| constants.get(name.as_str()));
        let Some(shape) = operand(1) else { continue };
        let largest = if operand(0).is_some() { MAX_CONSTANT } else { MAX_ELEMENTS };
        let shape = values(shape);
        let elements = shape.iter().try_fold(1i64, |n, &d| match d {
            // -1 stands for what is left, 0 in a Reshape for the dimension as it was.
            -1 | 0 => Some(n),
            1.. => n.checked_mul(d).filter(|&n| n <= largest),
            _ => None,
        });
        if elements.is_none() {
            let node = operators::name(node);
            let problem = format!(
                "node `{node}` asks for the shape {shape:?}; at most {largest} elements are possible"
            );
            return Err(ImportError::Malformed { problem });
        }
    }
    Ok(())
}

/// The constants that the file states, by name: initializers and `Constant` nodes.
pub fn stated(graph: &GraphProto) -> BTreeMap<&str, &TensorProto> {
    let initializers = graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor));
    initializers.chain(graph.node.iter().filter_map(constant)).collect()
}

/// The name and value of a `Constant` node.
fn constant(node: &NodeProto) -> Option<(&str, &TensorProto)> {
    let value = node.attribute.iter().find(|a| a.name == "value")?.t.as_ref()?;
    (node.op_type == "Constant").then_some((node.output.first()?.as_str(), value))
}

/// The elements of an int64 tensor, whose length has been checked.
pub fn values(tensor: &TensorProto) -> Vec<i64> {
    if tensor.data_type != DataType::Int64 as i32 {
        return Vec::new();
    }
    if tensor.raw_data.is_empty() {
        return tensor.int64_data.clone();
    }
    tensor.raw_data.as_chunks().0.iter().map(|&b| i64::from_le_bytes(b)).collect()
}
