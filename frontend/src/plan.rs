//! The static memory plan: where each tensor lies in the arena, and when its place is free again.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{Graph, Node, Op, TensorId};

/// Places are multiples of this: what the largest element asks for.
const ALIGN: usize = 8;

/// Most tensors whose places are looked for more than a few times.
const MAX_REFINED: usize = 1024;

/// How often they are.
const ROUNDS: usize = 64;

/// Places of all tensors that are not constants, in one arena.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// First byte of each tensor.
    offsets: BTreeMap<TensorId, usize>,
    /// Tensors that took the place of the operand they are computed from, in place.
    in_place: BTreeMap<TensorId, TensorId>,
    /// Bytes of the arena.
    pub bytes: usize,
    /// Bytes of the largest set of tensors that are alive at once: no plan needs fewer.
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
    /// Bytes of the tensor.
    bytes: usize,
    lifetime: Lifetime,
}

impl Block {
    /// Bytes of its place.
    fn room(&self) -> usize {
        self.bytes.next_multiple_of(ALIGN)
    }
}

impl Plan {
    /// Plans `graph`. Each tensor gets the lowest place that is free for its lifetime, in several orders of which the best stays:
    /// by size (the "greedy by size" of Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference",
    /// 2020), by the time of their making, and by how long they live.
    pub fn new(graph: &Graph) -> Self {
        let Lifetimes { alive, in_place, end } = Lifetimes::of(graph);
        let mut blocks = blocks(graph, &alive, &in_place);
        let lower_bound = lower_bound(&blocks, end);
        let mut best: Option<(usize, BTreeMap<TensorId, usize>)> = None;
        // Ties go to the older tensor: each order is total, so the plan depends on the graph alone.
        type Order = fn(&Block) -> (Reverse<usize>, usize, TensorId);
        let orders: [Order; 4] = [
            |b| (Reverse(b.room()), b.lifetime.first, b.members[0]),
            |b| (Reverse(0), b.lifetime.first, b.members[0]),
            |b| (Reverse(b.lifetime.last - b.lifetime.first), b.lifetime.first, b.members[0]),
            |b| (Reverse(b.lifetime.last), b.lifetime.first, b.members[0]),
        ];
        for order in &orders[..if blocks.len() <= MAX_REFINED { orders.len() } else { 1 }] {
            blocks.sort_by_key(*order);
            let (bytes, offsets) = place(&blocks);
            if best.as_ref().is_none_or(|(least, _)| bytes < *least) {
                best = Some((bytes, offsets));
            }
        }
        let (mut bytes, mut offsets) = best.unwrap_or_default();
        // What sticks out at the top is placed first the next time.
        let mut last = offsets.clone();
        for _ in 0..if blocks.len() <= MAX_REFINED { ROUNDS } else { 0 } {
            let top = |block: &Block| last[&block.members[0]] + block.room();
            let highest = (0..blocks.len()).max_by_key(|&i| (top(&blocks[i]), i));
            let Some(highest) = highest.filter(|_| bytes > lower_bound + lower_bound / 64) else { break };
            blocks[..=highest].rotate_right(1);
            let again;
            (again, last) = place(&blocks);
            if again < bytes {
                (bytes, offsets) = (again, last.clone());
            }
        }
        Self { offsets, in_place, bytes, lower_bound }
    }

    /// First byte of `tensor`; nothing for a constant.
    pub fn offset(&self, tensor: TensorId) -> Option<usize> {
        self.offsets.get(&tensor).copied()
    }

    /// Whether `tensor` is computed in the place of its operand.
    pub fn is_in_place(&self, tensor: TensorId) -> bool {
        self.in_place.contains_key(&tensor)
    }
}

/// Gives each block, in this order, the lowest place that is free. Gives the bytes of all, and the places.
fn place(blocks: &[Block]) -> (usize, BTreeMap<TensorId, usize>) {
    let mut placed: Vec<(usize, &Block)> = Vec::new();
    let mut offsets = BTreeMap::new();
    for block in blocks {
        let mut busy: Vec<_> = placed
            .iter()
            .filter(|(_, other)| other.lifetime.overlaps(block.lifetime))
            .map(|(offset, other)| (*offset, offset + other.room()))
            .collect();
        busy.sort_unstable();
        let mut offset = 0;
        for (start, end) in busy {
            if offset + block.room() <= start {
                break;
            }
            offset = offset.max(end);
        }
        placed.push((offset, block));
        offsets.extend(block.members.iter().map(|&id| (id, offset)));
    }
    (placed.iter().map(|(offset, block)| offset + block.room()).max().unwrap_or(0), offsets)
}

