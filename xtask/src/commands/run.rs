//! `run`: a built program in the off-chain VM.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use opml_abi::{ABI_VERSION, DataType, Tensor, TensorInfo, blob, decode_blob, encode_blob, exit};
use opml_frontend::tensor_file;
use opml_state::{Hash, cannon, keccak256};
use opml_toolchain::file;
use opml_toolchain::manifest::{MANIFEST_VERSION, Manifest, Port};
use opml_toolchain::progress::{Progress, Unit};
use opml_vm::{GuestHost, Request, Stop as VmStop, Vm};
use thiserror::Error;

use crate::outcome::{Outcome, Result, Stop};
use crate::ui::{self, Format, table};

/// Run a built program in the off-chain VM and print its outputs
///
/// Prints the outputs (and for a vector the index of its largest element), the number of steps, the
/// output root and the hash of the final state. Exits with 0 if the program ran to its end and agrees
/// with the claim, if one was given; 1 if it disagrees or failed; 2 if it could not be run.
#[derive(clap::Args)]
pub struct Args {
    /// Folder that build-model wrote
    dir: PathBuf,
    /// Input tensors in the order of the manifest: .npy, ONNX .pb, raw .bin, or .png/.pgm for an image
    #[arg(long = "input", value_name = "FILE", required = true, num_args = 1..)]
    inputs: Vec<PathBuf>,
    /// Output root to compare with, as the disputed claim would be
    #[arg(long, value_name = "0x…")]
    claim: Option<Hash>,
    /// Write the outputs, in order, as .npy files
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
    #[error("cannot read {}", path.display())]
    #[diagnostic(help(
        "give the folder that `cargo xtask build-model` wrote: its table names it under `files`"
    ))]
    NoManifest { path: PathBuf, source: std::io::Error },

    #[error("{} is not the manifest of a build", path.display())]
    #[diagnostic(help("build the folder again with `cargo xtask build-model`"))]
    Manifest { path: PathBuf, source: serde_json::Error },

    #[error("the manifest has {what} {got}, expected {expected}")]
    #[diagnostic(help("use the version of the tool that built the folder, or build it again"))]
    Version { what: &'static str, expected: String, got: String },

    #[error("an input of the manifest is no tensor of the guest ABI: {dtype} with {rank} dimensions")]
    #[diagnostic(help("use the version of the tool that built the folder, or build it again"))]
    Input { dtype: String, rank: usize },

    #[error("the program takes {expected} inputs ({names}); {got} were given")]
    #[diagnostic(help("give --input once for each, in this order"))]
    InputCount { expected: usize, names: String, got: usize },

    #[error("the program gives {expected} outputs; {got} files were named")]
    #[diagnostic(help("give --output at most once for each"))]
    OutputCount { expected: usize, got: usize },

    #[error("{} is not the prestate of the manifest beside it\n  expected {expected}\n  got      {got}", path.display())]
    #[diagnostic(help("a file of the folder was changed: build it again with `cargo xtask build-model`"))]
    Prestate { path: PathBuf, expected: Hash, got: Hash },

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

/// The target whose VM this is.
const TARGET: &str = "cannon32";

/// A finished run.
pub(super) struct Finished {
    outputs: Vec<Tensor>,
    pub steps: u64,
    exit_code: u8,
    output_root: Hash,
    state_hash: Hash,
}

pub fn run(args: &Args) -> Result {
    let manifest = manifest(&args.dir)?;
    let (expected, got) = (manifest.outputs.len(), args.outputs.len());
    if got > expected {
        return Err(Stop::unable(RunError::OutputCount { expected, got }));
    }
    let inputs = inputs(&args.inputs, &manifest)?;
    let claim = args.claim.unwrap_or_default();
    let finished = execute(&args.dir, &manifest, &inputs, claim, args.max_steps, &*ui::reporter())?;
    for (path, tensor) in args.outputs.iter().zip(&finished.outputs) {
        tensor_file::write_npy(path, tensor).map_err(Stop::unable)?;
    }
    match args.format {
        Format::Json => println!("{:#}", json(&manifest, &finished)),
        Format::Text => print!("{}", text(args, &manifest, &finished)),
    }
    let agrees = args.claim.is_none() || finished.exit_code == exit::EQUAL;
    Ok(if agrees { Outcome::Done } else { Outcome::Failed })
}

pub(super) fn manifest(dir: &Path) -> std::result::Result<Manifest, Stop> {
    let path = dir.join(file::MANIFEST);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(source) => return Err(Stop::unable(RunError::NoManifest { path, source })),
    };
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|source| Stop::unable(RunError::Manifest { path, source }))?;
    // What another version or VM means by the rest is not known here.
    let same = |what, expected: &dyn ToString, got: &dyn ToString| {
        let (expected, got) = (expected.to_string(), got.to_string());
        if expected == got { Ok(()) } else { Err(Stop::unable(RunError::Version { what, expected, got })) }
    };
    same("version", &MANIFEST_VERSION, &manifest.manifest_version)?;
    same("guest ABI version", &ABI_VERSION, &manifest.abi_version)?;
    same("target", &TARGET, &manifest.target)?;
    Ok(manifest)
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

