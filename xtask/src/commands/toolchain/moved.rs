//! `toolchain export` and `toolchain import`: a toolchain as one file.

use std::path::PathBuf;

use opml_toolchain::progress::Progress;
use opml_toolchain::provision;

use crate::outcome::{Outcome, Result, Stop};
use crate::ui;

/// Write it to one file, so that builds with it do not depend on a mirror: the lock and its packages
///
/// The file depends on the lock alone. Packages that are not in the cache are downloaded.
#[derive(clap::Args)]
pub struct Export {
    /// The file to write
    file: PathBuf,
    /// An older toolchain, by its lock's SHA-256 (toolchain.lock_sha256 in a manifest)
    #[arg(long, value_name = "SHA256")]
    lock: Option<String>,
    /// Never use the network: only what is in the cache
    #[arg(long)]
    offline: bool,
}

/// Install one from a file that export wrote; needs no network
///
/// All of it is checked before any of it is unpacked. The programs in it are run, so the file has to be of
/// this checkout's lock, of one that was installed here before, or of the one that --lock names.
#[derive(clap::Args)]
pub struct Import {
    /// The file
    file: PathBuf,
    /// SHA-256 of the lock that is expected in it (toolchain.lock_sha256 in a manifest that you trust)
    #[arg(long, value_name = "SHA256")]
    lock: Option<String>,
}

/// A lock that was never installed here.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("no lock with SHA-256 {0} is known here")]
#[diagnostic(help("only locks that were installed or imported can be named; check the digits"))]
struct NoLock(String);

pub fn export(args: &Export, progress: &dyn Progress) -> Result {
    let mut options = super::super::provision_options(args.offline)?;
    if let Some(sha256) = &args.lock {
        let lock = provision::lock_by_sha256(&options, sha256).map_err(Stop::unable)?;
        options.lock = Some(lock.ok_or_else(|| Stop::unable(NoLock(sha256.clone())))?);
    }
    let length = provision::export(&args.file, &options, progress).map_err(Stop::unable)?;
    let lock = options.lock().map_err(|error| Stop::unable(provision::ProvisionError::from(error)))?;
    print!(
        "{}",
        ui::table::pairs([
            ("file", args.file.display().to_string()),
            ("size", ui::bytes(length)),
            ("packages", lock.packages().len().to_string()),
            ("lock", lock.sha256().to_owned()),
        ])
    );
    Ok(Outcome::Done)
}

pub fn import(args: &Import, progress: &dyn Progress) -> Result {
    let options = super::super::provision_options(true)?;
    let imported = provision::import(&args.file, args.lock.as_deref(), &options, progress);
    super::show(&imported.map_err(stop)?);
    Ok(Outcome::Done)
}

/// An archive that was judged and refused is another matter than one that could not be read.
fn stop(error: provision::ProvisionError) -> Stop {
    use provision::ProvisionError::{Archive, OtherLock, Package};
    match error {
        refused @ (Archive(_) | OtherLock { .. } | Package { .. }) => Stop::rejected(refused),
        other => Stop::unable(other),
    }
}
