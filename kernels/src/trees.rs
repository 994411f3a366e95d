//! Ensembles of decision trees: what ONNX's `TreeEnsembleRegressor`, `TreeEnsembleClassifier` and `TreeEnsemble` compute before
//! their post transform.
//!
//! Trees are lists of words, which [`branch`], [`member`] and [`leaf`] write. A child stands behind its parent, so that each walk
//! ends.

use core::cmp::Ordering;

use opml_softfloat::single;

use crate::arithmetic;
use crate::bits::is_nan;
use crate::dot::Accumulator;
use crate::element::Element;
use crate::fold::{Fold, Maximum, Minimum};

/// Words of a node: what it is, a feature, two values by its kind, the child if its question holds, the child if not.
pub const NODE_WORDS: usize = 6;

/// Words of an entry of a leaf: a target, and the bits of a weight.
pub const LEAF_WORDS: usize = 2;

/// What a branch asks of a feature x. NaN is not equal to any threshold, and neither below nor above it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Branch {
    /// x <= threshold
    LessOrEqual,
    /// x < threshold
    Less,
    /// x >= threshold
    GreaterOrEqual,
    /// x > threshold
    Greater,
    /// x = threshold
    Equal,
    /// x is not equal to the threshold
    NotEqual,
}

/// The lowest bits of a node's first word, besides those of [`Branch`].
const KIND: u32 = 7;
const MEMBER: u32 = 6;
const LEAF: u32 = 7;
/// The bit of a branch to which NaN says yes.
const MISSING: u32 = 8;

/// A node that compares a feature with a threshold. With `missing` NaN goes to `yes`, whatever is asked. The children
/// are numbers of nodes.
pub const fn branch(
    ask: Branch,
    missing: bool,
    feature: u32,
    threshold: f32,
    yes: u32,
    no: u32,
) -> [u32; NODE_WORDS] {
    [ask as u32 | if missing { MISSING } else { 0 }, feature, threshold.to_bits(), 0, yes, no]
}

/// A node that asks whether a feature is equal to one of the `count` numbers of [`Trees::members`] from `start` on.
pub const fn member(
    missing: bool,
    feature: u32,
    start: u32,
    count: u32,
    yes: u32,
    no: u32,
) -> [u32; NODE_WORDS] {
    [MEMBER | if missing { MISSING } else { 0 }, feature, start, count, yes, no]
}

/// A node that ends a walk with the `count` entries of [`Trees::leaves`] from `start` on.
pub const fn leaf(start: u32, count: u32) -> [u32; NODE_WORDS] {
    [LEAF, 0, start, count, 0, 0]
}

/// Some trees.
#[derive(Clone, Copy, Debug)]
pub struct Trees<'a> {
    /// The number of each tree's first node.
    pub roots: &'a [u32],
    /// The nodes, [`NODE_WORDS`] each.
    pub nodes: &'a [u32],
    /// The entries of the leaves, [`LEAF_WORDS`] each.
    pub leaves: &'a [u32],
    /// Numbers that [`member`] looks among.
    pub members: &'a [f32],
}

/// What is made of the weights that the trees give a target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aggregate {
    /// RN of the exact sum, the base value included.
    Sum,
    /// RN of the exact sum (/) the number of trees, (+) the base value.
    Average,
    /// The least, or 0 of none, (+) the base value.
    Min,
    /// The largest, or 0 of none, (+) the base value.
    Max,
}

/// Shape of the data that goes through trees, all of it row-major.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TreeEnsemble {
    /// Rows of the input and of the result.
    pub rows: usize,
    /// Numbers in a row of the input.
    pub features: usize,
    /// Numbers in a row of the result.
    pub targets: usize,
    /// What is made of the weights.
    pub aggregate: Aggregate,
}

/// Targets that are computed at once; more take another walk through the trees.
const BLOCK: usize = 8;

/// `out[row, target]` = what is made of the weights of the leaves that the row comes to; `base` has a value for each target, or none.
///
/// # Panics
/// If a slice does not fit the shape, a number in the trees is out of range, or a child stands before its parent.
#[inline]
pub fn tree_ensemble(shape: TreeEnsemble, x: &[f32], trees: &Trees, base: &[f32], out: &mut [f32]) {
    assert!(x.len() == shape.rows * shape.features, "trees: input does not fit the shape");
    assert!(out.len() == shape.rows * shape.targets, "trees: output does not fit the shape");
    assert!(base.is_empty() || base.len() == shape.targets, "trees: base values do not fit the targets");
    match shape.aggregate {
        Aggregate::Sum | Aggregate::Average => {
            aggregate::<Accumulator>(shape, x, trees, base, out);
        }
        Aggregate::Min => aggregate::<Minimum>(shape, x, trees, base, out),
        Aggregate::Max => aggregate::<Maximum>(shape, x, trees, base, out),
    }
}

