//! `audit`: judges any ELF file.

use std::path::PathBuf;

use opml_toolchain::audit::{AuditFailure, AuditOptions, audit_with};
use opml_toolchain::elf::Elf;
use opml_toolchain::patch::patch;

use super::image::Patch;
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
    /// Judge it as `image` would with these changes
    #[arg(long, value_enum)]
    patch: Option<Patch>,
    /// Let instructions pass that the VM cannot run, and count them
    #[arg(long)]
    allow_reverting: bool,
    /// How to print the findings
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub fn run(args: &Args) -> Result {
    let target = super::target(&args.target)?;
    // A file that cannot be parsed has been judged, too: no VM could load it.
    let elf = Elf::parse(super::read(&args.elf)?).map_err(Stop::rejected)?;
    let mut options = AuditOptions { allow_reverting: args.allow_reverting, ..AuditOptions::default() };
    let elf = match args.patch {
        None => elf,
        Some(set) => {
            let patched = patch(&elf, set.into()).map_err(Stop::rejected)?;
            options.no_jump_tables = patched.no_jump_tables;
            patched.elf
        }
    };
    let verdict = audit_with(elf, &target, &options);
    match (args.format, &verdict) {
        (Format::Text, Ok(audited)) => {
            println!(
                "{} passes: {} instructions judged for {}{}",
                args.elf.display(),
                ui::count(audited.instructions() as u64),
                args.target,
                match audited.reverting().len() {
                    0 => String::new(),
                    count => format!("; {count} of them cannot be proven if they are reached"),
                }
            );
        }
        (Format::Json, Ok(audited)) => {
            let (instructions, reverting) = (audited.instructions(), audited.reverting());
            let verdict = serde_json::json!({
                "passes": true, "target": args.target, "instructions": instructions, "reverting": reverting,
            });
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
