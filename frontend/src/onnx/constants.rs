//! Nodes that compute from constants alone, which tract folds. Where that takes a sum or a function, it
//! would go by the kernels of this machine's processor, whose rounding differs between machines, and the
//! weights would with it. And a few bytes of nodes could ask for any amount of constants.

use std::collections::BTreeMap;

use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

use super::{operators, shapes};
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

/// Elements that folded constants may have beyond what the file itself holds.
const MAX_FOLDED: u64 = 1 << 24;

/// How large a constant is.
#[derive(Clone, Default)]
struct Extent {
    elements: u64,
    /// Its dimensions, where following them is worth it.
    dims: Option<Vec<u64>>,
}

/// Refuses nodes that fold differently on different machines, or to more than [`MAX_FOLDED`] elements.
/// `order` has the graph's nodes, each behind those that make its inputs.
pub fn check(graph: &GraphProto, order: &[usize]) -> Result<(), ImportError> {
    let initializers = graph.initializer.iter().map(|tensor| (tensor.name.as_str(), extent(tensor)));
    let mut constants: BTreeMap<&str, Extent> = initializers.collect();
    let limit = constants.values().fold(MAX_FOLDED, |sum, e| sum.saturating_add(e.elements));
    let stated = shapes::stated(graph);
    let (mut refused, mut folded) = (Vec::new(), 0u64);
    for node in order.iter().map(|&index| &graph.node[index]) {
        let inputs = node.input.iter().filter(|name| !name.is_empty());
        let inputs: Option<Vec<&Extent>> = inputs.map(|name| constants.get(name.as_str())).collect();
        let Some(inputs) = inputs else { continue };
        if MACHINE_DEPENDENT.binary_search(&node.op_type.as_str()).is_ok() {
            refused.push(refusal(node));
        }
        let target = node.input.get(1).and_then(|name| stated.get(name.as_str()));
        let result = folded_extent(node, &inputs, target.copied());
        folded = folded.saturating_add(result.elements);
        if folded > limit {
            let problem = format!(
                "the constants up to node `{}` fold to more than {limit} elements",
                operators::name(node)
            );
            return Err(ImportError::Malformed { problem });
        }
        constants.extend(node.output.iter().map(|name| (name.as_str(), result.clone())));
    }
    if refused.is_empty() { Ok(()) } else { Err(ImportError::Unsupported(refused)) }
}

fn extent(tensor: &TensorProto) -> Extent {
    let dims: Vec<u64> = tensor.dims.iter().map(|&d| d.unsigned_abs()).collect();
    Extent { elements: product(&dims), dims: Some(dims) }
}

fn product(dims: &[u64]) -> u64 {
    dims.iter().fold(1, |n: u64, &d| n.saturating_mul(d))
}

/// An upper bound of what `node` makes of constants. `second` is its second operand, if the file states it.
fn folded_extent(node: &NodeProto, inputs: &[&Extent], second: Option<&TensorProto>) -> Extent {
    let unknown = |elements| Extent { elements, dims: None };
    match node.op_type.as_str() {
        // Counted where they are used; their length has been checked.
        "Constant" => {
            let value = node.attribute.iter().find_map(|attribute| attribute.t.as_ref());
            value.map_or_else(|| unknown(node.attribute.iter().map(list_len).sum()), extent)
        }
        "Concat" => unknown(inputs.iter().fold(0, |sum: u64, e| sum.saturating_add(e.elements))),
        "Add" | "Sub" | "Mul" | "Div" | "Min" | "Max" => broadcast(inputs),
        // A target shape that is computed could be any.
        "Expand" => second.map_or(unknown(u64::MAX), |shape| {
            let asked =
                shapes::values(shape).iter().fold(1, |n: u64, &d| n.saturating_mul(d.unsigned_abs().max(1)));
            unknown(inputs.first().map_or(0, |e| e.elements.saturating_mul(asked)))
        }),
        // The others have no more elements than their largest operand.
        _ => unknown(inputs.iter().map(|e| e.elements).max().unwrap_or(0)),
    }
}

fn list_len(attribute: &AttributeProto) -> u64 {
    1 + (attribute.ints.len() + attribute.floats.len()) as u64
}

fn broadcast(inputs: &[&Extent]) -> Extent {
    let mut dims: Vec<u64> = Vec::new();
    for input in inputs {
        let Some(own) = &input.dims else {
            // Without shapes: everything with everything.
            let elements = inputs.iter().fold(1, |n: u64, e| n.saturating_mul(e.elements.max(1)));
            return Extent { elements, dims: None };
        };
        if own.len() > dims.len() {
            dims.splice(0..0, vec![1; own.len() - dims.len()]);
        }
        let skip = dims.len() - own.len();
        dims[skip..].iter_mut().zip(own).for_each(|(d, &own)| *d = (*d).max(own));
    }
    Extent { elements: product(&dims), dims: Some(dims) }
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

    /// Thirty nodes that each join a constant with itself would fold to 2^30 elements; an outer sum of two
    /// long vectors to the product of their lengths.
    #[test]
    fn growing_constants_are_refused_and_plain_ones_are_not() {
        let vector = |name: &str, dims: &[i64]| TensorProto {
            name: name.into(),
            dims: dims.to_vec(),
            ..TensorProto::default()
        };
        let names: Vec<String> = (0..31).map(|i| format!("c{i}")).collect();
        let doubled = |i: usize| node("Concat", &[&names[i], &names[i]], &names[i + 1]);
        let chain = GraphProto {
            initializer: vec![vector("c0", &[1])],
            node: (0..30).map(doubled).collect(),
            ..GraphProto::default()
        };
        let order: Vec<usize> = (0..30).collect();
        assert!(matches!(check(&chain, &order), Err(ImportError::Malformed { .. })));
        assert!(check(&chain, &order[..20]).is_ok());
        let mut sum = GraphProto {
            initializer: vec![vector("a", &[1 << 20, 1]), vector("b", &[1, 1 << 20])],
            node: vec![node("Add", &["a", "b"], "y")],
            ..GraphProto::default()
        };
        assert!(matches!(check(&sum, &[0]), Err(ImportError::Malformed { .. })));
        sum.node[0] = node("Add", &["a", "a"], "y");
        assert!(check(&sum, &[0]).is_ok());
    }
}
