//! A usable toolchain: where its tools are, what they are, and how to run them so that nothing of the
//! user's environment reaches what they write.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::error::ProvisionError;
use super::search;

/// Variables of the user that the tools get, each with the reason. All others are kept from them.
pub const PASSED_ON: [(&str, &str); 3] = [
    ("PATH", "cargo links build scripts with the host's C compiler, which is found there"),
    ("HOME", "host compilers behind wrappers keep their state there"),
    ("TMPDIR", "compilers and linkers put intermediate files there"),
];

/// Variables that are set for every tool, each with the reason.
const SET: [(&str, &str); 3] = [
    // Messages are the same everywhere.
    ("LC_ALL", "C"),
    // `-Z build-std` and custom targets on a stable compiler.
    ("RUSTC_BOOTSTRAP", "1"),
    // What `__DATE__` and `__TIME__` of C sources expand to.
    ("SOURCE_DATE_EPOCH", "0"),
];

/// A tool of the toolchain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// The Rust compiler.
    Rustc,
    /// The Rust build tool.
    Cargo,
    /// The C compiler.
    Clang,
    /// The ELF linker `ld.lld`.
    Lld,
}

impl Tool {
    /// All tools.
    pub const ALL: [Self; 4] = [Self::Rustc, Self::Cargo, Self::Clang, Self::Lld];

    /// Its name in a lock and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rustc => "rustc",
            Self::Cargo => "cargo",
            Self::Clang => "clang",
            Self::Lld => "lld",
        }
    }
}

/// Where a toolchain comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The packages of the lock: the same bytes on every machine.
    Reference,
    /// The user's rustup toolchain: builds with it are not reference builds.
    Rustup,
}

/// What the tools are; goes into the manifest of each build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Where they come from.
    pub source: Source,
    /// SHA-256 of the lock, hexadecimal; none for [`Source::Rustup`].
    pub lock_sha256: Option<String>,
    /// First line of `rustc -vV`.
    pub rustc: String,
    /// Version of the LLVM inside rustc.
    pub llvm: String,
    /// `cargo --version`.
    pub cargo: String,
    /// First line of `clang --version`, if there is a clang.
    pub clang: Option<String>,
    /// First line of `ld.lld --version`.
    pub lld: String,
}

impl Identity {
    /// Whether a build with it has the bytes everybody else's has.
    pub fn is_reference(&self) -> bool {
        self.source == Source::Reference
    }
}

/// The paths of a toolchain, before it has been asked what it is.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub rustc: PathBuf,
    pub cargo: PathBuf,
    pub clang: Option<PathBuf>,
    pub lld: PathBuf,
    /// `library/` of the Rust source, from which `core` and `alloc` are built.
    pub rust_library: PathBuf,
    /// Folders of the tools' shared libraries.
    pub library_path: Vec<PathBuf>,
    pub cargo_home: PathBuf,
}

/// A toolchain that is there and runs.
#[derive(Clone, Debug)]
pub struct Toolchain {
    layout: Layout,
    identity: Identity,
    fallback: Option<String>,
}

impl Toolchain {
    pub(super) fn new(layout: Layout, identity: Identity) -> Self {
        Self { layout, identity, fallback: None }
    }

    pub(super) fn instead_of(mut self, reason: &ProvisionError) -> Self {
        self.fallback = Some(reason.to_string());
        self
    }

    /// What the tools are.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Why this is not the reference toolchain although that was tried first; to be shown to the user.
    pub fn fallback(&self) -> Option<&str> {
        self.fallback.as_deref()
    }

    /// `library/` of the Rust source, from which `core` and `alloc` are built.
    pub fn rust_library(&self) -> &Path {
        &self.layout.rust_library
    }

    /// The crates that the Rust library depends on, as a cargo directory source. A build of the library
    /// without network gets them by replacing its registry with this folder (cargo reference, "Source
    /// Replacement"). Releases of Rust before 1.84 do not have it.
    pub fn vendored_crates(&self) -> Option<PathBuf> {
        Some(self.layout.rust_library.join("vendor")).filter(|folder| folder.is_dir())
    }

    /// The tool's program.
    ///
    /// # Errors
    /// [`ProvisionError::Rustup`] for the C compiler of a rustup toolchain on a machine without one.
    pub fn path(&self, tool: Tool) -> Result<&Path, ProvisionError> {
        self.layout.path(tool).ok_or_else(|| ProvisionError::Rustup {
            missing: "no clang on PATH".into(),
            fix: "install clang with the system's package manager, or use OPML_TOOLCHAIN=pinned",
        })
    }

    /// A command that runs the tool with a cleaned environment: [`PASSED_ON`], what is the same for
    /// everybody, the tools' own libraries, and a `$CARGO_HOME` without the user's configuration.
    /// A tool that [`Self::path`] does not find is looked for on `PATH` when the command is run.
    pub fn command(&self, tool: Tool) -> Command {
        self.layout.command(tool)
    }
}

impl Layout {
    fn path(&self, tool: Tool) -> Option<&Path> {
        match tool {
            Tool::Rustc => Some(&self.rustc),
            Tool::Cargo => Some(&self.cargo),
            Tool::Clang => self.clang.as_deref(),
            Tool::Lld => Some(&self.lld),
        }
    }

    pub(super) fn command(&self, tool: Tool) -> Command {
        let mut command = Command::new(self.path(tool).unwrap_or(Path::new(tool.name())));
        command.env_clear().envs(SET);
        for (name, _) in PASSED_ON {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if !self.library_path.is_empty() {
            command.env("LD_LIBRARY_PATH", joined(&self.library_path));
        }
        // A configuration file of the user could change any flag of a build.
        command.env("CARGO_HOME", &self.cargo_home);
        if tool == Tool::Cargo {
            // Else it takes the first rustc on PATH.
            command.env("RUSTC", &self.rustc);
        }
        command
    }

    /// Asks the tools what they are.
    ///
    /// # Errors
    /// [`ProvisionError::DoesNotRun`] for one that fails.
    pub(super) fn identify(
        &self,
        source: Source,
        lock_sha256: Option<String>,
    ) -> Result<Identity, ProvisionError> {
        let version = |tool, flag: &str| search::output(self.command(tool).arg(flag));
        // Later lines of some have paths in them, which must not reach a manifest.
        let first = |text: String| text.lines().next().unwrap_or_default().to_owned();
        let rustc = version(Tool::Rustc, "-vV")?;
        let llvm =
            rustc.lines().find_map(|line| line.strip_prefix("LLVM version: ")).unwrap_or_default().to_owned();
        let clang = self.clang.is_some().then(|| version(Tool::Clang, "--version")).transpose()?;
        Ok(Identity {
            source,
            lock_sha256,
            rustc: first(rustc),
            llvm,
            cargo: first(version(Tool::Cargo, "--version")?),
            clang: clang.map(first),
            lld: first(version(Tool::Lld, "--version")?),
        })
    }
}

/// The folders with colons between; none of them has one, as [`super::cache::Cache`] sees to it.
fn joined(folders: &[PathBuf]) -> OsString {
    let mut text = OsString::new();
    for (i, folder) in folders.iter().enumerate() {
        if i > 0 {
            text.push(":");
        }
        text.push(folder);
    }
    text
}
