//! The pipeline: each stage takes what the one before it made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use opml_abi::TensorInfo;
use opml_state::{State, hash_witness};
use opml_targets::Target;
use sha2::{Digest, Sha256};

use crate::audit::{AuditOptions, AuditedElf, audit_with};
use crate::compile::Compiler;
use crate::elf::Elf;
use crate::error::BuildError;
use crate::flags;
use crate::guest::GuestProgram;
use crate::manifest::{Manifest, MemoryPlan, ModelInfo, Port, Sizes};
use crate::progress::{Progress, Unit};
use crate::provision::cache::Cache;
use crate::provision::{self, Identity, Toolchain};
use crate::sources::Checkout;
use crate::sysroot::Sysroot;
use crate::weights::weights_object;
use crate::work_dir::{self, write_atomically};
use crate::{image, link};

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
    /// The model behind it.
    pub model: ModelInfo,
    /// Its static memory plan.
    pub memory_plan: MemoryPlan,
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
            model: ModelInfo::default(),
            memory_plan: MemoryPlan::default(),
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
    /// Why the toolchain is not the reference one, if it is not.
    pub fallback: Option<String>,
}

/// Names of the files of a build.
pub mod file {
    /// What is loaded.
    pub const PROGRAM: &str = "program.elf";
    /// The same with symbols and debug information.
    pub const DEBUG: &str = "program.debug.elf";
    /// The initial state in Cannon's format.
    pub const PRESTATE: &str = "prestate.bin.gz";
    /// Symbols in Cannon's format.
    pub const META: &str = "meta.json";
    /// What was made from what; written last.
    pub const MANIFEST: &str = "manifest.json";
}

/// Measures the stages as they pass.
struct Stages<'a> {
    progress: &'a dyn Progress,
    timings: Vec<(&'static str, Duration)>,
}

impl Stages<'_> {
    fn run<T>(
        &mut self,
        name: &'static str,
        stage: impl FnOnce(&dyn Progress) -> Result<T, BuildError>,
    ) -> Result<T, BuildError> {
        let started = Instant::now();
        let task = self.progress.start(name, 0, Unit::Items);
        let result = stage(self.progress);
        drop(task);
        self.timings.push((name, started.elapsed()));
        result
    }
}

