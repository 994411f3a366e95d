//! `run`: a built program in the off-chain VM.

mod report;

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use opml_abi::{DataType, Tensor, decode_blob, exit};
use opml_frontend::tensor_file::{self, Drawn};
use opml_state::{Hash, keccak256};
use opml_toolchain::manifest::Manifest;
use opml_toolchain::progress::{Progress, Unit};
use opml_toolchain::write_atomically;
use opml_vm::{GuestHost, Request, Stop as VmStop, Vm, VmError};
use thiserror::Error;

use crate::outcome::{Outcome, Result, Stop};
use crate::program::Program;
use crate::ui::{self, Format};

/// Run a built program in the off-chain VM and print its outputs
///
/// Prints the outputs (and for a vector of floats the index of its largest element), the number of steps, the
/// output root and the hash of the final state. Exits with 0 if the program ran to its end and agrees
/// with the claim, if one was given; 1 if it disagrees or failed; 2 if it could not be run.
#[derive(clap::Args)]
pub struct Args {
    /// Folder that build-model or image wrote
    dir: PathBuf,
    /// Input tensors in the order of the manifest: .npy, ONNX .pb, .json, raw .bin, or .png/.pgm for a picture;
    /// of the input's element type (docs/formats.md). For a guest or a program of `image`, whose manifest names no inputs: files whose bytes are
    /// the inputs, or with a type in front, as in float32[1,28,28]:FILE
    #[arg(long = "input", value_name = "FILE", num_args = 1..)]
    inputs: Vec<PathBuf>,
    /// Output root to compare with, as the disputed claim would be
    #[arg(long, value_name = "0x…")]
    claim: Option<Hash>,
    /// Write the outputs, in order, as .npy files; of a guest or a program of `image`, bytes as they are
    #[arg(long = "output", value_name = "FILE", num_args = 1..)]
    outputs: Vec<PathBuf>,
    /// Draw the first output that is a picture: float32 or uint8 of [H, W], [1, 1, H, W] or [1, 3, H, W]. Black is 0, or -1
    /// if there are negative values; white is 1. A uint8 is a pixel
    #[arg(long, value_name = "FILE.png")]
    png: Option<PathBuf>,
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

    #[error("none of the outputs is a picture: {outputs}")]
    #[diagnostic(help(
        "a picture is float32 or uint8 and [H, W], [1, 1, H, W] or [1, 3, H, W]; --output writes any tensor as .npy"
    ))]
    NoPicture { outputs: String },

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
    let (expected, got) = (manifest.outputs.len(), args.outputs.len());
    if got > expected && !program.is_raw() {
        return Err(Stop::unable(RunError::OutputCount { expected, got }));
    }
    let request = program.request(&args.inputs, args.claim.unwrap_or_default())?;
    let finished = execute(&program, request, args.max_steps, &*ui::reporter())?;
    if got > finished.outputs.len() {
        return Err(Stop::unable(RunError::OutputCount { expected: finished.outputs.len(), got }));
    }
    for (path, tensor) in args.outputs.iter().zip(&finished.outputs) {
        match tensor.dtype {
            DataType::Uint8 if program.is_raw() => {
                write_atomically(path, &tensor.data).map_err(Stop::unable)?
            }
            _ => tensor_file::write_npy(path, tensor).map_err(Stop::unable)?,
        }
    }
    let drawing = args.png.as_deref().map(|path| draw(path, manifest, &finished)).transpose()?;
    match args.format {
        Format::Json => println!("{:#}", report::json(manifest, &finished)),
        Format::Text => print!("{}", report::text(args, manifest, &finished, drawing.as_ref())),
    }
    let agrees = args.claim.is_none() || finished.exit_code == exit::EQUAL;
    Ok(if agrees { Outcome::Done } else { Outcome::Failed })
}

/// An output that was drawn.
struct Drawing {
    output: String,
    drawn: Drawn,
}

fn draw(path: &Path, manifest: &Manifest, finished: &Finished) -> std::result::Result<Drawing, Stop> {
    let outputs = || report::named(manifest, finished);
    let picture = outputs().find(|(_, tensor)| tensor_file::is_picture(tensor));
    let (output, tensor) = picture.ok_or_else(|| {
        let list = outputs().map(|(name, tensor)| format!("{name} {} {:?}", tensor.dtype, tensor.shape));
        Stop::unable(RunError::NoPicture { outputs: list.collect::<Vec<_>>().join(", ") })
    })?;
    Ok(Drawing { output, drawn: tensor_file::write_png(path, tensor).map_err(Stop::unable)? })
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
    let state = program.prestate()?;
    let mut host = GuestHost::new(request);
    let mut vm = Vm::from_state(&state).map_err(Stop::unable)?;
    let exit_code = to_the_end(max_steps, progress, state.step, |limit| {
        let stop = vm.run(&mut host, limit)?;
        Ok((stop, vm.step_count()))
    })?;
    check_exit(exit_code, &host)?;
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

/// Runs a program that has made `steps` steps to its end, with reports on the way. `run` runs it for as many steps as it is given at the
/// most, and says why it stopped and how many steps were made in all. Gives the exit code.
pub(super) fn to_the_end(
    max_steps: u64,
    progress: &dyn Progress,
    mut steps: u64,
    mut run: impl FnMut(u64) -> std::result::Result<(VmStop, u64), VmError>,
) -> std::result::Result<u8, Stop> {
    const STEPS_PER_REPORT: u64 = 100_000_000;
    let task = progress.start("run", 0, Unit::Items);
    loop {
        // A prestate may be from the middle of a run, and so beyond the limit.
        let limit = STEPS_PER_REPORT.min(max_steps.saturating_sub(steps));
        if limit == 0 {
            return Err(Stop::unable(RunError::StepLimit(max_steps)));
        }
        match run(limit).map_err(Stop::rejected)? {
            (VmStop::Exited { code }, _) => return Ok(code),
            (VmStop::Limit, now) => {
                steps = now;
                task.set(steps);
            }
        }
    }
}

/// Refuses the run of a program that says that it failed.
pub(super) fn check_exit(code: u8, host: &GuestHost) -> std::result::Result<(), Stop> {
    if code < exit::FAILED {
        return Ok(());
    }
    let message = String::from_utf8_lossy(host.stderr()).trim_end().to_owned();
    Err(Stop::rejected(RunError::Guest { code, message }))
}
