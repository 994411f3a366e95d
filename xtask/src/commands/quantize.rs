//! `quantize`: int8 models.

use std::path::PathBuf;

use clap::ValueEnum;
use opml_python::quantize::{self, Quantized, Request};
use opml_toolchain::provision::Options;
use serde_json::json;

use super::convert::{described, stop};
use crate::outcome::{Outcome, Result};
use crate::ui::{self, Format};

/// Make an int8 model out of a float one, and say how accurate it is
///
/// Puts QuantizeLinear and DequantizeLinear around the operators (onnxruntime's static quantisation), with a scale for each
/// channel of the weights. The ranges of the activations come from samples: a folder with a .npy, .pb, .bin, .png or .pgm file for
/// each, or, for a model with several inputs, with a folder for each that has a file named as each input, or input_0, input_1.
///
/// Prints for how many samples the largest output stays the same, how much outputs change, and with --labels how many samples
/// each of the two models names right.
///
/// Exits with 0 if the model was written, 1 if it or a sample is not acceptable, 2 if it could not be tried.
#[derive(clap::Args)]
pub struct Args {
    /// The ONNX file; its shapes are fixed
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Folder with the samples
    #[arg(long, value_name = "DIR")]
    calibrate: PathBuf,
    /// The samples' right classes in the order of their names: a number on each line, or a .npy of integers
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Where the new model goes [default: MODEL with the ending .int8.onnx]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// What activations become
    #[arg(long, value_enum, default_value_t = Activations::Int8)]
    activations: Activations,
    /// How the ranges of activations are found
    #[arg(long, value_enum, default_value_t = Method::Minmax)]
    method: Method,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Never use the network
    #[arg(long)]
    offline: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Activations {
    /// -128 to 127
    Int8,
    /// 0 to 255
    Uint8,
}

#[derive(Clone, Copy, ValueEnum)]
enum Method {
    /// All that occurred
    Minmax,
    /// What loses least information
    Entropy,
    /// All but the rarest values
    Percentile,
}

pub fn run(args: &Args) -> Result {
    let out = args.out.clone().unwrap_or_else(|| args.model.with_extension("int8.onnx"));
    let request = Request {
        model: &args.model,
        calibrate: &args.calibrate,
        labels: args.labels.as_deref(),
        out: &out,
        activations: match args.activations {
            Activations::Int8 => quantize::Activations::Int8,
            Activations::Uint8 => quantize::Activations::Uint8,
        },
        method: match args.method {
            Method::Minmax => quantize::Method::Minmax,
            Method::Entropy => quantize::Method::Entropy,
            Method::Percentile => quantize::Method::Percentile,
        },
    };
    let options = Options { offline: args.offline, ..Options::default() };
    let quantized = quantize::quantize(&request, &options, &*ui::reporter()).map_err(stop)?;
    match args.format {
        Format::Json => println!("{:#}", json!({ "out": out, "model": quantized })),
        Format::Text => {
            let mut rows = described(&quantized.model);
            rows.extend(measured(&quantized));
            rows.push(("written".into(), out.display().to_string()));
            print!("{}", ui::table::pairs(rows));
        }
    }
    Ok(Outcome::Done)
}

fn measured(quantized: &Quantized) -> Vec<(String, String)> {
    let percent = |share: f64| format!("{:.2} %", share * 100.0);
    let mut rows = vec![("samples".to_owned(), quantized.samples.to_string())];
    if let Some([before, after]) = quantized.accuracy {
        rows.push(("accuracy".into(), format!("{} before, {} after", percent(before), percent(after))));
    }
    rows.push(("same class".into(), percent(quantized.agreement)));
    let difference = format!(
        "{:.4} at most, {:.4} in the mean; the outputs go up to {:.3}",
        quantized.max_difference, quantized.mean_difference, quantized.max_output
    );
    rows.push(("difference".into(), difference));
    rows
}
