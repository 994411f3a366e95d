//! `test`: everything the tests need, then the tests.

use std::process::Command;

use opml_toolchain::provision::{self, Lock};

use crate::outcome::{Outcome, Result, Stop};
use crate::ui;

/// What the tests and the bench run programs with, besides the guest toolchain.
pub(super) const TEST_TOOLS: &str = include_str!("../../../tests/test-tools.lock");

/// Set up what the tests need (guest toolchain, qemu, unicorn, gdb, contracts, Python packages) and run all of them
#[derive(clap::Args)]
pub struct Args {
    /// Never use the network
    #[arg(long)]
    offline: bool,
    /// Passed on to cargo test, as in: cargo xtask test -- --package opml-vm
    #[arg(last = true)]
    cargo_test: Vec<String>,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("cargo could not be started")]
#[diagnostic(help("run this command through cargo: `cargo xtask test`"))]
struct NoCargo(#[source] std::io::Error);

pub fn run(args: &Args) -> Result {
    let progress = ui::reporter();
    let options = super::provision_options(args.offline)?;
    provision::ensure(&options, &*progress).map_err(Stop::unable)?;
    // One test exports them.
    provision::fetch_packages(&options, &*progress).map_err(Stop::unable)?;
    let tools = Lock::parse(TEST_TOOLS).map_err(Stop::unable)?;
    provision::ensure_tools(&tools, &options, &*progress).map_err(Stop::unable)?;
    opml_onchain::artifacts::ensure(&options, &*progress).map_err(Stop::unable)?;
    for requirements in opml_python::Requirements::ALL {
        opml_python::ensure(&requirements, &options, &*progress).map_err(Stop::unable)?;
    }
    opml_python::suite::ensure(&options, &*progress).map_err(Stop::unable)?;
    // The profile of the commands themselves: the VM runs hundreds of millions of steps here, and
    // most of the crates are compiled already.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(super::checkout()?.root()).args(["test", "--release", "--locked"]);
    if !args.cargo_test.iter().any(|arg| arg == "--package" || arg == "-p") {
        command.arg("--workspace");
    }
    let status = command.args(&args.cargo_test).status().map_err(|e| Stop::unable(NoCargo(e)))?;
    Ok(if status.success() { Outcome::Done } else { Outcome::Failed })
}
