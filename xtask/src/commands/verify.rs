//! `verify`: builds a program again from its sources, somewhere else, and compares.

mod given;
mod rebuild;
mod report;

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use opml_frontend::tensor_file;
use opml_state::Hash;
use opml_toolchain::Checkout;
use opml_toolchain::compare::{Artifacts, compare};
use opml_toolchain::manifest::Manifest;
use thiserror::Error;

use self::report::Report;
use super::build_model;
use crate::outcome::{Outcome, Result, Stop};
use crate::ui::{self, Format};

/// Build a program again from source, in a fresh place, and compare every file
///
/// Copies the source to another path and builds there with another home, an empty cargo home and a cold cache: `core`,
/// `alloc`, and every crate of the guest are compiled anew. Then compares every file with what was given, and explains a difference as
/// `diff` does. Of a program made by `image`, everything behind its ELF file is done again.
///
/// Exits with 0 if all is identical, 1 if anything differs, 2 if it could not be told.
#[derive(clap::Args)]
pub struct Args {
    /// What to verify: the folder of a build, or its manifest.json alone
    #[arg(value_name = "DIR|MANIFEST")]
    build: PathBuf,
    /// The checkout to build from; another version is compiled with its own tool first [default: this one]
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
    /// The model's file [default: the one with the manifest's SHA-256 in the source's models/ or beside the manifest]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// The folder of the guest, for a program that somebody wrote [default: the one with the manifest's tree hash in the source's
    /// examples/]
    #[arg(long, value_name = "DIR", conflicts_with = "model")]
    guest: Option<PathBuf>,
    /// A memory root or prestate hash from elsewhere, as from a chain, that the program has to have
    #[arg(long, value_name = "0xROOT")]
    against: Option<Hash>,
    /// Build in a whole system of its own, which has only the packages of the Containerfile: takes the Containerfile's steps, all
    /// tools compiled anew, in a folder made by mmdebstrap; a quarter of an hour
    #[arg(long, conflicts_with = "offline")]
    clean_room: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Never use the network
    #[arg(long)]
    offline: bool,
}

/// Why it cannot be told.
#[derive(Debug, Error, Diagnostic)]
enum VerifyError {
    #[error("no file with the manifest's SHA-256 of the model, {sha256}, was found in {}", places.join(", "))]
    #[diagnostic(help(
        "name the model's file with --model; files with weights of it (`model.external`) have to lie beside it"
    ))]
    NoModel { sha256: String, places: Vec<String> },

    #[error("no folder with the manifest's tree hash of {package} was found in {place}")]
    #[diagnostic(help("name the folder of the guest with --guest; one file that differs makes it another"))]
    NoGuest { package: String, place: String },

    #[error("{} is not the guest of the manifest\n  expected {expected}\n  got      {got}", path.display())]
    #[diagnostic(help("a file in it was changed, or it is another guest"))]
    OtherGuest { path: PathBuf, expected: String, got: String },

    #[error("{} lies outside the source, and a clean room has nothing else", path.display())]
    #[diagnostic(help("put the guest into the checkout, or leave --clean-room away"))]
    Outside { path: PathBuf },

    #[error("{} is not the model of the manifest\n  expected {expected}\n  got      {got}", path.display())]
    #[diagnostic(help(
        "the file was changed, or it is another model: leave --model away to have it looked for"
    ))]
    OtherModel { path: PathBuf, expected: String, got: String },

    #[error("the manifest's {what} `{value}` is none that a build writes")]
    #[diagnostic(help("it was not made by `build-model` or `image`"))]
    Unusual { what: &'static str, value: String },

    #[error("the program cannot be made again without its ELF file")]
    #[diagnostic(help(
        "it was made by `image` from a file that was built elsewhere: give the folder with its program.elf"
    ))]
    NoElf,

    #[error("the program was built with the toolchain of another lock, {sha256}, which is not known here")]
    #[diagnostic(help(
        "`cargo xtask toolchain import FILE` brings a toolchain with its lock, or --source names a checkout with that lock"
    ))]
    NoLock { sha256: String },

    #[error("cannot prepare {}", path.display())]
    #[diagnostic(help("check the permissions and the free space there"))]
    Prepare { path: PathBuf, source: std::io::Error },

    #[error("the build from source could not be done")]
    #[diagnostic(help("its own message stands above"))]
    NotBuilt,
}

pub fn run(args: &Args) -> Result {
    let Some(report) = verify(args)? else {
        eprintln!("the source does not give a program that passes: see above");
        return Ok(Outcome::Failed);
    };
    match args.format {
        Format::Json => println!("{:#}", report.json()),
        Format::Text => print!("{}", report.text()),
    }
    Ok(if report.passes() { Outcome::Done } else { Outcome::Failed })
}

/// Builds again and compares; nothing if the source gives no program that passes.
fn verify(args: &Args) -> std::result::Result<Option<Report>, Stop> {
    let given = Artifacts::read(&args.build).map_err(Stop::unable)?;
    check(&given.manifest)?;
    let own = super::checkout()?;
    let source = match &args.source {
        Some(dir) => {
            let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.clone());
            Checkout::new(&dir).map_err(Stop::unable)?
        }
        None => own.clone(),
    };
    let rebuilt = rebuild::rebuild(args, &given, &own, &source, &*ui::reporter())?;
    Ok(rebuilt.map(|rebuilt| Report {
        comparison: compare(&given, &rebuilt),
        against: args.against,
        given: given.manifest,
        rebuilt: rebuilt.manifest,
    }))
}

/// Verifies the build of `model` in `dir` from this checkout: its text, and whether it passes.
pub(super) fn one(dir: &Path, model: &Path, offline: bool) -> std::result::Result<(String, bool), Stop> {
    let args = Args {
        build: dir.to_owned(),
        source: None,
        model: Some(model.to_owned()),
        guest: None,
        against: None,
        clean_room: false,
        format: Format::Text,
        offline,
    };
    let refused = || ("the source does not give a program that passes\n".to_owned(), false);
    Ok(verify(&args)?.map_or_else(refused, |report| (report.text(), report.passes())))
}

/// What becomes an argument of a command or a part of a path has to be what a build could have written.
fn check(manifest: &Manifest) -> std::result::Result<(), Stop> {
    let unusual =
        |what, value: &str| Err(Stop::unable(VerifyError::Unusual { what, value: value.to_owned() }));
    if build_model::program_name(&manifest.name).is_err() {
        return unusual("name", &manifest.name);
    }
    if !opml_targets::names().any(|name| name == manifest.target) {
        return unusual("target", &manifest.target);
    }
    // What is no file's name is read as numbers, or refused.
    let is_file = |text: &&String| tensor_file::Format::of(Path::new(text)).is_ok();
    let constants = manifest.model.iter().flat_map(|model| model.constants.values());
    if let Some(text) = constants.into_iter().find(is_file) {
        return unusual("constant", text);
    }
    Ok(())
}
