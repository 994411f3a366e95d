//! Attributes of the operators that move a window over an image. tract takes them as they are: it
//! indexes by them, divides by them, and reads a negative one as a huge one.

use tract_onnx::pb::{GraphProto, NodeProto};

use super::operators;
use crate::error::ImportError;

/// Largest side, step or border that is believed: far above any image, and no sum of them overflows.
const LARGEST: i64 = 1 << 20;

/// Each attribute with its smallest value and how many of them an axis has.
const ATTRIBUTES: [(&str, i64, usize); 4] =
    [("kernel_shape", 1, 1), ("strides", 1, 1), ("dilations", 1, 1), ("pads", 0, 2)];

/// Checks that the windows of `graph` can be moved at all.
pub fn check(graph: &GraphProto) -> Result<(), ImportError> {
    let windowed =
        graph.node.iter().filter(|n| matches!(n.op_type.as_str(), "AveragePool" | "Conv" | "MaxPool"));
    for node in windowed {
        check_node(node).map_err(|problem| {
            let node = operators::name(node);
            ImportError::Malformed { problem: format!("node `{node}`: {problem}") }
        })?;
    }
    Ok(())
}

fn check_node(node: &NodeProto) -> Result<(), String> {
    let mut first: Option<(&str, usize)> = None;
    for (name, smallest, per_axis) in ATTRIBUTES {
        let Some(attribute) = node.attribute.iter().find(|a| a.name == name) else { continue };
        let values = &attribute.ints;
        if let Some(value) = values.iter().find(|v| !(smallest..=LARGEST).contains(*v)) {
            return Err(format!("{value} in {name} {values:?} is not between {smallest} and {LARGEST}"));
        }
        let axes = values.len() / per_axis;
        let &mut (other, expected) = first.get_or_insert((name, axes));
        if axes != expected || values.len() % per_axis != 0 {
            return Err(format!("{name} {values:?} and {other} are not for the same number of axes"));
        }
    }
    Ok(())
}
