//! `image`: from a linked program to its memory root, whoever built it.

use std::path::PathBuf;

use opml_toolchain::elf::Elf;
use opml_toolchain::patch::{self, PatchSet};
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
    /// Changes that the program needs to start, each listed in the manifest; go: the runtime of a Go program
    #[arg(long, value_enum)]
    patch: Option<Patch>,
    /// Let instructions pass that the VM cannot run, and list them in the manifest: a run that reaches one cannot be proven
    #[arg(long)]
    allow_reverting: bool,
    /// How to print the result; json prints the manifest, or the findings as `audit` does
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// The sets of changes. See docs/go.md.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Patch {
    Go,
}

impl From<Patch> for PatchSet {
    fn from(patch: Patch) -> Self {
        match patch {
            Patch::Go => Self::Go,
        }
    }
}

pub fn run(args: &Args) -> Result {
    let target = super::target(&args.target)?;
    let checkout = super::checkout()?;
    let elf = Elf::parse(super::read(&args.elf)?).map_err(Stop::rejected)?;
    let name = args.name.clone().unwrap_or_else(|| build_model::file_stem(&args.elf));
    let builds = checkout.root().join("target/opml");
    let out = args.out.clone().unwrap_or_else(|| builds.join(&name).join(target.name()));
    let patches = args.patch.map(PatchSet::from);
    let is_unpatched_go = patches.is_none() && patch::is_go(&elf);
    let adoption = Adoption {
        rebuild: rebuild(args, target.name(), &name),
        patches,
        allow_reverting: args.allow_reverting,
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
            if is_unpatched_go {
                eprintln!(
                    "This is a Go program: what its runtime asks of Linux is patched out with `--patch go` (docs/go.md)."
                );
            }
            return Ok(Outcome::Failed);
        }
        Err(BuildError::Patch(error)) => return Err(Stop::rejected(error)),
        Err(other) => return Err(Stop::unable(other)),
    };
    match args.format {
        Format::Json => print!("{}", adopted.manifest.to_json()),
        Format::Text => print!("{}", summary(&adopted, &out)),
    }
    Ok(Outcome::Done)
}

/// The command that makes the same of the same file, without the paths of this machine.
fn rebuild(args: &Args, target: &str, name: &str) -> String {
    let mut command = format!("cargo xtask image {name}.elf --target {target} --name {name}");
    if let Some(patch) = args.patch {
        command += &format!(" --patch {}", PatchSet::from(patch));
    }
    if args.allow_reverting {
        command += " --allow-reverting";
    }
    command
}

fn summary(adopted: &Adopted, out: &std::path::Path) -> String {
    let (manifest, sizes) = (&adopted.manifest, &adopted.manifest.sizes);
    let judged = format!("passes, {} instructions judged", ui::count(adopted.instructions as u64));
    let mut text = format!("{} for {}\n\n", manifest.name, manifest.target);
    let mut rows = Vec::new();
    if let Some(patches) = &manifest.patches {
        rows.push((
            "patches",
            format!("{}: {} changes, listed in the manifest", patches.set, patches.changes.len()),
        ));
    }
    rows.push(("audit", judged));
    if !manifest.reverting.is_empty() {
        let count = manifest.reverting.len();
        rows.push((
            "not provable",
            format!(
                "{count} instruction{}, if reached; listed in the manifest",
                if count == 1 { "" } else { "s" }
            ),
        ));
    }
    rows.extend([
        ("code", ui::bytes(sizes.code)),
        ("constants", ui::bytes(sizes.constants)),
        ("variables", ui::bytes(sizes.variables)),
        ("memory root", manifest.memory_root.to_string()),
        ("prestate hash", manifest.prestate_hash.to_string()),
        ("files", out.display().to_string()),
    ]);
    text += &table::pairs(rows);
    text
}
