//! `conform`: the instructions of an image, and the steps of a run, on the real contract.

use std::path::PathBuf;

use opml_onchain::LockstepError;
use opml_onchain::conform::{Conformity, Plan, RunConformity, conform, run_conform};
use opml_state::{Hash, State};
use opml_toolchain::progress::{Progress, Unit};
use opml_vm::{GuestHost, Prover, Request, Stop as VmStop, Vm};

use crate::outcome::{Outcome, Result, Stop};
use crate::program::Program;
use crate::ui::{self, Format, table};

/// Execute every kind of instruction of a program on the real contract, and compare with the off-chain VM
///
/// Each kind of instruction that the image has is executed at addresses of the image, with registers of all
/// sorts, on MIPS.sol in an EVM. With --input, so are steps of a real run: its first and last, every system
/// call, and steps anywhere. Exits with 0 if VM and contract agree on all; 1 if they differ, with both
/// states field by field; 2 if it could not be checked.
#[derive(clap::Args)]
pub struct Args {
    /// Folder that build-model or image wrote
    dir: PathBuf,
    /// Input tensors of a run to compare too, as for `run`
    #[arg(long = "input", value_name = "FILE", num_args = 1..)]
    inputs: Vec<PathBuf>,
    /// How many steps of the run to compare at its beginning, at its end, and anywhere
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "inputs")]
    steps: u64,
    /// Never use the network
    #[arg(long)]
    offline: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub fn run(args: &Args) -> Result {
    let program = Program::open(&args.dir)?;
    let progress = ui::reporter();
    let image = image(&program, args.offline, &*progress)?;
    let run = match args.inputs.as_slice() {
        [] => None,
        inputs => {
            let request = program.request(inputs, Hash::default())?;
            Some(compare_run(&program.prestate()?, &request, args, &*progress)?)
        }
    };
    match args.format {
        Format::Json => println!("{:#}", serde_json::json!({ "image": image, "run": run })),
        Format::Text => print!("{}", text(&image, run.as_ref())),
    }
    Ok(Outcome::Done)
}

/// What the contract makes of the program's kinds of instructions.
pub(super) fn image(
    program: &Program,
    offline: bool,
    progress: &dyn Progress,
) -> std::result::Result<Conformity, Stop> {
    let mut contract = super::contract(offline, progress)?;
    let (prestate, code) = (program.prestate()?, program.code()?);
    let _task = progress.start("conform", 0, Unit::Items);
    conform(&mut contract, &prestate, &code).map_err(stop)
}

/// The summary of an image, as `build-model` prints it too.
pub(super) fn summary(image: &Conformity) -> String {
    let kinds = ui::count(image.encodings.len() as u64);
    let steps = ui::count(image.steps_compared);
    format!("{kinds} kinds of instructions, {steps} steps: the contract agrees with all")
}

fn compare_run(
    prestate: &State,
    request: &Request,
    args: &Args,
    progress: &dyn Progress,
) -> std::result::Result<RunConformity, Stop> {
    let _task = progress.start("compare the run", 0, Unit::Items);
    // A first run only counts, so that the last steps can be told.
    let mut vm = Vm::from_state(prestate).map_err(Stop::unable)?;
    let mut host = GuestHost::new(request.clone());
    while vm.run(&mut host, u64::MAX).map_err(Stop::rejected)? == VmStop::Limit {}
    let plan = Plan { steps: vm.step_count(), first: args.steps, last: args.steps, random: args.steps };
    drop(vm);
    let mut contract = super::contract(args.offline, progress)?;
    let mut prover = Prover::new(prestate).map_err(Stop::unable)?;
    run_conform(&mut contract, &mut prover, &mut GuestHost::new(request.clone()), &plan).map_err(stop)
}

/// A difference is found, or something kept it from being looked for.
pub(super) fn stop(error: LockstepError) -> Stop {
    if is_unable(&error) { Stop::unable(error) } else { Stop::rejected(error) }
}

/// Whether the error says nothing of what was to be compared.
pub(super) fn is_unable(error: &LockstepError) -> bool {
    matches!(error, LockstepError::Contract(_) | LockstepError::Preimage(_))
}

fn text(image: &Conformity, run: Option<&RunConformity>) -> String {
    let header = ["instruction", "in the image", "steps compared", "refused by both", "most gas"];
    let rows = image.encodings.iter().map(|kind| {
        let numbers = [kind.occurrences, kind.steps_compared, kind.refused, kind.max_gas];
        std::iter::once(kind.mnemonic.to_owned()).chain(numbers.map(ui::count)).collect()
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let mut pairs = vec![("image", summary(image)), ("dearest", format!("{} gas", ui::count(image.max_gas)))];
    if let Some(run) = run {
        let [compared, all, calls] = [run.steps_compared, run.steps, run.system_calls].map(ui::count);
        pairs.push(("run", format!("{compared} of {all} steps, all {calls} system calls: agrees with all")));
        let [gas, step] = [run.max_gas, run.max_gas_step].map(ui::count);
        pairs.push(("dearest", format!("{gas} gas: step {step}")));
    }
    table::figures(&header, &rows) + "\n" + &table::pairs(pairs)
}
