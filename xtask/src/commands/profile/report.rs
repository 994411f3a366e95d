//! What a profile says: three tables, or all of it as JSON.

use opml_profile::{FunctionCost, LineCost, NodeCost, Profile};
use opml_toolchain::manifest::Manifest;
use serde_json::{Value, json};

use crate::ui::{self, table};

/// Letters of a name in a table.
const NAME: usize = 90;

pub(super) fn text(profile: &Profile, top: usize) -> String {
    let mut text = functions(profile, top) + "\n" + &lines(profile, top);
    if !profile.nodes.is_empty() {
        text += &("\n".to_owned() + &nodes(profile, top));
    }
    text + &format!("\n{} steps\n", ui::count(profile.steps))
}

pub(super) fn json(manifest: &Manifest, profile: &Profile) -> Value {
    json!({ "program": manifest.name, "target": manifest.target, "profile": profile })
}

fn functions(profile: &Profile, top: usize) -> String {
    let row = |function: &FunctionCost| {
        vec![
            ui::count(function.own),
            share(function.own, profile),
            ui::count(function.total),
            share(function.total, profile),
            if function.calls > 0 { ui::count(function.calls) } else { "inlined".into() },
            cut(&function.name),
        ]
    };
    let rows = profile.functions.iter().take(top).map(row).collect::<Vec<_>>();
    let table = table::columns(&["self", "", "total", "", "calls", "function"], &rows, |column| column < 5);
    table + &left_out(profile.functions.iter().skip(top).map(|function| function.own), "functions")
}

fn lines(profile: &Profile, top: usize) -> String {
    let row = |line: &LineCost| vec![ui::count(line.steps), share(line.steps, profile), place(line)];
    let rows = profile.lines.iter().take(top).map(row).collect::<Vec<_>>();
    let table = table::columns(&["steps", "", "line"], &rows, |column| column < 2);
    table + &left_out(profile.lines.iter().skip(top).map(|line| line.steps), "lines")
}

fn nodes(profile: &Profile, top: usize) -> String {
    let row = |node: &NodeCost| {
        let products = node.statement.multiply_accumulates;
        let each = || format!("{:.2}", node.steps as f64 / products as f64);
        vec![
            ui::count(node.steps),
            share(node.steps, profile),
            if products > 0 { ui::count(products) } else { String::new() },
            if products > 0 { each() } else { String::new() },
            cut(&node.statement.operator),
            cut(&node.statement.name),
        ]
    };
    let mut dearest: Vec<&NodeCost> = profile.nodes.iter().collect();
    // Of equals the one that runs first.
    dearest.sort_by_key(|node| std::cmp::Reverse(node.steps));
    let mut rows: Vec<_> = dearest.iter().copied().take(top).map(row).collect();
    let outside = profile.outside_nodes;
    let outside =
        [ui::count(outside), share(outside, profile), String::new(), String::new(), "outside".into()];
    rows.push(outside.into_iter().chain(["start, input, hashes, output".into()]).collect());
    let header = ["steps", "", "products", "steps each", "operator", "node"];
    let table = table::columns(&header, &rows, |column| column < 4);
    table + &left_out(dearest.iter().skip(top).map(|node| node.steps), "nodes")
}

/// What a table does not show.
fn left_out(rest: impl Iterator<Item = u64>, what: &str) -> String {
    let (count, steps) = rest.fold((0, 0), |(count, sum), steps| (count + 1, sum + steps));
    if count == 0 {
        return String::new();
    }
    format!(" … and {} more {what} with {} steps\n", ui::count(count), ui::count(steps))
}

fn share(steps: u64, profile: &Profile) -> String {
    format!("{:.1} %", 100.0 * steps as f64 / profile.steps.max(1) as f64)
}

fn place(line: &LineCost) -> String {
    match (&line.file, line.line) {
        (Some(file), Some(line)) => cut(&format!("{file}:{line}")),
        _ => cut(&format!("no line: {}", line.function.as_deref().unwrap_or_default())),
    }
}

/// The end of a path or of a name says more than its start.
fn cut(name: &str) -> String {
    let letters = name.chars().count();
    match letters <= NAME {
        true => name.to_owned(),
        false => std::iter::once('…').chain(name.chars().skip(letters - NAME + 1)).collect(),
    }
}
