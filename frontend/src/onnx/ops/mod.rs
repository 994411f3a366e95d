//! What each ONNX operator becomes: a file for each family, a function for each operator or for several that differ in little.
//!
//! A function gets the node's operands as values and makes calls of them. Operators that the specification defines by others are
//! lowered like that definition.

mod activations;
mod attention;
mod control;
mod einsum;
mod elementwise;
mod indexing;
mod learning;
mod linear;
mod logic;
mod movement;
mod norms;
mod pools;
mod qdq;
mod quantised;
mod recurrent;
mod reductions;
mod resize;
mod shapes;
mod transposed;
mod trees;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use tract_onnx::pb::{GraphProto, NodeProto};

use super::call::Call;
use crate::builder::{Built, Value};
use crate::error::{ImportError, Unsupported};

/// Lowers a node; gives its results in order.
pub(super) type Lower = fn(&mut Call<'_>) -> Built<Vec<Value>>;

/// Names of operators and what lowers them.
type Family = &'static [(&'static str, Lower)];

/// The default domain.
const ONNX: &[Family] = &[
    activations::OPERATORS,
    attention::OPERATORS,
    control::OPERATORS,
    einsum::OPERATORS,
    elementwise::OPERATORS,
    indexing::OPERATORS,
    linear::OPERATORS,
    logic::OPERATORS,
    movement::OPERATORS,
    norms::OPERATORS,
    pools::OPERATORS,
    quantised::OPERATORS,
    recurrent::OPERATORS,
    reductions::OPERATORS,
    resize::OPERATORS,
    shapes::OPERATORS,
    transposed::OPERATORS,
];

/// The domain `ai.onnx.ml`.
const ML: &[Family] = &[learning::OPERATORS];

static ALL: LazyLock<BTreeMap<(&str, &str), Lower>> = LazyLock::new(|| {
    let domains = [("", ONNX), ("ai.onnx.ml", ML)];
    let families = domains.iter().flat_map(|(domain, families)| families.iter().map(move |f| (*domain, *f)));
    families
        .flat_map(|(domain, family)| family.iter().map(move |&(name, lower)| ((domain, name), lower)))
        .collect()
});

/// Domains and names of all operators that have a lowering, sorted.
pub fn supported() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALL.keys().copied()
}

/// What lowers a node.
pub(super) fn find(node: &NodeProto) -> Option<Lower> {
    let domain = if node.domain == "ai.onnx" { "" } else { node.domain.as_str() };
    ALL.get(&(domain, node.op_type.as_str())).copied()
}

/// Refuses a graph with operators that have no lowering, in graphs inside it, too: all of them at once, before anything else
/// is looked at.
pub(super) fn check(graph: &GraphProto) -> Result<(), ImportError> {
    let mut refused = Vec::new();
    collect(graph, &mut refused);
    if refused.is_empty() { Ok(()) } else { Err(ImportError::Unsupported(refused)) }
}

fn collect(graph: &GraphProto, refused: &mut Vec<Unsupported>) {
    for node in &graph.node {
        if find(node).is_none() {
            let own = node.domain.is_empty() || node.domain == "ai.onnx" || node.domain == "ai.onnx.ml";
            let reason = if own { "the operator has no lowering" } else { "an operator of a custom domain" };
            refused.push(Unsupported { operator: operator(node), node: name(node), reason: reason.into() });
        }
        node.attribute.iter().filter_map(|a| a.g.as_ref()).for_each(|inner| collect(inner, refused));
    }
}

/// The operator of a node, with its domain if that is not the default one.
pub(super) fn operator(node: &NodeProto) -> String {
    match node.domain.as_str() {
        "" | "ai.onnx" => node.op_type.clone(),
        domain => format!("{domain}::{}", node.op_type),
    }
}

/// What to call a node: its name, or the output that it makes.
pub(super) fn name(node: &NodeProto) -> String {
    let fallback = || node.output.first().cloned().unwrap_or_default();
    if node.name.is_empty() { fallback() } else { node.name.clone() }
}
