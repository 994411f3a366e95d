//! The names of a graph and the values behind them.

use std::collections::BTreeMap;

use tract_onnx::pb::{GraphProto, NodeProto};

use super::call::Call;
use super::{ops, structure, tensors};
use crate::builder::{Builder, Built, Value};
use crate::error::{ImportError, Unsupported};
use crate::graph::TensorId;

/// Graphs inside graphs inside graphs: deeper ones are refused.
const MAX_DEPTH: usize = 8;

/// The names that nodes of a graph may read: its own, and those of the graphs around it.
pub(super) struct Scope<'a> {
    values: BTreeMap<String, Value>,
    /// How many names the elements of a tensor have.
    names: BTreeMap<TensorId, usize>,
    /// How many nodes and outputs of this graph read each name. Those of inner graphs count twice, so that what they read is not fused.
    uses: BTreeMap<String, usize>,
    outer: Option<&'a Scope<'a>>,
    depth: usize,
    /// Version of the default operator set.
    pub opset: i64,
}

impl<'a> Scope<'a> {
    pub fn new(graph: &GraphProto, opset: i64) -> Self {
        let mut uses = BTreeMap::new();
        count_uses(graph, 1, &mut uses);
        Self { values: BTreeMap::new(), names: BTreeMap::new(), uses, outer: None, depth: 0, opset }
    }

    /// The scope of a graph inside this one.
    ///
    /// # Errors
    /// One that is too deep inside others.
    pub fn inner(&'a self, graph: &GraphProto) -> Built<Scope<'a>> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH {
            return Err(format!("graphs are more than {MAX_DEPTH} deep inside each other"));
        }
        Ok(Scope { outer: Some(self), depth, ..Self::new(graph, self.opset) })
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).or_else(|| self.outer?.get(name))
    }

    /// Gives a name to a value.
    pub fn bind(&mut self, name: &str, value: Value) {
        *self.names.entry(value.tensor).or_default() += 1;
        self.values.insert(name.to_owned(), value);
    }

    /// Whether a node that reads `name` is the only one to see these elements.
    pub fn is_read_once(&self, name: &str) -> bool {
        let Some(value) = self.values.get(name) else { return false };
        self.names.get(&value.tensor) == Some(&1) && self.uses.get(name) == Some(&1)
    }

    /// Lowers the nodes of `graph` in the order `order`.
    ///
    /// # Errors
    /// All nodes at once that cannot be.
    pub fn run(
        &mut self,
        builder: &mut Builder,
        graph: &GraphProto,
        order: &[usize],
    ) -> Result<(), ImportError> {
        let mut refused = Vec::new();
        for node in order.iter().map(|&index| &graph.node[index]) {
            let name = ops::name(node);
            // What depends on a node that was refused is not looked at.
            let known = |input: &&String| input.is_empty() || self.get(input).is_some();
            if !node.input.iter().all(|input| known(&input)) {
                continue;
            }
            builder.begin(&name);
            match self.node(builder, node) {
                Ok(values) => {
                    for (output, value) in node.output.iter().zip(values).filter(|(o, _)| !o.is_empty()) {
                        self.bind(output, value);
                    }
                }
                Err(reason) => {
                    refused.push(Unsupported { operator: ops::operator(node), node: name, reason });
                }
            }
        }
        if refused.is_empty() { Ok(()) } else { Err(ImportError::Unsupported(refused)) }
    }

    fn node(&self, builder: &mut Builder, node: &NodeProto) -> Built<Vec<Value>> {
        let lower = ops::find(node).ok_or("the operator has no lowering")?;
        let inputs =
            node.input.iter().map(|name| self.get(name).filter(|_| !name.is_empty()).cloned()).collect();
        let mut call = Call::new(builder, node, inputs, self);
        let values = lower(&mut call)?;
        let wanted = node.output.iter().rposition(|output| !output.is_empty()).map_or(0, |last| last + 1);
        if values.len() < wanted {
            return Err(format!("{wanted} results are asked for; {} can be had", values.len()));
        }
        Ok(values)
    }

    /// Lowers a graph inside this one, with `inputs` for its inputs. Gives its outputs.
    ///
    /// # Errors
    /// A graph that cannot be.
    pub fn subgraph(&self, builder: &mut Builder, graph: &GraphProto, inputs: &[Value]) -> Built<Vec<Value>> {
        if graph.input.len() != inputs.len() {
            return Err(format!("its graph has {} inputs; {} are given", graph.input.len(), inputs.len()));
        }
        let mut scope = self.inner(graph)?;
        for tensor in &graph.initializer {
            let constant = tensors::constant(builder, tensor, None)?;
            scope.bind(&tensor.name, constant);
        }
        for (input, value) in graph.input.iter().zip(inputs) {
            scope.bind(&input.name, value.clone());
        }
        let order = structure::execution_order(graph).map_err(|e| e.to_string())?;
        scope.run(builder, graph, &order).map_err(|e| e.to_string())?;
        let value = |name: &str| scope.get(name).cloned().ok_or_else(|| format!("nothing makes `{name}`"));
        graph.output.iter().map(|output| value(&output.name)).collect()
    }
}

fn count_uses(graph: &GraphProto, weight: usize, uses: &mut BTreeMap<String, usize>) {
    let mut count = |name: &String| *uses.entry(name.clone()).or_default() += weight;
    graph.output.iter().for_each(|output| count(&output.name));
    graph.node.iter().flat_map(|node| &node.input).for_each(count);
    for inner in graph.node.iter().flat_map(|node| &node.attribute).filter_map(|a| a.g.as_ref()) {
        count_uses(inner, 2, uses);
    }
}
