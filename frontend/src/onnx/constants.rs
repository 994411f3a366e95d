//! Nodes that compute with floats from constants alone. tract would fold them with the kernels of this
//! machine's processor, whose rounding differs between machines, and the weights would with it.

use std::collections::BTreeSet;

use tract_onnx::pb::{GraphProto, NodeProto};

use super::operators;
use crate::error::{ImportError, Unsupported};

/// Operators whose result depends on an order of additions or on the approximation of a function. All
/// others move elements, or round once and so give the same bits everywhere. Sorted.
const MACHINE_DEPENDENT: &[&str] = &[
    "AveragePool",
    "BatchNormalization",
    "Conv",
    "Erf",
    "Exp",
    "Gemm",
    "GlobalAveragePool",
    "Log",
    "MatMul",
    "ReduceMean",
    "ReduceSum",
    "Sigmoid",
    "Softmax",
    "Sum",
    "Tanh",
];

/// Refuses such nodes. `order` has the graph's nodes, each behind those that make its inputs.
pub fn check(graph: &GraphProto, order: &[usize]) -> Result<(), ImportError> {
    let mut constant: BTreeSet<&str> = graph.initializer.iter().map(|t| t.name.as_str()).collect();
    let mut refused = Vec::new();
    for node in order.iter().map(|&index| &graph.node[index]) {
        let mut inputs = node.input.iter().filter(|name| !name.is_empty());
        if !inputs.all(|name| constant.contains(name.as_str())) {
            continue;
        }
        constant.extend(node.output.iter().map(String::as_str));
        if MACHINE_DEPENDENT.binary_search(&node.op_type.as_str()).is_ok() {
            refused.push(refusal(node));
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(ImportError::Unsupported(refused)) }
}

fn refusal(node: &NodeProto) -> Unsupported {
    Unsupported {
        operator: node.op_type.clone(),
        node: operators::name(node),
        reason: "it is computed from constants alone; fold it before the export (onnxsim does), so that \
                 everybody compiles the same weights"
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tract_onnx::pb::TensorProto;

    fn node(op_type: &str, inputs: &[&str], output: &str) -> NodeProto {
        NodeProto {
            op_type: op_type.into(),
            name: format!("{output}_node"),
            input: inputs.iter().map(ToString::to_string).collect(),
            output: vec![output.into()],
            ..NodeProto::default()
        }
    }

    /// The product of two weights behind a transposition would be folded by tract, with FMA where the
    /// machine has it; the product with the input must not be refused along with it.
    #[test]
    fn constant_products_are_refused_and_others_are_not() {
        assert!(MACHINE_DEPENDENT.is_sorted());
        let initializer = |name: &str| TensorProto { name: name.into(), ..TensorProto::default() };
        let graph = GraphProto {
            initializer: vec![initializer("a"), initializer("b")],
            node: vec![
                node("MatMul", &["x", "w"], "y"),
                node("Transpose", &["a"], "t"),
                node("MatMul", &["t", "b"], "w"),
                node("Add", &["a", "b"], "sum"),
            ],
            ..GraphProto::default()
        };
        let Err(ImportError::Unsupported(refused)) = check(&graph, &[1, 2, 3, 0]) else {
            panic!("not refused")
        };
        assert_eq!(refused.len(), 1);
        assert_eq!((refused[0].operator.as_str(), refused[0].node.as_str()), ("MatMul", "w_node"));
    }
}
