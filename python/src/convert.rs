//! Models of PyTorch, Keras, TensorFlow and scikit-learn to ONNX.
//!
//! What a file is follows from what is in it; `scripts/inspect_model.py` looks without running any of it, and says whether
//! loading it would. Only then is the framework installed and asked.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use opml_toolchain::progress::Progress;
use opml_toolchain::provision::Options;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::environment;
use crate::error::PythonError;
use crate::report::Report;
use crate::requirements::Requirements;
use crate::script::{Answer, Script};

const INSPECT: (&str, &str) = ("inspect_model.py", include_str!("../scripts/inspect_model.py"));
pub(crate) const SHARED: (&str, &str) = ("onnx_report.py", include_str!("../scripts/onnx_report.py"));
const TORCH: (&str, &str) = ("convert_torch.py", include_str!("../scripts/convert_torch.py"));
const TENSORFLOW: (&str, &str) = ("convert_tensorflow.py", include_str!("../scripts/convert_tensorflow.py"));
const SKLEARN: (&str, &str) = ("convert_sklearn.py", include_str!("../scripts/convert_sklearn.py"));

/// Why there is no ONNX file.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ConvertError {
    /// Something around the conversion.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Python(#[from] PythonError),

    /// The file is nothing that is converted.
    #[error("{} is {what}", .path.display())]
    #[diagnostic(help(
        "what is converted: PyTorch's exported programs (.pt2) and TorchScript, Keras (.keras), the folder of a TensorFlow \
         SavedModel, and pickle or joblib files of scikit-learn"
    ))]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What it is, as far as can be told.
        what: String,
    },

    /// Loading the file would run a program that is in it.
    #[error("{} ({kind}) can run any program when it is loaded:{}", .path.display(), list(.reasons))]
    #[diagnostic(help(
        "if it is your own file, or of somebody you would let use your account: --allow-code-execution converts it. It can then \
         read, change and send everything that you can. Safer is a format without code: torch.export.save, .keras without Lambda"
    ))]
    RunsCode {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: Kind,
        /// What was found in it.
        reasons: Vec<String>,
    },

    /// What was asked for can't be done with this file.
    #[error("{what}")]
    #[diagnostic(help("{help}"))]
    Refused {
        /// Why.
        what: String,
        /// What to do.
        help: String,
    },

    /// The result can't be written.
    #[error("can't write {}: {source}", .path.display())]
    #[diagnostic(help("check that the folder exists and is yours"))]
    Output {
        /// Where to.
        path: PathBuf,
        /// Why.
        source: opml_toolchain::BuildError,
    },
}

/// What a file of a model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// PyTorch's exported program.
    ExportedProgram,
    /// PyTorch's TorchScript.
    Torchscript,
    /// A module that `torch.save` pickled.
    TorchPickle,
    /// Keras 3.
    Keras,
    /// TensorFlow's SavedModel.
    SavedModel,
    /// An estimator of scikit-learn, pickled.
    Sklearn,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ExportedProgram => "exported program of PyTorch",
            Self::Torchscript => "TorchScript",
            Self::TorchPickle => "pickle of PyTorch",
            Self::Keras => "Keras",
            Self::SavedModel => "SavedModel of TensorFlow",
            Self::Sklearn => "pickle, as of scikit-learn",
        })
    }
}

impl Kind {
    /// What it is converted with.
    pub fn requirements(self) -> Requirements {
        match self {
            Self::ExportedProgram | Self::Torchscript | Self::TorchPickle => Requirements::TORCH,
            Self::Keras | Self::SavedModel => Requirements::TENSORFLOW,
            Self::Sklearn => Requirements::SKLEARN,
        }
    }

    fn script(self) -> (&'static str, &'static str) {
        match self {
            Self::ExportedProgram | Self::Torchscript | Self::TorchPickle => TORCH,
            Self::Keras | Self::SavedModel => TENSORFLOW,
            Self::Sklearn => SKLEARN,
        }
    }
}

