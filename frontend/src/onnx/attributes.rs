//! Attributes that tract takes as they are: it indexes by them, divides by them, follows them in
//! circles, and reads a negative one as a huge one.

use tract_onnx::pb::{GraphProto, NodeProto};

use super::operators;
use crate::error::ImportError;

/// Largest side, step or border of a window that is believed: far above any image, and no sum of them
/// overflows.
const LARGEST: i64 = 1 << 20;

/// Attributes of a window, each with its smallest value and how many of them an axis has.
const WINDOW: [(&str, i64, usize); 4] =
    [("kernel_shape", 1, 1), ("strides", 1, 1), ("dilations", 1, 1), ("pads", 0, 2)];

/// Checks that windows can be moved, and that permutations are some.
pub fn check(graph: &GraphProto) -> Result<(), ImportError> {
    for node in &graph.node {
        let checked = match node.op_type.as_str() {
            "AveragePool" | "Conv" | "MaxPool" => check_window(node),
            "Transpose" => check_permutation(node),
            _ => Ok(()),
        };
        checked.map_err(|problem| {
            let node = operators::name(node);
            ImportError::Malformed { problem: format!("node `{node}`: {problem}") }
        })?;
    }
    Ok(())
}

fn integers<'a>(node: &'a NodeProto, name: &str) -> Option<&'a [i64]> {
    node.attribute.iter().find(|a| a.name == name).map(|a| a.ints.as_slice())
}

fn check_window(node: &NodeProto) -> Result<(), String> {
    let mut first: Option<(&str, usize)> = None;
    for (name, smallest, per_axis) in WINDOW {
        let Some(values) = integers(node, name) else { continue };
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

fn check_permutation(node: &NodeProto) -> Result<(), String> {
    let Some(order) = integers(node, "perm") else { return Ok(()) };
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    if sorted.into_iter().eq(0..order.len() as i64) {
        return Ok(());
    }
    Err(format!("perm {order:?} does not name each axis once"))
}
