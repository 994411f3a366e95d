//! The compiler's own graph: kernel calls with static shapes, in execution order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use opml_abi::{DataType, TensorInfo};
use opml_kernels::{Axis, BinaryOp, Conv2d, MatMul, Pool2d, UnaryOp};

pub use crate::constant::Packed;
use crate::values::Values;

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
    /// The image: a weight.
    Constant(Arc<Values>),
    /// The image: weights as [`opml_kernels::packed`] has them.
    Packed(Packed),
}

impl Source {
    /// Whether the elements are part of the image.
    pub fn is_constant(&self) -> bool {
        matches!(self, Self::Constant(_) | Self::Packed(_))
    }
}

/// A float32 tensor, row-major without gaps; packed weights; or scratch of a kernel.
#[derive(Clone, PartialEq, Debug)]
pub struct Tensor {
    /// Number of elements, four bytes each.
    pub len: usize,
    /// Where they come from.
    pub source: Source,
}

/// Consecutive elements of a tensor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View {
    /// The tensor.
    pub tensor: TensorId,
    /// First element.
    pub offset: usize,
    /// Number of elements.
    pub len: usize,
}

/// A kernel with its shape. The comment names the operands in the order of [`Node::inputs`].
#[derive(Clone, PartialEq, Debug)]
pub enum Op {
    /// A, B and perhaps a bias.
    MatMul(MatMul),
    /// A, B packed, and perhaps a bias; with scratch.
    PackedMatMul(MatMul),
    /// Image, weights and perhaps a bias.
    Conv2d(Conv2d),
    /// Image, weights packed, and perhaps a bias; with scratch.
    PackedConv2d(Conv2d),
    /// Image, weights and perhaps a bias, with as many groups as input channels; with scratch.
    PlanesConv2d(Conv2d),
    /// Image.
    MaxPool2d(Pool2d),
    /// Image.
    AveragePool2d(Pool2d),
    /// One operand; may work in place.
    Relu,
    /// One operand, the lower and the upper bound; may work in place.
    Clip(f32, f32),
    /// One operand.
    Unary(UnaryOp),
    /// Two operands; dimensions of the result and strides of both.
    Binary(BinaryOp, Vec<usize>, Vec<usize>, Vec<usize>),
    /// One operand.
    Softmax(Axis),
    /// One operand.
    ReduceSum(Axis),
    /// One operand.
    ReduceMax(Axis),
    /// One operand; dimensions, its strides and those of the result.
    Copy(Vec<usize>, Vec<usize>, Vec<usize>),
}

impl Op {
    /// Whether the result may take the place of the first operand.
    pub fn in_place(&self) -> bool {
        matches!(self, Op::Relu | Op::Clip(..))
    }

    /// Products that are summed up, padding included.
    pub fn multiply_accumulates(&self) -> u64 {
        match self {
            Op::MatMul(shape) | Op::PackedMatMul(shape) => (shape.m * shape.k * shape.n) as u64,
            Op::Conv2d(shape) | Op::PackedConv2d(shape) | Op::PlanesConv2d(shape) => {
                let taps = shape.input.channels / shape.groups * shape.vertical.size * shape.horizontal.size;
                (shape.output.channels * shape.output.height * shape.output.width * taps) as u64
            }
            _ => 0,
        }
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
    pub output: View,
    /// What it may use while it runs.
    pub scratch: Option<View>,
}

impl Node {
    /// Everything it touches.
    pub fn views(&self) -> impl Iterator<Item = &View> {
        self.inputs.iter().chain([&self.output]).chain(&self.scratch)
    }
}

/// An input or output of the model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Port {
    /// The model's name for it.
    pub name: String,
    /// Dimensions, outermost first.
    pub shape: Vec<u32>,
    /// The tensor behind it.
    pub tensor: TensorId,
}

impl Port {
    /// What crosses the boundary of the program.
    pub fn info(&self) -> TensorInfo {
        TensorInfo { name: self.name.clone(), dtype: DataType::Float32, shape: self.shape.clone() }
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
    /// What comes out: no input and no constant is among them.
    pub outputs: Vec<Port>,
}

impl Graph {
    /// The whole of a tensor.
    pub fn view(&self, tensor: TensorId) -> View {
        View { tensor, offset: 0, len: self.tensors[tensor.0].len }
    }

    /// The same graph without the tensors that nothing refers to, the others numbered anew in order.
    pub fn without_unused(mut self) -> Self {
        let views = self.nodes.iter().flat_map(Node::views).map(|v| v.tensor);
        let ports = self.inputs.iter().chain(&self.outputs).map(|p| p.tensor);
        let used: BTreeSet<_> = views.chain(ports).collect();
        let numbers: BTreeMap<_, _> = used.iter().copied().zip(0..).collect();
        let renumber = |id: &mut TensorId| id.0 = numbers[id];
        for node in &mut self.nodes {
            let views = node.inputs.iter_mut().chain([&mut node.output]).chain(&mut node.scratch);
            views.for_each(|view| renumber(&mut view.tensor));
        }
        self.inputs.iter_mut().chain(&mut self.outputs).for_each(|port| renumber(&mut port.tensor));
        let tensors = std::mem::take(&mut self.tensors).into_iter().enumerate();
        self.tensors =
            tensors.filter(|(id, _)| used.contains(&TensorId(*id))).map(|(_, tensor)| tensor).collect();
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
