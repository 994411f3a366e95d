//! `profile`: where the steps of a run go.

mod report;

use std::path::PathBuf;

use opml_profile::{Profile, function_starts};
use opml_state::Hash;
use opml_toolchain::statements::Statements;
use opml_toolchain::write_atomically;
use opml_vm::{GuestHost, Profiler, Vm};

use super::run;
use crate::outcome::{Outcome, Result, Stop};
use crate::program::Program;
use crate::ui::{self, Format};

/// Run a built program and show where its steps go: by function, source line and node of the model
///
/// Every step is counted, and each table sums up to the run's number of steps. Functions that were inlined are shown as
/// functions; a node's steps are those of all that its call does. Names and lines are those of
/// program.debug.elf; of a program of `image`, what program.elf has of them, and addresses for the rest.
/// Exits with 0 if the program ran to its end; 1 if it failed; 2 if it could not be run.
#[derive(clap::Args)]
pub struct Args {
    /// Folder that build-model or image wrote
    dir: PathBuf,
    /// Input tensors in the order of the manifest, as for `run`
    #[arg(long = "input", value_name = "FILE", num_args = 1..)]
    inputs: Vec<PathBuf>,
    /// Output root to compare with, as for `run`
    #[arg(long, value_name = "0x…")]
    claim: Option<Hash>,
    /// Rows of each table; --format json has all
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    /// Write a flame graph, which a browser shows
    #[arg(long, value_name = "FILE.svg")]
    flame: Option<PathBuf>,
    /// Write the stacks of functions with their steps, a line for each, as other tools for flame graphs take them
    #[arg(long, value_name = "FILE.txt")]
    folded: Option<PathBuf>,
    /// Give up after this many steps
    #[arg(long, value_name = "N", default_value_t = 1_000_000_000_000)]
    max_steps: u64,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub fn run(args: &Args) -> Result {
    let program = Program::open(&args.dir)?;
    let request = program.request(&args.inputs, args.claim.unwrap_or_default())?;
    let state = program.prestate()?;
    let elf = program.symbols(&state)?;
    let statements = Statements::of(&elf).map_err(Stop::unable)?;
    let vm = Vm::from_state(&state).map_err(Stop::unable)?;
    let mut profiler = Profiler::new(vm, function_starts(&elf));
    let mut host = GuestHost::new(request);
    let code = run::to_the_end(args.max_steps, &*ui::reporter(), state.step, |limit| {
        let stop = profiler.run(&mut host, limit)?;
        Ok((stop, profiler.vm().step_count()))
    })?;
    run::check_exit(code, &host)?;
    let profile = Profile::new(&profiler.finish(), &elf, statements.as_ref());
    if let Some(path) = &args.flame {
        let title = format!("{}: {} steps", program.manifest.name, ui::count(profile.steps));
        write_atomically(path, profile.flame_graph(&title).as_bytes()).map_err(Stop::unable)?;
    }
    if let Some(path) = &args.folded {
        let text = profile.folded().map_err(Stop::unable)?;
        write_atomically(path, text.as_bytes()).map_err(Stop::unable)?;
    }
    match args.format {
        Format::Json => println!("{:#}", report::json(&program.manifest, &profile)),
        Format::Text => print!("{}", report::text(&profile, args.top)),
    }
    Ok(Outcome::Done)
}
