//! The ONNX operators that have a lowering. What is not named here is refused before anything else
//! is looked at, all of it at once.

use tract_onnx::pb::{GraphProto, NodeProto};

use crate::error::{ImportError, Unsupported};

/// Operator names of the default domain, sorted.
pub const SUPPORTED: &[&str] = &[
    "Abs",
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Clip",
    "Concat",
    "Constant",
    "Conv",
    "Div",
    "Dropout",
    "Erf",
    "Exp",
    "Expand",
    "Flatten",
    "Gemm",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "Identity",
    "Log",
    "MatMul",
    "Max",
    "MaxPool",
    "Min",
    "Mul",
    "Neg",
    "Reciprocal",
    "ReduceMax",
    "ReduceMean",
    "ReduceSum",
    "Relu",
    "Reshape",
    "Sigmoid",
    "Slice",
    "Softmax",
    "Split",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Sum",
    "Tanh",
    "Transpose",
    "Unsqueeze",
];

/// Refuses a graph with operators that have no lowering.
pub fn check(graph: &GraphProto) -> Result<(), ImportError> {
    let unsupported: Vec<_> = graph.node.iter().filter_map(refusal).collect();
    if unsupported.is_empty() { Ok(()) } else { Err(ImportError::Unsupported(unsupported)) }
}

fn refusal(node: &NodeProto) -> Option<Unsupported> {
    let own = node.domain.is_empty() || node.domain == "ai.onnx";
    if own && SUPPORTED.binary_search(&node.op_type.as_str()).is_ok() {
        return None;
    }
    let operator = if own { node.op_type.clone() } else { format!("{}::{}", node.domain, node.op_type) };
    let reason = if own { "the operator has no lowering" } else { "an operator of a custom domain" };
    Some(Unsupported { operator, node: name(node), reason: reason.into() })
}

/// What to call a node: its name, or the output that it makes.
pub fn name(node: &NodeProto) -> String {
    let fallback = || node.output.first().cloned().unwrap_or_default();
    if node.name.is_empty() { fallback() } else { node.name.clone() }
}

#[cfg(test)]
mod tests {
    use super::SUPPORTED;

    /// The look-up is a binary search: an entry out of order would be refused.
    #[test]
    fn list_is_sorted() {
        assert!(SUPPORTED.is_sorted());
    }
}
