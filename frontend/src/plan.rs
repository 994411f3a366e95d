//! The static memory plan: where each tensor lies in the arena, and when its place is free again.

use std::collections::BTreeMap;

use crate::graph::{Graph, TensorId};

/// Places of all tensors that are not constants, in one arena of 4-byte words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// First word of each tensor.
    offsets: BTreeMap<TensorId, usize>,
    /// Tensors that took the place of the operand they are computed from, in place.
    in_place: BTreeMap<TensorId, TensorId>,
    /// Words of the arena.
    pub words: usize,
    /// Words of the largest set of tensors that are alive at once: no plan needs fewer.
    pub lower_bound: usize,
}

/// From the first node that writes a tensor to the last one that reads it, both included.
#[derive(Clone, Copy, Debug)]
struct Lifetime {
    first: usize,
    last: usize,
}

impl Lifetime {
    fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// A place and who needs it: one tensor, or several that follow each other in place.
struct Block {
    members: Vec<TensorId>,
    len: usize,
    lifetime: Lifetime,
}

impl Plan {
    /// Plans `graph`: largest first, each at the lowest place that is free for its lifetime (the
    /// "greedy by size" of Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net
    /// Inference", 2020).
    pub fn new(graph: &Graph) -> Self {
        let lifetimes = lifetimes(graph);
        let in_place = in_place(graph, &lifetimes);
        let mut blocks = blocks(graph, &lifetimes, &in_place);
        // Ties go to the older tensor: the order is total, so the plan depends on the graph alone.
        blocks.sort_by_key(|b| (std::cmp::Reverse(b.len), b.members[0]));
        let mut placed: Vec<(usize, &Block)> = Vec::new();
        let mut offsets = BTreeMap::new();
        for block in &blocks {
            let mut busy: Vec<_> = placed
                .iter()
                .filter(|(_, other)| other.lifetime.overlaps(block.lifetime))
                .map(|(offset, other)| (*offset, offset + other.len))
                .collect();
            busy.sort_unstable();
            let mut offset = 0;
            for (start, end) in busy {
                if offset + block.len <= start {
                    break;
                }
                offset = offset.max(end);
            }
            placed.push((offset, block));
            offsets.extend(block.members.iter().map(|&id| (id, offset)));
        }
        let words = placed.iter().map(|(offset, block)| offset + block.len).max().unwrap_or(0);
        Self { offsets, in_place, words, lower_bound: lower_bound(&blocks, graph.nodes.len()) }
    }

    /// First word of `tensor`; nothing for a constant.
    pub fn offset(&self, tensor: TensorId) -> Option<usize> {
        self.offsets.get(&tensor).copied()
    }

    /// Whether `tensor` is computed in the place of its operand.
    pub fn is_in_place(&self, tensor: TensorId) -> bool {
        self.in_place.contains_key(&tensor)
    }
}

/// Inputs live from before the first node, outputs until after the last one.
fn lifetimes(graph: &Graph) -> BTreeMap<TensorId, Lifetime> {
    let mut lifetimes: BTreeMap<TensorId, Lifetime> = BTreeMap::new();
    let mut touch = |id: TensorId, time: usize| {
        if graph.tensors[id.0].source.is_constant() {
            return;
        }
        let lifetime = lifetimes.entry(id).or_insert(Lifetime { first: time, last: time });
        lifetime.first = lifetime.first.min(time);
        lifetime.last = lifetime.last.max(time);
    };
    graph.inputs.iter().for_each(|port| touch(port.tensor, 0));
    for (index, node) in graph.nodes.iter().enumerate() {
        node.views().for_each(|view| touch(view.tensor, index + 1));
    }
    graph.outputs.iter().for_each(|port| touch(port.tensor, graph.nodes.len() + 1));
    lifetimes
}

/// Results that may take the place of their operand: it is not a constant, the operator allows it, and
/// nobody reads the operand later.
fn in_place(graph: &Graph, lifetimes: &BTreeMap<TensorId, Lifetime>) -> BTreeMap<TensorId, TensorId> {
    let mut in_place = BTreeMap::new();
    for (index, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.op.in_place()) {
        let (operand, result) = (node.inputs[0], node.output);
        let whole = operand == graph.view(operand.tensor) && result == graph.view(result.tensor);
        if whole && lifetimes.get(&operand.tensor).is_some_and(|l| l.last == index + 1) {
            in_place.insert(result.tensor, operand.tensor);
        }
    }
    in_place
}

fn blocks(
    graph: &Graph,
    lifetimes: &BTreeMap<TensorId, Lifetime>,
    in_place: &BTreeMap<TensorId, TensorId>,
) -> Vec<Block> {
    let mut blocks: BTreeMap<TensorId, Block> = BTreeMap::new();
    let root = |mut id: TensorId| {
        while let Some(&operand) = in_place.get(&id) {
            id = operand;
        }
        id
    };
    for (&id, &lifetime) in lifetimes {
        let len = graph.tensors[id.0].len;
        let block = blocks.entry(root(id)).or_insert(Block { members: Vec::new(), len, lifetime });
        block.members.push(id);
        block.lifetime.first = block.lifetime.first.min(lifetime.first);
        block.lifetime.last = block.lifetime.last.max(lifetime.last);
    }
    blocks.into_values().collect()
}

fn lower_bound(blocks: &[Block], nodes: usize) -> usize {
    let alive = |time: usize| {
        blocks.iter().filter(|b| b.lifetime.first <= time && time <= b.lifetime.last).map(|b| b.len).sum()
    };
    (0..=nodes + 1).map(alive).max().unwrap_or(0)
}
