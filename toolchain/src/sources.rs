//! The project's own crates that every guest is built from, found in a checkout and copied from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use crate::error::BuildError;

/// Folders of the crates a guest may use.
const GUEST_CRATES: [&str; 4] = ["abi", "kernels", "runtime", "softfloat"];

/// Names of the packages a guest depends on; their own dependencies follow.
const GUEST_PACKAGES: [&str; 3] = ["opml-abi", "opml-kernels", "opml-runtime"];

/// A checkout of this project.
#[derive(Clone, Debug)]
pub struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// The checkout at `root`, the folder of the workspace's `Cargo.toml`.
    ///
    /// # Errors
    /// [`BuildError::NoCheckout`] if the crates of the guest are not there.
    pub fn new(root: &Path) -> Result<Self, BuildError> {
        let missing =
            GUEST_CRATES.iter().map(|name| root.join(name)).find(|dir| !dir.join("Cargo.toml").is_file());
        match missing {
            Some(missing) => Err(BuildError::NoCheckout { root: root.to_owned(), missing }),
            None => Ok(Self { root: root.to_owned() }),
        }
    }

    /// The folder of the workspace.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// SHA-256 over paths and bytes of everything of the checkout that goes into a guest: the crates, and
    /// the lock with the versions and hashes of their dependencies.
    ///
    /// # Errors
    /// [`BuildError::Io`] for a file that cannot be read.
    pub fn digest(&self) -> Result<[u8; 32], BuildError> {
        let mut files = vec![self.root.join("Cargo.lock"), self.root.join("Cargo.toml")];
        for name in GUEST_CRATES {
            files.extend(source_files(&self.root.join(name))?);
        }
        let mut sha256 = Sha256::new();
        for file in files {
            let bytes = fs::read(&file).map_err(BuildError::io("read", &file))?;
            let name = file.strip_prefix(&self.root).unwrap_or(&file).to_string_lossy();
            // Lengths first, so that no two sets of files run together to the same bytes.
            for part in [name.as_bytes(), &bytes] {
                sha256.update((part.len() as u64).to_be_bytes());
                sha256.update(part);
            }
        }
        Ok(sha256.finalize().into())
    }

    /// Makes a workspace in `stage` out of the guest's crates, with their dependencies from registries
    /// below `vendor/` as a cargo directory source, so that the compile needs no network.
    ///
    /// Files that already have the right content are left alone: cargo goes by their times.
    ///
    /// # Errors
    /// [`BuildError::Metadata`] if cargo cannot resolve the checkout, [`BuildError::Io`].
    pub fn stage(&self, stage: &Path, offline: bool) -> Result<(), BuildError> {
        let metadata = self.metadata(offline)?;
        let lock = read_toml(&self.root.join("Cargo.lock"))?;
        let mut members = vec!["guest".to_owned()];
        for package in closure(&metadata) {
            let folder =
                package.manifest_path.parent().map(|p| p.as_std_path().to_owned()).unwrap_or_default();
            match &package.source {
                None => {
                    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    copy_crate(&folder, &stage.join(&name))?;
                    members.push(name);
                }
                Some(_) => vendor(package, &folder, &stage.join("vendor"), &lock)?,
            }
        }
        members.sort();
        self.write_workspace(stage, members)
    }

    fn metadata(&self, offline: bool) -> Result<Metadata, BuildError> {
        let mut command = MetadataCommand::new();
        command.manifest_path(self.root.join("Cargo.toml"));
        // The lock decides, and what it decides must not change under a build.
        let mut options = vec!["--locked".to_owned()];
        options.extend(offline.then(|| "--offline".to_owned()));
        command.other_options(options);
        command.exec().map_err(|source| BuildError::Metadata { source })
    }

    /// The workspace's root files: what its members inherit, and the versions of the checkout's lock.
    fn write_workspace(&self, stage: &Path, members: Vec<String>) -> Result<(), BuildError> {
        let manifest = read_toml(&self.root.join("Cargo.toml"))?;
        let inherited = |key: &str| manifest.get("workspace").and_then(|w| w.get(key)).cloned();
        let mut workspace = toml::Table::new();
        workspace.insert("members".into(), members.into());
        for key in ["resolver", "package", "dependencies", "lints"] {
            workspace.extend(inherited(key).map(|value| (key.to_owned(), value)));
        }
        let mut root = toml::Table::new();
        root.insert("workspace".into(), workspace.into());
        write_if_changed(&stage.join("Cargo.toml"), root.to_string().as_bytes())?;
        // Cargo drops from it what the stage does not need, so it is only written when it is stale.
        let lock = fs::read(self.root.join("Cargo.lock"))
            .map_err(BuildError::io("read", &self.root.join("Cargo.lock")))?;
        write_if_changed(&stage.join("Cargo.lock"), &lock)
    }
}

