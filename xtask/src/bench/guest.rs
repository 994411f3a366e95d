use std::path::Path;

use miette::Diagnostic;
use opml_state::{State, cannon};
use opml_toolchain::{Weight, Words};
use opml_vm::{GuestHost, Request, Stop, Vm, VmError};
use thiserror::Error;

/// Why a measured guest did not run to its end.
#[derive(Debug, Error, Diagnostic)]
pub enum GuestError {
    /// The prestate cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    State(#[from] cannon::ReadError),
    /// The program does not run in the VM.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Vm(#[from] VmError),
    /// The program ended otherwise than it should.
    #[error("the program ended in the VM with {0:?}, not with exit code 0")]
    #[diagnostic(help("what it measures fails in the guest: `cargo xtask test` should say why"))]
    Ended(Stop),
}

/// The prestate of the built program in `dir`.
pub fn prestate(dir: &Path) -> Result<State, GuestError> {
    Ok(cannon::load_state(&dir.join(opml_toolchain::file::PRESTATE), cannon::Limits::default())?)
}

/// Runs a guest to its end; how many steps it took.
pub fn steps(prestate: &State, request: Request) -> Result<u64, GuestError> {
    let mut host = GuestHost::new(request);
    let mut vm = Vm::from_state(prestate)?;
    match vm.run(&mut host, u64::MAX)? {
        Stop::Exited { code: 0 } => Ok(vm.step_count()),
        other => Err(GuestError::Ended(other)),
    }
}

/// How many words a weight has that is in memory.
pub fn words(weight: &Weight) -> usize {
    match &weight.words {
        Words::Here(words) => words.len(),
        Words::Made(_) => 0,
    }
}
