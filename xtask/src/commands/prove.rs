//! `prove`: what the contract needs to judge single steps of a run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use miette::Diagnostic;
use opml_onchain::{Contract, check};
use opml_state::cannon::instruction;
use opml_state::{Hash, WitnessFields};
use opml_toolchain::progress::{Progress, Unit};
use opml_toolchain::{Places, write_atomically};
use opml_vm::{DEFAULT_SNAPSHOT_INTERVAL, GuestHost, Prover, Snapshots};
use serde::Serialize;
use thiserror::Error;

use super::conform;
use crate::outcome::{Outcome, Result, Stop};
use crate::program::Program;
use crate::ui::{self, Format, table};

/// Prove single steps of a run, in the form the on-chain contract takes
///
/// Writes Cannon's proof files, one for each step: state hash before and after, state, memory proofs, and
/// the preimage if one is read. Steps are counted from 0: step N is the one that is executed after N others.
///
/// With --check each step is executed by the real contract in an EVM, and the states are compared. Exits
/// with 0 if all was done and agrees; 1 if the contract disagrees or there is no such step; 2 if it could
/// not be checked.
#[derive(clap::Args)]
pub struct Args {
    /// Folder that build-model or image wrote
    dir: PathBuf,
    /// Input tensors in the order of the manifest, as for `run`
    #[arg(long = "input", value_name = "FILE", num_args = 1..)]
    inputs: Vec<PathBuf>,
    /// Steps to prove: numbers, or A..B:EVERY for every EVERYth from A on below B
    #[arg(long = "step", value_name = "N", required = true, value_delimiter = ',')]
    steps: Vec<Steps>,
    /// Output root that the disputed run is asked to confirm
    #[arg(long, value_name = "0x…")]
    claim: Option<Hash>,
    /// Folder for the proof files [default: proofs in DIR]
    #[arg(long)]
    out: Option<PathBuf>,
    /// Execute each step on the contract and compare
    #[arg(long)]
    check: bool,
    /// Steps between two snapshots, which later calls start from; they lie in the folder of the proofs
    #[arg(long, value_name = "STEPS", default_value_t = DEFAULT_SNAPSHOT_INTERVAL, value_parser = clap::value_parser!(u64).range(1..))]
    snapshot_every: u64,
    /// Never use the network
    #[arg(long)]
    offline: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Most proofs of one call: 5 kB each, so 5 GB.
const MAX_PROOFS: usize = 1_000_000;

/// Proofs that are listed one by one for a person.
const LISTED: usize = 20;

/// Steps between two reports of progress.
const STEPS_PER_REPORT: u64 = 100_000_000;

/// One element of `--step`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Steps {
    start: u64,
    end: u64,
    every: u64,
}

#[derive(Debug, Error, Diagnostic)]
enum ProveError {
    #[error("{0} proofs or more were asked for, at most {MAX_PROOFS} are made at once")]
    #[diagnostic(help("take fewer steps (A..B:EVERY), or prove them in several calls"))]
    TooMany(usize),

    #[error("step {step} lies before the prestate, which is the state after {prestate} steps")]
    #[diagnostic(help("take the prestate of the program's start, or later steps"))]
    Before { step: u64, prestate: u64 },
}

impl FromStr for Steps {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let number = |digits: &str| {
            let digits = digits.replace('_', "");
            digits.parse::<u64>().map_err(|_| format!("`{digits}` is no number of steps"))
        };
        let Some((start, rest)) = text.split_once("..") else {
            let start = number(text)?;
            let end = start.checked_add(1).ok_or("a run has fewer steps")?;
            return Ok(Self { start, end, every: 1 });
        };
        let (end, every) = rest.split_once(':').unwrap_or((rest, "1"));
        let steps = Self { start: number(start)?, end: number(end)?, every: number(every)? };
        match steps {
            Self { every: 0, .. } => Err("every 0th step is none".to_owned()),
            Self { start, end, .. } if start >= end => Err(format!("no step is in {start}..{end}")),
            steps => Ok(steps),
        }
    }
}

impl Steps {
    fn all(self) -> impl Iterator<Item = u64> {
        std::iter::successors(Some(self.start), move |step| step.checked_add(self.every))
            .take_while(move |&step| step < self.end)
    }
}

/// One proof, as it is printed.
#[derive(Serialize)]
struct Row {
    step: u64,
    pc: u32,
    symbol: Option<String>,
    instruction: String,
    pre: Hash,
    post: Hash,
    preimage: bool,
    /// Gas of the contract's call, if it was made.
    gas: Option<u64>,
    file: PathBuf,
}

/// What stays the same from step to step.
struct Run {
    prover: Prover,
    host: GuestHost,
    snapshots: Snapshots,
    contract: Option<Contract>,
    places: Places,
    out: PathBuf,
}

pub fn run(args: &Args) -> Result {
    let steps = steps(&args.steps)?;
    let program = Program::open(&args.dir)?;
    let request = program.request(&args.inputs, args.claim.unwrap_or_default())?;
    let progress = ui::reporter();
    let contract = args.check.then(|| super::contract(args.offline, &*progress)).transpose()?;
    let out = args.out.clone().unwrap_or_else(|| args.dir.join("proofs"));
    let run_id = request.id(program.manifest.prestate_hash).to_string();
    let mut run = Run {
        prover: Prover::new(&program.prestate()?).map_err(Stop::unable)?,
        host: GuestHost::new(request),
        snapshots: Snapshots::new(&out.join("snapshots").join(run_id), args.snapshot_every),
        contract,
        places: program.places()?,
        out,
    };
    let task = progress.start("prove", steps.len() as u64, Unit::Items);
    let mut rows = Vec::with_capacity(steps.len());
    for step in steps {
        run.reach(step, &*progress)?;
        rows.push(run.prove()?);
        task.advance(1);
    }
    drop(task);
    match args.format {
        Format::Json => println!("{:#}", serde_json::json!({ "proofs": rows, "checked": args.check })),
        Format::Text => print!("{}", text(&rows, &run.out)),
    }
    Ok(Outcome::Done)
}

