//! The kernels that a node can be, with their shapes. The comments name the operands in the order of a node's inputs.

use opml_kernels::{
    Along, ArgOp, Axis, BinaryOp, BitOp, Byte, CompareOp, Conv2d, Gather, IntegerMatMul, IntegerOp, MatMul,
    Pool2d, ReduceOp, Scatter, Sequences, Slices, TopK, TreeEnsemble, UnaryOp,
};

use crate::graph::Node;

/// What becomes of sums of products of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Results {
    /// They are the result, int32.
    Sums,
    /// Bytes, of which none is below the zero point if they are rectified. Three more operands say how: a bias and multipliers, each one for
    /// all or one for each column or filter, and the zero point.
    Bytes {
        /// Whether there is a ReLU.
        rectified: bool,
    },
}

/// A kernel with its shape. Strides are in elements, one list for each operand, 0 where an operand is repeated.
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
    /// Image of any numbers.
    MaxPool2d(Pool2d),
    /// Image.
    AveragePool2d(Pool2d),
    /// One float32 operand; may work in place.
    Relu,
    /// One float32 operand, the lower and the upper bound; may work in place.
    Clip(f32, f32),
    /// One float32 operand.
    Unary(UnaryOp),
    /// One integer operand.
    UnaryInteger(IntegerOp),
    /// One bool operand.
    Not,
    /// One float32 operand; the result is bool.
    IsNan,
    /// One float32 operand; the result is bool. Which infinities are some: positive ones, negative ones.
    IsInf(bool, bool),
    /// Two operands of a type; dimensions of the result and strides of both.
    Binary(BinaryOp, Vec<usize>, Vec<usize>, Vec<usize>),
    /// The same, of integers or bools.
    Bitwise(BitOp, Vec<usize>, Vec<usize>, Vec<usize>),
    /// The same of any type; the result is bool.
    Compare(CompareOp, Vec<usize>, Vec<usize>, Vec<usize>),
    /// A bool operand and two of a type: where it is 1 the first, else the second.
    Select(Vec<usize>, [Vec<usize>; 3]),
    /// One operand, of another type than the result.
    Cast,
    /// One operand, and whether each element differs from zero.
    CastToBool,
    /// One float32 operand.
    Softmax(Axis),
    /// One float32 operand: the exact sum, rounded once.
    ReduceSum(Axis),
    /// One operand.
    Reduce(ReduceOp, Axis),
    /// One operand; the result is int64. Whether of equals it is the last.
    ArgReduce(ArgOp, bool, Axis),
    /// One operand. Whether an element is left out of its own sum; whether sums begin at the end.
    CumulativeSum(Axis, bool, bool),
    /// One operand; values and their indices, int64.
    TopK(TopK),
    /// One operand; dimensions, its strides and those of the result.
    Copy(Vec<usize>, Vec<usize>, Vec<usize>),
    /// One operand; dimensions, its first element, its strides, which may be negative, and those of the result.
    CopySigned(Vec<usize>, usize, Vec<isize>, Vec<usize>),
    /// One operand, a single element: the whole result is that.
    Fill,
    /// Data, and indices of either integer type.
    Gather(Gather),
    /// Data, and indices of either integer type; dimensions of the indices, and strides of the data.
    GatherElements(Along, Vec<usize>, Vec<usize>),
    /// Data, and indices of either integer type; the indexed dimensions.
    GatherNd(Slices, Vec<usize>),
    /// Data, indices and updates, on a copy of the data; dimensions of the indices, and strides of the data.
    ScatterElements(Scatter, Along, Vec<usize>, Vec<usize>),
    /// Data, indices and updates, on a copy of the data; the indexed dimensions.
    ScatterNd(Scatter, Slices, Vec<usize>),
    /// Data and lengths.
    ReverseSequence(Sequences),
    /// Float32, a scale and perhaps zero points; dimensions and strides of the three.
    Quantize(Vec<usize>, [Vec<usize>; 3]),
    /// Int32 sums, a bias, multipliers and a zero point; whether nothing is below the zero point, dimensions, and strides of the first
    /// three.
    Requantize(bool, Vec<usize>, [Vec<usize>; 3]),
    /// Integers, a scale and perhaps zero points; dimensions and strides of the three.
    Dequantize(Vec<usize>, [Vec<usize>; 3]),
    /// Bytes, and a table with a result for each of the 256.
    Lookup,
    /// Float32; bytes, their scale and their zero point.
    DynamicQuantize,
    /// A, B and their zero points, all of them bytes that are read as said, and what the results want; with scratch.
    IntegerMatMul(IntegerMatMul, [Byte; 2], Results),
    /// A, B as [`opml_kernels::integer::pack`] has it, the zero point of A, and what the results want; with scratch.
    PackedIntegerMatMul(IntegerMatMul, Byte, Results),
    /// Image, weights and their zero points, all of them bytes that are read as said, and what the results want; with scratch.
    IntegerConv2d(Conv2d, [Byte; 2], Results),
    /// Float32, roots, nodes, leaves, members and base values.
    TreeEnsemble(TreeEnsemble),
    /// Nothing of its own: the nodes run `count` times, and views move on by their steps.
    Repeat {
        /// Rounds.
        count: usize,
        /// What runs in each.
        body: Vec<Node>,
    },
}

impl Op {
    /// Whether the result may take the place of the first operand.
    pub fn in_place(&self) -> bool {
        matches!(self, Op::Relu | Op::Clip(..))
    }

    /// Whether its second operand are indices, or lengths: such a kernel ends the program if one is out of range.
    pub(crate) fn takes_indices(&self) -> bool {
        matches!(
            self,
            Op::Gather(_)
                | Op::GatherElements(..)
                | Op::GatherNd(..)
                | Op::ScatterElements(..)
                | Op::ScatterNd(..)
                | Op::ReverseSequence(_)
        )
    }

    /// The kernel's name: `PackedMatMul`, and of one that has several functions also which, `Unary(Exp)`.
    pub fn kernel(&self) -> String {
        match self {
            Op::Unary(_) | Op::UnaryInteger(_) => format!("{self:?}"),
            Op::Binary(op, ..) => format!("Binary({op:?})"),
            Op::Bitwise(op, ..) => format!("Bitwise({op:?})"),
            Op::Compare(op, ..) => format!("Compare({op:?})"),
            Op::Reduce(op, ..) => format!("Reduce({op:?})"),
            Op::ArgReduce(op, ..) => format!("ArgReduce({op:?})"),
            Op::Repeat { count, .. } => format!("Repeat({count})"),
            other => other.variant(),
        }
    }

    /// The kernel's name without its function or shape: `Unary`.
    pub(crate) fn variant(&self) -> String {
        let text = format!("{self:?}");
        text.split(['(', ' ']).next().unwrap_or_default().to_owned()
    }

    /// Products that are summed up, padding included, of one call.
    pub(crate) fn multiply_accumulates(&self) -> u64 {
        match self {
            Op::MatMul(shape) | Op::PackedMatMul(shape) => (shape.m * shape.k * shape.n) as u64,
            Op::IntegerMatMul(shape, ..) | Op::PackedIntegerMatMul(shape, ..) => {
                (shape.m * shape.k * shape.n) as u64
            }
            Op::Conv2d(shape)
            | Op::PackedConv2d(shape)
            | Op::PlanesConv2d(shape)
            | Op::IntegerConv2d(shape, ..) => {
                let taps = shape.input.channels / shape.groups * shape.vertical.size * shape.horizontal.size;
                (shape.output.channels * shape.output.height * shape.output.width * taps) as u64
            }
            _ => 0,
        }
    }
}
