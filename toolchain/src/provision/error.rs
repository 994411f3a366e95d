//! What can go wrong when a toolchain is provisioned, and what to do about each.

use std::io;
use std::path::{Path, PathBuf};

use super::archive::ArchiveError;
use super::deb::DebError;
use super::lock::LockError;

/// Why there is no toolchain. Each says in its help what to do next.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ProvisionError {
    /// The lock is damaged.
    #[error(transparent)]
    #[diagnostic(help("restore the lock from the repository, or make it anew"))]
    Lock(#[from] LockError),

    /// A downloaded package is not the one of the lock. It has been removed.
    #[error(
        "the package {package} is not the one of the lock (it has been removed)\n  expected {expected}\n  got      {got}"
    )]
    #[diagnostic(help(
        "run the command again; if it stays so, the mirror serves other bytes than those the lock names: \
         use another mirror, or OPML_TOOLCHAIN=rustup for a non-reference build"
    ))]
    WrongPackage {
        /// The package, `name=version`.
        package: String,
        /// SHA-256 or size that the lock names.
        expected: String,
        /// SHA-256 or size of what was downloaded.
        got: String,
    },

    /// The package manager failed, most likely for want of a network.
    #[error("{command} failed ({status}); its last lines:\n{tail}")]
    #[diagnostic(help(
        "check the network, the proxy settings and the package sources of this system, then run the command \
         again: what was downloaded is kept. Without a network, --offline uses what is installed"
    ))]
    Apt {
        /// Which command.
        command: &'static str,
        /// How it ended.
        status: String,
        /// The end of what it printed.
        tail: String,
    },

    /// The package sources no longer have a package of the lock.
    #[error("this system's package sources do not have {}", .packages.join(", "))]
    #[diagnostic(help(
        "the lock is for Debian 12 with its security updates: add those sources, or get a newer lock (the \
         newest revision of this repository). OPML_TOOLCHAIN=rustup builds with a rustup toolchain that has \
         rust-src (`rustup component add rust-src`); such a build is marked non-reference"
    ))]
    Vanished {
        /// The packages, `name=version`.
        packages: Vec<String>,
    },

    /// No `apt-get`.
    #[error("there is no apt-get on this system, so the pinned toolchain can't be fetched")]
    #[diagnostic(help(
        "OPML_TOOLCHAIN=rustup builds with a rustup toolchain that has rust-src (`rustup component add \
         rust-src`); such a build is marked non-reference"
    ))]
    NoApt,

    /// The pinned tools run on another processor or system.
    #[error("the pinned toolchain runs on {expected}; this machine is {got}")]
    #[diagnostic(help(
        "OPML_TOOLCHAIN=rustup builds with a rustup toolchain that has rust-src (`rustup component add \
         rust-src`); such a build is marked non-reference"
    ))]
    Architecture {
        /// Debian's name of the architecture of the lock.
        expected: String,
        /// This machine's.
        got: String,
    },

    /// Offline, and not everything is there.
    #[error("the packages of lock {id} are not installed in {}, and the network may not be used", .cache.display())]
    #[diagnostic(help("run once without --offline: it fetches what is missing"))]
    Offline {
        /// [`super::Lock::id`].
        id: String,
        /// The cache folder.
        cache: PathBuf,
    },

    /// The archive of a toolchain is refused. Nothing of it is in the cache.
    #[error("the archive is refused: {0}")]
    #[diagnostic(help(
        "get the archive again, or make it anew with `cargo xtask toolchain export` where the toolchain is installed"
    ))]
    Archive(#[from] ArchiveError),

    /// The archive is of a toolchain that nobody here asked for.
    #[error("the archive holds the toolchain of another lock, with SHA-256 {got}")]
    #[diagnostic(help(
        "an import runs the programs in the archive. If this is the lock that a manifest you trust names (toolchain.lock_sha256), \
         say so with --lock"
    ))]
    OtherLock {
        /// SHA-256 of the lock in the archive.
        got: String,
    },

    /// No space, or no quota, left.
    #[error("the disk is full: {} can't be written", .path.display())]
    #[diagnostic(help(
        "the pinned toolchain needs about 1 GB in all: free some space, or put the cache on another disk with \
         OPML_CACHE_DIR, then run the command again; what was downloaded is kept"
    ))]
    DiskFull {
        /// What was being written.
        path: PathBuf,
    },

    /// A package with the right hash does not unpack.
    #[error("the package {package} can't be unpacked: {source}")]
    #[diagnostic(help(
        "the bytes are those of the lock, so the lock is wrong: report it, or make the lock anew"
    ))]
    Package {
        /// The package, `name=version`.
        package: String,
        /// Why.
        source: DebError,
    },

    /// A tool that the lock names is not in its packages.
    #[error("the packages of the lock have no `{path}`, where its tool `{tool}` should be")]
    #[diagnostic(help("correct [tools] or `keep` in the lock"))]
    NoTool {
        /// Name of the tool in the lock.
        tool: String,
        /// The path that is not there.
        path: String,
    },

    /// A tool is there and does not run.
    #[error("{} does not run: {detail}", .path.display())]
    #[diagnostic(help(
        "the pinned tools need a GNU C library of version 2.36 or later and libstdc++ (package libstdc++6), which \
         a C and C++ compiler brings; OPML_TOOLCHAIN=rustup does without the pinned tools"
    ))]
    DoesNotRun {
        /// The tool.
        path: PathBuf,
        /// Its last words, or why it could not be started.
        detail: String,
    },

    /// An installed toolchain lacks what it was installed with.
    #[error("the toolchain in {} is damaged: {detail}", .path.display())]
    #[diagnostic(help("run `cargo xtask toolchain remove`, then the command again"))]
    Damaged {
        /// Its folder.
        path: PathBuf,
        /// What is missing or can't be read.
        detail: String,
    },

    /// The rustup provider lacks something.
    #[error("no usable rustup toolchain: {missing}")]
    #[diagnostic(help("{fix}"))]
    Rustup {
        /// What is missing, and where it was looked for.
        missing: String,
        /// The command that brings it.
        fix: &'static str,
    },

    /// `OPML_TOOLCHAIN` says something unknown.
    #[error("`{got}` is no toolchain provider")]
    #[diagnostic(help("set OPML_TOOLCHAIN to auto, pinned or rustup, or unset it"))]
    Provider {
        /// What it says.
        got: String,
    },

    /// Neither a home directory nor a cache directory is known.
    #[error("there is no place for the cache: no home directory is known")]
    #[diagnostic(help("set OPML_CACHE_DIR to a folder of your own"))]
    NoCacheDir,

    /// The path of the cache can't be used.
    #[error("the cache can't be in {}: its path has a colon, a quote, a backslash, or bytes that are no text", .path.display())]
    #[diagnostic(help("set OPML_CACHE_DIR to a folder with a plain name"))]
    CacheDir {
        /// The path.
        path: PathBuf,
    },

    /// A package that is needed is not in the package lists ([`super::propose`]).
    #[error("the package lists have no package {}", .0.join(", "))]
    #[diagnostic(help("name a package that provides it as a root, or put it on the recipe's omit list"))]
    Unknown(Vec<String>),

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

