//! Installs what a lock names: fetch, check, unpack beside its place, try, and only then put it there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::Options;
use super::cache::{self, Cache};
use super::deb::{PACKAGE_LIMITS, read_deb};
use super::error::ProvisionError;
use super::fetch::fetch;
use super::lock::{Lock, Package};
use super::unpack::Unpacker;
use crate::progress::{Progress, Unit};

/// Installs `lock` if it is not, and gives the folder it is in.
///
/// `finish` gets the unpacked folder before it has its name: what it refuses is not installed, what it
/// writes there becomes part of the installation.
///
/// # Errors
/// [`ProvisionError`]; nothing is installed then, and what was downloaded is kept.
pub fn install(
    lock: &Lock,
    options: &Options,
    progress: &dyn Progress,
    finish: impl FnOnce(&Path) -> Result<(), ProvisionError>,
) -> Result<PathBuf, ProvisionError> {
    let cache = Cache::new(options.cache_dir.as_deref())?;
    let place = cache.toolchain(lock.id());
    if place.is_dir() && cache.lock_text(lock.sha256()).is_file() {
        return Ok(place);
    }
    check_machine(lock)?;
    let guard = cache.lock(progress)?;
    cache.keep_lock(lock, &guard)?;
    // Another process may have done it while this one waited.
    if place.is_dir() {
        return Ok(place);
    }
    cache.remove_leftovers(&guard)?;
    fetch(lock, &cache, &guard, options, progress)?;
    let partial = cache.partial(lock.id());
    let unpacked = unpack(lock, &cache, &partial, progress)
        .and_then(|()| check_tools(lock, &partial))
        .and_then(|()| finish(&partial))
        .and_then(|()| commit(&partial, &place));
    if let Err(error) = unpacked {
        cache::remove_tree(&partial)?;
        return Err(error);
    }
    Ok(place)
}

/// The processor and the system of the tools have to be this machine's.
fn check_machine(lock: &Lock) -> Result<(), ProvisionError> {
    let processor = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let system = std::env::consts::OS;
    if system != "linux" || processor != lock.host_architecture() {
        return Err(ProvisionError::Architecture {
            expected: format!("linux {}", lock.host_architecture()),
            got: format!("{system} {processor}"),
        });
    }
    Ok(())
}

/// Unpacks all packages at once, the largest first, as it decides how long the whole takes.
fn unpack(lock: &Lock, cache: &Cache, root: &Path, progress: &dyn Progress) -> Result<(), ProvisionError> {
    fs::create_dir(root).map_err(ProvisionError::io("make", root))?;
    let mut packages: Vec<&Package> = lock.packages().iter().collect();
    packages.sort_by_key(|package| std::cmp::Reverse(package.size()));
    let total = packages.iter().map(|package| package.size()).sum();
    let task = progress.start("unpack", total, Unit::Bytes);
    // One by one off the queue: halves of the list would differ much in size.
    packages.into_par_iter().with_max_len(1).try_for_each(|package| {
        let path = cache.package(package);
        let file = File::open(&path).map_err(ProvisionError::io("read", &path))?;
        let mut sink = Unpacker::new(root, package.keep());
        read_deb(std::io::BufReader::new(file), PACKAGE_LIMITS, &mut sink)
            .map_err(ProvisionError::unpack(package.to_string(), root))?;
        task.advance(package.size());
        Ok(())
    })
}

fn check_tools(lock: &Lock, root: &Path) -> Result<(), ProvisionError> {
    for (tool, path) in lock.tools() {
        if !path.below(root).exists() {
            return Err(ProvisionError::NoTool { tool: tool.clone(), path: path.to_string() });
        }
    }
    Ok(())
}

/// Gives the folder its name. The bytes reach the disk first, so that a power cut can't leave the name
/// with half of them.
fn commit(partial: &Path, place: &Path) -> Result<(), ProvisionError> {
    let folder = File::open(partial).map_err(ProvisionError::io("read", partial))?;
    rustix::fs::syncfs(&folder).map_err(|error| ProvisionError::io("write", partial)(error.into()))?;
    fs::rename(partial, place).map_err(ProvisionError::io("write", place))
}
