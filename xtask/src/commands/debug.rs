//! `debug`: a server for gdb.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use miette::Diagnostic;
use opml_debug::Session;
use opml_debug::gdb::{self, Link};
use opml_state::Hash;
use thiserror::Error;

use crate::outcome::{Outcome, Result, Stop};
use crate::program::Program;

/// Run a built program under gdb: breakpoints, watches, registers, memory, and steps back
///
/// Waits for gdb, and serves it until it leaves. Any gdb that knows MIPS will do, such as gdb-multiarch; docs/debugging.md has a
/// session. The run stops at faults, as `run` does. Registers and memory can be read and not written. Of what the program
/// writes, each byte goes to standard error once. Exits with 0 when gdb has left; 2 if there was no run, or no connection.
#[derive(clap::Args)]
pub struct Args {
    /// Folder that build-model or image wrote
    dir: PathBuf,
    /// Input tensors in the order of the manifest, as for `run`
    #[arg(long = "input", value_name = "FILE", required = true, num_args = 1..)]
    inputs: Vec<PathBuf>,
    /// Output root to compare with, as for `run`
    #[arg(long, value_name = "0x…")]
    claim: Option<Hash>,
    /// Where to wait for gdb; port 0 is any that is free, and is printed
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:1234")]
    listen: SocketAddr,
    /// Talk to gdb over standard input and output: `target remote | cargo xtask debug …` in gdb
    #[arg(long, conflicts_with = "listen")]
    stdio: bool,
    /// Let pass what the contract lets pass, as for `run`
    #[arg(long)]
    no_checks: bool,
}

/// Why gdb was not served.
#[derive(Debug, Error, Diagnostic)]
enum DebugError {
    #[error("nobody can be waited for at {address}")]
    #[diagnostic(help("another program may have the port: name another with --listen, or port 0 for any"))]
    Listen { address: SocketAddr, source: std::io::Error },

    #[error("the connection could not be used")]
    #[diagnostic(help("start the command again, and connect again"))]
    Connection(#[source] std::io::Error),
}

pub fn run(args: &Args) -> Result {
    let program = Program::open(&args.dir)?;
    let request = program.request(&args.inputs, args.claim.unwrap_or_default())?;
    let layout = if args.no_checks { None } else { program.layout()? };
    let state = program.prestate()?;
    let elf = program.symbols(&state)?;
    let session = Session::new(state, request, layout.as_ref()).map_err(Stop::unable)?;
    let link = if args.stdio { Link::stdio() } else { wait(args)? };
    gdb::serve(session, &elf, link).map_err(Stop::unable)?;
    Ok(Outcome::Done)
}

/// Waits for gdb to connect.
fn wait(args: &Args) -> std::result::Result<Link, Stop> {
    let failed = |source| Stop::unable(DebugError::Listen { address: args.listen, source });
    let listener = TcpListener::bind(args.listen).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    println!("waiting for gdb at {address}");
    println!(
        "  gdb-multiarch {} -ex 'target remote {address}'",
        args.dir.join("program.debug.elf").display()
    );
    let connect = || Link::socket(listener.accept()?.0);
    connect().map_err(|source| Stop::unable(DebugError::Connection(source)))
}
