//! Brings the packages of a lock into the cache, each checked against it.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rayon::prelude::*;

use super::Options;
use super::apt::Apt;
use super::cache::{self, Cache, Guard};
use super::error::ProvisionError;
use super::lock::{Lock, Package};
use crate::hashed::sha256;
use crate::progress::{Progress, Unit};

/// Sees to it that every package of `lock` is in [`Cache::downloads`] with the lock's size and hash.
/// What is there already, also in what a killed run left, is not fetched again.
///
/// # Errors
/// [`ProvisionError`]; packages that did arrive whole stay for the next try.
pub fn fetch(
    lock: &Lock,
    cache: &Cache,
    guard: &Guard,
    options: &Options,
    progress: &dyn Progress,
) -> Result<(), ProvisionError> {
    for folder in cache.abandoned_downloads(guard)? {
        // What is broken there was cut off, or is reported by the download that follows.
        for package in lock.packages() {
            accept(package, &folder, cache).or_else(ignore_damage)?;
        }
        cache::remove_tree(&folder)?;
    }
    let missing = missing(lock, cache, progress)?;
    if missing.is_empty() {
        return Ok(());
    }
    if options.offline {
        return Err(ProvisionError::Offline { id: lock.id().into(), cache: cache.root().into() });
    }
    let search_path = options.search_path();
    let mut apt = Apt::new(&search_path, &cache.apt())?;
    apt.update(progress)?;
    let incoming = cache.incoming();
    fs::create_dir_all(&incoming).map_err(ProvisionError::io("make", &incoming))?;
    let downloaded = apt.download(&missing, &incoming, progress);
    let accepted: Vec<_> = missing.iter().map(|package| accept(package, &incoming, cache)).collect();
    cache::remove_tree(&incoming)?;
    // A failed download leaves packages cut off; its own error says more than theirs.
    downloaded?;
    for (package, accepted) in missing.iter().zip(accepted) {
        if !accepted? {
            return Err(ProvisionError::Apt {
                command: "apt-get download",
                status: "it said that all went well".into(),
                tail: format!("but brought no {}", package.file_name()),
            });
        }
    }
    Ok(())
}

/// The packages that are not in the cache; damaged ones are removed from it.
fn missing<'a>(
    lock: &'a Lock,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Vec<&'a Package>, ProvisionError> {
    let task = progress.start("check packages", lock.packages().len() as u64, Unit::Items);
    let checked = lock.packages().par_iter().map(|package| {
        let present = check(package, &cache.package(package)).or_else(ignore_damage)?;
        task.advance(1);
        Ok((!present).then_some(package))
    });
    let checked: Vec<_> = checked.collect::<Result<_, ProvisionError>>()?;
    Ok(checked.into_iter().flatten().collect())
}

/// Damage of something that can be fetched again is no error.
fn ignore_damage(error: ProvisionError) -> Result<bool, ProvisionError> {
    match error {
        ProvisionError::WrongPackage { .. } => Ok(false),
        other => Err(other),
    }
}

/// Moves `package` from `folder` to the checked ones, if it is there and right.
fn accept(package: &Package, folder: &Path, cache: &Cache) -> Result<bool, ProvisionError> {
    let from = folder.join(package.file_name());
    let present = check(package, &from)?;
    if present {
        let to = cache.package(package);
        fs::rename(&from, &to).map_err(ProvisionError::io("write", &to))?;
    }
    Ok(present)
}

/// Whether the file at `path` exists; if it does it is `package`, to the last bit.
///
/// # Errors
/// [`ProvisionError::WrongPackage`] if it is something else, which has been removed.
fn check(package: &Package, path: &Path) -> Result<bool, ProvisionError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(ProvisionError::io("read", path)(error)),
    };
    let size = file.metadata().map_err(ProvisionError::io("read", path))?.len();
    let wrong = |expected: String, got: String| {
        fs::remove_file(path).map_err(ProvisionError::io("remove", path))?;
        Err(ProvisionError::WrongPackage { package: package.to_string(), expected, got })
    };
    if size != package.size() {
        return wrong(format!("{} bytes", package.size()), format!("{size} bytes"));
    }
    let got = sha256(file).map_err(ProvisionError::io("read", path))?;
    if got != package.sha256() {
        return wrong(format!("SHA-256 {}", package.sha256()), format!("SHA-256 {got}"));
    }
    Ok(true)
}
