//! The programs of `examples/` as their readers run them, with what other programs make of the same input.
//!
//! | what it catches | test |
//! |---|---|
//! | an example that does not build, computes something else than it should, or costs other steps | `examples_do_what_the_table_says` |
//! | a wrong answer to a wrong question | `what_an_example_cannot_take_is_refused` |
//! | an example that nothing tests, a row without an example, a document that is out of date | `every_example_has_a_row_and_is_described` |

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use common::{build, build_model, checkout, run, xtask};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const TABLE: &str = "examples/table.toml";
const DOCUMENT: &str = "docs/examples.md";

const COMMENT: &str = "\
# The examples: what each is, and its case. Files are those of its folder `tests`; an input is bytes, or has its type in front.
# `expected_from` is what made the output: never the example. Steps are exact, from the prestate to the exit without a claim.
# `OPML_BLESS=1 cargo xtask test -- --package xtask --test examples` writes the steps, and the table of docs/examples.md.

";

/// A row of the table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    language: String,
    about: String,
    /// As `run --input` takes them, but for the folder.
    inputs: Vec<String>,
    /// `.txt`: the bytes of the only output. `.json`: all outputs, each with `dtype`, `shape` and `values`.
    output: String,
    expected_from: String,
    steps: u64,
}

type Table = BTreeMap<String, Example>;

fn table() -> Table {
    let text = fs::read_to_string(checkout().join(TABLE)).expect("the table is in the checkout");
    toml::from_str(&text).expect("examples/table.toml is a table of examples")
}

fn blesses() -> bool {
    std::env::var_os("OPML_BLESS").is_some()
}

/// The folder of the cases of an example.
fn cases(name: &str) -> PathBuf {
    checkout().join("examples").join(name).join("tests")
}

/// `TYPE:FILE` or `FILE`, apart.
fn typed(input: &str) -> (Option<&str>, &str) {
    match input.split_once("]:") {
        Some((kind, file)) => (Some(&input[..=kind.len()]), file),
        None => (None, input),
    }
}

impl Example {
    fn arguments(&self, name: &str) -> Vec<String> {
        let argument = |input: &String| {
            let (kind, file) = typed(input);
            let path = cases(name).join(file).display().to_string();
            kind.map_or(path.clone(), |kind| format!("{kind}:{path}"))
        };
        self.inputs.iter().map(argument).collect()
    }

    /// The outputs as `run --format json` has them, but for what follows from them.
    fn expected(&self, name: &str) -> Value {
        let bytes = fs::read(cases(name).join(&self.output)).expect("the expected output is in the checkout");
        if self.output.ends_with(".json") {
            serde_json::from_slice(&bytes).expect("the expected outputs are JSON")
        } else {
            json!([{ "dtype": "uint8", "shape": [bytes.len()], "values": bytes }])
        }
    }

    /// Builds and runs it, and gives its outputs and its steps.
    fn run(&self, name: &str) -> (Value, u64) {
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples").join(name);
        build(&mut build_model(checkout(), &checkout().join("examples").join(name), &out));
        let mut command = xtask();
        command.arg("run").arg(&out).args(["--format", "json", "--input"]).args(self.arguments(name));
        let ran = run(&mut command);
        assert_eq!(ran.code, Some(0), "{name}: {}", ran.stderr);
        let report = ran.json();
        let outputs = report["outputs"].as_array().expect("a list of outputs").iter();
        let outputs = outputs
            .map(|one| json!({ "dtype": one["dtype"], "shape": one["shape"], "values": one["values"] }));
        (outputs.collect(), report["steps"].as_u64().expect("a number of steps"))
    }
}

#[test]
fn examples_do_what_the_table_says() {
    let pinned = table();
    let mut measured = pinned.clone();
    for (name, example) in &mut measured {
        let (outputs, steps) = example.run(name);
        let expected = example.expected(name);
        assert_eq!(
            outputs, expected,
            "{name}: its outputs (left) and those of {} (right)",
            example.expected_from
        );
        example.steps = steps;
    }
    if blesses() {
        let text = toml::to_string(&measured).expect("tables of texts and numbers");
        fs::write(checkout().join(TABLE), format!("{COMMENT}{text}"))
            .expect("the checkout can be written to");
        describe(&measured);
    }
    let steps =
        |table: &Table| table.iter().map(|(name, one)| (name.clone(), one.steps)).collect::<BTreeMap<_, _>>();
    assert_eq!(
        steps(&table()),
        steps(&measured),
        "the steps (right) are not the recorded ones (left): if the change is meant, `OPML_BLESS=1 cargo xtask test` records it"
    );
}