/// The guest's packages and all they need, build-time needs included, in the order of their ids.
fn closure(metadata: &Metadata) -> Vec<&Package> {
    let nodes: BTreeMap<&PackageId, _> =
        metadata.resolve.iter().flat_map(|r| &r.nodes).map(|node| (&node.id, node)).collect();
    let named = |p: &&Package| GUEST_PACKAGES.contains(&p.name.as_str()) && p.source.is_none();
    let mut open: Vec<_> = metadata.packages.iter().filter(named).map(|p| &p.id).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            let needed = nodes.get(id).into_iter().flat_map(|node| &node.deps);
            let needed = needed.filter(|d| d.dep_kinds.iter().any(|k| k.kind != DependencyKind::Development));
            open.extend(needed.map(|d| &d.pkg));
        }
    }
    seen.into_iter().map(|id| &metadata[id]).collect()
}

/// Copies a crate of the checkout without what only its own tests need, which would have to be resolved. What an
/// older state of the checkout left behind goes: a module that moved would be there twice.
fn copy_crate(from: &Path, to: &Path) -> Result<(), BuildError> {
    let mut copied = BTreeSet::new();
    for file in source_files(from)? {
        let target = to.join(file.strip_prefix(from).unwrap_or(&file));
        if file == from.join("Cargo.toml") {
            let mut manifest = read_toml(&file)?;
            manifest.remove("dev-dependencies");
            write_if_changed(&target, manifest.to_string().as_bytes())?;
        } else {
            write_if_changed(&target, &fs::read(&file).map_err(BuildError::io("read", &file))?)?;
        }
        copied.insert(target);
    }
    for stale in files(&to.join("src"))?.into_iter().filter(|file| !copied.contains(file)) {
        fs::remove_file(&stale).map_err(BuildError::io("remove", &stale))?;
    }
    Ok(())
}

/// Copies a package from cargo's cache, with the checksum file that makes a directory source of it; `lock`
/// has the checksums.
fn vendor(package: &Package, from: &Path, vendor: &Path, lock: &toml::Table) -> Result<(), BuildError> {
    let to = vendor.join(format!("{}-{}", package.name, package.version));
    for file in files(from)? {
        let target = to.join(file.strip_prefix(from).unwrap_or(&file));
        write_if_changed(&target, &fs::read(&file).map_err(BuildError::io("read", &file))?)?;
    }
    let field = |entry: &toml::Value, key: &str| entry.get(key).and_then(|v| v.as_str()).map(str::to_owned);
    let version = package.version.to_string();
    let checksum = lock.get("package").and_then(|p| p.as_array()).into_iter().flatten().find_map(|entry| {
        let same = field(entry, "name").is_some_and(|n| n == package.name.as_str())
            && field(entry, "version").is_some_and(|v| v == version);
        same.then(|| field(entry, "checksum")).flatten()
    });
    // The files were checked against this hash by cargo when it unpacked them.
    let checksum = serde_json::json!({ "files": {}, "package": checksum });
    write_if_changed(&to.join(".cargo-checksum.json"), checksum.to_string().as_bytes())
}

/// What a crate of the checkout is compiled from.
fn source_files(dir: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let mut all = files(&dir.join("src"))?;
    all.push(dir.join("Cargo.toml"));
    let script = dir.join("build");
    if script.is_dir() {
        all.extend(files(&script)?);
    }
    Ok(all)
}

/// All files below `dir` in the order of their names, whatever order the file system has.
fn files(dir: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let mut files = Vec::new();
    for entry in WalkDir::new(dir).sort_by_file_name() {
        let entry = entry.map_err(|e| {
            let path = e.path().unwrap_or(dir).to_owned();
            BuildError::io("list", &path)(
                e.into_io_error().unwrap_or_else(|| io::Error::other("a cycle of links")),
            )
        })?;
        if entry.file_type().is_file() {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

fn read_toml(path: &Path) -> Result<toml::Table, BuildError> {
    let text = fs::read_to_string(path).map_err(BuildError::io("read", path))?;
    text.parse().map_err(|e: toml::de::Error| BuildError::io("parse", path)(io::Error::other(e.to_string())))
}

/// Writes `bytes` to `path` unless they are there already.
pub(crate) fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(BuildError::io("make", dir))?;
    }
    fs::write(path, bytes).map_err(BuildError::io("write", path))
}
