//! `image`: from a linked program to its memory root, whoever built it.

use std::path::PathBuf;

use opml_toolchain::elf::Elf;
use opml_toolchain::{Adopted, Adoption, BuildError, adopt};

use super::{audit, build_model};
use crate::outcome::{Outcome, Result, Stop};
use crate::ui::{self, Format, table};

/// Make the initial state, its memory root and a manifest from an ELF file that was built elsewhere
///
/// The file is judged as by `audit`; for one that does not pass there is no root, and nothing is written.
/// Writes program.elf (the file as it came), prestate.bin.gz, meta.json, sbom.cdx.json, provenance.json
/// and manifest.json. As an ELF file says nothing of tensors, `run` and `prove` take one input file for
/// such a program, of any content.
///
/// Exits with 0 if the files were written, 1 if the file has violations, 2 if it could not be done.
#[derive(clap::Args)]
pub struct Args {
    /// The ELF file, linked for the target's memory map
    elf: PathBuf,
    /// The on-chain VM that it is for
    #[arg(long, default_value = "cannon32", value_parser = clap::builder::PossibleValuesParser::new(opml_targets::names()))]
    target: String,
    /// Folder for the files [default: target/opml/NAME/TARGET in the checkout]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Name of the program in its manifest [default: the file's name]
    #[arg(long, value_parser = build_model::program_name)]
    name: Option<String>,
    /// How to print the result; json prints the manifest, or the findings as `audit` does
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub fn run(args: &Args) -> Result {
    let target = super::target(&args.target)?;
    let checkout = super::checkout()?;
    let elf = Elf::parse(super::read(&args.elf)?).map_err(Stop::rejected)?;
    let name = args.name.clone().unwrap_or_else(|| build_model::file_stem(&args.elf));
    let builds = checkout.root().join("target/opml");
    let out = args.out.clone().unwrap_or_else(|| builds.join(&name).join(target.name()));
    let adoption = Adoption {
        // Without the paths of this machine.
        rebuild: format!("cargo xtask image {name}.elf --target {} --name {name}", target.name()),
        name,
        elf,
        source: args.elf.clone(),
        out: out.clone(),
        work: builds.join(".work"),
    };
    let adopted = match adopt(adoption, &target, &*ui::reporter()) {
        Ok(adopted) => adopted,
        Err(BuildError::Audit(failure)) => {
            audit::print_failure(args.format, &failure);
            return Ok(Outcome::Failed);
        }
        Err(other) => return Err(Stop::unable(other)),
    };
    match args.format {
        Format::Json => print!("{}", adopted.manifest.to_json()),
        Format::Text => print!("{}", summary(&adopted, &out)),
    }
    Ok(Outcome::Done)
}

fn summary(adopted: &Adopted, out: &std::path::Path) -> String {
    let (manifest, sizes) = (&adopted.manifest, &adopted.manifest.sizes);
    let judged = format!("passes, {} instructions judged", ui::count(adopted.instructions as u64));
    let mut text = format!("{} for {}\n\n", manifest.name, manifest.target);
    text += &table::pairs([
        ("audit", judged),
        ("code", ui::bytes(sizes.code)),
        ("constants", ui::bytes(sizes.constants)),
        ("variables", ui::bytes(sizes.variables)),
        ("memory root", manifest.memory_root.to_string()),
        ("prestate hash", manifest.prestate_hash.to_string()),
        ("files", out.display().to_string()),
    ]);
    text
}