#[inline(always)]
fn aggregate<F: Fold<f32>>(shape: TreeEnsemble, x: &[f32], trees: &Trees, base: &[f32], out: &mut [f32]) {
    let TreeEnsemble { rows, features, targets, .. } = shape;
    let mut folds: [F; BLOCK] = core::array::from_fn(|_| F::empty());
    for row in 0..rows {
        let x = &x[row * features..][..features];
        for first in (0..targets).step_by(BLOCK) {
            let mut block = Block { folds: &mut folds, seen: 0, first };
            for &root in trees.roots {
                block.add(trees, trees.walk(root, x));
            }
            let out = &mut out[row * targets + first..(row + 1) * targets];
            for (place, out) in out.iter_mut().take(BLOCK).enumerate() {
                let base = base.get(first + place).copied();
                *out = block.result(shape.aggregate, place, trees.roots.len(), base);
            }
        }
    }
}

/// The targets from `first` on.
struct Block<'a, F> {
    folds: &'a mut [F; BLOCK],
    /// A bit for each target that has got a weight.
    seen: u32,
    first: usize,
}

impl<F: Fold<f32>> Block<'_, F> {
    /// Takes in the weights of a leaf.
    #[inline(always)]
    fn add(&mut self, trees: &Trees, [start, count]: [usize; 2]) {
        let (leaves, _) = trees.leaves.as_chunks::<LEAF_WORDS>();
        for &[target, weight] in &leaves[start..][..count] {
            let place = (target as usize).wrapping_sub(self.first);
            if place < BLOCK {
                self.folds[place].add(f32::from_bits(weight));
                self.seen |= 1 << place;
            }
        }
    }

    /// What a target has come to; it is empty afterwards.
    #[inline(always)]
    fn result(&mut self, aggregate: Aggregate, place: usize, trees: usize, base: Option<f32>) -> f32 {
        let fold = &mut self.folds[place];
        if let (Aggregate::Sum, Some(base)) = (aggregate, base) {
            fold.add(base);
        }
        let value = fold.take();
        let value = match aggregate {
            Aggregate::Sum => return value,
            Aggregate::Average => arithmetic::div(value, f32::from_bits(single::from_u32(trees as u32))),
            Aggregate::Min | Aggregate::Max if self.seen >> place & 1 == 0 => 0.0,
            Aggregate::Min | Aggregate::Max => value,
        };
        base.map_or(value, |base| arithmetic::add(value, base))
    }
}

impl Trees<'_> {
    /// The entries of the leaf that a row comes to: the first, and how many.
    #[inline]
    fn walk(&self, root: u32, row: &[f32]) -> [usize; 2] {
        let (nodes, _) = self.nodes.as_chunks::<NODE_WORDS>();
        let mut at = root;
        loop {
            let node = &nodes[at as usize];
            let &[kind, feature, first, second, yes, no] = node;
            if kind & KIND == LEAF {
                return [first as usize, second as usize];
            }
            let x = row[feature as usize];
            let next = if self.holds(kind, x, first, second) { yes } else { no };
            assert!(next > at, "trees: a child stands before its parent");
            at = next;
        }
    }

    /// Whether the question of a node holds for a number.
    #[inline(always)]
    fn holds(&self, kind: u32, x: f32, first: u32, second: u32) -> bool {
        if kind & MISSING != 0 && is_nan(x.to_bits()) {
            return true;
        }
        if kind & KIND == MEMBER {
            let members = &self.members[first as usize..][..second as usize];
            return members.iter().any(|&member| x.compare(member) == Some(Ordering::Equal));
        }
        let order = x.compare(f32::from_bits(first));
        let [less, equal, greater] =
            [Ordering::Less, Ordering::Equal, Ordering::Greater].map(|wanted| order == Some(wanted));
        match kind & KIND {
            0 => less || equal,
            1 => less,
            2 => greater || equal,
            3 => greater,
            4 => equal,
            _ => !equal,
        }
    }
}
