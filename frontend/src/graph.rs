//! The compiler's own graph: kernel calls with static shapes, in execution order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use opml_abi::{DataType, TensorInfo};

pub use crate::constant::Packed;
use crate::elements::Elements;
pub use crate::op::{Op, Results};

/// Index of a tensor in [`Graph::tensors`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TensorId(pub usize);

/// Where a tensor's elements come from.
#[derive(Clone, PartialEq, Debug)]
pub enum Source {
    /// An input of the model.
    Input,
    /// Nodes of the graph.
    Computed,
    /// The image: a weight, or what follows from weights alone.
    Constant(Arc<Elements>),
    /// The image: weights as [`opml_kernels::packed`] has them.
    Packed(Packed),
}

impl Source {
    /// Whether the elements are part of the image.
    pub fn is_constant(&self) -> bool {
        matches!(self, Self::Constant(_) | Self::Packed(_))
    }
}

/// A tensor, row-major without gaps; packed weights; or scratch of a kernel.
#[derive(Clone, PartialEq, Debug)]
pub struct Tensor {
    /// Type of its elements; float32 for packed weights, what they stand for.
    pub dtype: DataType,
    /// Number of elements.
    pub len: usize,
    /// Where they come from.
    pub source: Source,
}

impl Tensor {
    /// Bytes of its elements.
    pub fn bytes(&self) -> usize {
        self.len * self.dtype.size()
    }
}

/// Consecutive elements of a tensor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View {
    /// The tensor.
    pub tensor: TensorId,
    /// First element, in the first round of a loop.
    pub offset: usize,
    /// Number of elements.
    pub len: usize,
    /// How much further the first element is in each round of the innermost loop around the node.
    pub step: isize,
}

impl View {
    /// `len` elements from `offset` on.
    pub fn new(tensor: TensorId, offset: usize, len: usize) -> Self {
        Self { tensor, offset, len, step: 0 }
    }
}

/// One kernel call.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// The model's name for it.
    pub name: String,
    /// The kernel.
    pub op: Op,
    /// What it reads.
    pub inputs: Vec<View>,
    /// What it writes.
    pub outputs: Vec<View>,
    /// What it may use while it runs.
    pub scratch: Option<View>,
}

impl Node {
    /// Everything it touches, loops with all that is in them.
    pub fn views(&self) -> Vec<View> {
        let mut views: Vec<View> =
            self.inputs.iter().chain(&self.outputs).chain(&self.scratch).copied().collect();
        if let Op::Repeat { body, .. } = &self.op {
            views.extend(body.iter().flat_map(Node::views));
        }
        views
    }

    /// Everything it writes, loops with all that is in them.
    pub fn written(&self) -> Vec<View> {
        let mut views = self.outputs.clone();
        if let Op::Repeat { body, .. } = &self.op {
            views.extend(body.iter().flat_map(Node::written));
        }
        views
    }

    fn renumber(&mut self, numbers: &BTreeMap<TensorId, usize>) {
        for view in self.inputs.iter_mut().chain(&mut self.outputs).chain(&mut self.scratch) {
            view.tensor.0 = numbers[&view.tensor];
        }
        if let Op::Repeat { body, .. } = &mut self.op {
            body.iter_mut().for_each(|node| node.renumber(numbers));
        }
    }

    /// How many kernel calls the source has for it.
    pub fn calls(&self) -> usize {
        match &self.op {
            Op::Repeat { body, .. } => body.iter().map(Self::calls).sum(),
            _ => 1,
        }
    }

    /// Products that are summed up, padding included.
    pub fn multiply_accumulates(&self) -> u64 {
        match &self.op {
            Op::Repeat { count, body } => {
                let once: u64 = body.iter().map(Self::multiply_accumulates).sum();
                once.saturating_mul(*count as u64)
            }
            op => op.multiply_accumulates(),
        }
    }
}

/// An input or output of the model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Port {
    /// The model's name for it.
    pub name: String,
    /// Type of the elements.
    pub dtype: DataType,
    /// Dimensions, outermost first.
    pub shape: Vec<u32>,
    /// The tensor behind it.
    pub tensor: TensorId,
}

impl Port {
    /// What crosses the boundary of the program.
    pub fn info(&self) -> TensorInfo {
        TensorInfo { name: self.name.clone(), dtype: self.dtype, shape: self.shape.clone() }
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.shape.iter().map(|&d| d as usize).product()
    }
}

/// A model as kernel calls.
#[derive(Clone, PartialEq, Debug)]
pub struct Graph {
    /// All tensors.
    pub tensors: Vec<Tensor>,
    /// The calls, in execution order.
    pub nodes: Vec<Node>,
    /// What goes in.
    pub inputs: Vec<Port>,
    /// What comes out: no input and no constant is among them, and no tensor is twice.
    pub outputs: Vec<Port>,
}

impl Graph {
    /// The whole of a tensor.
    pub fn view(&self, tensor: TensorId) -> View {
        View::new(tensor, 0, self.tensors[tensor.0].len)
    }

    /// Type of what a view has.
    pub fn dtype(&self, view: View) -> DataType {
        self.tensors[view.tensor.0].dtype
    }

    /// The same graph without the nodes that no output depends on, and without the tensors that nothing refers to, the
    /// others numbered anew in order.
    pub fn without_unused(mut self) -> Self {
        let mut needed: BTreeSet<TensorId> = self.outputs.iter().map(|port| port.tensor).collect();
        let mut nodes = Vec::new();
        for node in std::mem::take(&mut self.nodes).into_iter().rev() {
            if node.written().iter().any(|view| needed.contains(&view.tensor)) {
                // What it writes may be written in parts, so it stays needed before.
                needed.extend(node.views().iter().map(|view| view.tensor));
                nodes.push(node);
            }
        }
        nodes.reverse();
        needed.extend(self.inputs.iter().map(|port| port.tensor));
        let numbers: BTreeMap<_, _> = needed.iter().copied().zip(0..).collect();
        nodes.iter_mut().for_each(|node| node.renumber(&numbers));
        self.nodes = nodes;
        for port in self.inputs.iter_mut().chain(&mut self.outputs) {
            port.tensor.0 = numbers[&port.tensor];
        }
        let tensors = std::mem::take(&mut self.tensors).into_iter().enumerate();
        self.tensors =
            tensors.filter(|(id, _)| needed.contains(&TensorId(*id))).map(|(_, tensor)| tensor).collect();
        self
    }

    /// The constants in the order of their ids, each with its id.
    pub fn constants(&self) -> impl Iterator<Item = (TensorId, &Tensor)> {
        let tensors = (0..).map(TensorId).zip(&self.tensors);
        tensors.filter(|(_, tensor)| tensor.source.is_constant())
    }
}

/// Row-major strides of `shape`.
pub fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}
