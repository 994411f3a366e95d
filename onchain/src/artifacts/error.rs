use std::io;
use std::path::{Path, PathBuf};

use opml_toolchain::provision::ProvisionError;

use super::archive::ArchiveError;

/// Why the compiled contracts are not at hand. Each says in its help what to do next.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ArtifactError {
    /// The lock is damaged.
    #[error("the lock of the contracts can't be used: {detail}")]
    #[diagnostic(help("restore onchain/contracts.lock from the repository, and build again"))]
    Lock {
        /// What is wrong with it.
        detail: String,
    },

    /// The cache folder can't be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Cache(#[from] ProvisionError),

    /// No npm.
    #[error("there is no npm on this system, so {package} can't be fetched")]
    #[diagnostic(help("install npm (on Debian: `apt-get install npm`), then run the command again"))]
    NpmMissing {
        /// The package, `name@version`.
        package: String,
    },

    /// Offline, and the contracts are not there.
    #[error("{package} is not installed in {}, and the network may not be used", .cache.display())]
    #[diagnostic(help("run once without --offline: it fetches what is missing"))]
    Offline {
        /// The package, `name@version`.
        package: String,
        /// The cache folder.
        cache: PathBuf,
    },

    /// npm failed, most likely for want of a network.
    #[error("npm could not fetch {package} ({status}); its last lines:\n{tail}")]
    #[diagnostic(help(
        "check the network, the proxy settings and npm's configuration (`npm config list`), then run the \
         command again"
    ))]
    Download {
        /// The package, `name@version`.
        package: String,
        /// How npm ended.
        status: String,
        /// The end of what it printed.
        tail: String,
    },

    /// What was fetched is not the package of the lock. It has been removed.
    #[error(
        "what npm brought for {package} is not the package of the lock (it has been removed)\n  expected {expected}\n  got      {got}"
    )]
    #[diagnostic(help(
        "run the command again; if it stays so, the registry that npm is configured for serves other bytes \
         than those the lock names: use another one (`npm config set registry`)"
    ))]
    WrongPackage {
        /// The package, `name@version`.
        package: String,
        /// Size or hash that the lock names.
        expected: String,
        /// Size or hash of what came.
        got: String,
    },

    /// A package with the right hash does not unpack.
    #[error("{package} can't be unpacked: {source}")]
    #[diagnostic(help(
        "the bytes are those of the lock, so the lock is wrong: restore onchain/contracts.lock"
    ))]
    Archive {
        /// The package, `name@version`.
        package: String,
        /// Why.
        source: ArchiveError,
    },

    /// An installed file is not the one that was installed.
    #[error("{} has changed since it was installed\n  expected {expected}\n  got      {got}", .path.display())]
    #[diagnostic(help("run `cargo xtask toolchain remove`, then the command again"))]
    Changed {
        /// The file.
        path: PathBuf,
        /// Its SHA-256 in the lock.
        expected: String,
        /// What it is now.
        got: String,
    },

    /// A file that is what the lock names has no usable code in it.
    #[error("{} is no compiled contract: {detail}", .path.display())]
    #[diagnostic(help("the lock names a wrong file: restore onchain/contracts.lock, and build again"))]
    NoCode {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },

    /// A contract that the lock does not name.
    #[error("the lock has no contract `{name}`")]
    #[diagnostic(help("add it to onchain/contracts.lock with the path and the hash of its file"))]
    NotLocked {
        /// The contract's name in Solidity.
        name: &'static str,
    },

    /// A file or folder can't be read or written.
    #[error("can't {doing} {}: {source}", .path.display())]
    #[diagnostic(help(
        "check that the folder is yours and its disk not full; OPML_CACHE_DIR puts the cache elsewhere"
    ))]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl ArtifactError {
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}
