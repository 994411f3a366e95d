//! The digests of everything that a program was made from.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use opml_targets::Target;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Checkout, GuestCrate, Tree};
use crate::c;
use crate::error::BuildError;
use crate::expand;
use crate::flags;
use crate::guest::GuestSource;
use crate::manifest::ModelInfo;
use crate::package::ModelCrate;

/// Folders of the crates that decide on a program's bytes without being compiled into it. A test holds the list against
/// what cargo says of the two crates that make programs.
pub const TOOL: [&str; 7] = ["attest", "frontend", "isa", "native", "state", "targets", "toolchain"];

/// Name of the toolchain's lock among the digests.
pub(crate) const TOOLCHAIN_LOCK: &str = "toolchain/guest-toolchain.lock";

/// What stands before the path of a file with weights among the digests. No file of the checkout that is digested begins so.
pub(crate) const EXTERNAL: &str = "model/";

/// The same before the name of a model that a package calls.
pub(crate) const MODELS: &str = "models/";

/// What a program was made from: SHA-256 each, hexadecimal. Trees are hashed as `sources/tree.rs` and docs/formats.md say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    /// SHA-256 of this object as JSON without spaces, in which this field is empty and `commit` is left out: two programs with
    /// the same digest were made from the same.
    pub digest: String,
    /// The git commit of the checkout, if it is one and nothing in it was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Single files of the checkout, the model among them as `model`, and a file with its weights as `model/` and its path.
    pub files: BTreeMap<String, String>,
    /// Every flag of the compiler and the linker, by tool; without paths of this machine.
    pub flags: BTreeMap<String, Vec<String>>,
    /// The crate that was generated for the program: its source. For a package, that of the crates of its models one behind the other, each
    /// behind its name and a line feed; nothing if it calls none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub generated: String,
    /// The crates that are compiled into the program, by name and version.
    pub guest: BTreeMap<String, CrateIdentity>,
    /// The crates that made the program, by folder: their trees.
    pub tool: BTreeMap<String, String>,
}

/// A crate of a guest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrateIdentity {
    /// `path`, `git` or `registry`.
    pub source: String,
    /// SHA-256 of the registry's archive, by Cargo.lock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// SPDX expression, as the crate says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// The features it is compiled with.
    pub features: Vec<String>,
    /// Its tree.
    pub sha256: String,
}

/// What a program is made from besides the crates of a checkout.
pub(crate) struct Given<'a> {
    /// Texts that this tool was compiled with, by their path in the checkout.
    pub texts: Vec<(String, &'a str)>,
    /// What is compiled.
    pub guest: &'a GuestSource,
    /// The model, if there is one.
    pub model: Option<&'a ModelInfo>,
    /// SHA-256 of the toolchain's lock, if it has one.
    pub toolchain_lock: Option<&'a str>,
}

/// The texts that describe `target`.
pub(crate) fn texts(target: &Target) -> Vec<(String, &'static str)> {
    vec![
        (format!("linker/{}", target.linker_script_name()), target.linker_script()),
        (format!("targets/{}/rustc.toml", target.name()), target.rustc_spec()),
        (format!("targets/{}/target.toml", target.name()), target.toml()),
    ]
}

impl Sources {
    /// Of a program with `crates` in it, in a checkout.
    pub(crate) fn of(checkout: &Checkout, crates: &[GuestCrate], given: &Given) -> Result<Self, BuildError> {
        let sha256 = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
        let mut files = BTreeMap::new();
        for name in ["Cargo.lock", "Cargo.toml"] {
            let path = checkout.root().join(name);
            let bytes = std::fs::read(&path).map_err(BuildError::io("read", &path))?;
            files.insert(name.to_owned(), sha256(&bytes));
        }
        files.extend(given.texts.iter().map(|(name, text)| (name.clone(), sha256(text.as_bytes()))));
        files.extend(given.toolchain_lock.map(|lock| (TOOLCHAIN_LOCK.to_owned(), lock.to_owned())));
        if let Some(model) = given.model {
            files.insert("model".to_owned(), model.sha256.clone());
            let external = model.external.iter();
            files.extend(external.map(|(path, sha256)| (format!("{EXTERNAL}{path}"), sha256.clone())));
        }
        let mut tool = BTreeMap::new();
        for folder in TOOL {
            let tree = Tree::of_crate(&checkout.root().join(folder), checkout.root())?;
            tool.insert(folder.to_owned(), tree.digest());
        }
        let root = match given.guest {
            GuestSource::Generated(_) | GuestSource::C(_) => None,
            GuestSource::Package(package) => Some(&package.root),
        };
        for ModelCrate { name, info, .. } in given.guest.models() {
            files.insert(format!("{MODELS}{name}"), info.sha256.clone());
            let external = info.external.iter();
            files.extend(external.map(|(path, sha256)| (format!("{MODELS}{name}/{path}"), sha256.clone())));
        }
        let generated = given.guest.generated();
        let mut flags = flags::all(&given.guest.settings());
        let mut guest: BTreeMap<_, _> =
            crates.iter().chain(root).map(|one| (one.name(), CrateIdentity::of(one))).collect();
        if given.guest.is_expanded() {
            let assembler = expand::ASSEMBLER.iter().map(|flag| (*flag).to_owned());
            flags.insert("clang, of assembly".to_owned(), assembler.collect());
        }
        if let GuestSource::C(folder) = given.guest {
            flags.insert("clang".to_owned(), c::compiler_flags());
            guest.insert(folder.full_name(), folder.identity());
        }
        let undigested = Self {
            digest: String::new(),
            commit: None,
            files,
            flags,
            generated: generated.map_or_else(String::new, |text| sha256(text.as_bytes())),
            guest,
            tool,
        };
        Ok(Self { digest: undigested.own_digest(), commit: commit(checkout.root()), ..undigested })
    }

    /// What [`digest`](Self::digest) has to be.
    pub fn own_digest(&self) -> String {
        let undigested = Self { digest: String::new(), commit: None, ..self.clone() };
        let text = serde_json::to_vec(&undigested).expect("they are strings");
        hex::encode(Sha256::digest(text))
    }
}

impl CrateIdentity {
    fn of(one: &GuestCrate) -> Self {
        Self {
            source: one.source().to_owned(),
            checksum: one.checksum.clone(),
            license: one.package.license.clone(),
            features: one.features.clone(),
            sha256: one.tree.digest(),
        }
    }
}

/// The commit of the git checkout `root`; none if it is none, if anything in it was changed, or without git.
fn commit(root: &Path) -> Option<String> {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(root).args(arguments).stdin(Stdio::null());
        // They would name another repository.
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(name);
        }
        let output = command.env("GIT_OPTIONAL_LOCKS", "0").output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    // Behind the commit stands where in the repository this is: nothing, unless the repository is another one around the checkout.
    let commit = git(&["rev-parse", "HEAD", "--show-prefix"])?;
    let is_commit = commit.chars().all(|c| c.is_ascii_hexdigit());
    (is_commit && git(&["status", "--porcelain"])?.is_empty()).then_some(commit)
}
