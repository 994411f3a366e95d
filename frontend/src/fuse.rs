//! Sums of products of bytes that nobody wants but who makes bytes of them become bytes at once: the sums are never stored.

use std::collections::BTreeMap;

use opml_kernels::{Conv2d, Image};

use crate::graph::{Graph, Node, Op, Results, Tensor, TensorId, View, strides};

/// How often each tensor is read or written.
type Uses = BTreeMap<TensorId, usize>;

/// `graph` with [`Op::Requantize`] inside the products and convolutions that it makes bytes of.
pub(crate) fn fuse(mut graph: Graph) -> Graph {
    let mut uses = Uses::new();
    let ports = graph.inputs.iter().chain(&graph.outputs).map(|port| port.tensor);
    let views = graph.nodes.iter().flat_map(Node::views).map(|view| view.tensor);
    ports.chain(views).for_each(|tensor| *uses.entry(tensor).or_default() += 1);
    fuse_nodes(&graph.tensors, &mut graph.nodes, &uses);
    graph
}

fn fuse_nodes(tensors: &[Tensor], nodes: &mut Vec<Node>, uses: &Uses) {
    for node in &mut *nodes {
        if let Op::Repeat { body, .. } = &mut node.op {
            fuse_nodes(tensors, body, uses);
        }
    }
    let mut at = 0;
    while at < nodes.len() {
        let Some((maker, fused)) = Fusion::of(tensors, nodes, at, uses) else {
            at += 1;
            continue;
        };
        nodes[at] = fused;
        nodes.remove(maker);
    }
}

/// A product or convolution, and the call that makes bytes of its sums.
struct Fusion<'a> {
    /// Calls of the first, each with its part of the sums.
    count: usize,
    call: &'a Node,
    bytes: &'a Node,
}

impl<'a> Fusion<'a> {
    /// The call `at` and the one that makes its sums as one, with the index of the latter.
    fn of(tensors: &[Tensor], nodes: &'a [Node], at: usize, uses: &Uses) -> Option<(usize, Node)> {
        let bytes = &nodes[at];
        let Op::Requantize(rectified, ref dims, ref steps) = bytes.op else { return None };
        let sums = bytes.inputs[0];
        let whole = sums == View::new(sums.tensor, 0, tensors[sums.tensor.0].len);
        // One call writes them and one reads them.
        if !whole || uses[&sums.tensor] != 2 {
            return None;
        }
        let maker = nodes[..at]
            .iter()
            .rposition(|node| node.written().iter().any(|view| view.tensor == sums.tensor))?;
        let (count, call) = match &nodes[maker].op {
            Op::Repeat { count, body } => match &body[..] {
                [call] => (*count, call),
                _ => return None,
            },
            _ => (1, &nodes[maker]),
        };
        // What it reads is still there.
        let read = |view: &View| call.inputs.iter().any(|input| input.tensor == view.tensor);
        if nodes[maker + 1..at].iter().any(|node| node.written().iter().any(read)) {
            return None;
        }
        let fusion = Self { count, call, bytes };
        let fits = fusion.covers(sums) && fusion.per_column(dims, steps)?;
        fits.then(|| fusion.node(&nodes[maker], rectified)).flatten().map(|node| (maker, node))
    }

    /// Whether the calls write all sums, one part after the other.
    fn covers(&self, sums: View) -> bool {
        let part = self.call.outputs[0];
        let follows = self.count == 1 || part.step == part.len as isize;
        // In a loop of several rounds no other view may move, as it would then move with that loop.
        let still =
            self.count == 1 || self.bytes.inputs.iter().chain(&self.bytes.outputs).all(|v| v.step == 0);
        part.offset == 0 && part.len * self.count == sums.len && follows && still
    }

    /// Whether the sums follow each other, and bias and multipliers are one for all or one for each column.
    fn per_column(&self, dims: &[usize], [sums, bias, multipliers]: &[Vec<usize>; 3]) -> Option<bool> {
        let (columns, inner) = match &self.call.op {
            Op::IntegerMatMul(shape, _, Results::Sums) => (shape.n, 1),
            Op::IntegerConv2d(Conv2d { output, .. }, _, Results::Sums) => {
                let Image { channels, height, width, .. } = *output;
                if *output != Image::planes(channels, height, width) {
                    return None;
                }
                (channels, height * width)
            }
            _ => return None,
        };
        let dense = strides(dims);
        let fits = |steps: &[usize], len: usize| {
            let moving: Vec<_> =
                (0..dims.len()).filter(|&axis| steps[axis] != 0 && dims[axis] != 1).collect();
            match moving[..] {
                [] => len == 1,
                [axis] => steps[axis] == 1 && dims[axis] == columns && dense[axis] == inner && len == columns,
                _ => false,
            }
        };
        let lens = [1, 2].map(|input| self.bytes.inputs[input].len);
        Some(*sums == dense && fits(bias, lens[0]) && fits(multipliers, lens[1]))
    }

    /// Both as one call, or as a loop of them like `maker`.
    fn node(&self, maker: &Node, rectified: bool) -> Option<Node> {
        let results = Results::Bytes { rectified };
        let op = match &self.call.op {
            Op::IntegerMatMul(shape, bytes, _) => Op::IntegerMatMul(*shape, *bytes, results),
            Op::IntegerConv2d(shape, bytes, _) => Op::IntegerConv2d(*shape, *bytes, results),
            _ => return None,
        };
        let mut call = self.call.clone();
        call.op = op;
        call.inputs.extend(&self.bytes.inputs[1..]);
        call.outputs.clone_from(&self.bytes.outputs);
        if self.count == 1 {
            return Some(call);
        }
        let part = &mut call.outputs[0];
        part.len /= self.count;
        part.step = part.len as isize;
        Some(Node { op: Op::Repeat { count: self.count, body: vec![call] }, ..maker.clone() })
    }
}
