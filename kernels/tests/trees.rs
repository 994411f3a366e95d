//! Ensembles of trees against a plain walk and sums in big integers.

mod support;

use opml_kernels::trees::{branch, leaf, member};
use opml_kernels::{Aggregate, Branch, TreeEnsemble, Trees, tree_ensemble};
use support::typed::{Sample, assert_same};
use support::{Random, exact_sum, larger};

/// A tree as one draws it.
enum Node {
    Branch { ask: Branch, missing: bool, feature: usize, threshold: f32, children: Box<[Node; 2]> },
    Member { missing: bool, feature: usize, members: Vec<f32>, children: Box<[Node; 2]> },
    Leaf(Vec<(usize, f32)>),
}

const ASKS: [Branch; 6] = [
    Branch::LessOrEqual,
    Branch::Less,
    Branch::GreaterOrEqual,
    Branch::Greater,
    Branch::Equal,
    Branch::NotEqual,
];

const FEATURES: usize = 4;

/// One of a few values, so that features meet thresholds, or anything.
fn value(random: &mut Random) -> f32 {
    let any = f32::sample(random);
    [0.0, -0.0, 1.0, -1.5, f32::NAN, any][random.below(6)]
}

impl Node {
    fn new(random: &mut Random, depth: usize, targets: usize) -> Self {
        let missing = random.below(2) == 0;
        let feature = random.below(FEATURES);
        if depth == 0 || random.below(6) == 0 {
            let weights = |random: &mut Random| (random.below(targets), f32::sample(random));
            return Self::Leaf((0..random.below(4)).map(|_| weights(random)).collect());
        }
        let children = Box::new([(); 2].map(|()| Self::new(random, depth - 1, targets)));
        if random.below(5) == 0 {
            let members = (0..random.below(4)).map(|_| value(random)).collect();
            Self::Member { missing, feature, members, children }
        } else {
            let ask = ASKS[random.below(ASKS.len())];
            Self::Branch { ask, missing, feature, threshold: value(random), children }
        }
    }

    /// The leaf that a row comes to.
    fn walk(&self, row: &[f32]) -> &[(usize, f32)] {
        let (holds, missing, x, children) = match self {
            Self::Leaf(weights) => return weights,
            Self::Branch { ask, missing, feature, threshold, children } => {
                let x = row[*feature];
                let holds = match ask {
                    Branch::LessOrEqual => x <= *threshold,
                    Branch::Less => x < *threshold,
                    Branch::GreaterOrEqual => x >= *threshold,
                    Branch::Greater => x > *threshold,
                    Branch::Equal => x == *threshold,
                    Branch::NotEqual => x != *threshold,
                };
                (holds, missing, x, children)
            }
            Self::Member { missing, feature, members, children } => {
                (members.contains(&row[*feature]), missing, row[*feature], children)
            }
        };
        children[usize::from(!(holds || *missing && x.is_nan()))].walk(row)
    }
}

#[derive(Default)]
struct Words {
    roots: Vec<u32>,
    nodes: Vec<u32>,
    leaves: Vec<u32>,
    members: Vec<f32>,
}

impl Words {
    /// Writes a tree, each node before its children, and says where it stands.
    fn write(&mut self, node: &Node) -> u32 {
        let at = self.nodes.len();
        self.nodes.extend([0; 6]);
        let words = match node {
            Node::Leaf(weights) => {
                let start = self.leaves.len() as u32 / 2;
                self.leaves.extend(weights.iter().flat_map(|(target, w)| [*target as u32, w.to_bits()]));
                leaf(start, weights.len() as u32)
            }
            Node::Branch { ask, missing, feature, threshold, children } => {
                let [yes, no] = [0, 1].map(|side| self.write(&children[side]));
                branch(*ask, *missing, *feature as u32, *threshold, yes, no)
            }
            Node::Member { missing, feature, members, children } => {
                let start = self.members.len() as u32;
                self.members.extend(members);
                let [yes, no] = [0, 1].map(|side| self.write(&children[side]));
                member(*missing, *feature as u32, start, members.len() as u32, yes, no)
            }
        };
        self.nodes[at..][..6].copy_from_slice(&words);
        at as u32 / 6
    }

    fn trees(&self) -> Trees<'_> {
        Trees { roots: &self.roots, nodes: &self.nodes, leaves: &self.leaves, members: &self.members }
    }
}

