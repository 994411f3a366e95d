//! Ensembles of trees: their three encodings become one list of nodes, each before its children.

use std::collections::BTreeMap;

use opml_abi::DataType;
use opml_kernels::{Aggregate, Branch, TreeEnsemble, trees};

use super::Call;
use super::learning::{classes, labels, post_transform, rows, two_classes};
use crate::builder::{Built, Value};
use crate::elements::{Elements, Slice};
use crate::graph::Op;

/// A target and what a leaf gives it.
type Entry = (usize, f32);

/// What a node of an encoding says; children are numbers in the same encoding.
enum Node {
    Branch { ask: Branch, missing: bool, feature: usize, threshold: f32, children: [usize; 2] },
    Member { missing: bool, feature: usize, members: Vec<f32>, children: [usize; 2] },
    Leaf(Vec<Entry>),
}

/// The kernel's arrays.
#[derive(Default)]
struct Arrays {
    roots: Vec<u32>,
    nodes: Vec<u32>,
    leaves: Vec<u32>,
    members: Vec<f32>,
}

impl Arrays {
    /// Writes trees with these roots. A node that two parents have is written twice; `limit` bounds how often that may be.
    fn new(roots: &[usize], nodes: &[Node], limit: usize) -> Built<Self> {
        let mut arrays = Self::default();
        let mut written = 0u32;
        for &root in roots {
            arrays.roots.push(written);
            // Nodes that wait, each with the place of its number in its parent.
            let mut waiting = vec![(root, None)];
            while let Some((number, place)) = waiting.pop() {
                if written as usize >= limit {
                    return Err("its nodes form a circle".into());
                }
                if let Some(place) = place {
                    arrays.nodes[place] = written;
                }
                let node = nodes.get(number).ok_or_else(|| format!("node {number} is missing"))?;
                let at = arrays.nodes.len();
                let words = arrays.words(node);
                arrays.nodes.extend(words);
                if let Node::Branch { children, .. } | Node::Member { children, .. } = node {
                    let [yes, no] = *children;
                    waiting.extend([(no, Some(at + 5)), (yes, Some(at + 4))]);
                }
                written += 1;
            }
        }
        Ok(arrays)
    }

    fn words(&mut self, node: &Node) -> [u32; trees::NODE_WORDS] {
        match node {
            Node::Branch { ask, missing, feature, threshold, .. } => {
                trees::branch(*ask, *missing, *feature as u32, *threshold, 0, 0)
            }
            Node::Member { missing, feature, members, .. } => {
                let start = self.members.len() as u32;
                self.members.extend(members);
                trees::member(*missing, *feature as u32, start, members.len() as u32, 0, 0)
            }
            Node::Leaf(entries) => {
                let start = (self.leaves.len() / trees::LEAF_WORDS) as u32;
                self.leaves
                    .extend(entries.iter().flat_map(|&(target, weight)| [target as u32, weight.to_bits()]));
                trees::leaf(start, entries.len() as u32)
            }
        }
    }
}

/// Appends the kernel's call on rows of features.
fn call_trees(
    call: &mut Call<'_>,
    roots: &[usize],
    nodes: &[Node],
    targets: usize,
    aggregate: Aggregate,
    base: Vec<f32>,
) -> Built {
    let x = rows(call)?;
    let x = call.b.dense(&x)?;
    let (count, features) = (x.shape[0], x.shape[1]);
    let outside = |node: &Node| match node {
        Node::Branch { feature, .. } | Node::Member { feature, .. } => *feature >= features,
        Node::Leaf(entries) => entries.iter().any(|&(target, _)| target >= targets),
    };
    if nodes.iter().any(outside) || targets == 0 {
        return Err(format!("it reads more than {features} features, or gives more than {targets} targets"));
    }
    if !base.is_empty() && base.len() != targets {
        return Err(format!("{} base values for {targets} targets", base.len()));
    }
    let arrays = Arrays::new(roots, nodes, 2 * nodes.len() + roots.len())?;
    let words =
        |call: &mut Call<'_>, words: Vec<u32>| call.b.constant(&[words.len()], Elements::Words(words));
    let operands = [
        words(call, arrays.roots),
        words(call, arrays.nodes),
        words(call, arrays.leaves),
        call.b.floats(&[arrays.members.len()], arrays.members),
        call.b.floats(&[base.len()], base),
    ];
    let op = Op::TreeEnsemble(TreeEnsemble { rows: count, features, targets, aggregate });
    let inputs: Vec<&Value> = [&x].into_iter().chain(&operands).collect();
    call.b.call(op, &inputs, DataType::Float32, &[count, targets])
}

