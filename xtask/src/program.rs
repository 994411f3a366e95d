//! A folder that a build made, as the commands that run it read it: manifest, prestate, inputs.

mod raw;

use std::ops::Range;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use opml_abi::{ABI_VERSION, Tensor, TensorInfo, blob, encode_blob};
use opml_frontend::tensor_file;
use opml_state::cannon::{self, Metadata};
use opml_state::{Hash, State};
use opml_toolchain::elf::Elf;
use opml_toolchain::manifest::{MANIFEST_VERSION, Manifest, Port};
use opml_toolchain::{Places, file};
use opml_vm::Request;
use thiserror::Error;

use crate::outcome::Stop;

type Result<T> = std::result::Result<T, Stop>;

/// Why a folder cannot be run.
#[derive(Debug, Error, Diagnostic)]
enum ProgramError {
    #[error("cannot read {}", path.display())]
    #[diagnostic(help(
        "give the folder that `cargo xtask build-model` wrote: its table names it under `files`"
    ))]
    NoManifest { path: PathBuf, source: std::io::Error },

    #[error("{} is not the manifest of a build", path.display())]
    #[diagnostic(help("build the folder again with `cargo xtask build-model`"))]
    Manifest { path: PathBuf, source: serde_json::Error },

    #[error("the manifest has {what} {got}, expected {expected}")]
    #[diagnostic(help("use the version of the tool that built the folder, or build it again"))]
    Version { what: &'static str, expected: String, got: String },

    #[error("an input of the manifest is no tensor of the guest ABI: {dtype} with {rank} dimensions")]
    #[diagnostic(help("use the version of the tool that built the folder, or build it again"))]
    Input { dtype: String, rank: usize },

    #[error("the program takes {expected} inputs ({names}); {got} were given")]
    #[diagnostic(help("give --input once for each, in this order"))]
    InputCount { expected: usize, names: String, got: usize },

    #[error("`{given}` is no type of a tensor")]
    #[diagnostic(help(
        "write it like float32[1,28,28]:FILE; a FILE alone is its bytes, a uint8 tensor of one dimension"
    ))]
    TensorType { given: String },

    #[error("{} has {got} bytes, more than a tensor can hold", path.display())]
    #[diagnostic(help("an input has less than 4 GiB"))]
    TooLong { path: PathBuf, got: usize },

    #[error("program.elf has code at {address:#x}, which is no address of the VM")]
    #[diagnostic(help("a file of the folder was changed: build it again with `cargo xtask build-model`"))]
    Wide { address: u64 },

    #[error("{} has other code at {address:#x} than the prestate beside it", path.display())]
    #[diagnostic(help("a file of the folder was changed: build it again with `cargo xtask build-model`"))]
    Foreign { path: PathBuf, address: u64 },

    #[error("{} is not the prestate of the manifest beside it\n  expected {expected}\n  got      {got}", path.display())]
    #[diagnostic(help("a file of the folder was changed: build it again with `cargo xtask build-model`"))]
    Prestate { path: PathBuf, expected: Hash, got: Hash },
}

/// The target whose VM this is.
const TARGET: &str = "cannon32";

/// A built program on the disk.
pub struct Program {
    dir: PathBuf,
    /// What the build says of it.
    pub manifest: Manifest,
}

