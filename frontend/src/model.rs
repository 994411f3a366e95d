use std::collections::BTreeMap;

use bytes::Bytes;
use opml_abi::Tensor;

use crate::constant::{Constant, Content};
use crate::error::ImportError;
use crate::graph::{self, Graph, Source};
use crate::plan::Plan;
use crate::{emit, onnx, pack, twin};

/// Bytes of a weight that is better not copied.
pub const LARGE: usize = 1 << 20;

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
        Self::from_file(&Bytes::copy_from_slice(bytes), dims, LARGE)
    }

    /// The same, but large weights are not copied out of `file`: those of at least `large` bytes. The model is the same for any `large`; [`LARGE`] is where it begins to matter.
    ///
    /// # Errors
    /// Those of [`from_onnx`](Self::from_onnx).
    pub fn from_file(file: &Bytes, dims: &BTreeMap<String, u32>, large: usize) -> Result<Self, ImportError> {
        let graph = pack::pack(onnx::import(file, dims, large)?);
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
        let content = |source: &Source| match source {
            Source::Constant(values) => Some(Content::Plain(values.clone())),
            Source::Packed(packed) => Some(Content::Packed(packed.clone())),
            Source::Input | Source::Computed => None,
        };
        let constant = |(id, tensor): (_, &graph::Tensor)| {
            Some(Constant { symbol: emit::symbol(id), content: content(&tensor.source)? })
        };
        self.graph.constants().filter_map(constant).collect()
    }

    /// Multiply-accumulates of one inference.
    pub fn multiply_accumulates(&self) -> u64 {
        self.graph.nodes.iter().map(graph::Node::multiply_accumulates).sum()
    }

    /// Runs the model on this machine: the bits that the guest has to reproduce.
    ///
    /// # Errors
    /// Inputs that are not the model's in number, element type or shape.
    pub fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, crate::RunError> {
        twin::run(&self.graph, &self.plan, inputs)
    }
}
