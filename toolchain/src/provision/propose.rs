//! Makes a lock from what the package sources have now; run when the pinned versions are to change.

use std::collections::{BTreeMap, BTreeSet};

use super::Options;
use super::apt::Apt;
use super::cache::Cache;
use super::error::ProvisionError;
use super::lock::{Lock, Package, RawLock, RawPackage};
use crate::progress::Progress;

/// The lock `old` with the newest versions of its recipe's roots and of all they depend on, as text. The
/// recipe, the tools and the library path are taken over, and may have to be edited for new versions.
///
/// Of alternative dependencies the first is taken. Versions in dependencies are not looked at: the newest
/// packages of one release fit together.
///
/// # Errors
/// [`ProvisionError::Unknown`] for packages that are not in the lists; else as [`super::ensure`].
pub fn propose(old: &Lock, options: &Options, progress: &dyn Progress) -> Result<String, ProvisionError> {
    let cache = Cache::new(options.cache_dir.as_deref())?;
    let _guard = cache.lock(progress)?;
    let search_path = options.search_path();
    let mut apt = Apt::new(&search_path, &cache.apt())?;
    if !options.offline {
        apt.update(progress)?;
    }
    let recipe = old.recipe().clone();
    let omit: BTreeSet<&str> = recipe.omit.iter().map(String::as_str).collect();
    let mut found: BTreeMap<String, RawPackage> = BTreeMap::new();
    let mut wanted: BTreeSet<String> = recipe.roots.iter().cloned().collect();
    while !wanted.is_empty() {
        let names: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let text = apt.show(&names)?;
        let mut next = BTreeSet::new();
        for record in text.split("\n\n") {
            let field = |name| field(record, name).unwrap_or_default();
            let architecture = field("Architecture");
            if architecture != old.host_architecture() && architecture != "all" {
                continue;
            }
            for name in dependencies(field("Pre-Depends")).chain(dependencies(field("Depends"))) {
                if !omit.contains(name) {
                    next.insert(name.to_owned());
                }
            }
            let name = field("Package").to_owned();
            let package = RawPackage {
                version: field("Version").to_owned(),
                architecture: architecture.to_owned(),
                size: field("Size").parse().unwrap_or_default(),
                sha256: field("SHA256").to_owned(),
                keep: recipe.keep.get(&name).cloned().unwrap_or_default(),
                name: name.clone(),
            };
            found.entry(name).or_insert(package);
        }
        let unknown: Vec<_> = wanted.iter().filter(|name| !found.contains_key(*name)).cloned().collect();
        if !unknown.is_empty() {
            return Err(ProvisionError::Unknown(unknown));
        }
        next.retain(|name| !found.contains_key(name));
        wanted = next;
    }
    write(old, found)
}

/// A package that two locks do not share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageChange {
    /// Its name.
    pub name: String,
    /// Its version in the old lock, if it is there. The same as in the new one if only the bytes differ.
    pub old: Option<String>,
    /// Its version in the new lock, if it is there.
    pub new: Option<String>,
}

impl Lock {
    /// The packages that `new` has otherwise, by name.
    pub fn package_changes(&self, new: &Self) -> Vec<PackageChange> {
        let packages = |lock: &Self| -> BTreeMap<String, (String, String)> {
            let one = |package: &Package| {
                (package.name().to_owned(), (package.version().to_owned(), package.sha256().to_owned()))
            };
            lock.packages().iter().map(one).collect()
        };
        let (old, new) = (packages(self), packages(new));
        let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        let version =
            |of: &BTreeMap<String, (String, String)>, name: &str| of.get(name).map(|one| one.0.clone());
        let changed = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
        let change = |name: &String| PackageChange {
            name: name.clone(),
            old: version(&old, name),
            new: version(&new, name),
        };
        changed.map(change).collect()
    }
}

/// The lock as text, checked by reading it back.
fn write(old: &Lock, packages: BTreeMap<String, RawPackage>) -> Result<String, ProvisionError> {
    let raw = RawLock { package: packages.into_values().collect(), ..old.to_raw() };
    let text = toml::to_string_pretty(&raw).map_err(|error| super::LockError::Syntax(error.to_string()))?;
    let text = format!("{HEADER}{text}");
    Lock::parse(&text)?;
    Ok(text)
}

const HEADER: &str = "\
# Distribution packages, pinned: name, version and SHA-256 of each. The SHA-256 of this file is the identity of
# what it installs. Made by `provision::propose` from [recipe]; the format is in toolchain/src/provision/lock.rs.
";

/// The value of a field of a record, first line only (`deb-control(5)`).
fn field<'a>(record: &'a str, name: &str) -> Option<&'a str> {
    record.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
}

/// The names in a list of dependencies, the first of alternatives, without version and architecture.
fn dependencies(list: &str) -> impl Iterator<Item = &str> {
    let names =
        list.split(',').filter_map(|one| one.split(['|', '(', ':', ' ']).find(|part| !part.is_empty()));
    names.map(str::trim).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_dependencies_are_read() {
        let record = "Package: a\nVersion: 1:2\nDepends: b (>= 1), c | d, e:any, f [amd64]\nDescription: x\n Depends: no";
        assert_eq!(field(record, "Version"), Some("1:2"));
        assert_eq!(field(record, "Size"), None);
        let names: Vec<_> = dependencies(field(record, "Depends").unwrap()).collect();
        assert_eq!(names, ["b", "c", "e", "f"]);
        assert_eq!(dependencies("").count(), 0);
    }
}
