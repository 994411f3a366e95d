//! The native twin: the kernel calls of a graph on the host, in the memory plan of the guest. Sums of products take their
//! native form, so that a guest is compared with what was computed in another way.

use opml_abi::{DataType, Tensor};
use thiserror::Error;

use crate::elements::{Slice, with_type};
use crate::eval::execute;
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
    #[error("input `{name}` is {expected_dtype} {expected:?}; a {dtype} {got:?} was given")]
    Mismatch {
        /// Name of the input.
        name: String,
        /// Its element type.
        expected_dtype: DataType,
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
    let mut arena = Arena { graph, plan, words: vec![0; plan.bytes.div_ceil(8)] };
    for (port, tensor) in graph.inputs.iter().zip(inputs) {
        if tensor.shape != port.shape || tensor.dtype != port.dtype {
            return Err(RunError::Mismatch {
                name: port.name.clone(),
                expected_dtype: port.dtype,
                expected: port.shape.clone(),
                dtype: tensor.dtype,
                got: tensor.shape.clone(),
            });
        }
        arena.write(graph.view(port.tensor), &Slice::of_tensor(tensor));
    }
    arena.run(&graph.nodes, 0);
    let read = |port: &Port| Tensor {
        dtype: port.dtype,
        shape: port.shape.clone(),
        data: arena.read(graph.view(port.tensor)).to_bytes(),
    };
    Ok(graph.outputs.iter().map(read).collect())
}

/// The guest's arena, its elements in this machine's byte order.
struct Arena<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    words: Vec<u64>,
}

impl Arena<'_> {
    /// Runs `nodes` in round `round` of the loop around them.
    fn run(&mut self, nodes: &[Node], round: usize) {
        for node in nodes {
            match &node.op {
                Op::Repeat { count, body } => (0..*count).for_each(|round| self.run(body, round)),
                _ => self.execute(node, round),
            }
        }
    }

    /// Operands are copied out first, so the borrow checker sees no overlap. The plan's own overlaps,
    /// results over operands that are no longer needed, are there as in the guest.
    fn execute(&mut self, node: &Node, round: usize) {
        let at = |view: &View| View {
            offset: view.offset.wrapping_add_signed(round as isize * view.step),
            ..*view
        };
        let inputs: Vec<_> = node.inputs.iter().map(|view| self.read(at(view))).collect();
        let mut outputs: Vec<_> = node.outputs.iter().map(|view| self.read_owned(at(view))).collect();
        execute(&node.op, &inputs, &mut outputs);
        drop(inputs);
        node.outputs.iter().zip(&outputs).for_each(|(view, values)| self.write(at(view), values));
    }

    /// Packed weights are read row by row.
    fn read(&self, view: View) -> Slice<'_> {
        let range = view.offset..view.offset + view.len;
        match &self.graph.tensors[view.tensor.0].source {
            Source::Constant(values) => values.slice(range),
            Source::Packed(packed) => Slice::F32(packed.rows()),
            Source::Input | Source::Computed => self.read_owned(view),
        }
    }

    fn read_owned(&self, view: View) -> Slice<'static> {
        let dtype = self.graph.dtype(view);
        let mut values = Slice::zeros(dtype, view.len);
        let start = self.place(view);
        with_type!(dtype, T => {
            let bytes: &[u8] = &bytemuck::cast_slice(&self.words)[start..start + view.len * size_of::<T>()];
            values.get_mut::<T>().copy_from_slice(bytemuck::cast_slice(bytes));
        });
        values
    }

    fn write(&mut self, view: View, values: &Slice<'_>) {
        let start = self.place(view);
        with_type!(values.dtype(), T => {
            let bytes: &[u8] = bytemuck::cast_slice(values.get::<T>());
            let all: &mut [u8] = bytemuck::cast_slice_mut(&mut self.words);
            all[start..start + bytes.len()].copy_from_slice(bytes);
        });
    }

    /// First byte of a view.
    fn place(&self, view: View) -> usize {
        let start = self.plan.offset(view.tensor).expect("what is no constant has a place");
        start + view.offset * self.graph.dtype(view).size()
    }
}
