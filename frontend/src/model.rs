use std::collections::BTreeMap;

use opml_abi::Tensor;

use crate::error::ImportError;
use crate::graph::{self, Graph, Source};
use crate::plan::Plan;
use crate::{emit, lower, onnx, pack, twin};

/// A weight as the linker sees it.
#[derive(Clone, PartialEq, Debug)]
pub struct Constant {
    /// Its symbol.
    pub symbol: String,
    /// Its elements.
    pub words: Vec<u32>,
}

/// An imported model: the graph, its memory plan, and what they become.
#[derive(Clone, PartialEq, Debug)]
pub struct Model {
    graph: Graph,
    plan: Plan,
}

impl Model {
    /// Imports an ONNX model with the numbers `dims` for its open dimensions.
    ///
    /// # Errors
    /// Anything but a well-formed model of supported operators. All unsupported operators, or all open
    /// dimensions, are named at once.
    pub fn from_onnx(bytes: &[u8], dims: &BTreeMap<String, u32>) -> Result<Self, ImportError> {
        let graph = pack::pack(lower::lower(&onnx::import(bytes, dims)?)?);
        let plan = Plan::new(&graph);
        Ok(Self { graph, plan })
    }

    /// The kernel calls.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The memory plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Source of the guest program. It does not depend on the values of the weights.
    pub fn guest_source(&self) -> String {
        emit::source(&self.graph, &self.plan)
    }

    /// The weights that the source refers to.
    pub fn constants(&self) -> Vec<Constant> {
        let words = |source: &Source| match source {
            Source::Constant(values) => values.iter().map(|v| v.to_bits()).collect(),
            Source::Packed(packed) => packed.words.clone(),
            Source::Input | Source::Computed => Vec::new(),
        };
        let constant = |(id, tensor): (_, &graph::Tensor)| Constant {
            symbol: emit::symbol(id),
            words: words(&tensor.source),
        };
        self.graph.constants().map(constant).collect()
    }

    /// Multiply-accumulates of one inference.
    pub fn multiply_accumulates(&self) -> u64 {
        self.graph.nodes.iter().map(|node| node.op.multiply_accumulates()).sum()
    }

    /// Runs the model on this machine: the bits that the guest has to reproduce.
    ///
    /// # Errors
    /// Inputs that are not the model's in number, element type or shape.
    pub fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, crate::RunError> {
        twin::run(&self.graph, &self.plan, inputs)
    }
}