/// The lines of the document that are the table's.
fn rows(table: &Table) -> String {
    let mut text = String::from(
        "| example | language | what it does | input | output | expected from | steps |\n|---|---|---|---|---|---|---|\n",
    );
    for (name, example) in table {
        let folder = format!("../examples/{name}");
        let link = |file: &str| format!("[{file}]({folder}/tests/{file})");
        let input = |input: &String| match typed(input) {
            (Some(kind), file) => format!("{} as `{kind}`", link(file)),
            (None, file) => link(file),
        };
        let inputs: Vec<_> = example.inputs.iter().map(input).collect();
        let Example { language, about, expected_from, steps, .. } = example;
        text += &format!(
            "| [{name}]({folder}) | {language} | {about} | {} | {} | {expected_from} | {} |\n",
            inputs.join(", "),
            link(&example.output),
            grouped(*steps),
        );
    }
    text
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// The document in front of the table's rows, those rows, and what is behind them.
fn document() -> [String; 3] {
    let text = fs::read_to_string(checkout().join(DOCUMENT)).expect("the document is in the checkout");
    let start = text.find("| example |").expect("docs/examples.md has a table of examples");
    let end = text[start..].find("\n\n").map_or(text.len(), |end| start + end + 1);
    [&text[..start], &text[start..end], &text[end..]].map(str::to_owned)
}

/// Writes the rows into the document.
fn describe(table: &Table) {
    let [front, _, behind] = document();
    fs::write(checkout().join(DOCUMENT), front + &rows(table) + &behind)
        .expect("the checkout can be written to");
}

/// Runs an example on files with these contents, which it has to refuse. In front of each stands its type and its ending, as in
/// `uint8[4]:.json`, or its ending alone.
fn refused(name: &str, inputs: &[(&str, &[u8])], message: &str) {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refusing").join(name);
    build(&mut build_model(checkout(), &checkout().join("examples").join(name), &out));
    let files = tempfile::tempdir().expect("there is room");
    let mut command = xtask();
    command.arg("run").arg(&out).arg("--input");
    for (number, (kind, content)) in inputs.iter().enumerate() {
        let (typed, ending) = kind.rsplit_once('.').expect("TYPE.ENDING");
        let path = files.path().join(format!("{number}.{ending}"));
        fs::write(&path, content).expect("there is room");
        command.arg(format!("{typed}{}", path.display()));
    }
    run(&mut command).assert_fails(1, &["the program failed (exit code 2)", message]);
}

#[test]
fn what_an_example_cannot_take_is_refused() {
    for (site, message) in [
        ("https = 0.5\n", "empty_server_form_handler is missing"),
        ("https = 2\n", "https: expected 0, 0.5 or 1, got `2`"),
        ("https = 1\nhttps = 1\n", "https is given twice"),
        ("htps = 1\n", "`htps` is none of the marks: empty_server_form_handler, popup_window"),
        ("https\n", "`https` is not MARK = ANSWER"),
    ] {
        refused("forest", &[(".txt", site.as_bytes())], message);
    }
    refused("digits", &[("uint8[2,3]:.bin", &[200; 6])], "there is no ink on the paper");
    refused(
        "digits",
        &[("uint8[6]:.bin", &[0; 6])],
        "expected rows and columns, up to 4096 of each, got [6]",
    );
    let trade = |reserves: &str, trades: &str, message| {
        let (count, reserves, trades) =
            (trades.split(',').count(), format!("[{reserves}]"), format!("[{trades}]"));
        let kind = format!("int64[{count}]:.json");
        refused(
            "market-maker",
            &[("int64[2]:.json", reserves.as_bytes()), (&kind, trades.as_bytes())],
            message,
        );
    };
    trade("5, 0", "1", "a pool of [5, 0]: each has to be above 0");
    trade(
        "5, 5",
        "1, -9223372036854775807",
        "trade 1 of -9223372036854775807 is more than the pool can hold",
    );
}

#[test]
fn every_example_has_a_row_and_is_described() {
    let table = table();
    let folders = fs::read_dir(checkout().join("examples")).expect("the folder can be listed");
    let folders = folders.map(|entry| entry.expect("the folder can be listed").path());
    // What build-model builds.
    let guests = folders.filter(|path| path.join("Cargo.toml").is_file() || path.join("opml.toml").is_file());
    let names =
        guests.map(|path| path.file_name().expect("a folder has a name").to_string_lossy().into_owned());
    let names: BTreeSet<_> = names.collect();
    assert_eq!(
        table.keys().cloned().collect::<BTreeSet<_>>(),
        names,
        "examples/table.toml and the folders of examples/"
    );
    // The other test writes both while it blesses.
    if !blesses() {
        let [_, described, _] = document();
        assert_eq!(
            described,
            rows(&table),
            "docs/examples.md (left) and examples/table.toml (right): `OPML_BLESS=1 cargo xtask test -- --package xtask --test examples` writes the document"
        );
    }
}
