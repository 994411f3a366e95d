//! Guests that are written by hand: a cargo package, found and read.

mod options;
mod profile;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand, TargetKind};
use serde::{Deserialize, Serialize};

pub use self::options::{ModelOptions, PackageOptions};
use crate::error::BuildError;
use crate::manifest::ModelInfo;
use crate::sources::{Checkout, Graph, GuestCrate, Tree};

/// What of a package is built, and how: cargo's own options.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// The binary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bin: Option<String>,
    /// Features to switch on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// All of them.
    #[serde(default, skip_serializing_if = "is_false")]
    pub all_features: bool,
    /// Not those that are on by themselves.
    #[serde(default, skip_serializing_if = "is_false")]
    pub no_default_features: bool,
    /// The profile, if it is not `release`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Selection {
    /// As arguments of a command, in one order.
    pub fn arguments(&self) -> Vec<String> {
        let mut all = Vec::new();
        all.extend(self.bin.iter().map(|bin| format!("--bin={bin}")));
        all.extend((!self.features.is_empty()).then(|| format!("--features={}", self.features.join(","))));
        all.extend(self.all_features.then(|| "--all-features".to_owned()));
        all.extend(self.no_default_features.then(|| "--no-default-features".to_owned()));
        all.extend(self.profile.iter().map(|profile| format!("--profile={profile}")));
        all
    }
}

/// What a manifest says of the package that a program was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageInfo {
    /// Its name and version, as `sources.guest` has it.
    pub package: String,
    /// What of it was built.
    pub selection: Selection,
    /// The models that it calls, by the name of their crate.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<String, ModelInfo>,
}

/// A model as a crate of its own.
#[derive(Clone, Debug)]
pub struct ModelCrate {
    /// Name of the crate.
    pub name: String,
    /// Its `src/lib.rs`.
    pub source: String,
    /// What it was made from.
    pub info: ModelInfo,
}

/// A package that was read: what is hashed is what is compiled.
#[derive(Clone, Debug)]
pub struct Package {
    /// The package.
    pub(crate) root: GuestCrate,
    /// What it needs, itself among it if it has a library.
    pub(crate) crates: Vec<GuestCrate>,
    /// Name of the binary.
    pub(crate) bin: String,
    /// The first file of the binary, below the package.
    pub(crate) entry: String,
    /// The settings of its profile.
    pub(crate) profile: toml::Table,
    options: PackageOptions,
    selection: Selection,
    /// The models that it calls.
    pub(crate) models: Vec<ModelCrate>,
}

impl Package {
    /// Whether `dir` is the folder of one.
    pub fn is_in(dir: &Path) -> bool {
        dir.join("Cargo.toml").is_file()
    }

    /// Reads the package in the folder `dir` and all it needs. cargo writes its lock if it has none.
    ///
    /// # Errors
    /// [`BuildError`]: cargo's refusals, options that nobody knows, more than one binary and none named.
    pub fn open(
        dir: &Path,
        selection: Selection,
        checkout: &Checkout,
        offline: bool,
    ) -> Result<Self, BuildError> {
        let dir = fs::canonicalize(dir).map_err(BuildError::io("find", dir))?;
        let metadata = metadata(&dir, &selection, offline)?;
        let manifest = dir.join("Cargo.toml");
        let package = metadata.packages.iter().find(|package| package.manifest_path == manifest);
        let Some(package) = package else {
            let members = metadata.workspace_packages().into_iter().map(|p| p.name.to_string()).collect();
            return Err(BuildError::Workspace { dir, members });
        };
        let options = PackageOptions::read(&package.metadata)?;
        let bin = binary(package, selection.bin.as_deref())?;
        let root = metadata.workspace_root.as_std_path();
        let graph = Graph::new(&metadata, &root.join("Cargo.lock"))?;
        let mut roots: Vec<_> = graph.needs(&package.id).collect();
        let is_library = |target: &cargo_metadata::Target| {
            target.kind.iter().any(|kind| matches!(kind, TargetKind::Lib | TargetKind::RLib))
        };
        roots.extend(package.targets.iter().any(is_library).then_some(&package.id));
        let crates = graph.crates(roots, checkout)?;
        let entry = bin.src_path.strip_prefix(&dir).unwrap_or(&bin.src_path).to_string();
        Ok(Self {
            root: graph.guest_crate(&package.id, checkout)?,
            crates,
            bin: bin.name.clone(),
            entry,
            profile: profile::of(&root.join("Cargo.toml"), selection.profile.as_deref())?,
            options,
            selection,
            models: Vec::new(),
        })
    }

    /// What `[package.metadata.opml]` says.
    pub fn options(&self) -> &PackageOptions {
        &self.options
    }

    /// Name of the binary.
    pub fn bin(&self) -> &str {
        &self.bin
    }

    /// The tree hash of the package in the folder `dir`, as `sources.guest` of a manifest has it.
    ///
    /// # Errors
    /// What can be wrong with sources.
    pub fn digest_of(dir: &Path, checkout: &Checkout) -> Result<String, BuildError> {
        let dir = fs::canonicalize(dir).map_err(BuildError::io("find", dir))?;
        Ok(Tree::of_crate(&dir, checkout.root())?.digest())
    }

    /// Gives it the crate of a model that it calls.
    ///
    /// # Errors
    /// [`BuildError::NoKernels`] if nothing in it has what models are made of.
    pub fn add_model(&mut self, model: ModelCrate) -> Result<(), BuildError> {
        if !self.crates.iter().any(|one| one.package.name.as_str() == "opml-kernels") {
            return Err(BuildError::NoKernels { package: self.root.package.name.to_string() });
        }
        self.models.push(model);
        Ok(())
    }

    /// What a manifest says of it.
    pub fn info(&self) -> PackageInfo {
        PackageInfo {
            package: self.root.name(),
            selection: self.selection.clone(),
            models: self.models.iter().map(|model| (model.name.clone(), model.info.clone())).collect(),
        }
    }
}

/// Asks cargo, as it would be asked in that folder.
fn metadata(dir: &Path, selection: &Selection, offline: bool) -> Result<Metadata, BuildError> {
    let mut arguments = selection.arguments();
    arguments.retain(|argument| !argument.starts_with("--bin") && !argument.starts_with("--profile"));
    arguments.extend(offline.then(|| "--offline".to_owned()));
    let mut command = MetadataCommand::new();
    command.manifest_path(dir.join("Cargo.toml")).current_dir(dir).other_options(arguments);
    command.exec().map_err(|source| BuildError::PackageMetadata { dir: PathBuf::from(dir), source })
}

/// The binary that is asked for, or the only one, or the one that cargo would run.
fn binary<'a>(
    package: &'a cargo_metadata::Package,
    name: Option<&str>,
) -> Result<&'a cargo_metadata::Target, BuildError> {
    let all: Vec<_> = package.targets.iter().filter(|target| target.is_bin()).collect();
    let found = match (name.or(package.default_run.as_deref()), &all[..]) {
        (Some(name), all) => all.iter().find(|target| target.name == name).copied(),
        (None, [only]) => Some(*only),
        (None, _) => None,
    };
    found.ok_or_else(|| BuildError::Binary {
        package: package.name.to_string(),
        wanted: name.map(str::to_owned),
        there: all.iter().map(|target| target.name.clone()).collect(),
    })
}
