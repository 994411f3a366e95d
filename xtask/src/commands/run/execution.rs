//! A program's run to its end.

use miette::Diagnostic;
use opml_abi::{Tensor, decode_blob, exit};
use opml_debug::Backtrace;
use opml_state::{Hash, keccak256};
use opml_toolchain::manifest::Manifest;
use opml_toolchain::progress::{Progress, Unit};
use opml_vm::{GuestHost, Request, Stop as VmStop, Vm, VmError};
use thiserror::Error;

use super::failure::{Cause, Detail, Failure};
use super::report::printable;
use crate::outcome::Stop;
use crate::program::Program;

/// Why a run has no result.
#[derive(Debug, Error, Diagnostic)]
enum ExecutionError {
    #[error("the program did not end within {0} steps")]
    #[diagnostic(help("raise --max-steps"))]
    StepLimit(u64),

    #[error("the program failed (exit code {code}): {message}")]
    #[diagnostic(help("exit code 2 is a panic or an input that the program refuses; `run` shows where"))]
    Guest { code: u8, message: String },

    #[error("the program sent no output that fits its manifest: {0}")]
    #[diagnostic(help("this is a defect of the program; the off-chain VM and the manifest disagree"))]
    Output(String),
}

/// A finished run.
pub(in super::super) struct Finished {
    pub(super) outputs: Vec<Tensor>,
    pub steps: u64,
    pub(super) exit_code: u8,
    /// What it wrote to standard output, as it can be shown on a terminal.
    pub(super) stdout: String,
    /// None if the program sent nothing, which is its right if nobody said what it gives.
    pub(super) output_root: Option<Hash>,
    pub(super) state_hash: Hash,
}

/// Whether a run is watched for what no correct program does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Checks {
    On,
    Off,
}

/// Why a run has no result.
pub(in super::super) enum Ended {
    /// The program is to blame.
    Failed(Box<Failure>),
    /// Anything else.
    Otherwise(Stop),
}

impl From<Stop> for Ended {
    fn from(stop: Stop) -> Self {
        Self::Otherwise(stop)
    }
}

impl From<Ended> for Stop {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Failed(failure) => failure.stop(Detail::Short),
            Ended::Otherwise(stop) => stop,
        }
    }
}

/// Runs a program to its end.
pub(in super::super) fn execute(
    program: &Program,
    request: Request,
    max_steps: u64,
    checks: Checks,
    progress: &dyn Progress,
) -> Result<Finished, Ended> {
    let layout = if checks == Checks::On { program.layout()? } else { None };
    let state = program.prestate()?;
    let mut host = GuestHost::new(request);
    let mut vm = Vm::from_state(&state).map_err(Stop::unable)?;
    if let Some(layout) = layout {
        vm = vm.checked(&layout);
    }
    let ran = to_the_end(max_steps, progress, state.step, |limit| {
        let stop = vm.run(&mut host, limit)?;
        Ok((stop, vm.step_count()))
    });
    let cause = match ran {
        Ok(code) if code >= exit::FAILED => Some(Cause::Exit { code, message: message(&host) }),
        Ok(_) => None,
        Err(Interrupted::Limit(limit)) => return Err(limit.into()),
        Err(Interrupted::Vm(error)) => Some(Cause::Vm(error)),
    };
    if let Some(cause) = cause {
        let elf = if program.has_elf() { Some(program.symbols(&state)?) } else { None };
        let backtrace = elf.map(|elf| Backtrace::of(&vm, &elf)).unwrap_or_default();
        let stdout = printable(host.stdout());
        return Err(Ended::Failed(Box::new(Failure::new(cause, &vm, backtrace, stdout))));
    }
    finished(program, &host, &vm).map_err(Ended::Otherwise)
}

fn finished(program: &Program, host: &GuestHost, vm: &Vm) -> Result<Finished, Stop> {
    let unfit = |problem: String| Stop::rejected(ExecutionError::Output(problem));
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
        exit_code: vm.exit_code().unwrap_or_default(),
        stdout: printable(host.stdout()),
        output_root: blob.map(keccak256),
        state_hash: vm.state().state_hash(),
    })
}

/// Refuses outputs that are not those of the manifest in number, element type and shape.
fn check_outputs(manifest: &Manifest, outputs: &[Tensor]) -> Result<(), Stop> {
    let expected = manifest.outputs.iter().map(|port| (port.dtype.as_str(), &port.shape));
    if expected.clone().eq(outputs.iter().map(|tensor| (tensor.dtype.name(), &tensor.shape))) {
        return Ok(());
    }
    let list = |tensors: Vec<(&str, &Vec<u32>)>| {
        tensors.iter().map(|(dtype, shape)| format!("{dtype} {shape:?}")).collect::<Vec<_>>().join(", ")
    };
    let got = outputs.iter().map(|tensor| (tensor.dtype.name(), &tensor.shape)).collect();
    let problem = format!("expected {}, got {}", list(expected.collect()), list(got));
    Err(Stop::rejected(ExecutionError::Output(problem)))
}

/// Why a run did not come to its end.
pub(in super::super) enum Interrupted {
    /// It took too many steps.
    Limit(Stop),
    /// The VM has stopped.
    Vm(VmError),
}

impl From<Interrupted> for Stop {
    fn from(interrupted: Interrupted) -> Self {
        match interrupted {
            Interrupted::Limit(stop) => stop,
            Interrupted::Vm(error) => Self::rejected(error),
        }
    }
}

/// Runs a program that has made `steps` steps to its end, with reports on the way. `run` runs it for as many steps as it is given at the
/// most, and says why it stopped and how many steps were made in all. Gives the exit code.
pub(in super::super) fn to_the_end(
    max_steps: u64,
    progress: &dyn Progress,
    mut steps: u64,
    mut run: impl FnMut(u64) -> Result<(VmStop, u64), VmError>,
) -> Result<u8, Interrupted> {
    const STEPS_PER_REPORT: u64 = 100_000_000;
    let task = progress.start("run", 0, Unit::Items);
    loop {
        // A prestate may be from the middle of a run, and so beyond the limit.
        let limit = STEPS_PER_REPORT.min(max_steps.saturating_sub(steps));
        if limit == 0 {
            return Err(Interrupted::Limit(Stop::unable(ExecutionError::StepLimit(max_steps))));
        }
        match run(limit).map_err(Interrupted::Vm)? {
            (VmStop::Exited { code }, _) => return Ok(code),
            (VmStop::Limit, now) => {
                steps = now;
                task.set(steps);
            }
        }
    }
}

/// Refuses the run of a program that says that it failed.
pub(in super::super) fn check_exit(code: u8, host: &GuestHost) -> Result<(), Stop> {
    if code < exit::FAILED {
        return Ok(());
    }
    Err(Stop::rejected(ExecutionError::Guest { code, message: message(host) }))
}

/// What the program has written to standard error.
fn message(host: &GuestHost) -> String {
    printable(host.stderr()).trim_end().to_owned()
}
