//! The list of the cases.

use std::fs;

use opml_tests::{checkout, onnx_suite};

const COLUMNS: &str = "suite\tcase\toperators\tform\ttier\tconstant\tonnxruntime\ttract\tnatively\tin_vm";

/// The suite whose cases lie in this repository.
pub const OWN: &str = "own";

/// A case, and what becomes of it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// `node`, `simple`, `pytorch-converted`, `pytorch-operator`, `light` or [`OWN`].
    pub suite: String,
    /// Its name, unique in its suite.
    pub case: String,
    /// What it is about, one or several joined by `+`.
    pub operators: String,
    /// The inputs whose values shapes depend on: they are made constants.
    pub constant: Vec<String>,
    /// Whether onnxruntime 1.31 passes it; nothing for cases of our own.
    pub onnxruntime: Option<bool>,
    /// Whether tract 0.23 passes it; nothing for cases of our own.
    pub tract: Option<bool>,
    /// What happens natively.
    pub natively: Outcome,
    /// What happens in the VM.
    pub in_vm: Outcome,
}

/// What becomes of a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The outputs are the expected ones.
    Passes,
    /// They are not, or there are none, for this reason.
    Fails(String),
}

impl Outcome {
    fn of(text: &str) -> Self {
        if text == "passes" { Self::Passes } else { Self::Fails(text.to_owned()) }
    }

    /// Why they are not.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Fails(reason) if reason != "-" => Some(reason),
            _ => None,
        }
    }

    /// Whether the outputs are the expected ones.
    pub fn passes(&self) -> bool {
        *self == Self::Passes
    }
}

impl Listed {
    fn of(line: &str) -> Self {
        let fields: Vec<&str> = line.split('\t').collect();
        let [suite, case, operators, _form, _tier, constant, onnxruntime, tract, natively, in_vm] =
            fields[..]
        else {
            panic!("tests/onnx/cases.tsv has {} fields in the line {line:?}", fields.len());
        };
        let yes = |text: &str| (text != "-").then_some(text == "yes");
        Self {
            suite: suite.into(),
            case: case.into(),
            operators: operators.into(),
            constant: constant.split(',').filter(|&name| name != "-").map(Into::into).collect(),
            onnxruntime: yes(onnxruntime),
            tract: yes(tract),
            natively: Outcome::of(natively),
            in_vm: Outcome::of(in_vm),
        }
    }

    /// Where its model is.
    pub fn folder(&self) -> std::path::PathBuf {
        let root = if self.suite == OWN { checkout().join("tests/onnx") } else { onnx_suite().root };
        root.join(&self.suite).join(&self.case)
    }
}

/// All cases, in the order of the list.
pub fn cases() -> Vec<Listed> {
    let text =
        fs::read_to_string(checkout().join("tests/onnx/cases.tsv")).expect("the list is in the checkout");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(COLUMNS), "tests/onnx/cases.tsv has other columns");
    lines.map(Listed::of).collect()
}

/// Compares what became of cases, each with its error, with what is listed by `outcome`.
#[track_caller]
pub fn compare<'a>(
    results: impl IntoIterator<Item = (&'a Listed, Result<(), String>)>,
    outcome: impl Fn(&Listed) -> &Outcome,
) {
    let mut wrong = Vec::new();
    for (listed, result) in results {
        let name = format!("  {}/{}", listed.suite, listed.case);
        match (outcome(listed), result) {
            (Outcome::Passes, Err(error)) => wrong.push(format!("{name} is listed as passing: {error}")),
            (Outcome::Fails(reason), Ok(())) => {
                wrong.push(format!("{name} passes; it is listed as failing: {reason}"))
            }
            _ => {}
        }
    }
    assert!(
        wrong.is_empty(),
        "{} cases are not as tests/onnx/cases.tsv has them:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