pub(super) fn inputs(files: &[PathBuf], manifest: &Manifest) -> std::result::Result<Vec<Tensor>, Stop> {
    let info = |port: &Port| {
        let foreign = || RunError::Input { dtype: port.dtype.clone(), rank: port.shape.len() };
        port.info().filter(|info| info.shape.len() <= blob::MAX_RANK).ok_or_else(foreign)
    };
    let ports: Vec<TensorInfo> =
        manifest.inputs.iter().map(info).collect::<std::result::Result<_, _>>().map_err(Stop::unable)?;
    if ports.len() != files.len() {
        let names = ports.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(Stop::unable(RunError::InputCount { expected: ports.len(), names, got: files.len() }));
    }
    let read = |(path, port): (&PathBuf, &TensorInfo)| tensor_file::read(path, port).map_err(Stop::unable);
    files.iter().zip(&ports).map(read).collect()
}

/// Runs the program in `dir` to its end.
pub(super) fn execute(
    dir: &Path,
    manifest: &Manifest,
    inputs: &[Tensor],
    claim: Hash,
    max_steps: u64,
    progress: &dyn Progress,
) -> std::result::Result<Finished, Stop> {
    const STEPS_PER_REPORT: u64 = 100_000_000;
    let path = dir.join(file::PRESTATE);
    let state = cannon::load_state(&path, cannon::Limits::default()).map_err(Stop::unable)?;
    let (expected, got) = (manifest.prestate_hash, state.state_hash());
    if expected != got {
        return Err(Stop::rejected(RunError::Prestate { path, expected, got }));
    }
    let input = encode_blob(inputs);
    let mut host = GuestHost::new(Request { input, claim, step_index: 1, ..Request::default() });
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
    let blob =
        host.output_blob().ok_or_else(|| Stop::rejected(RunError::Output("it ended without one".into())))?;
    let outputs = decode_blob(blob).map_err(|e| Stop::rejected(RunError::Output(e.to_string())))?;
    check_outputs(manifest, &outputs)?;
    Ok(Finished {
        outputs,
        steps: vm.step_count(),
        exit_code,
        output_root: keccak256(blob),
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
    for (port, tensor) in manifest.outputs.iter().zip(&finished.outputs) {
        text += &format!("{} {} {:?}\n{}", port.name, tensor.dtype, tensor.shape, elements(tensor));
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
            ("output root", finished.output_root.to_string()),
            ("state hash", finished.state_hash.to_string()),
        ])
}

fn elements(tensor: &Tensor) -> String {
    const SHOWN: usize = 64;
    if tensor.dtype != DataType::Float32 {
        return format!(" {} elements\n", tensor.elements());
    }
    let values = tensor.to_f32().unwrap_or_default();
    let mut text: String = values.iter().take(SHOWN).map(|v| format!(" {v}")).collect();
    if values.len() > SHOWN {
        text += &format!(" … and {} more (--output writes all)", values.len() - SHOWN);
    }
    text + "\n"
}

fn json(manifest: &Manifest, finished: &Finished) -> serde_json::Value {
    let outputs = manifest.outputs.iter().zip(&finished.outputs).map(|(port, tensor)| {
        serde_json::json!({
            "name": port.name,
            "dtype": tensor.dtype.name(),
            "shape": tensor.shape,
            "values": tensor.to_f32(),
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
