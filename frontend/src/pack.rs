//! Products and convolutions get the kernel that is cheapest at run time, and weights that are known now its form.

use std::collections::BTreeMap;
use std::sync::Arc;

use opml_abi::DataType;
use opml_kernels::integer::{self, MAX_K};
use opml_kernels::{
    Byte, ByteMatrix, Conv2d, IntegerMatMul, MatMul, integer_conv_scratch, integer_scratch, packed,
    planes_scratch, planes_take,
};

use crate::elements::Elements;
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

/// Steps of a convolution on planes of integers, as the benchmark shows: what is done for each element of the image, for each
/// filter, and for each sum and its products, which are cheaper where the kernel has assembly for the window.
fn planes_steps(shape: &Conv2d) -> usize {
    let size = [shape.vertical.size, shape.horizontal.size];
    let a_product = if matches!(size, [3, 3] | [5, 5]) && shape.output.width >= 4 { 7 } else { 16 };
    let taps = size[0] * size[1];
    let elements = shape.input.channels * shape.input.height * shape.input.width;
    let sums = shape.output.height * shape.output.width;
    24 * elements + shape.output.channels * (60 * taps + 600 + sums * (a_product * taps + 35))
}

/// Whether planes of integers take fewer steps than the other kernels.
fn planes_pay(shape: &Conv2d) -> bool {
    if !planes_take(shape) {
        return false;
    }
    let (k, n) = (shape.vertical.size * shape.horizontal.size, shape.output.channels);
    let others = if shape.groups == 1 {
        plain_steps(k).min(packed_steps(k) + PREPARATION * k / n.max(1))
    } else {
        plain_steps(k)
    };
    planes_steps(shape) < others * shape.output.height * shape.output.width * n
}

/// Whether packed weights take fewer steps for vectors that each make `n` sums of `k` products.
fn pays(k: usize, n: usize) -> bool {
    k <= packed::MAX_K && packed_steps(k) * n + PREPARATION * k < plain_steps(k) * n
}

/// `graph` with the weights of products and convolutions packed, and depthwise convolutions on planes of integers, where that
/// pays. Which these are depends on shapes alone.
pub(crate) fn pack(mut graph: Graph) -> Graph {
    let Graph { tensors, nodes, .. } = &mut graph;
    pack_nodes(tensors, nodes, &mut BTreeMap::new());
    graph.without_unused()
}

/// Weights by their place and shape: several nodes may have the same.
type Done = BTreeMap<(TensorId, usize, usize, usize), View>;

fn pack_nodes(tensors: &mut Vec<Tensor>, nodes: &mut [Node], done: &mut Done) {
    for node in nodes {
        if let Op::Repeat { body, .. } = &mut node.op {
            pack_nodes(tensors, body, done);
            continue;
        }
        if let Op::Conv2d(shape) = node.op
            && planes_pay(&shape)
        {
            node.scratch = Some(push(tensors, scratch(planes_scratch(&shape))));
            node.op = Op::PlanesConv2d(shape);
            continue;
        }
        if let Op::IntegerConv2d(shape, ..) = node.op {
            node.scratch = Some(push(tensors, scratch(integer_conv_scratch(&shape))));
            continue;
        }
        if let Op::IntegerMatMul(shape, bytes, results) = node.op {
            if let Some(words) = packed_bytes(tensors, node, &shape, bytes[1]) {
                node.inputs[1] = push(tensors, words);
                node.inputs.remove(3);
                node.op = Op::PackedIntegerMatMul(shape, bytes[0], results);
            }
            node.scratch = Some(push(tensors, scratch(integer_scratch(&shape))));
            continue;
        }
        let Some(plan) = Packing::of(tensors, node) else { continue };
        // A batch has a node for each of its items, and all have the same weights.
        let key = (node.inputs[1].tensor, node.inputs[1].offset, plan.k, plan.n);
        let weights = *done.entry(key).or_insert_with(|| {
            let packed = plan.weights(tensors, node.inputs[1]);
            let (dtype, len) = (DataType::Float32, node.inputs[1].len);
            push(tensors, Tensor { dtype, len, source: Source::Packed(packed) })
        });
        node.inputs[1] = weights;
        node.scratch = Some(push(tensors, scratch(plan.scratch)));
        node.op = plan.op;
    }
}

fn push(tensors: &mut Vec<Tensor>, tensor: Tensor) -> View {
    let view = View::new(TensorId(tensors.len()), 0, tensor.len);
    tensors.push(tensor);
    view
}

/// B with its zero points as integer products take them, if both are known.
fn packed_bytes(tensors: &[Tensor], node: &Node, shape: &IntegerMatMul, byte: Byte) -> Option<Tensor> {
    let known = |view: View| match &tensors[view.tensor.0].source {
        Source::Constant(elements) if view.step == 0 => {
            Some(elements.slice(view.offset..view.offset + view.len))
        }
        _ => None,
    };
    let (bytes, zero) = (known(node.inputs[1])?, known(node.inputs[3])?);
    if shape.k > MAX_K {
        return None;
    }
    let matrix = ByteMatrix { bytes: bytes.bytes(), byte, zero: zero.bytes() };
    let words = integer::pack(shape.k, shape.n, &matrix);
    let len = words.len();
    let source = Source::Constant(Arc::new(Elements::Words(words)));
    Some(Tensor { dtype: DataType::Int32, len, source })
}

/// Words that a kernel may use.
fn scratch(len: usize) -> Tensor {
    Tensor { dtype: DataType::Int32, len, source: Source::Computed }
}

/// How the weights of a node are packed.
struct Packing {
    op: Op,
    k: usize,
    n: usize,
    scratch: usize,
}

impl Packing {
    fn of(tensors: &[Tensor], node: &Node) -> Option<Self> {
        let packing = match node.op {
            // Rows that follow each other are packed, which is how lowering leaves B.
            Op::MatMul(shape) if (shape.b_row, shape.b_column) == (1, shape.k) => {
                // The strides of B are in the packed form and nowhere else.
                let op = Op::PackedMatMul(MatMul { b_row: 0, b_column: 0, ..shape });
                Self { op, k: shape.k, n: shape.n, scratch: packed::matmul_scratch(&shape) }
            }
            Op::Conv2d(shape) if shape.groups == 1 => {
                let k = node.inputs[1].len / shape.output.channels;
                let op = Op::PackedConv2d(shape);
                Self { op, k, n: shape.output.channels, scratch: packed::conv2d_scratch(&shape) }
            }
            _ => return None,
        };
        // In a loop with other weights in each round they stay as they are.
        let constant = matches!(tensors[node.inputs[1].tensor.0].source, Source::Constant(_))
            && node.inputs[1].step == 0;
        (constant && pays(packing.k, packing.n)).then_some(packing)
    }

    fn weights(&self, tensors: &[Tensor], weights: View) -> Packed {
        let Source::Constant(elements) = &tensors[weights.tensor.0].source else {
            unreachable!("only constants are packed")
        };
        Packed { elements: elements.clone(), offset: weights.offset, k: self.k, n: self.n }
    }
}
