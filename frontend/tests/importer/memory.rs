//! The memory plan, checked without its own notion of lifetimes.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use opml_frontend::Model;
use opml_frontend::graph::{Graph, Node, Op, TensorId, View};

use crate::support::{all_models, import};

/// When each tensor in the arena is needed: from its first write to its last read, in nodes counted
/// from 1; inputs are there from 0 on, and outputs are read after the last node.
fn lifetimes(graph: &Graph) -> BTreeMap<TensorId, RangeInclusive<usize>> {
    let in_arena = (0..graph.tensors.len()).map(TensorId).filter(|id| is_in_arena(graph, *id));
    let lifetime = |id: TensorId| {
        let inputs = graph.inputs.iter().filter(|port| port.tensor == id).map(|_| 0);
        let outputs = graph.outputs.iter().filter(|port| port.tensor == id).map(|_| graph.nodes.len() + 1);
        let touching = graph
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.views().iter().any(|view| view.tensor == id));
        let times: Vec<_> = inputs.chain(outputs).chain(touching.map(|(index, _)| index + 1)).collect();
        *times.iter().min().unwrap()..=*times.iter().max().unwrap()
    };
    in_arena.map(|id| (id, lifetime(id))).collect()
}

fn is_in_arena(graph: &Graph, id: TensorId) -> bool {
    !graph.tensors[id.0].source.is_constant()
}

/// Whether `later` is computed in the place of `earlier`: the one overlap that is wanted, and only if
/// the node that writes the one is the last to touch the other.
fn replaces(
    model: &Model,
    lifetimes: &BTreeMap<TensorId, RangeInclusive<usize>>,
    earlier: TensorId,
    later: TensorId,
) -> bool {
    let writes = |node: &Node| {
        node.outputs[0].tensor == later && node.inputs[0].tensor == earlier && node.op.in_place()
    };
    model.plan().is_in_place(later)
        && model.graph().nodes.iter().any(writes)
        && lifetimes[&earlier].end() == lifetimes[&later].start()
        && model.plan().offset(earlier) == model.plan().offset(later)
}

#[test]
fn tensors_that_are_needed_at_once_never_overlap() {
    for (name, model) in without_loops() {
        let lifetimes = lifetimes(model.graph());
        let place = |id: TensorId| {
            let start = model.plan().offset(id).unwrap_or_else(|| panic!("{name}: {id:?} has no place"));
            start..start + model.graph().tensors[id.0].bytes()
        };
        for (&a, a_life) in &lifetimes {
            assert!(place(a).end <= model.plan().bytes, "{name}: {a:?} leaves the arena");
            for (&b, b_life) in lifetimes.range(TensorId(a.0 + 1)..) {
                let at_once = a_life.start() <= b_life.end() && b_life.start() <= a_life.end();
                let apart = place(a).end <= place(b).start || place(b).end <= place(a).start;
                let wanted = replaces(&model, &lifetimes, a, b) || replaces(&model, &lifetimes, b, a);
                assert!(
                    !at_once || apart || wanted,
                    "{name}: {a:?} and {b:?} are at {:?} and {:?}",
                    place(a),
                    place(b)
                );
            }
        }
    }
}

/// The calls as they run.
fn unrolled(nodes: &[Node], round: usize, calls: &mut Vec<Node>) {
    for node in nodes {
        if let Op::Repeat { count, body } = &node.op {
            (0..*count).for_each(|round| unrolled(body, round, calls));
            continue;
        }
        let mut call = node.clone();
        for view in call.inputs.iter_mut().chain(&mut call.outputs) {
            view.offset = view.offset.strict_add_signed(view.step * round as isize);
        }
        calls.push(call);
    }
}

#[test]
fn nothing_is_read_that_something_else_has_written_over() {
    for (name, bytes) in all_models() {
        let model = import(&bytes);
        let graph = model.graph();
        let mut owners: Vec<Option<TensorId>> = vec![None; model.plan().bytes];
        let bytes = |view: View| {
            let size = graph.dtype(view).size();
            let start = model.plan().offset(view.tensor).unwrap() + size * view.offset;
            start..start + size * view.len
        };
        for port in &graph.inputs {
            owners[bytes(graph.view(port.tensor))].fill(Some(port.tensor));
        }
        let mut calls = Vec::new();
        unrolled(&graph.nodes, 0, &mut calls);
        for (index, node) in calls.iter().enumerate() {
            for &input in node.inputs.iter().filter(|view| is_in_arena(graph, view.tensor)) {
                // Rows with gaps: what lies between them need not be there.
                let ours = owners[bytes(input)].iter().all(|&owner| owner == Some(input.tensor));
                assert!(ours, "{name}: call {index} reads {input:?}, which is not there");
                for &output in &node.outputs {
                    let (reads, writes) = (bytes(input), bytes(output));
                    let apart = reads.end <= writes.start || writes.end <= reads.start;
                    let in_place = model.plan().is_in_place(output.tensor) && reads == writes;
                    assert!(apart || in_place, "{name}: call {index} writes over what it reads");
                }
            }
            for &view in node.outputs.iter().chain(&node.scratch) {
                owners[bytes(view)].fill(Some(view.tensor));
            }
        }
        for port in &graph.outputs {
            let whole =
                owners[bytes(graph.view(port.tensor))].iter().all(|&owner| owner == Some(port.tensor));
            assert!(whole, "{name}: output {} is gone at the end", port.name);
        }
    }
}

/// The models whose calls run once each: there a tensor is needed from the first to the last of those that touch it.
fn without_loops() -> Vec<(String, Model)> {
    let is_loop = |node: &Node| matches!(node.op, Op::Repeat { .. });
    let models = all_models().into_iter().map(|(name, bytes)| (name, import(&bytes)));
    let models: Vec<_> = models.filter(|(_, model)| !model.graph().nodes.iter().any(is_loop)).collect();
    assert!(models.len() > 10, "the models have become loops");
    models
}

#[test]
fn the_arena_is_hardly_larger_than_what_is_needed_at_once() {
    for (name, model) in without_loops() {
        let lifetimes = lifetimes(model.graph());
        let needed = |time: usize| -> usize {
            let alive: Vec<_> =
                lifetimes.iter().filter(|(_, life)| life.contains(&time)).map(|(&id, _)| id).collect();
            let replaced = |&id: &TensorId| {
                alive.iter().any(|&later| later != id && replaces(&model, &lifetimes, id, later))
            };
            alive.iter().filter(|id| !replaced(id)).map(|id| model.graph().tensors[id.0].bytes()).sum()
        };
        let bound = (0..=model.graph().nodes.len() + 1).map(needed).max().unwrap();
        assert_eq!(model.plan().lower_bound, bound, "{name}");
    }
    for (name, bytes) in all_models() {
        let model = import(&bytes);
        let (bytes, bound) = (model.plan().bytes, model.plan().lower_bound);
        // Places are multiples of eight bytes.
        let alignment = 8 * model.graph().tensors.len().min(8);
        assert!(bytes >= bound && 10 * bytes <= 11 * bound + alignment, "{name}: {bytes} bytes for {bound}");
    }
}
