//! `run`: a built program in the off-chain VM.

use std::path::PathBuf;

use miette::Diagnostic;
use opml_abi::{DataType, Tensor, decode_blob, exit};
use opml_frontend::tensor_file;
use opml_state::{Hash, keccak256};
use opml_toolchain::manifest::Manifest;
use opml_toolchain::progress::{Progress, Unit};
use opml_toolchain::write_atomically;
use opml_vm::{GuestHost, Request, Stop as VmStop, Vm};
use thiserror::Error;

use crate::outcome::{Outcome, Result, Stop};
use crate::program::Program;
use crate::ui::{self, Format, table};

/// Run a built program in the off-chain VM and print its outputs
///
/// Prints the outputs (and for a vector the index of its largest element), the number of steps, the
/// output root and the hash of the final state. Exits with 0 if the program ran to its end and agrees
/// with the claim, if one was given; 1 if it disagrees or failed; 2 if it could not be run.
#[derive(clap::Args)]
pub struct Args {
    /// Folder that build-model or image wrote
    dir: PathBuf,
    /// Input tensors in the order of the manifest: .npy, ONNX .pb, raw .bin, or .png/.pgm for a picture.
    /// For a program of `image`: one file, whose bytes are the input
    #[arg(long = "input", value_name = "FILE", required = true, num_args = 1..)]
    inputs: Vec<PathBuf>,
    /// Output root to compare with, as the disputed claim would be
    #[arg(long, value_name = "0x…")]
    claim: Option<Hash>,
    /// Write the outputs, in order, as .npy files; of a program of `image`, bytes as they are
    #[arg(long = "output", value_name = "FILE", num_args = 1..)]
    outputs: Vec<PathBuf>,
    /// Give up after this many steps
    #[arg(long, value_name = "N", default_value_t = 1_000_000_000_000)]
    max_steps: u64,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Why a run was not made, or made nothing.
#[derive(Debug, Error, Diagnostic)]
enum RunError {
    #[error("the program gives {expected} outputs; {got} files were named")]
    #[diagnostic(help("give --output at most once for each"))]
    OutputCount { expected: usize, got: usize },

    #[error("the program did not end within {0} steps")]
    #[diagnostic(help("raise --max-steps"))]
    StepLimit(u64),

    #[error("the program failed (exit code {code}): {message}")]
    #[diagnostic(help("exit code 2 is a panic or an input that the program refuses"))]
    Guest { code: u8, message: String },

    #[error("the program sent no output that fits its manifest: {0}")]
    #[diagnostic(help("this is a defect of the program; the off-chain VM and the manifest disagree"))]
    Output(String),
}

/// A finished run.
pub(super) struct Finished {
    outputs: Vec<Tensor>,
    pub steps: u64,
    exit_code: u8,
    /// None if the program sent nothing, which is its right if nobody said what it gives.
    output_root: Option<Hash>,
    state_hash: Hash,
}

pub fn run(args: &Args) -> Result {
    let program = Program::open(&args.dir)?;
    let manifest = &program.manifest;
    let expected = if program.is_raw() { 1 } else { manifest.outputs.len() };
    let got = args.outputs.len();
    if got > expected {
        return Err(Stop::unable(RunError::OutputCount { expected, got }));
    }
    let request = program.request(&args.inputs, args.claim.unwrap_or_default())?;
    let finished = execute(&program, request, args.max_steps, &*ui::reporter())?;
    for (path, tensor) in args.outputs.iter().zip(&finished.outputs) {
        match tensor.dtype {
            DataType::Uint8 if program.is_raw() => {
                write_atomically(path, &tensor.data).map_err(Stop::unable)?
            }
            _ => tensor_file::write_npy(path, tensor).map_err(Stop::unable)?,
        }
    }
    match args.format {
        Format::Json => println!("{:#}", json(manifest, &finished)),
        Format::Text => print!("{}", text(args, manifest, &finished)),
    }
    let agrees = args.claim.is_none() || finished.exit_code == exit::EQUAL;
    Ok(if agrees { Outcome::Done } else { Outcome::Failed })
}

/// Refuses outputs that are not those of the manifest in number, element type and shape.
fn check_outputs(manifest: &Manifest, outputs: &[Tensor]) -> std::result::Result<(), Stop> {
    let expected = manifest.outputs.iter().map(|port| (port.dtype.as_str(), &port.shape));
    if expected.clone().eq(outputs.iter().map(|tensor| (tensor.dtype.name(), &tensor.shape))) {
        return Ok(());
    }
    let list = |tensors: Vec<(&str, &Vec<u32>)>| {
        tensors.iter().map(|(dtype, shape)| format!("{dtype} {shape:?}")).collect::<Vec<_>>().join(", ")
    };
    let got = outputs.iter().map(|tensor| (tensor.dtype.name(), &tensor.shape)).collect();
    let problem = format!("expected {}, got {}", list(expected.collect()), list(got));
    Err(Stop::rejected(RunError::Output(problem)))
}

/// Runs a program to its end.
pub(super) fn execute(
    program: &Program,
    request: Request,
    max_steps: u64,
    progress: &dyn Progress,
) -> std::result::Result<Finished, Stop> {
    const STEPS_PER_REPORT: u64 = 100_000_000;
    let state = program.prestate()?;
    let mut host = GuestHost::new(request);
    let mut vm = Vm::from_state(&state).map_err(Stop::unable)?;
    let task = progress.start("run", 0, Unit::Items);
    let exit_code = loop {
        // A prestate may be from the middle of a run, and so beyond the limit.
        let limit = STEPS_PER_REPORT.min(max_steps.saturating_sub(vm.step_count()));
        if limit == 0 {
            return Err(Stop::unable(RunError::StepLimit(max_steps)));
        }
        match vm.run(&mut host, limit).map_err(Stop::rejected)? {
            VmStop::Exited { code } => break code,
            VmStop::Limit => task.set(vm.step_count()),
        }
    };
    drop(task);
    if exit_code >= exit::FAILED {
        let message = String::from_utf8_lossy(host.stderr()).trim_end().to_owned();
        return Err(Stop::rejected(RunError::Guest { code: exit_code, message }));
    }
    let unfit = |problem: String| Stop::rejected(RunError::Output(problem));
    let blob = host.output_blob();
    let outputs = match blob {
        Some(blob) => decode_blob(blob).map_err(|e| unfit(e.to_string()))?,
        None if program.is_raw() => Vec::new(),
        None => return Err(unfit("it ended without one".into())),
    };
    if !program.is_raw() {
        check_outputs(&program.manifest, &outputs)?;
    }
    Ok(Finished {
        outputs,
        steps: vm.step_count(),
        exit_code,
        output_root: blob.map(keccak256),
        state_hash: vm.state().state_hash(),
    })
}

/// Index and value of the largest element of a vector: a classifier's answer.
fn arg_max(tensor: &Tensor) -> Option<(usize, f32)> {
    let long = tensor.shape.iter().filter(|&&d| d > 1).count();
    let values = tensor.to_f32().filter(|_| long == 1)?;
    values.into_iter().enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best })
}