/// When a loop runs, and what its nodes touch.
type Loop = (Lifetime, BTreeSet<TensorId>);

/// When tensors are in use. Time counts the calls, those in loops once; inputs live from before the first on, outputs until
/// after the last.
#[derive(Default)]
struct Lifetimes {
    alive: BTreeMap<TensorId, Lifetime>,
    in_place: BTreeMap<TensorId, TensorId>,
    /// The time after the last call.
    end: usize,
}

impl Lifetimes {
    fn of(graph: &Graph) -> Self {
        let mut all = Self::default();
        graph.inputs.iter().for_each(|port| all.touch(graph, port.tensor, 0));
        let mut loops = Vec::new();
        all.end = all.walk(graph, &graph.nodes, 1, &mut loops);
        graph.outputs.iter().for_each(|port| all.touch(graph, port.tensor, all.end));
        // What is in use before or behind a loop is so in all of its rounds.
        for (Lifetime { first, last }, inside) in loops {
            for id in inside {
                if let Some(lifetime) = all.alive.get_mut(&id)
                    && (lifetime.first < first || lifetime.last > last)
                {
                    lifetime.first = lifetime.first.min(first);
                    lifetime.last = lifetime.last.max(last);
                }
            }
        }
        all.find_in_place(graph, &graph.nodes, 1);
        all
    }

    fn touch(&mut self, graph: &Graph, id: TensorId, time: usize) {
        if graph.tensors[id.0].source.is_constant() {
            return;
        }
        let lifetime = self.alive.entry(id).or_insert(Lifetime { first: time, last: time });
        lifetime.first = lifetime.first.min(time);
        lifetime.last = lifetime.last.max(time);
    }

    /// Walks `nodes` from the time `start` on; gives the time behind them. Adds each loop with what is touched in it, inner ones
    /// first.
    fn walk(&mut self, graph: &Graph, nodes: &[Node], start: usize, loops: &mut Vec<Loop>) -> usize {
        let mut time = start;
        for node in nodes {
            if let Op::Repeat { body, .. } = &node.op {
                let end = self.walk(graph, body, time, loops);
                let inside = node.views().iter().map(|view| view.tensor).collect();
                loops.push((Lifetime { first: time, last: end - 1 }, inside));
                time = end;
            } else {
                node.views().iter().for_each(|view| self.touch(graph, view.tensor, time));
                time += 1;
            }
        }
        time
    }

    /// Results that may take the place of their operand: it is not a constant, the operator allows it, and
    /// nobody reads the operand later.
    fn find_in_place(&mut self, graph: &Graph, nodes: &[Node], start: usize) -> usize {
        let mut time = start;
        for node in nodes {
            if let Op::Repeat { body, .. } = &node.op {
                time = self.find_in_place(graph, body, time);
                continue;
            }
            if node.op.in_place() {
                let (operand, result) = (node.inputs[0], node.outputs[0]);
                let whole = operand == graph.view(operand.tensor) && result == graph.view(result.tensor);
                if whole && self.alive.get(&operand.tensor).is_some_and(|l| l.last == time) {
                    self.in_place.insert(result.tensor, operand.tensor);
                }
            }
            time += 1;
        }
        time
    }
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
        let bytes = graph.tensors[id.0].bytes();
        let block = blocks.entry(root(id)).or_insert(Block { members: Vec::new(), bytes, lifetime });
        block.members.push(id);
        block.lifetime.first = block.lifetime.first.min(lifetime.first);
        block.lifetime.last = block.lifetime.last.max(lifetime.last);
    }
    blocks.into_values().collect()
}

fn lower_bound(blocks: &[Block], end: usize) -> usize {
    // What each time adds and takes: a model may have thousands of calls.
    let mut changes = vec![0i64; end + 2];
    for block in blocks {
        changes[block.lifetime.first] += block.bytes as i64;
        changes[block.lifetime.last + 1] -= block.bytes as i64;
    }
    let alive = changes.iter().scan(0, |sum, change| {
        *sum += change;
        Some(*sum)
    });
    alive.max().unwrap_or(0) as usize
}
