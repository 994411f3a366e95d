//! Weights that are known now go into the form that is cheapest at run time.

use std::collections::BTreeMap;

use opml_kernels::{MatMul, packed};

use crate::graph::{Graph, Node, Op, Packed, Source, Tensor, TensorId, View};

/// Steps of a sum of `k` products by the inner loops of packed weights, as the benchmark shows: a tenth more
/// than the loops alone, and what each sum costs once.
fn packed_steps(k: usize) -> usize {
    k.next_multiple_of(8) * 11 / 2 + 100
}

/// The same without, for a vector without zeros.
fn plain_steps(k: usize) -> usize {
    k * 45 + 60
}

/// Steps that make integers of an element of a vector.
const PREPARATION: usize = 35;

/// Whether packed weights take fewer steps for vectors that each make `n` sums of `k` products.
fn pays(k: usize, n: usize) -> bool {
    k <= packed::MAX_K && packed_steps(k) * n + PREPARATION * k < plain_steps(k) * n
}

/// `graph` with the weights of products and convolutions packed where that pays. Which these are depends on shapes alone.
pub(crate) fn pack(mut graph: Graph) -> Graph {
    let mut done = BTreeMap::new();
    let Graph { tensors, nodes, .. } = &mut graph;
    for node in nodes {
        let Some(plan) = Packing::of(tensors, node) else { continue };
        // A batch has a node for each of its items, and all have the same weights.
        let key = (node.inputs[1].tensor, node.inputs[1].offset, plan.k, plan.n, plan.strides);
        let weights = *done.entry(key).or_insert_with(|| {
            let packed = plan.weights(tensors, node.inputs[1]);
            push(tensors, Tensor { len: packed.words.len(), source: Source::Packed(packed) })
        });
        node.inputs[1] = weights;
        node.scratch = Some(push(tensors, Tensor { len: plan.scratch, source: Source::Computed }));
        node.op = plan.op;
    }
    graph.without_unused()
}

fn push(tensors: &mut Vec<Tensor>, tensor: Tensor) -> View {
    let view = View { tensor: TensorId(tensors.len()), offset: 0, len: tensor.len };
    tensors.push(tensor);
    view
}

/// How the weights of a node are packed.
struct Packing {
    op: Op,
    k: usize,
    n: usize,
    /// Distances between the rows that are packed and between their elements.
    strides: [usize; 2],
    scratch: usize,
}

impl Packing {
    fn of(tensors: &[Tensor], node: &Node) -> Option<Self> {
        let packing = match node.op {
            Op::MatMul(shape) => {
                // The strides of B are in the packed form and nowhere else.
                let op = Op::PackedMatMul(MatMul { b_row: 0, b_column: 0, ..shape });
                let strides = [shape.b_column, shape.b_row];
                Self { op, k: shape.k, n: shape.n, strides, scratch: packed::matmul_scratch(&shape) }
            }
            Op::Conv2d(shape) if shape.groups == 1 => {
                let k = node.inputs[1].len / shape.output.channels;
                let (op, strides) = (Op::PackedConv2d(shape), [k, 1]);
                Self { op, k, n: shape.output.channels, strides, scratch: packed::conv2d_scratch(&shape) }
            }
            _ => return None,
        };
        let constant = matches!(tensors[node.inputs[1].tensor.0].source, Source::Constant(_));
        (constant && pays(packing.k, packing.n)).then_some(packing)
    }

    fn weights(&self, tensors: &[Tensor], weights: View) -> Packed {
        let Source::Constant(values) = &tensors[weights.tensor.0].source else {
            unreachable!("only constants are packed")
        };
        let values = &values[weights.offset..][..weights.len];
        let weight = |row, element| values[row * self.strides[0] + element * self.strides[1]];
        let rows = (0..self.n).flat_map(|row| (0..self.k).map(move |element| weight(row, element))).collect();
        Packed { words: packed::pack(self.k, self.n, weight), rows }
    }
}
