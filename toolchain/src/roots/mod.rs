//! `roots.toml`: the roots of the shipped models, pinned, with the digests of what they were made from. A root that changes
//! without its pin is a change that nobody decided; one that changes with it can be explained.

mod compare;
mod error;
mod file;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use compare::{Comparison, Pair, Row, Verdict};
pub use error::RootsError;
pub use file::MAX_TEXT;
use opml_state::Hash;
use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

use crate::compare::Origin;
use crate::manifest::{Manifest, ModelFormat};
use crate::sources::{CrateIdentity, Sources};

/// Name of the file, at the top of the repository.
pub const FILE: &str = "roots.toml";

/// The roots of the shipped models, by target and toolchain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roots {
    built: Vec<Built>,
}

/// What one toolchain made for one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Built {
    target: String,
    /// SHA-256 of the toolchain's lock.
    lock: String,
    models: BTreeMap<String, Pin>,
    sources: Shared,
}

/// The roots of a model, and what it does not share with the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pin {
    memory_root: Hash,
    prestate_hash: Hash,
    /// SHA-256 of the model's file.
    model: String,
    /// SHA-256 of the source that was generated from it.
    generated: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    dims: BTreeMap<String, u32>,
}

/// What all models of a target are made from: digests as in [`Sources`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shared {
    files: BTreeMap<String, String>,
    tool: BTreeMap<String, String>,
    flags: BTreeMap<String, Vec<String>>,
    guest: BTreeMap<String, Crate>,
}

/// A crate that is compiled into the programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Crate {
    sha256: String,
    features: Vec<String>,
}

impl Roots {
    /// What the manifests of finished builds say.
    ///
    /// # Errors
    /// [`RootsError::NotReference`] for a build whose root is nobody else's, [`RootsError::Unlike`] if the checkout was
    /// changed between two of the builds, [`RootsError::Twice`] for two models of one name.
    pub fn of<'a>(manifests: impl IntoIterator<Item = &'a Manifest>) -> Result<Self, RootsError> {
        let mut built: BTreeMap<(String, String), Built> = BTreeMap::new();
        for manifest in manifests {
            let name = &manifest.name;
            let not_reference = || RootsError::NotReference { model: name.clone() };
            let lock = manifest.toolchain.as_ref().and_then(|t| t.lock_sha256.clone());
            let (lock, sources) = lock.zip(manifest.sources.as_ref()).ok_or_else(not_reference)?;
            let model = manifest.model.as_ref().ok_or_else(not_reference)?;
            let pin = Pin {
                memory_root: manifest.memory_root,
                prestate_hash: manifest.prestate_hash,
                model: model.sha256.clone(),
                generated: sources.generated.clone(),
                dims: model.dims.clone(),
            };
            let shared = Shared::of(sources);
            let group = built.entry((manifest.target.clone(), lock.clone())).or_insert_with(|| Built {
                target: manifest.target.clone(),
                lock,
                models: BTreeMap::new(),
                sources: shared.clone(),
            });
            if group.sources != shared {
                return Err(RootsError::Unlike { model: name.clone() });
            }
            if group.models.insert(name.clone(), pin).is_some() {
                return Err(RootsError::Twice(format!("the model {name}")));
            }
        }
        Ok(Self { built: built.into_values().collect() })
    }
}

impl Built {
    /// What the model with `pin` was made from.
    fn origin(&self, pin: &Pin) -> Origin {
        let Shared { files, tool, flags, guest } = self.sources.clone();
        let files = files.into_iter().chain([("model".to_owned(), pin.model.clone())]);
        let guest = guest.into_iter().map(|(name, one)| {
            let Crate { sha256, features } = one;
            (name, CrateIdentity { sha256, features, ..CrateIdentity::default() })
        });
        Origin {
            target: self.target.clone(),
            lock: Some(self.lock.clone()),
            tools: None,
            dims: Some(pin.dims.clone()),
            // Shipped models are built as they are.
            constants: Some(BTreeMap::new()),
            sources: Sources {
                files: files.collect(),
                tool,
                flags,
                guest: guest.collect(),
                generated: pin.generated.clone(),
                ..Sources::default()
            },
        }
    }
}

impl Shared {
    fn of(sources: &Sources) -> Self {
        let mut files = sources.files.clone();
        // What is of a model is another for each, the lock stands in front of all.
        let of_model = |name: &str| name == "model" || name.starts_with(crate::sources::EXTERNAL);
        files.retain(|name, _| !of_model(name) && name != crate::sources::TOOLCHAIN_LOCK);
        let guest = sources.guest.iter().map(|(name, one)| {
            (name.clone(), Crate { sha256: one.sha256.clone(), features: one.features.clone() })
        });
        Self { files, tool: sources.tool.clone(), flags: sources.flags.clone(), guest: guest.collect() }
    }
}

/// The models that a checkout ships: all `.onnx` and `.tflite` files below `models/`, by path.
///
/// # Errors
/// [`RootsError::Io`] if the folder can't be listed.
pub fn shipped(checkout: &Path) -> Result<Vec<PathBuf>, RootsError> {
    let folder = checkout.join("models");
    let mut models = Vec::new();
    for entry in WalkDir::new(&folder).sort_by_file_name() {
        let entry = entry.map_err(|source| RootsError::Io {
            doing: "list",
            path: folder.clone(),
            source: source.into(),
        })?;
        if entry.file_type().is_file() && ModelFormat::names(entry.path()) {
            models.push(entry.into_path());
        }
    }
    Ok(models)
}
