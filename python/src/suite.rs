//! ONNX's backend test suite as files: `SUITE/CASE/model.onnx`, its inputs and outputs, and an index.
//!
//! `scripts/onnx_suite.py` describes the files and writes them.

use std::fs;
use std::path::{Path, PathBuf};

use opml_toolchain::progress::Progress;
use opml_toolchain::provision::Options;
use serde::Deserialize;

use crate::environment::{self, cache};
use crate::error::PythonError;
use crate::requirements::{Requirements, short_hash};
use crate::{place, script};

const SCRIPT: &str = include_str!("../scripts/onnx_suite.py");

/// The suite's index, and where its files are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// The folder.
    #[serde(skip)]
    pub root: PathBuf,
    /// Version of the package `onnx`.
    pub onnx: String,
    /// All cases: node cases first, each suite by name.
    pub cases: Vec<Case>,
}

/// A case of the suite.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// `node`, `simple`, `pytorch-converted`, `pytorch-operator` or `light`.
    pub suite: String,
    /// Its name, unique in its suite.
    pub case: String,
    /// An output `o` may differ from the expected `e` by `atol + rtol * |e|`. The suite's own runner takes at least 2^-6
    /// for bfloat16.
    pub rtol: f64,
    /// See [`Self::rtol`].
    pub atol: f64,
    /// What has to be given, in the order of `input_N.pb`.
    pub inputs: Vec<Port>,
    /// What is computed, in the order of `output_N.pb`.
    pub outputs: Vec<Port>,
}

/// An input or an output.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// Its name in the graph.
    pub name: String,
    /// Which message of ONNX its file holds.
    pub kind: Kind,
}

/// A message of ONNX that holds a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `TensorProto`.
    Tensor,
    /// `SequenceProto`.
    Sequence,
    /// `OptionalProto`.
    Optional,
}

impl Case {
    /// The folder of the case below [`Suite::root`].
    pub fn folder(&self, suite: &Suite) -> PathBuf {
        suite.root.join(&self.suite).join(&self.case)
    }
}

/// The suite; writes it if it is not there.
///
/// # Errors
/// [`PythonError`], which says what to do.
pub fn ensure(options: &Options, progress: &dyn Progress) -> Result<Suite, PythonError> {
    let cache = cache(options)?;
    if let Some(suite) = find(options)? {
        return Ok(suite);
    }
    let environment = environment::ensure(&Requirements::ONNX_SUITE, options, progress)?;
    let root = place::provide(&cache, &id(), progress, |partial| {
        fs::create_dir(partial).map_err(PythonError::io("make", partial))?;
        let program = partial.join("onnx_suite.py");
        fs::write(&program, SCRIPT).map_err(PythonError::io("write", &program))?;
        script::run(&environment.python(), &program, partial.as_os_str(), "write ONNX's test suite", progress)
    })?;
    Suite::read(&root)
}

/// The suite if it has been written; changes nothing.
///
/// # Errors
/// [`PythonError`] for one that can't be read.
pub fn find(options: &Options) -> Result<Option<Suite>, PythonError> {
    let root = cache(options)?.toolchain(&id());
    root.is_dir().then(|| Suite::read(&root)).transpose()
}

fn id() -> String {
    let requirements = Requirements::ONNX_SUITE;
    format!("{}-{}", requirements.name, short_hash(&[requirements.lock, SCRIPT]))
}

impl Suite {
    fn read(root: &Path) -> Result<Self, PythonError> {
        let path = root.join("index.json");
        let bytes = fs::read(&path).map_err(PythonError::io("read", &path))?;
        let index: Self =
            serde_json::from_slice(&bytes).map_err(|e| PythonError::io("read", &path)(e.into()))?;
        Ok(Self { root: root.to_owned(), ..index })
    }
}
