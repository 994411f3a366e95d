//! The pipeline: each stage takes what the one before it made.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use opml_abi::TensorInfo;
use opml_targets::Target;

use crate::audit::{AuditOptions, AuditedElf, audit_with};
use crate::compile::{Compiler, Objects};
use crate::elf::Elf;
use crate::error::BuildError;
use crate::flags;
use crate::guest::{GuestProgram, GuestSource};
use crate::manifest::{BUILD_RULE, Manifest, MemoryPlan, ModelInfo, Port, Sizes};
use crate::output::{Files, file};
use crate::progress::Progress;
use crate::provenance;
use crate::provision::cache::Cache;
use crate::provision::{self, Identity, Toolchain};
use crate::sources::{Checkout, GUEST_PACKAGES, Given, GuestCrate, Sources, resolve, texts};
use crate::stages::Stages;
use crate::statements::Statement;
use crate::sysroot::Sysroot;
use crate::weights::Spool;
use crate::{image, link};

/// The most bytes of weights that the file with symbols has, too. To write and hash more of them a second time would cost a build more
/// than it is worth to somebody who wants all in one file, as Cannon's loader does.
const MAX_DEBUG_WEIGHTS: u64 = 64 << 20;

/// What is built, and what a manifest says of it that the program itself does not show.
#[derive(Clone, Debug)]
pub struct Request {
    /// Name of the program.
    pub name: String,
    /// Source and weights.
    pub program: GuestProgram,
    /// What it takes.
    pub inputs: Vec<TensorInfo>,
    /// What it gives.
    pub outputs: Vec<TensorInfo>,
    /// The model behind it, if there is one.
    pub model: Option<ModelInfo>,
    /// Its static memory plan, if it has one.
    pub memory_plan: Option<MemoryPlan>,
    /// What the statements of its source stand for; empty if they stand for themselves.
    pub statements: Vec<Statement>,
    /// The command that builds it.
    pub rebuild: String,
}

impl Request {
    /// A program that is no model: what its manifest would say of tensors is empty.
    pub fn bare(name: &str, program: GuestProgram) -> Self {
        Self {
            name: name.to_owned(),
            program,
            inputs: Vec::new(),
            outputs: Vec::new(),
            model: None,
            memory_plan: None,
            statements: Vec::new(),
            rebuild: String::new(),
        }
    }
}

/// Where and how to build.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which compilers, and whether the network may be used.
    pub provision: provision::Options,
    /// The checkout with the guest's crates.
    pub checkout: Checkout,
    /// Where the files go.
    pub out: PathBuf,
    /// Where compiled guests are kept; none for the checkout's own place. Another place means a cold build.
    pub work: Option<PathBuf>,
}