fn steps(asked: &[Steps]) -> std::result::Result<BTreeSet<u64>, Stop> {
    let mut steps = BTreeSet::new();
    for step in asked.iter().flat_map(|steps| steps.all()) {
        steps.insert(step);
        if steps.len() > MAX_PROOFS {
            return Err(Stop::unable(ProveError::TooMany(steps.len())));
        }
    }
    Ok(steps)
}

impl Run {
    /// Goes to the state before `step`.
    fn reach(&mut self, step: u64, progress: &dyn Progress) -> std::result::Result<(), Stop> {
        self.snapshots.seek(&mut self.prover, step).map_err(Stop::unable)?;
        let here = self.prover.vm().step_count();
        if here > step {
            return Err(Stop::unable(ProveError::Before { step, prestate: here }));
        }
        let task = (step - here > STEPS_PER_REPORT).then(|| progress.start("run", step, Unit::Items));
        while self.prover.vm().step_count() < step && self.prover.vm().exit_code().is_none() {
            let next = step.min(self.prover.vm().step_count().saturating_add(STEPS_PER_REPORT));
            self.snapshots.run_to(&mut self.prover, next, &mut self.host).map_err(Stop::rejected)?;
            task.iter().for_each(|task| task.set(next));
        }
        Ok(())
    }

    /// Executes the next step, writes its proof, and checks it if that is asked for.
    fn prove(&mut self) -> std::result::Result<Row, Stop> {
        let proof = self.prover.step(&mut self.host).map_err(Stop::rejected)?;
        let file = self.out.join(format!("proof-{}.json", proof.step));
        write_atomically(&file, &proof.to_json()).map_err(Stop::unable)?;
        let contract = self.contract.as_mut();
        let executed = contract.map(|contract| check(contract, &proof)).transpose().map_err(conform::stop)?;
        let pc = WitnessFields::of(&proof.state_data).pc;
        Ok(Row {
            step: proof.step,
            pc,
            symbol: self.places.symbol(pc).map(|symbol| symbol.to_string()),
            instruction: opml_isa::decode(instruction(&proof.state_data, &proof.proof_data))
                .at(pc)
                .to_string(),
            pre: proof.pre,
            post: proof.post,
            preimage: proof.oracle.is_some(),
            gas: executed.map(|executed| executed.gas),
            file,
        })
    }
}

fn text(rows: &[Row], out: &Path) -> String {
    let header = ["step", "pc", "gas", "instruction"];
    let cells = |row: &Row| {
        let gas = row.gas.map_or("-".to_owned(), ui::count);
        vec![ui::count(row.step), format!("{:#010x}", row.pc), gas, place(row)]
    };
    let mut text = match rows.len() {
        ..=LISTED => {
            table::columns(&header, &rows.iter().map(cells).collect::<Vec<_>>(), |column| column < 3) + "\n"
        }
        _ => String::new(),
    };
    let dearest = rows.iter().filter_map(|row| row.gas.map(|gas| (gas, row))).max_by_key(|(gas, _)| *gas);
    let mut pairs =
        vec![("proofs", ui::count(rows.len() as u64)), ("files", format!("{}/proof-N.json", out.display()))];
    if let Some((gas, row)) = dearest {
        pairs.push(("contract", "agrees with all".to_owned()));
        pairs.push((
            "dearest",
            format!("{} gas: step {}, {}", ui::count(gas), ui::count(row.step), place(row)),
        ));
    }
    text += &table::pairs(pairs);
    text
}

fn place(row: &Row) -> String {
    match &row.symbol {
        Some(symbol) => format!("{}  ({symbol})", row.instruction),
        None => row.instruction.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> std::result::Result<Vec<u64>, String> {
        text.parse::<Steps>().map(|steps| steps.all().take(10).collect())
    }

    #[test]
    fn steps_are_numbers_and_ranges() {
        assert_eq!(parsed("0"), Ok(vec![0]));
        assert_eq!(parsed("1_000"), Ok(vec![1000]));
        assert_eq!(parsed("3..6"), Ok(vec![3, 4, 5]));
        assert_eq!(parsed("3..10:3"), Ok(vec![3, 6, 9]));
        let last = u64::MAX - 1;
        assert_eq!(parsed(&format!("{last}..{}:5", u64::MAX)), Ok(vec![last]));
        for (text, why) in [
            ("", "`` is no number of steps"),
            ("-1", "`-1` is no number of steps"),
            ("5..5", "no step is in 5..5"),
            ("7..5:2", "no step is in 7..5"),
            ("0..5:0", "every 0th step is none"),
            ("18446744073709551615", "a run has fewer steps"),
        ] {
            assert_eq!(parsed(text), Err(why.to_owned()), "{text}");
        }
    }

    #[test]
    fn too_many_steps_are_refused_in_bounded_time() {
        let all = Steps { start: 0, end: u64::MAX, every: 1 };
        assert!(matches!(steps(&[all]), Err(Stop::Unable(_))));
        let twice = Steps { start: 0, end: 500_000, every: 1 };
        assert_eq!(steps(&[twice, twice]).unwrap().len(), 500_000);
    }
}
