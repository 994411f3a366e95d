use std::collections::BTreeMap;

use bytes::Bytes;
use opml_abi::{Tensor, TensorInfo};

use crate::constant::{Constant, Content};
use crate::error::ImportError;
use crate::graph::{self, Graph, Source};
use crate::model_file::ModelFile;
use crate::plan::Plan;
use crate::{emit, fuse, onnx, pack, twin};

/// Bytes of a weight that is better not copied.
pub const LARGE: usize = 1 << 20;

/// What an import is told besides the model's file.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Numbers for the open dimensions, by name.
    pub dims: BTreeMap<String, u32>,
    /// Inputs that are constants from now on, by name. Shapes inside the model may depend on them.
    pub constants: BTreeMap<String, Tensor>,
    /// Bytes from which on a weight is not copied out of its file. The model is the same for any number; [`LARGE`] is where it begins to matter.
    pub large: usize,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self { dims: BTreeMap::new(), constants: BTreeMap::new(), large: LARGE }
    }
}

/// An imported model: the graph, its memory plan, and what they become.
#[derive(Clone, PartialEq, Debug)]
pub struct Model {
    graph: Graph,
    plan: Plan,
}

impl Model {
    /// Imports a model that lies in memory, ONNX or TFLite, with the numbers `dims` for its open dimensions.
    ///
    /// # Errors
    /// Anything but a well-formed model of supported operators. All unsupported operators, or all open
    /// dimensions, are named at once.
    pub fn from_bytes(bytes: &[u8], dims: &BTreeMap<String, u32>) -> Result<Self, ImportError> {
        let file = ModelFile::in_memory(Bytes::copy_from_slice(bytes));
        Self::from_file(&file, &ImportOptions { dims: dims.clone(), ..ImportOptions::default() })
    }

    /// Imports the model in `file`, ONNX or TFLite.
    ///
    /// # Errors
    /// Those of [`from_bytes`](Self::from_bytes), and constants that do not fit.
    pub fn from_file(file: &ModelFile, options: &ImportOptions) -> Result<Self, ImportError> {
        let graph = pack::pack(fuse::fuse(onnx::import(file, options)?));
        let plan = Plan::new(&graph);
        Ok(Self { graph, plan })
    }

    /// What the model in `file` takes, before any of it is made a constant. Its operators are not looked at.
    ///
    /// # Errors
    /// A file that is no well-formed model, or open dimensions that `dims` has no numbers for.
    pub fn inputs(file: &ModelFile, dims: &BTreeMap<String, u32>) -> Result<Vec<TensorInfo>, ImportError> {
        onnx::inputs(file, dims)
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
        self.source_with_calls().0
    }

    /// The same, and its statements that stand for nodes, by their lines.
    pub fn source_with_calls(&self) -> (String, Vec<emit::SourceCall>) {
        emit::source(&self.graph, &self.plan)
    }

    /// Source of a crate `name` whose function `infer` is one inference: a part of a program that somebody writes. Its weights are
    /// [`constants`](Self::constants) under the names [`Constant::owned_by`] gives them.
    pub fn library_source(&self, name: &str) -> String {
        emit::library(&self.graph, &self.plan, name)
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