/// What the weights of a target come to.
fn aggregated(aggregate: Aggregate, weights: &[f32], trees: usize, base: Option<f32>) -> f32 {
    let sum = |values: &mut dyn Iterator<Item = f32>| f32::from_bits(exact_sum(values));
    let weights = weights.iter().copied();
    let value = match aggregate {
        Aggregate::Sum => return sum(&mut weights.chain(base)),
        Aggregate::Average => sum(&mut weights.clone()) / trees as f32,
        Aggregate::Max => weights.reduce(larger).unwrap_or(0.0),
        Aggregate::Min => weights.reduce(|a, b| -larger(-a, -b)).unwrap_or(0.0),
    };
    base.map_or(value, |base| value + base)
}

#[test]
fn ensembles_match_the_walk() {
    // Would catch: children exchanged, NaN that takes the wrong branch, targets beyond the first eight, a fold that is
    // kept from one row to the next, base values in another place of the formula.
    let mut random = Random(91);
    for round in 0..600 {
        let targets = [1, 3, 8, 9, 20][random.below(5)];
        let trees: Vec<Node> = (0..random.below(6)).map(|_| Node::new(&mut random, 5, targets)).collect();
        let mut words = Words::default();
        for tree in &trees {
            let root = words.write(tree);
            words.roots.push(root);
        }
        let rows = random.below(4);
        let x: Vec<f32> = (0..rows * FEATURES).map(|_| value(&mut random)).collect();
        let bases = [0, targets][random.below(2)];
        let base = f32::samples(&mut random, bases);
        let aggregate = [Aggregate::Sum, Aggregate::Average, Aggregate::Min, Aggregate::Max][round % 4];
        let shape = TreeEnsemble { rows, features: FEATURES, targets, aggregate };
        let mut out = vec![0.5; rows * targets];
        tree_ensemble(shape, &x, &words.trees(), &base, &mut out);
        let mut expected = vec![];
        for row in x.chunks(FEATURES) {
            let all: Vec<(usize, f32)> = trees.iter().flat_map(|tree| tree.walk(row)).copied().collect();
            for target in 0..targets {
                let own: Vec<f32> = all.iter().filter(|(t, _)| *t == target).map(|(_, w)| *w).collect();
                expected.push(aggregated(aggregate, &own, trees.len(), base.get(target).copied()));
            }
        }
        assert_same(&out, &expected, &format!("{shape:?}"));
    }
}

#[test]
fn a_small_tree() {
    let nodes = [branch(Branch::LessOrEqual, true, 1, 2.5, 1, 2), leaf(0, 1), leaf(1, 2)].concat();
    let leaves =
        [(0, 1.5f32), (0, -1.0), (1, 4.0)].map(|(target, weight)| [target, weight.to_bits()]).concat();
    let trees = Trees { roots: &[0], nodes: &nodes, leaves: &leaves, members: &[] };
    let shape = TreeEnsemble { rows: 3, features: 2, targets: 2, aggregate: Aggregate::Sum };
    let mut out = [0.0; 6];
    tree_ensemble(shape, &[9.0, 2.5, 9.0, 2.6, 9.0, f32::NAN], &trees, &[10.0, 20.0], &mut out);
    assert_eq!(out, [11.5, 20.0, 9.0, 24.0, 11.5, 20.0]);
}

#[test]
#[should_panic(expected = "trees: a child stands before its parent")]
fn walks_in_circles_are_refused() {
    let nodes = branch(Branch::Less, false, 0, 1.0, 0, 0);
    let trees = Trees { roots: &[0], nodes: &nodes, leaves: &[], members: &[] };
    let shape = TreeEnsemble { rows: 1, features: 1, targets: 1, aggregate: Aggregate::Sum };
    tree_ensemble(shape, &[0.0], &trees, &[], &mut [0.0]);
}

#[test]
#[should_panic(expected = "trees: base values do not fit the targets")]
fn base_values_of_another_shape_are_refused() {
    let trees = Trees { roots: &[], nodes: &[], leaves: &[], members: &[] };
    let shape = TreeEnsemble { rows: 1, features: 1, targets: 3, aggregate: Aggregate::Sum };
    tree_ensemble(shape, &[0.0], &trees, &[0.0; 2], &mut [0.0; 3]);
}