impl ProvisionError {
    /// Whether this machine can't have the pinned toolchain at all, whatever is tried again.
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::NoApt | Self::Architecture { .. } | Self::Vanished { .. } | Self::DoesNotRun { .. }
        )
    }

    /// Error of an input or output operation; a full disk gets its own name.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match is_full(&source) {
            true => Self::DiskFull { path },
            false => Self::Io { doing, path, source },
        }
    }

    /// Error of unpacking `package` into `root`; a full disk gets its own name.
    pub(super) fn unpack(package: String, root: &Path) -> impl FnOnce(DebError) -> Self {
        let path = root.to_owned();
        move |source| match source {
            DebError::Io(error) if is_full(&error) => Self::DiskFull { path },
            source => Self::Package { package, source },
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_failures() {
        // ENOSPC and EDQUOT of Linux, EACCES.
        for code in [28, 122] {
            let error = ProvisionError::io("write", Path::new("x"))(io::Error::from_raw_os_error(code));
            assert!(matches!(error, ProvisionError::DiskFull { .. }), "{error}");
            let inner = DebError::Io(io::Error::from_raw_os_error(code));
            let error = ProvisionError::unpack("p=1".into(), Path::new("x"))(inner);
            assert!(matches!(error, ProvisionError::DiskFull { .. }), "{error}");
        }
        let error = ProvisionError::io("write", Path::new("x"))(io::Error::from_raw_os_error(13));
        assert!(matches!(error, ProvisionError::Io { doing: "write", .. }), "{error}");
    }
}