fn branch_of(mode: &str) -> Built<Branch> {
    Ok(match mode {
        "BRANCH_LEQ" => Branch::LessOrEqual,
        "BRANCH_LT" => Branch::Less,
        "BRANCH_GTE" => Branch::GreaterOrEqual,
        "BRANCH_GT" => Branch::Greater,
        "BRANCH_EQ" => Branch::Equal,
        "BRANCH_NEQ" => Branch::NotEqual,
        other => return Err(format!("a node of the kind {other}")),
    })
}

fn numbers(values: &[i64]) -> Built<Vec<usize>> {
    values.iter().map(|&value| usize::try_from(value).map_err(|_| format!("the number {value}"))).collect()
}

/// Nodes of the encoding before `ai.onnx.ml` 5: a list of all nodes, and one of what leaves give. `prefix` is that of the second.
fn old_encoding(call: &Call<'_>, prefix: &str) -> Built<(Vec<usize>, Vec<Node>)> {
    for name in ["nodes_values_as_tensor", "base_values_as_tensor"] {
        if call.attribute(name).is_some() {
            return Err("its numbers are float64".into());
        }
    }
    let list = |name: &str| numbers(&call.ints(name).unwrap_or_default());
    let (tree_ids, node_ids, features) =
        (list("nodes_treeids")?, list("nodes_nodeids")?, list("nodes_featureids")?);
    let (yes, no) = (list("nodes_truenodeids")?, list("nodes_falsenodeids")?);
    let modes = call.texts("nodes_modes").unwrap_or_default();
    let values = call.floats("nodes_values").unwrap_or_default();
    let missing = call.ints("nodes_missing_value_tracks_true").unwrap_or_default();
    let count = tree_ids.len();
    if [node_ids.len(), features.len(), yes.len(), no.len(), modes.len(), values.len()] != [count; 6] {
        return Err("its lists of nodes are not equally long".into());
    }
    let places: BTreeMap<(usize, usize), usize> =
        (0..count).map(|i| ((tree_ids[i], node_ids[i]), i)).collect();
    let mut entries: BTreeMap<usize, Vec<Entry>> = BTreeMap::new();
    let of = |name: &str| list(&format!("{prefix}_{name}"));
    let (trees, ids, targets) = (of("treeids")?, of("nodeids")?, of("ids")?);
    let weights = call.floats(&format!("{prefix}_weights")).unwrap_or_default();
    if [ids.len(), targets.len(), weights.len()] != [trees.len(); 3] {
        return Err("its lists of leaves are not equally long".into());
    }
    for i in 0..trees.len() {
        let place = places.get(&(trees[i], ids[i])).ok_or("a weight of a node that is missing")?;
        entries.entry(*place).or_default().push((targets[i], weights[i]));
    }
    let mut nodes = Vec::with_capacity(count);
    for i in 0..count {
        let child = |id: usize| places.get(&(tree_ids[i], id)).copied().ok_or("a child that is missing");
        nodes.push(match modes[i].as_str() {
            "LEAF" => Node::Leaf(entries.remove(&i).unwrap_or_default()),
            mode => Node::Branch {
                ask: branch_of(mode)?,
                missing: missing.get(i) == Some(&1),
                feature: features[i],
                threshold: values[i],
                children: [child(yes[i])?, child(no[i])?],
            },
        });
    }
    // The first node of each tree that is listed.
    let mut roots: Vec<usize> = Vec::new();
    for i in 0..count {
        if i == 0 || tree_ids[i] != tree_ids[i - 1] {
            roots.push(i);
        }
    }
    Ok((roots, nodes))
}

fn aggregate(call: &Call<'_>) -> Built<Aggregate> {
    Ok(match call.text("aggregate_function", "SUM").as_str() {
        "SUM" => Aggregate::Sum,
        "AVERAGE" => Aggregate::Average,
        "MIN" => Aggregate::Min,
        "MAX" => Aggregate::Max,
        other => return Err(format!("the aggregate_function {other}")),
    })
}

pub(super) fn regressor(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (roots, nodes) = old_encoding(call, "target")?;
    let targets = usize::try_from(call.int("n_targets", 1)).unwrap_or(0);
    let base = call.floats("base_values").unwrap_or_default();
    let out = call_trees(call, &roots, &nodes, targets, aggregate(call)?, base)?;
    Ok(vec![post_transform(call, &out)?])
}

