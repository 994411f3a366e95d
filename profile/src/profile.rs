use opml_toolchain::elf::{Elf, Place};
use opml_toolchain::statements::{Statement, Statements};
use opml_vm::{Context, Counts};
use serde::Serialize;

use crate::resolve::Resolver;
use crate::stacks::{Stacks, Tree};

/// The steps of a run, told apart in three ways. Lists are complete and sorted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Profile {
    /// Steps of the run: the sum over the functions, over the lines, and over the nodes with what is outside of them.
    pub steps: u64,
    /// The functions, those with the most steps of their own first.
    pub functions: Vec<FunctionCost>,
    /// The source lines, the dearest first.
    pub lines: Vec<LineCost>,
    /// The nodes of the model in the order in which they run; empty if the program is none, or does not say.
    pub nodes: Vec<NodeCost>,
    /// Steps that are no node's: start-up, reading inputs, hashing, sending outputs.
    pub outside_nodes: u64,
    /// The stacks of functions.
    pub stacks: Stacks,
}

/// A function, wherever it was called or inlined.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FunctionCost {
    /// Its name; its address if it has none.
    pub name: String,
    /// Steps of its own code.
    #[serde(rename = "self")]
    pub own: u64,
    /// Those and the steps of all that it called.
    pub total: u64,
    /// How often it was called; calls that were inlined are none.
    pub calls: u64,
}

/// A line of the program's source.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LineCost {
    /// Path of the file; none for code of no known line, as in assembly.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<u32>,
    /// The function that code of no known line belongs to; none for a line.
    pub function: Option<String>,
    /// Steps of code that stands there; not those of what it calls.
    pub steps: u64,
}

/// A node of the model with all that it calls.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NodeCost {
    /// What it does.
    #[serde(flatten)]
    pub statement: Statement,
    /// Its steps.
    pub steps: u64,
}

/// Where the contexts of a run stand in the tree of stacks.
struct Callers {
    /// The stack of functions around each.
    stacks: Vec<Option<usize>>,
    /// The statement that each is a part of.
    statements: Vec<Option<usize>>,
    /// The function of each, for code that has no name.
    functions: Vec<usize>,
}

impl Profile {
    /// What was counted, in terms of the program's file `elf` and the table of `statements` in it.
    pub fn new(counts: &Counts, elf: &Elf, statements: Option<&Statements>) -> Self {
        let mut resolver = Resolver::new(elf, statements);
        let mut tree = Tree::default();
        let callers = callers(&counts.contexts, &mut resolver, &mut tree);
        let mut sums = Sums::default();
        for span in &counts.spans {
            let context = span.context;
            for word in 0..span.words {
                let found = resolver.find(span.start.wrapping_add(4 * word));
                let resolved = resolver.get(found);
                let nameless = [callers.functions[context]];
                let functions =
                    if resolved.functions.is_empty() { &nameless } else { &resolved.functions[..] };
                let Some(stack) = tree.extend(callers.stacks[context], functions) else { continue };
                tree.add(stack, span.executions);
                let innermost = functions[functions.len() - 1];
                add(&mut sums.functions, innermost, span.executions);
                match resolved.line {
                    Some(line) => add(&mut sums.lines, line, span.executions),
                    None => add(&mut sums.nowhere, innermost, span.executions),
                }
                match callers.statements[context].or(resolved.statement) {
                    Some(statement) => add(&mut sums.statements, statement, span.executions),
                    None => sums.outside += span.executions,
                }
            }
        }
        for (context, &function) in counts.contexts.iter().zip(&callers.functions) {
            add(&mut sums.calls, function, context.calls);
        }
        sums.profile(resolver, tree, statements)
    }
}

fn callers(contexts: &[Context], resolver: &mut Resolver<'_>, tree: &mut Tree) -> Callers {
    let mut callers = Callers { stacks: Vec::new(), statements: Vec::new(), functions: Vec::new() };
    for context in contexts {
        let (mut stack, mut statement) = (None, None);
        // What jumped from the program's start has no place of a call.
        if let Some(parent) = context.parent.filter(|_| context.site != 0) {
            let found = resolver.find(context.site);
            let site = resolver.get(found);
            let nameless = [callers.functions[parent]];
            let functions = if site.functions.is_empty() { &nameless } else { &site.functions[..] };
            stack = tree.extend(callers.stacks[parent], functions);
            statement = callers.statements[parent].or(site.statement);
        }
        callers.stacks.push(stack);
        callers.statements.push(statement);
        callers.functions.push(resolver.function(context.entry));
    }
    callers
}

/// Steps by the numbers of functions, lines and statements.
#[derive(Default)]
struct Sums {
    functions: Vec<u64>,
    calls: Vec<u64>,
    lines: Vec<u64>,
    /// Those of no line, by functions.
    nowhere: Vec<u64>,
    statements: Vec<u64>,
    outside: u64,
}

fn add(sums: &mut Vec<u64>, index: usize, steps: u64) {
    if sums.len() <= index {
        sums.resize(index + 1, 0);
    }
    sums[index] += steps;
}

impl Sums {
    fn profile(self, resolver: Resolver<'_>, tree: Tree, statements: Option<&Statements>) -> Profile {
        let get = |sums: &[u64], index: usize| sums.get(index).copied().unwrap_or(0);
        let names = resolver.functions.into_list();
        let (stacks, totals) = tree.finish(&names);
        let line = |(place, steps): (Place, u64)| LineCost {
            file: Some(place.file),
            line: Some(place.line),
            function: None,
            steps,
        };
        let places = resolver.lines.into_list().into_iter().zip(self.lines);
        let nowhere = |(name, &steps): (&String, &u64)| LineCost {
            file: None,
            line: None,
            function: Some(name.clone()),
            steps,
        };
        let nowhere = names.iter().zip(&self.nowhere).map(nowhere);
        let mut lines: Vec<LineCost> =
            places.map(line).chain(nowhere).filter(|line| line.steps > 0).collect();
        lines.sort_by(|a, b| {
            (b.steps, &a.file, a.line, &a.function).cmp(&(a.steps, &b.file, b.line, &b.function))
        });
        let mut functions: Vec<FunctionCost> = names
            .into_iter()
            .enumerate()
            .map(|(index, name)| FunctionCost {
                name,
                own: get(&self.functions, index),
                total: totals[index],
                calls: get(&self.calls, index),
            })
            .filter(|function| function.total > 0)
            .collect();
        functions.sort_by(|a, b| (b.own, b.total, &a.name).cmp(&(a.own, a.total, &b.name)));
        let list = statements.map_or(&[][..], |table| &table.statements);
        let node = |(index, statement): (usize, &Statement)| NodeCost {
            statement: statement.clone(),
            steps: get(&self.statements, index),
        };
        Profile {
            steps: self.functions.iter().sum(),
            functions,
            lines,
            nodes: list.iter().enumerate().map(node).collect(),
            outside_nodes: self.outside,
            stacks,
        }
    }
}