/// Builds `request` for `target`: compiles, links, audits, loads, commits, writes.
///
/// # Errors
/// [`BuildError`] of the first stage that fails; the output folder is then as it was, or without a manifest if
/// writing failed.
pub fn build(
    request: &Request,
    target: &Target,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Built, BuildError> {
    let mut stages = Stages { progress, timings: Vec::new() };
    let toolchain = stages.run("provide the toolchain", |p| Ok(provision::ensure(&options.provision, p)?))?;
    let cache = Cache::new(options.provision.cache_dir.as_deref())?;
    let sysroot = stages
        .run("provide core and alloc", |p| Sysroot::ensure(&toolchain, target, &cache.sysroots(), p))?;
    let work = options.work.clone().unwrap_or_else(|| options.checkout.root().join("target/opml/.work"));
    let compiler = Compiler {
        toolchain: &toolchain,
        sysroot: &sysroot,
        checkout: &options.checkout,
        target,
        work: &work,
        offline: options.provision.offline,
    };
    let objects = stages.run("compile", |p| compiler.compile(&request.program, p))?;
    let linked =
        stages.run("link", |_| Linked::new(&toolchain, target, &objects.archive, &request.program))?;
    let host_paths = host_paths(&options.checkout, &work, cache.root());
    let audited = stages.run("audit", |_| linked.audit(target, &AuditOptions { host_paths }))?;
    let state = stages.run("load", |_| Ok(image::initial_state(&audited, target)))?;
    let witness = stages.run("commit", |_| Ok(state.witness()))?;
    let files = stages.run("encode", |_| encode(&audited, &linked.stripped, &state))?;
    let manifest = manifest(request, target, toolchain.identity(), &audited, &state, &witness, &files);
    stages.run("write", |p| {
        let _guard = work_dir::lock_output(&work, &options.out, p)?;
        write(&options.out, &files, &manifest)
    })?;
    Ok(Built {
        manifest,
        out: options.out.clone(),
        timings: stages.timings,
        compiled: !objects.cached,
        fallback: toolchain.fallback().map(str::to_owned),
    })
}

/// The program as the linker left it, with symbols and without.
struct Linked {
    debug: Elf,
    stripped: Elf,
}

impl Linked {
    fn new(
        toolchain: &Toolchain,
        target: &Target,
        archive: &Path,
        program: &GuestProgram,
    ) -> Result<Self, BuildError> {
        let dir = tempfile::tempdir().map_err(BuildError::io("make", &std::env::temp_dir()))?;
        let weights = dir.path().join("weights.o");
        std::fs::write(&weights, weights_object(&program.weights, target)?)
            .map_err(BuildError::io("write", &weights))?;
        let link = |strip| link::link(toolchain, target, &[archive, &weights], strip);
        Ok(Self { debug: Elf::parse(link(false)?)?, stripped: Elf::parse(link(true)?)? })
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

/// The files of a build but for the manifest.
fn encode(
    audited: &AuditedElf,
    stripped: &Elf,
    state: &State,
) -> Result<BTreeMap<&'static str, Vec<u8>>, BuildError> {
    let (mut prestate, mut meta) = (Vec::new(), Vec::new());
    opml_state::cannon::write_state(state, &mut prestate)
        .map_err(BuildError::io("encode", Path::new(file::PRESTATE)))?;
    image::metadata(audited)
        .write_json(&mut meta)
        .map_err(BuildError::io("encode", Path::new(file::META)))?;
    Ok(BTreeMap::from([
        (file::PROGRAM, stripped.data().to_vec()),
        (file::DEBUG, audited.elf().data().to_vec()),
        (file::PRESTATE, prestate),
        (file::META, meta),
    ]))
}

fn manifest(
    request: &Request,
    target: &Target,
    toolchain: &Identity,
    audited: &AuditedElf,
    state: &State,
    witness: &opml_state::Witness,
    files: &BTreeMap<&'static str, Vec<u8>>,
) -> Manifest {
    let (manifest_version, abi_version, rule) = Manifest::constants();
    let root = witness.first_chunk::<32>().copied().expect("a witness starts with the memory root");
    Manifest {
        manifest_version,
        name: request.name.clone(),
        target: target.name().to_owned(),
        abi_version,
        inputs: request.inputs.iter().map(Port::from).collect(),
        outputs: request.outputs.iter().map(Port::from).collect(),
        model: request.model.clone(),
        sha256: files
            .iter()
            .map(|(name, bytes)| ((*name).to_owned(), hex::encode(Sha256::digest(bytes))))
            .collect(),
        memory_root: opml_state::Hash(root),
        prestate_hash: hash_witness(witness),
        toolchain: toolchain.clone(),
        reference: toolchain.is_reference(),
        sizes: sizes(request, audited, state),
        memory_plan: request.memory_plan,
        rebuild: request.rebuild.clone(),
        rule,
    }
}

fn sizes(request: &Request, audited: &AuditedElf, state: &State) -> Sizes {
    let segments = || audited.elf().segments().iter().filter(|s| s.is_loaded());
    let bytes =
        |of: &dyn Fn(&crate::elf::Segment) -> bool| segments().filter(|s| of(s)).map(|s| s.memory_size).sum();
    Sizes {
        code: bytes(&|s| s.is_executable()),
        constants: bytes(&|s| !s.is_executable() && !s.is_writable()),
        variables: bytes(&|s| s.is_writable()),
        weights: request.program.weights.iter().map(|w| 4 * w.words.len() as u64).sum(),
        non_zero_pages: state.memory.non_zero_page_count() as u64,
    }
}

/// The manifest is removed first and written last: a folder with a manifest is whole.
fn write(out: &Path, files: &BTreeMap<&'static str, Vec<u8>>, manifest: &Manifest) -> Result<(), BuildError> {
    work_dir::remove_leftovers(out)?;
    let path = out.join(file::MANIFEST);
    let text = manifest.to_json();
    if std::fs::read(&path).is_ok_and(|old| old == text.as_bytes())
        && files.iter().all(|(name, bytes)| same(&out.join(name), bytes))
    {
        return Ok(());
    }
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(BuildError::io("replace", &path)(error));
        }
        _ => {}
    }
    for (name, bytes) in files {
        write_atomically(&out.join(name), bytes)?;
    }
    write_atomically(&path, text.as_bytes())
}

fn same(path: &Path, bytes: &[u8]) -> bool {
    std::fs::read(path).is_ok_and(|old| old == bytes)
}