/// A finished build.
#[derive(Clone, Debug)]
pub struct Built {
    /// What `manifest.json` says.
    pub manifest: Manifest,
    /// The folder with the files.
    pub out: PathBuf,
    /// How long each stage took, in their order.
    pub timings: Vec<(&'static str, Duration)>,
    /// Whether the compiler ran.
    pub compiled: bool,
    /// What it said of a package that somebody wrote, now or when it ran.
    pub warnings: String,
    /// Why the toolchain is not the reference one, if it is not.
    pub fallback: Option<String>,
}

/// Builds `request` for `target`: compiles, packs, links, audits, loads, commits, writes. The request is taken, because what its weights
/// are made from is given back as soon as they are.
///
/// # Errors
/// [`BuildError`] of the first stage that fails; the output folder is then as it was, or without a manifest if
/// writing failed.
pub fn build(
    mut request: Request,
    target: &Target,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Built, BuildError> {
    let weights = std::mem::take(&mut request.program.weights);
    let mut stages = Stages::new(progress);
    let toolchain = stages.run("provide the toolchain", |p| Ok(provision::ensure(&options.provision, p)?))?;
    let cache = Cache::new(options.provision.cache_dir.as_deref())?;
    let sysroot = stages
        .run("provide core and alloc", |p| Sysroot::ensure(&toolchain, target, &cache.sysroots(), p))?;
    let work = options.work.clone().unwrap_or_else(|| options.checkout.root().join("target/opml/.work"));
    let crates = stages.run("resolve", |_| match &request.program.source {
        GuestSource::Generated(_) => {
            resolve(&options.checkout, options.provision.offline, &GUEST_PACKAGES).map(Cow::Owned)
        }
        GuestSource::C(folder) => Ok(Cow::Borrowed(&folder.crates[..])),
        GuestSource::Package(package) => Ok(Cow::Borrowed(&package.crates[..])),
    })?;
    let sources = sources(&request, target, options, toolchain.identity(), &crates)?;
    let compiler =
        Compiler { toolchain: &toolchain, sysroot: &sysroot, crates: &crates, target, work: &work };
    let objects = stages.run("compile", |p| compiler.compile(&request.program.source, p))?;
    drop(crates);
    let weights = stages.run("pack", |_| Spool::new(weights, target, &work))?;
    let linked =
        stages.run("link", |_| Linked::new(&toolchain, target, &objects, &weights, &request.statements))?;
    let host_paths = host_paths(&options.checkout, &work, cache.root());
    let audited = stages
        .run("audit", |_| linked.audit(target, &AuditOptions { host_paths, ..AuditOptions::default() }))?;
    let state = stages.run("load", |_| Ok(image::initial_state(&audited, target)))?;
    let programs = [(file::PROGRAM, &linked.stripped), (file::DEBUG, linked.debug_file())];
    let made = Some((toolchain.identity(), &sources));
    let model = request.model.as_ref();
    let bill = |sha256: String| provenance::bill(&request.name, target.name(), sha256, model, made);
    let (files, witness) = stages.run("commit and encode", |p| {
        let write = || Files::write(&options.out, &work, &audited, programs, &state, bill, p);
        let (files, witness) = rayon::join(write, || state.witness());
        Ok((files?, witness))
    })?;
    let program = Manifest::of_program(&request.name, &request.rebuild, &audited, &state, &witness, &files);
    let manifest = manifest(request, weights.len(), toolchain.identity(), sources, program);
    stages.run("write", |_| files.publish(&manifest))?;
    Ok(Built {
        manifest,
        out: options.out.clone(),
        timings: stages.timings(),
        compiled: !objects.cached,
        warnings: objects.warnings,
        fallback: toolchain.fallback().map(str::to_owned),
    })
}

/// The digests of what goes into the program.
fn sources(
    request: &Request,
    target: &Target,
    options: &Options,
    toolchain: &Identity,
    crates: &[GuestCrate],
) -> Result<Sources, BuildError> {
    let given = Given {
        texts: texts(target),
        guest: &request.program.source,
        model: request.model.as_ref(),
        toolchain_lock: toolchain.lock_sha256.as_deref(),
    };
    Sources::of(&options.checkout, crates, &given)
}

/// The program with symbols and without, both with the weights.
struct Linked {
    debug: Elf,
    stripped: Elf,
    /// The one with symbols as the linker left it, if so many weights are not to be in a file twice.
    without_weights: Option<Elf>,
}

impl Linked {
    fn new(
        toolchain: &Toolchain,
        target: &Target,
        objects: &Objects,
        weights: &Spool,
        statements: &[Statement],
    ) -> Result<Self, BuildError> {
        let dir = tempfile::tempdir().map_err(BuildError::io("make", &std::env::temp_dir()))?;
        let object = dir.path().join("weights.o");
        std::fs::write(&object, weights.object(statements)?).map_err(BuildError::io("write", &object))?;
        let mut all: Vec<_> = objects.first.iter().map(PathBuf::as_path).collect();
        all.extend([objects.archive.as_path(), &object]);
        let link = |strip| link::link(toolchain, target, &all, strip);
        let (debug, stripped) = (link(false)?, link(true)?);
        let without_weights =
            if weights.len() > MAX_DEBUG_WEIGHTS { Some(Elf::parse(debug.clone())?) } else { None };
        Ok(Self { debug: weights.fill(debug)?, stripped: weights.fill(stripped)?, without_weights })
    }

    /// What is written for debuggers and reports.
    fn debug_file(&self) -> &Elf {
        self.without_weights.as_ref().unwrap_or(&self.debug)
    }

    /// The debug file is judged, as it has names and lines for the findings; the other must load the same.
    fn audit(&self, target: &Target, options: &AuditOptions) -> Result<AuditedElf, BuildError> {
        let audited = audit_with(self.debug.clone(), target, options)?;
        link::same_image(audited.elf(), &self.stripped)?;
        Ok(audited)
    }
}

/// Folders of this machine that must not be named in a program.
fn host_paths(checkout: &Checkout, work: &Path, cache: &Path) -> Vec<String> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let paths = [Some(checkout.root().to_owned()), Some(work.to_owned()), Some(cache.to_owned()), home];
    // A checkout in `/opml` or a home of `/` has the names that sources get on every machine.
    let is_given_name = |path: &PathBuf| {
        [flags::SOURCES, flags::LIBRARY].iter().any(|name| Path::new(name).starts_with(path))
    };
    paths
        .into_iter()
        .flatten()
        .filter(|path| !is_given_name(path))
        .map(|path| path.display().to_string())
        .collect()
}

/// What is known of a program that was built here, besides what any program's manifest says.
fn manifest(
    request: Request,
    weights: u64,
    toolchain: &Identity,
    sources: Sources,
    program: Manifest,
) -> Manifest {
    Manifest {
        inputs: request.inputs.iter().map(Port::from).collect(),
        outputs: request.outputs.iter().map(Port::from).collect(),
        model: request.model,
        guest: match &request.program.source {
            GuestSource::Generated(_) => None,
            GuestSource::Package(package) => Some(package.info()),
            GuestSource::C(folder) => Some(folder.info()),
        },
        toolchain: Some(toolchain.clone()),
        reference: toolchain.is_reference(),
        sources: Some(sources),
        sizes: Sizes { weights: Some(weights), ..program.sizes },
        memory_plan: request.memory_plan,
        rule: BUILD_RULE.to_owned(),
        ..program
    }
}