impl Program {
    /// Reads the manifest in `dir`; one of another version, ABI or VM is refused.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(file::MANIFEST);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(source) => return Err(Stop::unable(ProgramError::NoManifest { path, source })),
        };
        let manifest: Manifest = serde_json::from_slice(&text)
            .map_err(|source| Stop::unable(ProgramError::Manifest { path, source }))?;
        // What another version or VM means by the rest is not known here.
        let same = |what, expected: &dyn ToString, got: &dyn ToString| {
            let (expected, got) = (expected.to_string(), got.to_string());
            let differs = || ProgramError::Version { what, expected: expected.clone(), got: got.clone() };
            if expected == got { Ok(()) } else { Err(Stop::unable(differs())) }
        };
        same("version", &MANIFEST_VERSION, &manifest.manifest_version)?;
        same("guest ABI version", &ABI_VERSION, &manifest.abi_version)?;
        same("target", &TARGET, &manifest.target)?;
        Ok(Self { dir: dir.to_owned(), manifest })
    }

    /// The state before the first step, checked against the manifest.
    pub fn prestate(&self) -> Result<State> {
        let path = self.dir.join(file::PRESTATE);
        let state = cannon::load_state(&path, cannon::Limits::default()).map_err(Stop::unable)?;
        let (expected, got) = (self.manifest.prestate_hash, state.state_hash());
        if expected != got {
            return Err(Stop::rejected(ProgramError::Prestate { path, expected, got }));
        }
        Ok(state)
    }

    /// Names of the program's functions; none if the folder has no symbol file.
    pub fn places(&self) -> Result<Places> {
        match std::fs::read(self.dir.join(file::META)) {
            Ok(json) => Ok(Places::new(None, Some(Metadata::from_json(&json).map_err(Stop::unable)?))),
            Err(_) => Ok(Places::default()),
        }
    }

    /// Where the program's instructions lie.
    pub fn code(&self) -> Result<Vec<Range<u32>>> {
        let elf = Elf::parse(crate::commands::read(&self.dir.join(file::PROGRAM))?).map_err(Stop::unable)?;
        let code = elf.segments().iter().filter(|segment| segment.is_loaded() && segment.is_executable());
        let address =
            |address: u64| u32::try_from(address).map_err(|_| Stop::unable(ProgramError::Wide { address }));
        code.map(|segment| Ok(address(segment.range().start)?..address(segment.range().end)?)).collect()
    }

    /// The program's file with symbols, or where there is none its only one. It has to have the code of the prestate
    /// `state`.
    pub fn symbols(&self, state: &State) -> Result<Elf> {
        let with_symbols = self.dir.join(file::DEBUG);
        let path = if with_symbols.exists() { with_symbols } else { self.dir.join(file::PROGRAM) };
        let elf = Elf::parse(crate::commands::read(&path)?).map_err(Stop::unable)?;
        let places = Places::new(Some(elf.clone()), None);
        match places.foreign_code(&state.memory) {
            Some(address) => Err(Stop::rejected(ProgramError::Foreign { path, address })),
            None => Ok(elf),
        }
    }

    /// What the program is asked to compute for the tensors in `files`.
    pub fn request(&self, files: &[PathBuf], claim: Hash) -> Result<Request> {
        let input = encode_blob(&self.inputs(files)?);
        Ok(Request { input, claim, step_index: 1, ..Request::default() })
    }

    /// Whether nobody said what the program takes and gives, as for a guest that was written by hand or built elsewhere. What it is
    /// given is then what the command line says.
    pub fn is_raw(&self) -> bool {
        self.manifest.inputs.is_empty() && self.manifest.outputs.is_empty()
    }

    fn inputs(&self, files: &[PathBuf]) -> Result<Vec<Tensor>> {
        if self.is_raw() {
            return files.iter().map(|file| raw::input(file)).collect();
        }
        let info = |port: &Port| {
            let foreign = || ProgramError::Input { dtype: port.dtype.clone(), rank: port.shape.len() };
            port.info().filter(|info| info.shape.len() <= blob::MAX_RANK).ok_or_else(foreign)
        };
        let ports: Vec<TensorInfo> = self
            .manifest
            .inputs
            .iter()
            .map(info)
            .collect::<std::result::Result<_, _>>()
            .map_err(Stop::unable)?;
        if ports.len() != files.len() {
            let names = ports.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
            let (expected, got) = (ports.len(), files.len());
            return Err(Stop::unable(ProgramError::InputCount { expected, names, got }));
        }
        let read =
            |(path, port): (&PathBuf, &TensorInfo)| tensor_file::read(path, port).map_err(Stop::unable);
        files.iter().zip(&ports).map(read).collect()
    }
}
