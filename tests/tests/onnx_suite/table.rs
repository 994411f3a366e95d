//! docs/operators.md, made of the list of cases and of `tests/onnx/notes.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;

use opml_frontend::onnx::ops::supported;
use opml_tests::checkout;
use serde::Deserialize;

use crate::list::{Listed, OWN, cases};

const PLACE: &str = "docs/operators.md";

/// What no test says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notes {
    /// Operator by operator: what of it is refused and why, and where others differ.
    notes: BTreeMap<String, String>,
    /// Operators without a lowering, by the reason.
    unsupported: Vec<Unsupported>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unsupported {
    why: String,
    operators: Vec<String>,
}

/// Cases of an operator.
#[derive(Default)]
struct Count {
    all: usize,
    natively: usize,
    in_vm: usize,
    /// Of how many it is known what others do, and how many they pass.
    known: usize,
    onnxruntime: usize,
    tract: usize,
    /// Cases of our own, which are not among the others.
    own: usize,
    /// Cases by the reason for which they do not pass.
    failing: BTreeMap<String, Vec<String>>,
}

impl Count {
    fn add(&mut self, listed: &Listed) {
        if listed.suite == OWN {
            self.own += 1;
        } else {
            self.all += 1;
            self.natively += usize::from(listed.natively.passes());
            self.in_vm += usize::from(listed.in_vm.passes());
            self.known += usize::from(listed.onnxruntime.is_some());
            self.onnxruntime += usize::from(listed.onnxruntime == Some(true));
            self.tract += usize::from(listed.tract == Some(true));
        }
        if let Some(reason) = listed.natively.reason().or(listed.in_vm.reason()) {
            self.failing.entry(reason.to_owned()).or_default().push(format!("`{}`", listed.case));
        }
    }

    /// The cells of a row, without the first.
    fn cells(&self, note: &str) -> String {
        let number = |n: usize| if self.all == 0 { "-".into() } else { n.to_string() };
        let other = |n: usize| if self.known == 0 { "-".into() } else { format!("{n} of {}", self.known) };
        let own = if self.own == 0 { "-".into() } else { self.own.to_string() };
        let failing = self.failing.iter().map(|(reason, cases)| format!("{}: {reason}", cases.join(", ")));
        let notes: Vec<String> =
            [note.to_owned()].into_iter().chain(failing).filter(|note| !note.is_empty()).collect();
        format!(
            "{} | {} | {} | {} | {} | {own} | {}",
            number(self.all),
            number(self.natively),
            number(self.in_vm),
            other(self.onnxruntime),
            other(self.tract),
            notes.join("; ")
        )
    }
}

const HEAD: &str = "\
<!-- Written by `OPML_BLESS=1 cargo xtask test -- --package opml-tests --test onnx_suite`: do not edit. -->

# Operators

What is not in this table, or not in the form that its row says, is refused when a model is imported: by name, all such nodes at once,
with the reason. What the operators compute, to the bit, stands in [numerics.md](numerics.md).

The cases are those of the backend test suite of the Python package `onnx` 1.23.2 whose element types a blob carries (float32, int64,
int32, int8, uint8, bool), whose operators have a lowering, and whose shapes are static once the inputs that shapes depend on are
constants; `tests/onnx/cases.tsv` lists them. A case passes if each output element `o` differs from the expected `e` by at most
1e-7 + 1e-3 |e|, and is equal to it if it is no float. It passes in the VM if besides the guest's output is the native twin's to the
bit; cases of more than 10^8 steps are not run there. *own* are cases of this repository (`tests/onnx/own/`), each natively and in
the VM. The columns of onnxruntime 1.31 and tract 0.23 say how many cases these pass of those that they were tried on, with the same
inputs as constants where they need that.
";

fn document() -> String {
    let notes =
        fs::read_to_string(checkout().join("tests/onnx/notes.toml")).expect("the notes are in the checkout");
    let notes: Notes = toml::from_str(&notes).expect("tests/onnx/notes.toml has notes");
    let mut operators: BTreeMap<String, Count> = BTreeMap::new();
    for (domain, name) in supported() {
        operators.insert(
            if domain.is_empty() { name.into() } else { format!("{domain}::{name}") },
            Count::default(),
        );
    }
    let mut suites: BTreeMap<String, Count> = BTreeMap::new();
    let mut total = Count::default();
    for listed in cases() {
        total.add(&listed);
        match operators.get_mut(&listed.operators) {
            Some(count) => count.add(&listed),
            None => suites.entry(listed.suite.clone()).or_default().add(&listed),
        }
    }
    let unknown: Vec<_> = notes.notes.keys().filter(|name| !operators.contains_key(*name)).collect();
    assert!(unknown.is_empty(), "notes on operators that have no lowering: {unknown:?}");
    let mut text = String::from(HEAD);
    let columns = "cases | natively | in the VM | onnxruntime | tract | own | notes";
    let lines = "---|---|---|---|---|---|---|---";
    let row = |text: &mut String, name: &str, cells: String| {
        writeln!(text, "| {name} | {cells} |").expect("a text")
    };
    writeln!(text, "\n| operator | {columns} |\n|{lines}|").expect("as above");
    for (name, count) in &operators {
        let note = notes.notes.get(name).map_or("", String::as_str);
        row(&mut text, &format!("`{name}`"), count.cells(note));
    }
    row(&mut text, "all cases, with those below", Count { failing: BTreeMap::new(), ..total }.cells(""));
    writeln!(text, "\n## Networks and cases of several operators\n\n| suite | {columns} |\n|{lines}|")
        .expect("as above");
    for (name, count) in &suites {
        row(&mut text, name, count.cells(""));
    }
    text += "\n## Without a lowering\n\n| operators | why |\n|---|---|\n";
    let lowered: BTreeSet<&String> = operators.keys().collect();
    for Unsupported { why, operators } in &notes.unsupported {
        let names: Vec<String> = operators.iter().map(|name| format!("`{name}`")).collect();
        assert!(operators.iter().all(|name| !lowered.contains(name)), "one of {names:?} has a lowering");
        row(&mut text, &names.join(", "), why.clone());
    }
    text
}

#[test]
fn the_table_of_operators_is_this_one() {
    let (path, document) = (checkout().join(PLACE), document());
    if std::env::var_os("OPML_BLESS").is_some() {
        fs::write(&path, &document).expect("the checkout can be written to");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let differs = written.lines().zip(document.lines()).find(|(written, made)| written != made);
    assert!(
        written == document,
        "{PLACE} is not what tests/onnx/ says, first at {differs:?}: `OPML_BLESS=1 cargo xtask test -- --package opml-tests --test onnx_suite` writes it"
    );
}
