//! What two programs were made from, where it differs: the likeliest reason first.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::manifest::Manifest;
use crate::provision::Identity;
use crate::sources::{EXTERNAL, MODELS, Sources};

/// An input that is not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// What kind of input.
    pub kind: CauseKind,
    /// Which one, and what of it.
    pub what: String,
    /// The first's.
    pub a: String,
    /// The second's.
    pub b: String,
}

/// Kinds of inputs. Their order is how much of a program each decides, which is how likely it is that a difference comes from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CauseKind {
    /// The on-chain VM that it is for.
    Target,
    /// The compilers.
    Toolchain,
    /// Their flags.
    Flags,
    /// The model's file.
    Model,
    /// Numbers for open dimensions of the model, values for inputs that are constants.
    Dimensions,
    /// Another version of a crate of the guest, or another crate.
    CrateVersion,
    /// A feature of a crate of the guest.
    Feature,
    /// The source of a crate of the guest.
    CrateSource,
    /// The linker script or the target's description.
    Layout,
    /// A crate that makes programs: the importer, the code generator, the packer of weights.
    Tool,
    /// The source that was generated for the model; follows from the model and the tool.
    Generated,
    /// Versions of dependencies, the workspace's manifest.
    Workspace,
}

/// What a program was made from, as far as its manifest or its pin says so.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    /// Name of the on-chain VM.
    pub target: String,
    /// SHA-256 of the toolchain's lock.
    pub lock: Option<String>,
    /// What the compilers say they are.
    pub tools: Option<Identity>,
    /// The numbers that were given for open dimensions of the model, if there is a model.
    pub dims: Option<BTreeMap<String, u32>>,
    /// The inputs of the model that were made constants, if there is a model.
    pub constants: Option<BTreeMap<String, String>>,
    /// The digests of everything else.
    pub sources: Sources,
}

impl From<&Manifest> for Origin {
    fn from(manifest: &Manifest) -> Self {
        let lock = |t: &Identity| t.lock_sha256.clone().unwrap_or_else(|| "none: rustup".into());
        Self {
            target: manifest.target.clone(),
            lock: manifest.toolchain.as_ref().map(lock),
            tools: manifest.toolchain.clone(),
            dims: manifest.model.as_ref().map(|model| model.dims.clone()),
            constants: manifest.model.as_ref().map(|model| model.constants.clone()),
            sources: manifest.sources.clone().unwrap_or_default(),
        }
    }
}

/// Every input that differs. If the instructions are known to be the same, what would have changed them comes last.
pub(crate) fn causes(a: &Origin, b: &Origin, code_is_same: bool) -> Vec<Cause> {
    let mut list = List(Vec::new());
    list.add(CauseKind::Target, "target", Some(&a.target), Some(&b.target));
    list.add(CauseKind::Toolchain, "lock", a.lock.as_ref(), b.lock.as_ref());
    for (what, of) in TOOLS {
        let (a, b) = (a.tools.as_ref().and_then(of), b.tools.as_ref().and_then(of));
        list.add(CauseKind::Toolchain, what, a.as_ref(), b.as_ref());
    }
    let dims = |origin: &Origin| origin.dims.as_ref().map(|dims| format!("{dims:?}"));
    list.add(CauseKind::Dimensions, "--dim", dims(a).as_ref(), dims(b).as_ref());
    let constants = |origin: &Origin| origin.constants.as_ref().map(|constants| format!("{constants:?}"));
    list.add(CauseKind::Dimensions, "--constant", constants(a).as_ref(), constants(b).as_ref());
    list.add_sources(&a.sources, &b.sources);
    let changes_code = |kind: CauseKind| kind < CauseKind::Tool && kind != CauseKind::Model;
    list.0.sort_by_key(|cause| (code_is_same && changes_code(cause.kind), cause.kind));
    list.0
}

type Tool = (&'static str, fn(&Identity) -> Option<String>);

const TOOLS: [Tool; 4] = [
    ("rustc", |t| Some(t.rustc.clone())),
    ("LLVM of rustc", |t| Some(t.llvm.clone())),
    ("cargo", |t| Some(t.cargo.clone())),
    ("ld.lld", |t| Some(t.lld.clone())),
];

struct List(Vec<Cause>);

impl List {
    fn add(&mut self, kind: CauseKind, what: &str, a: Option<&String>, b: Option<&String>) {
        if a != b {
            let shown = |side: Option<&String>| side.cloned().unwrap_or_else(|| "absent".into());
            self.0.push(Cause { kind, what: what.to_owned(), a: shown(a), b: shown(b) });
        }
    }

    fn add_maps(
        &mut self,
        kind: impl Fn(&str) -> CauseKind,
        a: &BTreeMap<String, String>,
        b: &BTreeMap<String, String>,
    ) {
        let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        for name in names {
            self.add(kind(name), name, a.get(name), b.get(name));
        }
    }

    fn add_sources(&mut self, a: &Sources, b: &Sources) {
        let kind = |name: &str| match name {
            "model" => CauseKind::Model,
            name if [EXTERNAL, MODELS].iter().any(|start| name.starts_with(start)) => CauseKind::Model,
            "Cargo.lock" | "Cargo.toml" => CauseKind::Workspace,
            crate::sources::TOOLCHAIN_LOCK => CauseKind::Toolchain,
            _ => CauseKind::Layout,
        };
        let files = |sources: &Sources| {
            let mut files = sources.files.clone();
            // Compared as part of the toolchain, with the compilers' names.
            files.remove(crate::sources::TOOLCHAIN_LOCK);
            files
        };
        self.add_maps(kind, &files(a), &files(b));
        self.add_maps(|_| CauseKind::Tool, &a.tool, &b.tool);
        self.add(CauseKind::Generated, "generated crate", Some(&a.generated), Some(&b.generated));
        let tools: BTreeSet<&String> = a.flags.keys().chain(b.flags.keys()).collect();
        for tool in tools {
            // Those of both aside: there are dozens.
            let only = |these: &Sources, those: &Sources| {
                let others = those.flags.get(tool).cloned().unwrap_or_default();
                let flags = these.flags.get(tool).into_iter().flatten().filter(|flag| !others.contains(flag));
                flags.cloned().collect::<Vec<_>>().join(" ")
            };
            let (left, right) = (only(a, b), only(b, a));
            if a.flags.get(tool) != b.flags.get(tool) {
                self.0.push(Cause { kind: CauseKind::Flags, what: tool.clone(), a: left, b: right });
            }
        }
        self.add_crates(a, b);
    }

    fn add_crates(&mut self, a: &Sources, b: &Sources) {
        for name in a.guest.keys().chain(b.guest.keys().filter(|name| !a.guest.contains_key(*name))) {
            let (Some(left), Some(right)) = (a.guest.get(name), b.guest.get(name)) else {
                let side = |sources: &Sources| sources.guest.contains_key(name).then(|| "present".to_owned());
                self.add(CauseKind::CrateVersion, name, side(a).as_ref(), side(b).as_ref());
                continue;
            };
            let (before, after) = (left.features.join(" "), right.features.join(" "));
            self.add(CauseKind::Feature, &format!("features of {name}"), Some(&before), Some(&after));
            self.add(CauseKind::CrateSource, name, Some(&left.sha256), Some(&right.sha256));
        }
    }
}
