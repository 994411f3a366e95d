//! `run`: a built program in the off-chain VM.

mod execution;
mod failure;
mod report;

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use opml_abi::{DataType, exit};
use opml_frontend::tensor_file::{self, Drawn};
use opml_state::Hash;
use opml_toolchain::manifest::Manifest;
use opml_toolchain::write_atomically;
use thiserror::Error;

use execution::Ended;
use execution::Finished;
pub(super) use execution::{Checks, check_exit, execute, to_the_end};
use failure::Detail;

use crate::outcome::{Outcome, Result, Stop};
use crate::program::Program;
use crate::ui::{self, Format};

/// Run a built program in the off-chain VM and print its outputs
///
/// Prints the outputs (and for a vector of floats the index of its largest element), the number of steps, the
/// output root and the hash of the final state. A program that panics, or does what no correct program does although the contract
/// would let it pass, is stopped with the name of the fault and the functions and lines where it was (docs/debugging.md). Exits
/// with 0 if the program ran to its end and agrees with the claim, if one was given; 1 if it disagrees or failed; 2 if it could
/// not be run.
#[derive(clap::Args)]
pub struct Args {
    /// Folder that build-model or image wrote
    dir: PathBuf,
    /// Input tensors in the order of the manifest: .npy, ONNX .pb, .json, raw .bin, or .png/.pgm for a picture;
    /// of the input's element type (docs/formats.md). For a guest or a program of `image`, whose manifest names no inputs: files whose bytes are
    /// the inputs, or with a type in front, as in `float32[1,28,28]:FILE`
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
    /// Let pass what the contract lets pass: accesses that are not aligned or go nowhere, jumps to what is no code. Only for programs
    /// that were built elsewhere and do so on purpose
    #[arg(long)]
    no_checks: bool,
    /// How much to print of where a program was that fails
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Detail::Short)]
    backtrace: Detail,
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
}

pub fn run(args: &Args) -> Result {
    let program = Program::open(&args.dir)?;
    let manifest = &program.manifest;
    let (expected, got) = (manifest.outputs.len(), args.outputs.len());
    if got > expected && !program.is_raw() {
        return Err(Stop::unable(RunError::OutputCount { expected, got }));
    }
    let request = program.request(&args.inputs, args.claim.unwrap_or_default())?;
    let checks = if args.no_checks { Checks::Off } else { Checks::On };
    let finished = match execute(&program, request, args.max_steps, checks, &*ui::reporter()) {
        Ok(finished) => finished,
        Err(Ended::Failed(failure)) if args.format == Format::Json => {
            println!("{:#}", failure.json());
            return Ok(Outcome::Failed);
        }
        Err(Ended::Failed(failure)) => {
            print!("{}", failure.stdout);
            return Err(failure.stop(args.backtrace));
        }
        Err(Ended::Otherwise(stop)) => return Err(stop),
    };
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
