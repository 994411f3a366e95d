//! The memory plan, checked without its own notion of lifetimes.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use opml_frontend::Model;
use opml_frontend::graph::{Graph, TensorId, View};

use crate::support::{all_models, import};

/// When each tensor in the arena is needed: from its first write to its last read, in nodes counted
/// from 1; inputs are there from 0 on, and outputs are read after the last node.
fn lifetimes(graph: &Graph) -> BTreeMap<TensorId, RangeInclusive<usize>> {
    let in_arena = (0..graph.tensors.len()).map(TensorId).filter(|id| is_in_arena(graph, *id));
    let lifetime = |id: TensorId| {
        let inputs = graph.inputs.iter().filter(|port| port.tensor == id).map(|_| 0);
        let outputs = graph.outputs.iter().filter(|port| port.tensor == id).map(|_| graph.nodes.len() + 1);
        let touching =
            graph.nodes.iter().enumerate().filter(|(_, node)| node.views().any(|view| view.tensor == id));
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
    let writes = |node: &opml_frontend::graph::Node| {
        node.output.tensor == later && node.inputs[0].tensor == earlier && node.op.in_place()
    };
    model.plan().is_in_place(later)
        && model.graph().nodes.iter().any(writes)
        && lifetimes[&earlier].end() == lifetimes[&later].start()
        && model.plan().offset(earlier) == model.plan().offset(later)
}

#[test]
fn tensors_that_are_needed_at_once_never_overlap() {
    for (name, bytes) in all_models() {
        let model = import(&bytes);
        let lifetimes = lifetimes(model.graph());
        let place = |id: TensorId| {
            let start = model.plan().offset(id).unwrap_or_else(|| panic!("{name}: {id:?} has no place"));
            start..start + model.graph().tensors[id.0].len
        };
        for (&a, a_life) in &lifetimes {
            assert!(place(a).end <= model.plan().words, "{name}: {a:?} leaves the arena");
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

#[test]
fn nothing_is_read_that_something_else_has_written_over() {
    for (name, bytes) in all_models() {
        let model = import(&bytes);
        let graph = model.graph();
        let mut owners: Vec<Option<TensorId>> = vec![None; model.plan().words];
        let words = |view: View| {
            let start = model.plan().offset(view.tensor).unwrap() + view.offset;
            start..start + view.len
        };
        for port in &graph.inputs {
            owners[words(graph.view(port.tensor))].fill(Some(port.tensor));
        }
        for (index, node) in graph.nodes.iter().enumerate() {
            for &input in node.inputs.iter().filter(|view| is_in_arena(graph, view.tensor)) {
                let whole = owners[words(input)].iter().all(|&owner| owner == Some(input.tensor));
                assert!(whole, "{name}: node {index} reads {input:?}, which is not there");
                let (reads, writes) = (words(input), words(node.output));
                let apart = reads.end <= writes.start || writes.end <= reads.start;
                let in_place = model.plan().is_in_place(node.output.tensor) && reads == writes;
                assert!(apart || in_place, "{name}: node {index} writes over what it reads");
            }
            for view in [node.output].into_iter().chain(node.scratch) {
                owners[words(view)].fill(Some(view.tensor));
            }
        }
        for port in &graph.outputs {
            let whole =
                owners[words(graph.view(port.tensor))].iter().all(|&owner| owner == Some(port.tensor));
            assert!(whole, "{name}: output {} is gone at the end", port.name);
        }
    }
}

#[test]
fn the_arena_is_hardly_larger_than_what_is_needed_at_once() {
    for (name, bytes) in all_models() {
        let model = import(&bytes);
        let lifetimes = lifetimes(model.graph());
        let needed = |time: usize| -> usize {
            let alive: Vec<_> =
                lifetimes.iter().filter(|(_, life)| life.contains(&time)).map(|(&id, _)| id).collect();
            let replaced = |&id: &TensorId| {
                alive.iter().any(|&later| later != id && replaces(&model, &lifetimes, id, later))
            };
            alive.iter().filter(|id| !replaced(id)).map(|id| model.graph().tensors[id.0].len).sum()
        };
        let bound = (0..=model.graph().nodes.len() + 1).map(needed).max().unwrap();
        assert_eq!(model.plan().lower_bound, bound, "{name}");
        let words = model.plan().words;
        assert!(words >= bound && 10 * words <= 11 * bound, "{name}: {words} words for {bound}");
    }
}
