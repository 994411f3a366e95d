//! The native twin: the kernel calls of a graph on the host, in the memory plan of the guest. Sums of products take their
//! native form, so that a guest is compared with what was computed in another way.

use std::borrow::Cow;

use opml_abi::{DataType, Tensor};
use opml_kernels::{self as k, MatMul};
use opml_native::{self as native, Level};
use thiserror::Error;

use crate::graph::{Graph, Node, Op, Port, Source, View};
use crate::plan::Plan;

/// Why inputs do not fit the model.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// Too few or too many inputs.
    #[error("the model takes {expected} inputs; {got} were given")]
    Count {
        /// What the model takes.
        expected: usize,
        /// What it got.
        got: usize,
    },
    /// An input of another element type or shape.
    #[error("input `{name}` is float32 {expected:?}; a {dtype} {got:?} was given")]
    Mismatch {
        /// Name of the input.
        name: String,
        /// Its shape.
        expected: Vec<u32>,
        /// The element type that was given.
        dtype: DataType,
        /// The shape that was given.
        got: Vec<u32>,
    },
}

/// Runs `graph` on `inputs`.
pub(crate) fn run(graph: &Graph, plan: &Plan, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError> {
    if inputs.len() != graph.inputs.len() {
        return Err(RunError::Count { expected: graph.inputs.len(), got: inputs.len() });
    }
    let mut arena = Arena { graph, plan, words: vec![0.0; plan.words] };
    for (port, tensor) in graph.inputs.iter().zip(inputs) {
        let values =
            tensor.to_f32().filter(|_| tensor.shape == port.shape).ok_or_else(|| RunError::Mismatch {
                name: port.name.clone(),
                expected: port.shape.clone(),
                dtype: tensor.dtype,
                got: tensor.shape.clone(),
            })?;
        arena.write(graph.view(port.tensor), &values);
    }
    graph.nodes.iter().for_each(|node| arena.execute(node));
    let read = |port: &Port| Tensor::from_f32(&port.shape, &arena.read(graph.view(port.tensor)));
    Ok(graph.outputs.iter().map(read).collect())
}

struct Arena<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    words: Vec<f32>,
}

impl Arena<'_> {
    /// Packed weights are read row by row.
    fn read(&self, view: View) -> Cow<'_, [f32]> {
        let range = view.offset..view.offset + view.len;
        match (&self.graph.tensors[view.tensor.0].source, self.plan.offset(view.tensor)) {
            (Source::Constant(values), _) => values.slice(range),
            (Source::Packed(packed), _) => packed.rows(),
            (_, Some(start)) => Cow::Owned(self.words[start + range.start..start + range.end].to_vec()),
            (_, None) => unreachable!("every tensor that is no constant has a place"),
        }
    }

    fn write(&mut self, view: View, values: &[f32]) {
        let start = self.plan.offset(view.tensor).expect("what is written has a place") + view.offset;
        self.words[start..start + view.len].copy_from_slice(values);
    }

    /// Operands are copied out first, so the borrow checker sees no overlap. The plan's own overlaps,
    /// results over operands that are no longer needed, are there as in the guest.
    fn execute(&mut self, node: &Node) {
        let inputs: Vec<_> = node.inputs.iter().map(|&view| self.read(view)).collect();
        let mut out = self.read(node.output).into_owned();
        let x: &[f32] = &inputs[0];
        let third = inputs.get(2).map(|values| &**values);
        let level = Level::new();
        match &node.op {
            Op::MatMul(shape) => native::matmul(level, shape, x, &inputs[1], third, &mut out),
            Op::PackedMatMul(shape) => {
                let shape = MatMul { b_row: 1, b_column: shape.k, ..*shape };
                native::matmul(level, &shape, x, &inputs[1], third, &mut out);
            }
            Op::Conv2d(shape) | Op::PackedConv2d(shape) | Op::PlanesConv2d(shape) => {
                native::conv2d(level, shape, x, &inputs[1], third, &mut out);
            }
            Op::MaxPool2d(shape) => k::max_pool2d(shape, x, &mut out),
            Op::AveragePool2d(shape) => k::average_pool2d(shape, x, &mut out),
            Op::Relu => k::relu(x, &mut out),
            Op::Clip(low, high) => k::clip(x, *low, *high, &mut out),
            Op::Unary(op) => native::unary(*op, x, &mut out),
            Op::Binary(op, dims, a, b) => k::binary(*op, dims, x, a, &inputs[1], b, &mut out),
            Op::Softmax(axis) => native::softmax(*axis, x, &mut out),
            Op::ReduceSum(axis) => native::reduce_sum(*axis, x, &mut out),
            Op::ReduceMax(axis) => k::reduce_max(*axis, x, &mut out),
            Op::Copy(dims, from, to) => k::copy_strided(dims, x, from, &mut out, to),
        }
        self.write(node.output, &out);
    }
}