fn text(args: &Args, manifest: &Manifest, finished: &Finished) -> String {
    let mut text = String::new();
    for (name, tensor) in named(manifest, finished) {
        text += &format!("{name} {} {:?}\n{}", tensor.dtype, tensor.shape, elements(tensor));
        if let Some((index, value)) = arg_max(tensor) {
            text += &format!(" largest: {index} ({value})\n");
        }
    }
    let verdict = match (args.claim, finished.exit_code) {
        (None, _) => "no claim was given",
        (Some(_), exit::EQUAL) => "the output is the claimed one",
        (Some(_), _) => "the output is not the claimed one",
    };
    text + "\n"
        + &table::pairs([
            ("steps", ui::count(finished.steps)),
            ("exit code", format!("{} ({verdict})", finished.exit_code)),
            (
                "output root",
                finished.output_root.map_or("nothing was sent".to_owned(), |root| root.to_string()),
            ),
            ("state hash", finished.state_hash.to_string()),
        ])
}

fn elements(tensor: &Tensor) -> String {
    const SHOWN: usize = 64;
    let floats = tensor.to_f32().unwrap_or_default();
    let mut text: String = match tensor.dtype {
        DataType::Float32 => floats.iter().take(SHOWN).map(|v| format!(" {v}")).collect(),
        DataType::Uint8 => tensor.data.iter().take(SHOWN).map(|v| format!(" {v}")).collect(),
        _ => return format!(" {} elements\n", tensor.elements()),
    };
    if tensor.elements() > SHOWN {
        text += &format!(" … and {} more (--output writes all)", tensor.elements() - SHOWN);
    }
    text + "\n"
}

/// The outputs with their names; where nobody gave them any, they are numbered.
fn named<'a>(manifest: &'a Manifest, finished: &'a Finished) -> impl Iterator<Item = (String, &'a Tensor)> {
    let name = |index: usize| match manifest.outputs.get(index) {
        Some(port) => port.name.clone(),
        None => format!("output {index}"),
    };
    finished.outputs.iter().enumerate().map(move |(index, tensor)| (name(index), tensor))
}

fn json(manifest: &Manifest, finished: &Finished) -> serde_json::Value {
    let outputs = named(manifest, finished).map(|(name, tensor)| {
        let bytes = (tensor.dtype == DataType::Uint8).then_some(&tensor.data);
        serde_json::json!({
            "name": name,
            "dtype": tensor.dtype.name(),
            "shape": tensor.shape,
            "values": tensor.to_f32().map_or(serde_json::json!(bytes), |values| serde_json::json!(values)),
            "arg_max": arg_max(tensor).map(|(index, _)| index),
        })
    });
    serde_json::json!({
        "program": manifest.name,
        "target": manifest.target,
        "outputs": outputs.collect::<Vec<_>>(),
        "steps": finished.steps,
        "exit_code": finished.exit_code,
        "output_root": finished.output_root,
        "state_hash": finished.state_hash,
    })
}
