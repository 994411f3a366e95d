//! Compares the files of two builds, and says where and why they differ.
//!
//! ```text
//! two folders --read--> Artifacts --compare--> Comparison
//! ```
//!
//! What it cannot see: an input that no manifest names, such as a compiler that was tampered with after it was
//! installed, or a fault of the machine. It then says that the inputs are the same and the bytes are not.

mod artifacts;
mod causes;
mod image;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use miette::Diagnostic;
use serde::Serialize;
use thiserror::Error;

pub use artifacts::Artifacts;
pub use causes::{Cause, CauseKind};
pub(crate) use causes::{Origin, causes};
pub use image::{ImageDifference, SectionDifference};

use crate::output::file;

/// Why a folder cannot be compared.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum CompareError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    #[diagnostic(help(
        "give a folder that `cargo xtask build-model` or `image` wrote, or the manifest.json in it"
    ))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },

    /// It is no manifest.
    #[error("{} is not the manifest of a build", path.display())]
    #[diagnostic(help("it is damaged, or made by another tool: docs/formats.md says what stands in it"))]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },

    /// It was written by another version.
    #[error("the manifest {} has version {got}, expected {expected}", path.display())]
    #[diagnostic(help("use the version of this project that made it; its README says how"))]
    Version {
        /// The file.
        path: PathBuf,
        /// What this version reads.
        expected: u32,
        /// What it says.
        got: u64,
    },

    /// It names a file that no build writes.
    #[error("the manifest {} names a file `{name}`, which is none of a build", path.display())]
    #[diagnostic(help(
        "a manifest names files beside it only; this one was not made by `build-model` or `image`"
    ))]
    FileName {
        /// The file.
        path: PathBuf,
        /// What it names.
        name: String,
    },
}

/// Where two builds differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Files that are not the same, the manifest included.
    pub files: Vec<FileDifference>,
    /// Figures of the manifests that are not the same.
    pub fields: Vec<FieldDifference>,
    /// Where the programs differ, if both are at hand and do.
    pub image: Option<ImageDifference>,
    /// What they were made from that is not the same, likeliest reason first.
    pub causes: Vec<Cause>,
    /// Files that are not what the manifest in their own folder says: of the first, of the second.
    pub damaged: [Vec<String>; 2],
}

/// A file that is not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileDifference {
    /// Its name.
    pub name: String,
    /// SHA-256 of the first's, if it has it.
    pub a: Option<String>,
    /// SHA-256 of the second's, if it has it.
    pub b: Option<String>,
}

/// A figure of the manifests that is not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldDifference {
    /// Its place in the manifest, as in `sizes.code`.
    pub field: String,
    /// The first's, if it has it.
    pub a: Option<String>,
    /// The second's, if it has it.
    pub b: Option<String>,
}

impl Comparison {
    /// Whether every file is the same. The commit that a manifest names is no part of what was built.
    pub fn is_identical(&self) -> bool {
        self.files.is_empty() && self.fields.is_empty() && self.damaged.iter().all(Vec::is_empty)
    }
}

/// Compares two builds.
pub fn compare(a: &Artifacts, b: &Artifacts) -> Comparison {
    let names: BTreeSet<&String> = a.sha256.keys().chain(b.sha256.keys()).collect();
    let commit = |side: &Artifacts| side.manifest.sources.as_ref().and_then(|sources| sources.commit.clone());
    let same_commit = commit(a) == commit(b);
    let mut files = Vec::new();
    for name in names {
        let (left, right) = (a.sha256.get(name), b.sha256.get(name));
        // What the manifest does not hash is not known where only the manifest is at hand, and names the commit as it does.
        let unknown = left.is_none() || right.is_none() || !same_commit;
        if left != right && !(unknown && file::BESIDE.contains(&name.as_str())) {
            files.push(FileDifference { name: name.clone(), a: left.cloned(), b: right.cloned() });
        }
    }
    let elves = if files.is_empty() { None } else { a.elf().zip(b.elf()) };
    let image = elves.map(|(a, b)| ImageDifference::of(&a, &b));
    let code_is_same = image.as_ref().is_some_and(|image| !image.changes_code());
    Comparison {
        fields: fields(a, b),
        causes: causes(&(&a.manifest).into(), &(&b.manifest).into(), code_is_same),
        damaged: [a.damaged.clone(), b.damaged.clone()],
        image,
        files,
    }
}

/// The leaves of both manifests that differ; those of `sources` but the digest have [`Cause`]s of their own.
fn fields(a: &Artifacts, b: &Artifacts) -> Vec<FieldDifference> {
    let leaves = |artifacts: &Artifacts| {
        let value = serde_json::to_value(&artifacts.manifest).expect("a manifest is strings and numbers");
        let mut leaves = std::collections::BTreeMap::new();
        collect("", &value, &mut leaves);
        leaves.retain(|field, _| !field.starts_with("sha256.") && is_shown(field));
        leaves
    };
    let (left, right) = (leaves(a), leaves(b));
    let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    let different = names.into_iter().filter(|name| left.get(*name) != right.get(*name));
    let different = different.map(|name| FieldDifference {
        field: name.clone(),
        a: left.get(name).cloned(),
        b: right.get(name).cloned(),
    });
    different.collect()
}

fn is_shown(field: &str) -> bool {
    !field.starts_with("sources.") || field == "sources.digest"
}

fn collect(path: &str, value: &serde_json::Value, leaves: &mut std::collections::BTreeMap<String, String>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        serde_json::Value::Object(map) => {
            map.iter().for_each(|(key, value)| collect(&below(key), value, leaves))
        }
        serde_json::Value::String(text) => drop(leaves.insert(path.to_owned(), text.clone())),
        other => drop(leaves.insert(path.to_owned(), other.to_string())),
    }
}
