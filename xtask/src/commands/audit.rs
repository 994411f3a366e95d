//! `audit`: judges any ELF file.

use std::path::PathBuf;

use opml_toolchain::audit::{AuditFailure, audit};
use opml_toolchain::elf::Elf;

use crate::outcome::{Outcome, Result, Stop};
use crate::ui::{self, Format};

/// Judge an ELF file: can every instruction of it be proven on the on-chain VM?
///
/// Exits with 0 if the file passes, 1 if it has violations, 2 if it could not be read.
#[derive(clap::Args)]
pub struct Args {
    /// The ELF file, built anywhere
    elf: PathBuf,
    /// The on-chain VM to judge it for
    #[arg(long, default_value = "cannon32", value_parser = clap::builder::PossibleValuesParser::new(opml_targets::names()))]
    target: String,
    /// How to print the findings
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub fn run(args: &Args) -> Result {
    let target = super::target(&args.target)?;
    // A file that cannot be parsed has been judged, too: no VM could load it.
    let elf = Elf::parse(super::read(&args.elf)?).map_err(Stop::rejected)?;
    let verdict = audit(elf, &target);
    match (args.format, &verdict) {
        (Format::Text, Ok(audited)) => {
            println!(
                "{} passes: {} instructions judged for {}",
                args.elf.display(),
                ui::count(audited.instructions() as u64),
                args.target
            );
        }
        (Format::Json, Ok(audited)) => {
            let verdict = serde_json::json!({ "passes": true, "target": args.target, "instructions": audited.instructions() });
            println!("{verdict:#}");
        }
        (format, Err(failure)) => print_failure(format, failure),
    }
    Ok(if verdict.is_ok() { Outcome::Done } else { Outcome::Failed })
}

/// The findings, as every command prints them that judges a file.
pub(super) fn print_failure(format: Format, failure: &AuditFailure) {
    match format {
        Format::Text => print!("{}", failure.text()),
        Format::Json => println!("{:#}", serde_json::json!({ "passes": false, "failure": failure })),
    }
}