pub(super) fn classifier(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let labels = labels(call, "classlabels_int64s")?;
    let (roots, mut nodes) = old_encoding(call, "class")?;
    let base = call.floats("base_values").unwrap_or_default();
    let entries =
        || nodes.iter().flat_map(|node| if let Node::Leaf(entries) = node { &entries[..] } else { &[] });
    let first = entries().next().map(|&(target, _)| target);
    let single = labels.len() == 2 && base.len() <= 1 && entries().all(|&(target, _)| Some(target) == first);
    if !single {
        let out = call_trees(call, &roots, &nodes, labels.len(), Aggregate::Sum, base)?;
        return classes(call, &out, &labels);
    }
    // Two classes with one score: it is that of the second.
    let share = entries().all(|&(_, weight)| weight >= 0.0);
    for node in &mut nodes {
        if let Node::Leaf(entries) = node {
            entries.iter_mut().for_each(|entry| entry.0 = 0);
        }
    }
    let score = call_trees(call, &roots, &nodes, 1, Aggregate::Sum, base)?;
    two_classes(call, &score, &labels, if share { 0.5 } else { 0.0 }, share)
}

/// The encoding since `ai.onnx.ml` 5: branches and leaves are lists of their own.
pub(super) fn ensemble(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let list = |call: &Call<'_>, name: &str| numbers(&call.ints(name).unwrap_or_default());
    let floats = |call: &mut Call<'_>, name: &str| -> Built<Vec<f32>> {
        if call.attribute(name).is_none() {
            return Ok(Vec::new());
        }
        let value = call.constant(name)?;
        call.b.as_floats(&value).ok_or_else(|| format!("`{name}` is not float32"))
    };
    let (splits, weights, members) =
        (floats(call, "nodes_splits")?, floats(call, "leaf_weights")?, floats(call, "membership_values")?);
    let modes = call.constant("nodes_modes")?;
    let modes: Vec<u8> = match call.b.as_constant(&modes) {
        Some(Slice::U8(modes)) => modes.to_vec(),
        _ => return Err("its `nodes_modes` are not uint8".into()),
    };
    let (features, yes, no) = (
        list(call, "nodes_featureids")?,
        list(call, "nodes_truenodeids")?,
        list(call, "nodes_falsenodeids")?,
    );
    let (yes_leaf, no_leaf) = (list(call, "nodes_trueleafs")?, list(call, "nodes_falseleafs")?);
    let (roots, targets) = (list(call, "tree_roots")?, list(call, "leaf_targetids")?);
    let missing = call.ints("nodes_missing_value_tracks_true").unwrap_or_default();
    let count = modes.len();
    let lens = [features.len(), yes.len(), no.len(), yes_leaf.len(), no_leaf.len(), splits.len()];
    if lens != [count; 6] || targets.len() != weights.len() {
        return Err("its lists are not equally long".into());
    }
    // Sets of members follow each other, a NaN behind each.
    let mut sets = members.split(|member| member.is_nan());
    let mut nodes = Vec::with_capacity(count + targets.len());
    for i in 0..count {
        let child = |leaf: usize, number: usize| if leaf == 1 { count + number } else { number };
        let children = [child(yes_leaf[i], yes[i]), child(no_leaf[i], no[i])];
        let (missing, feature, threshold) = (missing.get(i) == Some(&1), features[i], splits[i]);
        let ask = match modes[i] {
            0 => Branch::LessOrEqual,
            1 => Branch::Less,
            2 => Branch::GreaterOrEqual,
            3 => Branch::Greater,
            4 => Branch::Equal,
            5 => Branch::NotEqual,
            6 => {
                let members = sets.next().ok_or("a set of members is missing")?.to_vec();
                nodes.push(Node::Member { missing, feature, members, children });
                continue;
            }
            mode => return Err(format!("a node of the kind {mode}")),
        };
        nodes.push(Node::Branch { ask, missing, feature, threshold, children });
    }
    nodes.extend(targets.iter().zip(&weights).map(|(&target, &weight)| Node::Leaf(vec![(target, weight)])));
    let aggregate = match call.int("aggregate_function", 1) {
        0 => Aggregate::Average,
        1 => Aggregate::Sum,
        2 => Aggregate::Min,
        3 => Aggregate::Max,
        other => return Err(format!("the aggregate_function {other}")),
    };
    let count = usize::try_from(call.int("n_targets", 1)).unwrap_or(0);
    let out = call_trees(call, &roots, &nodes, count, aggregate, Vec::new())?;
    match call.int("post_transform", 0) {
        0 => Ok(vec![out]),
        1 => Ok(vec![call.b.softmax(&out, 1)?]),
        2 => Ok(vec![call.b.unary(opml_kernels::UnaryOp::Sigmoid, &out)?]),
        other => Err(format!("the post_transform {other}")),
    }
}
