//! Static int8 models by onnxruntime's quantiser.

use std::fs;
use std::path::Path;

use opml_toolchain::progress::Progress;
use opml_toolchain::provision::Options;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::convert::{ConvertError, SHARED, put};
use crate::environment;
use crate::error::PythonError;
use crate::report::Report;
use crate::requirements::Requirements;
use crate::script::{Answer, Script};

const QUANTIZE: (&str, &str) = ("quantize.py", include_str!("../scripts/quantize.py"));

/// What activations become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activations {
    /// -128 to 127.
    Int8,
    /// 0 to 255.
    Uint8,
}

/// How the range of an activation follows from what the samples give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// All that occurred.
    Minmax,
    /// What loses least information.
    Entropy,
    /// All but the rarest values.
    Percentile,
}

/// What to quantise.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The ONNX file.
    pub model: &'a Path,
    /// A folder with a file, or for several inputs a folder, for each sample.
    pub calibrate: &'a Path,
    /// The samples' right classes, in the order of their names.
    pub labels: Option<&'a Path>,
    /// Where the new ONNX file goes.
    pub out: &'a Path,
    /// What activations become.
    pub activations: Activations,
    /// How their ranges are found.
    pub method: Method,
}

/// What came of it: the first output of both models, over all samples.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Quantized {
    /// The new ONNX file.
    #[serde(flatten)]
    pub model: Report,
    /// How many samples there were.
    pub samples: u64,
    /// Share of the samples for which both models' largest output is the same one.
    pub agreement: f64,
    /// The largest difference of an output.
    pub max_difference: f64,
    /// Their mean.
    pub mean_difference: f64,
    /// The largest output, to compare them with.
    pub max_output: f64,
    /// Share of the samples whose largest output is the right class, before and after.
    pub accuracy: Option<[f64; 2]>,
}

/// Quantises a model: QuantizeLinear and DequantizeLinear around each operator, a scale for each channel of the weights.
/// Both models are then run as ONNX defines them, without an onnxruntime's shortcuts.
///
/// # Errors
/// [`ConvertError`]; nothing is written then.
pub fn quantize(
    request: &Request,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Quantized, ConvertError> {
    let found = |path: &Path| fs::canonicalize(path).map_err(PythonError::io("read", path));
    let (model, calibrate) = (found(request.model)?, found(request.calibrate)?);
    let labels = request.labels.map(found).transpose()?;
    let environment = environment::ensure(&Requirements::QUANTIZE, options, progress)?;
    let script = Script::new(&[QUANTIZE, SHARED])?;
    let made = script.file("model.onnx");
    let job = json!({
        "file": model,
        "calibrate": calibrate,
        "labels": labels,
        "activations": request.activations,
        "method": request.method,
        "out": made,
    });
    match script.run(&environment.python(), job, "quantise", progress)? {
        Answer::Done(quantized) => {
            put(&made, request.out)?;
            Ok(quantized)
        }
        Answer::Refused { what, help } => Err(ConvertError::Refused { what, help }),
    }
}
