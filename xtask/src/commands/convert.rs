//! `convert`: other formats of models to ONNX.

use std::path::PathBuf;
use std::str::FromStr;

use opml_python::convert::{self, ConvertError, Converted, Kind, Request, Shape};
use opml_python::{Port, PythonError, Report};
use opml_toolchain::provision::Options;
use serde_json::json;

use crate::outcome::{Outcome, Result, Stop};
use crate::ui::{self, Format};

/// Convert a model of PyTorch, Keras, TensorFlow or scikit-learn to ONNX
///
/// Takes PyTorch's exported programs (.pt2) and TorchScript, Keras (.keras), the folder of a TensorFlow SavedModel, and pickle
/// or joblib files of scikit-learn; what a file is follows from what is in it. The framework is installed into the user's
/// cache folder when it is first needed, by hash: 0.6 GB are downloaded for PyTorch, 0.3 GB for TensorFlow, 0.1 GB for
/// scikit-learn. It needs Python 3.11, 3.12 or 3.13.
///
/// The ONNX file is checked and run by onnxruntime, and its outputs are compared with the framework's for random inputs.
///
/// Exits with 0 if the file was written, 1 if the model cannot be converted, 2 if it could not be tried.
#[derive(clap::Args)]
pub struct Args {
    /// The file, or the folder of a SavedModel
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where the ONNX file goes
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// Shape of an input, as in image=1,3,32,32 or ids=1,16:int64; in files that say it, a batch of one is the default
    #[arg(long, value_name = "NAME=DIMS")]
    shape: Vec<InputShape>,
    /// Version of ONNX's operators
    #[arg(long, value_name = "N", default_value_t = 18, value_parser = clap::value_parser!(u32).range(13..=22))]
    opset: u32,
    /// Convert files that run a program when they are loaded: pickles, Lambda layers. The program can do everything that you
    /// can: read, change, delete and send your files. Only for files of people you would let use your account
    #[arg(long)]
    allow_code_execution: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Never use the network
    #[arg(long)]
    offline: bool,
}

/// `NAME=1,3,32,32`, with `:TYPE` for other types than float32.
#[derive(Clone, Debug)]
struct InputShape(Shape);

impl FromStr for InputShape {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        // Names may have an equals sign and colons in them, dimensions not.
        let (name, rest) = text.rsplit_once('=').ok_or("expected NAME=DIMS, as in image=1,3,32,32")?;
        let (dims, dtype) = rest.split_once(':').unwrap_or((rest, "float32"));
        let dims: std::result::Result<_, _> = dims.split(',').map(|dim| dim.trim().parse()).collect();
        let dims: Vec<u64> = dims.map_err(|error| format!("dimensions `{rest}`: {error}"))?;
        let known = ["float32", "float64", "float16", "int8", "uint8", "int32", "int64", "bool"];
        if !known.contains(&dtype) {
            return Err(format!("`{dtype}` is none of {}", known.join(", ")));
        }
        Ok(Self(Shape { name: name.to_owned(), dims, dtype: dtype.to_owned() }))
    }
}

pub fn run(args: &Args) -> Result {
    let shapes: Vec<Shape> = args.shape.iter().map(|shape| shape.0.clone()).collect();
    let request = Request {
        file: &args.file,
        out: &args.out,
        shapes: &shapes,
        opset: args.opset,
        allow_code: args.allow_code_execution,
    };
    let options = Options { offline: args.offline, ..Options::default() };
    let (kind, converted) = convert::convert(&request, &options, &*ui::reporter()).map_err(stop)?;
    match args.format {
        Format::Json => println!("{:#}", json!({ "kind": kind, "out": args.out, "model": converted })),
        Format::Text => print!("{}", text(kind, &converted, args)),
    }
    Ok(Outcome::Done)
}

/// A script that fails could not do it with this model; everything else of Python's is about this machine.
pub(super) fn stop(error: ConvertError) -> Stop {
    match error {
        ConvertError::Python(PythonError::Script { .. })
        | ConvertError::Unknown { .. }
        | ConvertError::RunsCode { .. }
        | ConvertError::Refused { .. } => Stop::rejected(error),
        ConvertError::Python(_) | ConvertError::Output { .. } => Stop::unable(error),
    }
}

fn text(kind: Kind, converted: &Converted, args: &Args) -> String {
    let compared = &converted.comparison;
    let mut rows = vec![("kind".to_owned(), kind.to_string())];
    rows.extend(described(&converted.model));
    let difference =
        format!("{:e} at most; the outputs go up to {:.3}", compared.max_difference, compared.max_output);
    rows.push(("difference".into(), difference));
    rows.push(("written".into(), args.out.display().to_string()));
    ui::table::pairs(rows)
}

/// Rows about an ONNX file.
pub(super) fn described(model: &Report) -> Vec<(String, String)> {
    let port = |port: &Port| {
        let shape: Vec<String> = port.shape.iter().map(ToString::to_string).collect();
        format!("{} {} [{}]", port.name, port.dtype, shape.join(", "))
    };
    let ports = |ports: &[Port]| ports.iter().map(port).collect::<Vec<_>>().join("; ");
    let opset: Vec<String> =
        model.opset.iter().map(|(domain, version)| format!("{domain} {version}")).collect();
    let operators: Vec<String> =
        model.operators.iter().map(|(name, count)| format!("{name} {count}")).collect();
    vec![
        ("inputs".into(), ports(&model.inputs)),
        ("outputs".into(), ports(&model.outputs)),
        ("opset".into(), opset.join(", ")),
        ("operators".into(), operators.join(", ")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_have_a_name_dimensions_and_a_type() {
        let shape = "a=b:0=1, 16:int64".parse::<InputShape>().unwrap().0;
        assert_eq!(shape, Shape { name: "a=b:0".into(), dims: vec![1, 16], dtype: "int64".into() });
        let error = |text: &str| text.parse::<InputShape>().unwrap_err();
        assert!(error("1,2").starts_with("expected NAME=DIMS"));
        assert!(error("x=1,two").starts_with("dimensions `1,two`"));
        assert!(error("x=-1").starts_with("dimensions `-1`"));
        assert!(error("x=1:long").starts_with("`long` is none of float32"));
    }
}
