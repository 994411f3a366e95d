//! `check-proof`: proof files, whoever made them, on the real contract.

use std::path::PathBuf;

use opml_state::Hash;
use opml_state::cannon::{ProofError, StepProof};
use serde::Serialize;

use super::conform;
use crate::outcome::{Outcome, Result, Stop};
use crate::ui::{self, Format, table};

/// Execute proof files on the real contract, and compare with what they claim
///
/// Takes the files of `prove`, or of Cannon's own tool. Each is checked against itself (hashes, memory
/// proofs, preimage), executed on MIPS.sol in an EVM, and its state hash after the step is compared. Exits
/// with 0 if all are right, 1 at the first that is not, 2 if one could not be checked.
#[derive(clap::Args)]
pub struct Args {
    /// Proof files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Never use the network
    #[arg(long)]
    offline: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// A proof that is right.
#[derive(Serialize)]
struct Checked {
    file: PathBuf,
    step: u64,
    pre: Hash,
    post: Hash,
    gas: u64,
}

/// Says which of several files an error is about.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{} is no proof that holds", file.display())]
struct BadFile<E: miette::Diagnostic + 'static> {
    file: PathBuf,
    #[source]
    #[diagnostic_source]
    source: E,
}

pub fn run(args: &Args) -> Result {
    let mut contract = super::contract(args.offline, &*ui::reporter())?;
    let mut checked = Vec::new();
    for file in &args.files {
        let proof = StepProof::load(file).map_err(|source| {
            stop(matches!(source, ProofError::Io(_)), BadFile { file: file.clone(), source })
        })?;
        let executed = opml_onchain::check(&mut contract, &proof)
            .map_err(|source| stop(conform::is_unable(&source), BadFile { file: file.clone(), source }))?;
        let StepProof { step, pre, post, .. } = proof;
        checked.push(Checked { file: file.clone(), step, pre, post, gas: executed.gas });
    }
    match args.format {
        Format::Json => println!("{:#}", serde_json::json!({ "proofs": checked })),
        Format::Text => print!("{}", text(&checked)),
    }
    Ok(Outcome::Done)
}

fn stop(unable: bool, error: impl miette::Diagnostic + Send + Sync + 'static) -> Stop {
    if unable { Stop::unable(error) } else { Stop::rejected(error) }
}

fn text(checked: &[Checked]) -> String {
    let row = |c: &Checked| vec![c.file.display().to_string(), ui::count(c.step), ui::count(c.gas)];
    table::figures(&["right", "step", "gas"], &checked.iter().map(row).collect::<Vec<_>>())
}
