//! The stacks of functions that were run, as a tree.

use std::collections::BTreeMap;

use serde::Serialize;

/// A function in one stack of calls, inlined ones included.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Stack {
    /// Index of the caller's stack; none for the outermost.
    pub parent: Option<usize>,
    /// Name of the function.
    pub function: String,
    /// Steps of the function itself.
    #[serde(rename = "self")]
    pub own: u64,
}

/// All stacks: those that are called come behind their callers, and of one caller in the order of their names.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Stacks(Vec<Stack>);

impl Stacks {
    /// The stacks, parents first.
    pub fn list(&self) -> &[Stack] {
        &self.0
    }

    /// Steps of each with all that it calls.
    pub fn totals(&self) -> Vec<u64> {
        let mut totals: Vec<u64> = self.0.iter().map(|stack| stack.own).collect();
        for (index, stack) in self.0.iter().enumerate().rev() {
            if let Some(parent) = stack.parent {
                totals[parent] += totals[index];
            }
        }
        totals
    }

    /// How many functions are around each.
    pub fn depths(&self) -> Vec<usize> {
        let mut depths = Vec::with_capacity(self.0.len());
        for stack in &self.0 {
            let depth = stack.parent.map_or(0, |parent| depths[parent] + 1);
            depths.push(depth);
        }
        depths
    }
}

/// Stacks while they are counted, with numbers for functions.
#[derive(Default)]
pub(crate) struct Tree {
    /// Caller and function of each.
    nodes: Vec<(Option<usize>, usize)>,
    own: Vec<u64>,
    numbers: BTreeMap<(Option<usize>, usize), usize>,
}

impl Tree {
    /// The stack of `functions` on top of another.
    pub fn extend(&mut self, below: Option<usize>, functions: &[usize]) -> Option<usize> {
        functions.iter().fold(below, |below, &function| {
            let next = self.nodes.len();
            let node = *self.numbers.entry((below, function)).or_insert(next);
            if node == next {
                self.nodes.push((below, function));
                self.own.push(0);
            }
            Some(node)
        })
    }

    /// Counts steps of a stack's innermost function.
    pub fn add(&mut self, stack: usize, steps: u64) {
        self.own[stack] += steps;
    }

    /// Sorted, with names, without stacks that took no step; and by function the steps of all that it called and did itself.
    pub fn finish(self, functions: &[String]) -> (Stacks, Vec<u64>) {
        let mut totals = self.own.clone();
        let mut children = vec![Vec::new(); self.nodes.len()];
        let mut roots = Vec::new();
        for (index, &(parent, _)) in self.nodes.iter().enumerate().rev() {
            match parent {
                Some(parent) => {
                    totals[parent] += totals[index];
                    children[parent].push(index);
                }
                None => roots.push(index),
            }
        }
        let by_name = |list: &mut Vec<usize>| {
            list.retain(|&node| totals[node] > 0);
            // Backwards, as the last is taken first.
            list.sort_by(|&a, &b| functions[self.nodes[b].1].cmp(&functions[self.nodes[a].1]));
        };
        children.iter_mut().for_each(by_name);
        by_name(&mut roots);
        let mut stacks = Vec::new();
        let mut of_functions = vec![0; functions.len()];
        // How many times each function is in the stack: steps under a function that called itself count once.
        let mut inside = vec![0_u32; functions.len()];
        let mut open: Vec<Visit> =
            roots.into_iter().map(|node| Visit::Enter { node, parent: None }).collect();
        while let Some(visit) = open.pop() {
            match visit {
                Visit::Enter { node, parent } => {
                    let function = self.nodes[node].1;
                    if inside[function] == 0 {
                        of_functions[function] += totals[node];
                    }
                    inside[function] += 1;
                    let index = stacks.len();
                    stacks.push(Stack { parent, function: functions[function].clone(), own: self.own[node] });
                    open.push(Visit::Leave(function));
                    let enter = |&node: &usize| Visit::Enter { node, parent: Some(index) };
                    open.extend(children[node].iter().map(enter));
                }
                Visit::Leave(function) => inside[function] -= 1,
            }
        }
        (Stacks(stacks), of_functions)
    }
}

/// A step of the way through the tree.
enum Visit {
    Enter { node: usize, parent: Option<usize> },
    Leave(usize),
}
