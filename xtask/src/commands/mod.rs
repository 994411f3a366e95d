//! One command per file.

pub mod attest;
pub mod audit;
pub mod bench;
pub mod build_model;
pub mod check_proof;
pub mod ci;
pub mod conform;
pub mod convert;
pub mod diff;
pub mod doctor;
pub mod image;
pub mod inspect;
pub mod new;
pub mod profile;
pub mod prove;
pub mod quantize;
pub mod roots;
pub mod run;
pub mod state;
pub mod test;
pub mod toolchain;
pub mod verify;

use std::path::{Path, PathBuf};

use opml_onchain::{Contract, artifacts};
use opml_targets::Target;
use opml_toolchain::progress::Progress;
use opml_toolchain::{Checkout, provision};

use crate::outcome::Stop;

/// The checkout this command was built in.
fn checkout() -> Result<Checkout, Stop> {
    // Set by `cargo run` to where the checkout is now, which may have moved since the build.
    let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let xtask = manifest_dir.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    Checkout::new(xtask.parent().unwrap_or(&xtask)).map_err(Stop::unable)
}

fn target(name: &str) -> Result<Target, Stop> {
    Target::load(name).map_err(Stop::unable)
}

fn provision_options(offline: bool) -> Result<provision::Options, Stop> {
    let options = provision::Options::from_env().map_err(Stop::unable)?;
    Ok(provision::Options { offline, ..options })
}

/// The real contracts in an EVM; fetches them at the first call.
fn contract(offline: bool, progress: &dyn Progress) -> Result<Contract, Stop> {
    let artifacts = artifacts::ensure(&provision_options(offline)?, progress).map_err(Stop::unable)?;
    Contract::deploy(&artifacts).map_err(Stop::unable)
}

/// What is no lock, as it is no text.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{} is no text, so it is no lock", .0.display())]
#[diagnostic(help("the format is in toolchain/src/provision/lock.rs"))]
struct NoText(PathBuf);

/// The lock of a toolchain in the file `path`.
fn lock(path: &Path) -> Result<provision::Lock, Stop> {
    let text = String::from_utf8(read(path)?).map_err(|_| Stop::unable(NoText(path.to_owned())))?;
    provision::Lock::parse(&text).map_err(Stop::unable)
}

/// A folder for what is not kept.
fn scratch() -> Result<tempfile::TempDir, Stop> {
    let unwritable = |source| Stop::unable(Unwritable { path: std::env::temp_dir(), source });
    tempfile::tempdir().map_err(unwritable)
}

/// No place for intermediate files.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("cannot write to {}", path.display())]
#[diagnostic(help("free some space there, or name another folder in TMPDIR"))]
struct Unwritable {
    path: PathBuf,
    source: std::io::Error,
}

/// A file that a command could not read.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("cannot read {}", path.display())]
#[diagnostic(help("check the path and its permissions"))]
struct Unreadable {
    path: PathBuf,
    source: std::io::Error,
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    ordinary(path)?;
    std::fs::read(path).map_err(|source| Stop::unable(Unreadable { path: path.to_owned(), source }))
}

/// Refuses what is not there, and what may never end: a device or a pipe.
fn ordinary(path: &Path) -> Result<(), Stop> {
    let checked = std::fs::metadata(path).and_then(|meta| match meta.is_dir() || meta.is_file() {
        true => Ok(()),
        false => Err(std::io::Error::other("it is neither a file nor a link to one")),
    });
    checked.map_err(|source| Stop::unable(Unreadable { path: path.to_owned(), source }))
}