/// The shape of an input that the file does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// The input.
    pub name: String,
    /// Its dimensions.
    pub dims: Vec<u64>,
    /// numpy's name of its type. Files of TorchScript do not say it.
    #[serde(rename = "type")]
    pub dtype: String,
}

/// What to convert.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The file, or the folder of a SavedModel.
    pub file: &'a Path,
    /// Where the ONNX file goes.
    pub out: &'a Path,
    /// Shapes of inputs. One that is not among them has the file's, with a batch of one.
    pub shapes: &'a [Shape],
    /// Version of ONNX's operators.
    pub opset: u32,
    /// Whether files may be loaded that run a program then.
    pub allow_code: bool,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Converted {
    /// The ONNX file.
    #[serde(flatten)]
    pub model: Report,
    /// onnxruntime's outputs beside those of the framework, for random inputs.
    pub comparison: Comparison,
}

/// How two computations of the same outputs differ.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// The largest difference.
    pub max_difference: f64,
    /// The largest value, to compare it with.
    pub max_output: f64,
}

/// What the inspection says.
#[derive(Deserialize)]
#[serde(untagged)]
enum Inspected {
    Known { kind: Kind, runs_code: Vec<String> },
    Unknown { unknown: String },
}

/// Says what `file` is, and why it could run code when it is loaded. Runs none of it.
///
/// # Errors
/// [`ConvertError::Unknown`]; [`PythonError::NoPython`].
pub fn inspect(
    file: &Path,
    options: &Options,
    progress: &dyn Progress,
) -> Result<(Kind, Vec<String>), ConvertError> {
    let script = Script::new(&[INSPECT])?;
    let python = environment::interpreter(options)?.program;
    match script.run(&python, json!({ "file": file }), "look at the file", progress)? {
        Answer::Done(Inspected::Known { kind, runs_code }) => Ok((kind, runs_code)),
        Answer::Done(Inspected::Unknown { unknown: what }) | Answer::Refused { what, .. } => {
            Err(ConvertError::Unknown { path: file.to_owned(), what })
        }
    }
}

/// Converts a file. The ONNX file is checked by ONNX's own checker, and onnxruntime runs it.
///
/// # Errors
/// [`ConvertError`]; nothing is written then.
pub fn convert(
    request: &Request,
    options: &Options,
    progress: &dyn Progress,
) -> Result<(Kind, Converted), ConvertError> {
    let file = fs::canonicalize(request.file).map_err(PythonError::io("read", request.file))?;
    let (kind, reasons) = inspect(&file, options, progress)?;
    if !reasons.is_empty() && !request.allow_code {
        return Err(ConvertError::RunsCode { path: request.file.to_owned(), kind, reasons });
    }
    let environment = environment::ensure(&kind.requirements(), options, progress)?;
    let script = Script::new(&[kind.script(), SHARED])?;
    let made = script.file("model.onnx");
    let job = json!({
        "file": file,
        "kind": kind,
        "shapes": request.shapes,
        "opset": request.opset,
        "allow_code": request.allow_code,
        "out": made,
    });
    match script.run(&environment.python(), job, "convert", progress)? {
        Answer::Done(converted) => {
            put(&made, request.out)?;
            Ok((kind, converted))
        }
        Answer::Refused { what, help } => Err(ConvertError::Refused { what, help }),
    }
}

/// Gives a finished file its place.
pub(crate) fn put(made: &Path, out: &Path) -> Result<(), ConvertError> {
    let bytes = fs::read(made).map_err(PythonError::io("read", made))?;
    let failed = |source| ConvertError::Output { path: out.to_owned(), source };
    opml_toolchain::write_atomically(out, &bytes).map_err(failed)
}

fn list(reasons: &[String]) -> String {
    reasons.iter().map(|reason| format!("\n  {reason}")).collect()
}
