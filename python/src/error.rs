//! What can go wrong around Python, and what to do about each.

use std::io;
use std::path::{Path, PathBuf};

use opml_toolchain::provision::ProvisionError;

/// Why nothing could be run in Python.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum PythonError {
    /// The cache folder can't be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Cache(#[from] ProvisionError),

    /// No interpreter that the locks have packages for.
    #[error("there is no CPython 3.11, 3.12 or 3.13 on the search path{}", list(.found))]
    #[diagnostic(help(
        "install one, with its module venv: on Debian and Ubuntu `apt-get install python3 python3-venv`; \
         `python3`, `python3.13`, `python3.12` and `python3.11` are looked for"
    ))]
    NoPython {
        /// What was found instead.
        found: Vec<String>,
    },

    /// An interpreter without what makes environments.
    #[error("{} can't make a virtual environment; its last lines:\n{tail}", .program.display())]
    #[diagnostic(help(
        "install the module venv with pip: on Debian and Ubuntu `apt-get install python3-venv`"
    ))]
    NoVenv {
        /// The interpreter.
        program: PathBuf,
        /// The end of what it printed.
        tail: String,
    },

    /// Offline, and the environment is not there.
    #[error("the Python packages for {environment} are not installed in {}, and the network may not be used", .cache.display())]
    #[diagnostic(help("run once without --offline: it installs what is missing"))]
    Offline {
        /// [`crate::Requirements::name`].
        environment: &'static str,
        /// The cache folder.
        cache: PathBuf,
    },

    /// A package is not the one of the lock. Nothing was installed.
    #[error("a Python package for {environment} is not the one of the lock:\n{tail}")]
    #[diagnostic(help(
        "run the command again; if it stays so, the mirror that pip is set to serves other bytes than those the lock names"
    ))]
    Hashes {
        /// [`crate::Requirements::name`].
        environment: &'static str,
        /// The end of what pip printed.
        tail: String,
    },

    /// pip failed, most likely for want of a network.
    #[error("pip could not install the packages for {environment} ({status}); its last lines:\n{tail}")]
    #[diagnostic(help(
        "check the network, the proxy settings and pip's configuration, then run the command again: what was downloaded is kept. \
         The locks have packages for Linux with the GNU C library, on x86_64 and aarch64"
    ))]
    Pip {
        /// [`crate::Requirements::name`].
        environment: &'static str,
        /// How it ended.
        status: String,
        /// The end of what it printed.
        tail: String,
    },

    /// No space left.
    #[error("the disk is full: {} can't be written", .path.display())]
    #[diagnostic(help("free some space, or put the cache on another disk with OPML_CACHE_DIR"))]
    DiskFull {
        /// Where.
        path: PathBuf,
    },

    /// The interpreter that an environment was made with is gone.
    #[error("the Python environment in {} is damaged: {} is gone", .root.display(), .python.display())]
    #[diagnostic(help("remove that folder, then run the command again"))]
    Damaged {
        /// Its folder.
        root: PathBuf,
        /// What is not there.
        python: PathBuf,
    },

    /// One of our scripts came to grief.
    #[error("{script} failed ({status}); its last lines:\n{tail}")]
    #[diagnostic(help("the lines are those of the Python package that could not do what it was asked for"))]
    Script {
        /// Its name.
        script: String,
        /// How it ended.
        status: String,
        /// The end of what it printed.
        tail: String,
    },

    /// A file or folder can't be read or written.
    #[error("can't {doing} {}: {source}", .path.display())]
    #[diagnostic(help("check that the folder exists and is yours; OPML_CACHE_DIR puts the cache elsewhere"))]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl PythonError {
    /// Error of an input or output operation; a full disk gets its own name.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Io { doing, path, source },
        }
    }
}

fn list(found: &[String]) -> String {
    found.iter().map(|line| format!("\n  {line}")).collect()
}
