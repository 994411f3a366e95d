//! Provisions the compilers that build guests: the pinned ones of a lock, or the user's own.
//!
//! The pinned toolchain is a set of distribution packages, named with version and hash by
//! `guest-toolchain.lock`, fetched by the system's package manager into a private folder and unpacked under
//! the user's cache folder ([`cache`]). It needs no root and changes nothing on the system. Invariants:
//!
//! - **P.** A folder `toolchains/<id>` is whole: its packages had the hashes of the lock, all their members
//!   are there, and its tools have run once. It gets its name last, by a rename.
//! - **U.** Unpacking writes nothing outside that folder ([`member`]).

mod apt;
pub mod archive;
mod bounded;
pub mod cache;
pub mod deb;
mod doctor;
mod error;
mod fetch;
mod fuzz;
mod install;
pub mod lock;
pub mod member;
mod propose;
mod rustup;
mod search;
mod toolchain;
mod transfer;
mod unpack;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub use bounded::{Bounded, is_over_limit};
pub use doctor::{DoctorReport, Finding, doctor};
pub use error::ProvisionError;
pub use fuzz::{fuzz_archive, fuzz_deb, fuzz_lock};
pub use lock::{Lock, LockError};
pub use propose::{PackageChange, propose};
pub use toolchain::{Identity, PASSED_ON, Source, Tool, Toolchain};
pub use transfer::{export, fetch_packages, import};

use crate::progress::Progress;
use cache::Cache;
use toolchain::Layout;

/// Which toolchain to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provider {
    /// The pinned one; the user's own only where this machine can't have the pinned one at all.
    #[default]
    Auto,
    /// The pinned one or none.
    Pinned,
    /// The user's own.
    Rustup,
}

impl FromStr for Provider {
    type Err = ProvisionError;

    fn from_str(name: &str) -> Result<Self, ProvisionError> {
        match name {
            "auto" => Ok(Self::Auto),
            "pinned" => Ok(Self::Pinned),
            "rustup" => Ok(Self::Rustup),
            other => Err(ProvisionError::Provider { got: other.to_owned() }),
        }
    }
}

/// How to provision.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Never touch the network.
    pub offline: bool,
    /// Which toolchain to take.
    pub provider: Provider,
    /// The lock of the pinned toolchain; by default that of this source tree, [`Lock::guest`].
    pub lock: Option<Lock>,
    /// The cache folder; by default that of [`Cache::new`].
    pub cache_dir: Option<PathBuf>,
    /// Where programs are looked for; by default `$PATH`.
    pub search_path: Option<OsString>,
}

impl Options {
    /// The defaults, with the provider that `$OPML_TOOLCHAIN` names (`auto`, `pinned` or `rustup`).
    ///
    /// # Errors
    /// [`ProvisionError::Provider`] if it names another.
    pub fn from_env() -> Result<Self, ProvisionError> {
        let named = std::env::var_os("OPML_TOOLCHAIN").unwrap_or_default();
        let provider = match named.to_string_lossy().as_ref() {
            "" => Provider::Auto,
            name => name.parse()?,
        };
        Ok(Self { provider, ..Self::default() })
    }

    /// The lock of the pinned toolchain.
    ///
    /// # Errors
    /// [`LockError`] if that of this source tree was damaged when this program was built.
    pub fn lock(&self) -> Result<Lock, LockError> {
        self.lock.clone().map_or_else(Lock::guest, Ok)
    }

    fn search_path(&self) -> OsString {
        self.search_path.clone().or_else(|| std::env::var_os("PATH")).unwrap_or_default()
    }
}

/// The toolchain that guests are built with; installs the pinned one if it has to. Its lock names the tools `rustc`,
/// `cargo`, `clang`, `lld` and `rust-library`.
///
/// # Errors
/// [`ProvisionError`], which says what to do.
pub fn ensure(options: &Options, progress: &dyn Progress) -> Result<Toolchain, ProvisionError> {
    if options.provider == Provider::Rustup {
        return rustup::find(options);
    }
    let lock = options.lock()?;
    let pinned = install::install(&lock, options, progress, |root| identify_installed(&lock, root))
        .and_then(|root| open(&lock, &root, options));
    match pinned {
        // Only where trying again can't help: else the same command would build differently by the weather.
        Err(error) if options.provider == Provider::Auto && error.is_lasting() => {
            rustup::find(options).map(|toolchain| toolchain.instead_of(&error)).map_err(|_| error)
        }
        other => other,
    }
}

/// The toolchain that [`ensure`] would give if it may change nothing; `None` if there is none.
///
/// # Errors
/// [`ProvisionError`] for an installation that can't be read, and for a lock that can't.
pub fn find(options: &Options) -> Result<Option<Toolchain>, ProvisionError> {
    if options.provider != Provider::Rustup {
        let lock = options.lock()?;
        let root = Cache::new(options.cache_dir.as_deref())?.toolchain(lock.id());
        if root.is_dir() {
            return open(&lock, &root, options).map(Some);
        }
    }
    // What `Auto` falls back on is known only after the pinned one has been tried.
    match options.provider {
        Provider::Rustup => rustup::find(options).map(Some),
        Provider::Auto | Provider::Pinned => Ok(None),
    }
}

/// The lock with this SHA-256, which a manifest names: that of `options`, that of this source tree, or one that was
/// installed or imported before. None if it is none of them.
///
/// # Errors
/// [`ProvisionError::Damaged`] if the cache has another text under its name; else as [`find`].
pub fn lock_by_sha256(options: &Options, sha256: &str) -> Result<Option<Lock>, ProvisionError> {
    for known in [options.lock()?, Lock::guest()?] {
        if known.sha256() == sha256 {
            return Ok(Some(known));
        }
    }
    // It becomes the name of a file.
    if !lock::is_sha256(sha256) {
        return Ok(None);
    }
    let path = Cache::new(options.cache_dir.as_deref())?.lock_text(sha256);
    let mut text = String::new();
    match fs::File::open(&path)
        .and_then(|file| file.take(lock::MAX_TEXT as u64 + 1).read_to_string(&mut text))
    {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ProvisionError::io("read", &path)(error)),
    }
    let lock = Lock::parse(&text)?;
    if lock.sha256() != sha256 {
        let detail = format!("the file holds the lock {}", lock.sha256());
        return Err(ProvisionError::Damaged { path, detail });
    }
    Ok(Some(lock))
}

/// Removes everything that is in the cache: toolchains, those of older locks included, and what they built for it.
/// Gives the folders that are gone.
///
/// # Errors
/// [`ProvisionError::Io`] for what can't be removed.
pub fn remove(options: &Options, progress: &dyn Progress) -> Result<Vec<PathBuf>, ProvisionError> {
    let cache = Cache::new(options.cache_dir.as_deref())?;
    if !cache.root().is_dir() {
        return Ok(Vec::new());
    }
    let guard = cache.lock(progress)?;
    let mut removed = Vec::new();
    cache.remove_leftovers(&guard)?;
    for id in cache.installed()? {
        cache.remove_toolchain(&id, &guard)?;
        removed.push(cache.toolchain(&id));
    }
    for folder in [cache.downloads(), cache.locks(), cache.apt(), cache.cargo_home(), cache.sysroots()] {
        if folder.exists() {
            cache::remove_tree(&folder)?;
            removed.push(folder);
        }
    }
    Ok(removed)
}

/// Packages that are installed for their files alone.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The folder they are unpacked in.
    pub root: PathBuf,
    /// Where each tool that the lock names is.
    pub paths: BTreeMap<String, PathBuf>,
}

/// Installs any lock, such as that of the test tools; [`Options::provider`] and [`Options::lock`] have no say in it.
///
/// # Errors
/// [`ProvisionError`], which says what to do.
pub fn ensure_tools(
    lock: &Lock,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Tools, ProvisionError> {
    let root = install::install(lock, options, progress, |_| Ok(()))?;
    let paths = lock.tools().iter().map(|(name, path)| (name.clone(), path.below(&root))).collect();
    Ok(Tools { root, paths })
}

/// File in an installed toolchain with its [`Identity`], so that finding it runs no program.
const IDENTITY_FILE: &str = "identity.json";

/// Runs the tools of the toolchain in `root` and writes down what they are.
fn identify_installed(lock: &Lock, root: &Path) -> Result<(), ProvisionError> {
    let layout = layout(lock, root, root.join("cargo-home"))?;
    let identity = layout.identify(Source::Reference, Some(lock.sha256().to_owned()))?;
    let path = root.join(IDENTITY_FILE);
    let text = serde_json::to_vec_pretty(&identity)
        .map_err(|error| ProvisionError::io("write", &path)(error.into()))?;
    fs::write(&path, text).map_err(ProvisionError::io("write", &path))
}

/// The installed toolchain in `root`.
fn open(lock: &Lock, root: &Path, options: &Options) -> Result<Toolchain, ProvisionError> {
    let damaged = |detail: String| ProvisionError::Damaged { path: root.to_owned(), detail };
    let mut text = String::new();
    fs::File::open(root.join(IDENTITY_FILE))
        .and_then(|file| file.take(64 << 10).read_to_string(&mut text))
        .map_err(|error| damaged(format!("{IDENTITY_FILE}: {error}")))?;
    let identity =
        serde_json::from_str(&text).map_err(|error| damaged(format!("{IDENTITY_FILE}: {error}")))?;
    if let Some(path) = lock.tools().values().find(|path| !path.below(root).exists()) {
        return Err(damaged(format!("{path} is gone")));
    }
    let cargo_home = Cache::new(options.cache_dir.as_deref())?.cargo_home();
    Ok(Toolchain::new(layout(lock, root, cargo_home)?, identity))
}

fn layout(lock: &Lock, root: &Path, cargo_home: PathBuf) -> Result<Layout, ProvisionError> {
    let tool = |name: &str| {
        let path = lock.tools().get(name).map(|path| path.below(root));
        path.ok_or_else(|| ProvisionError::NoTool { tool: name.to_owned(), path: "[tools]".into() })
    };
    Ok(Layout {
        rustc: tool("rustc")?,
        cargo: tool("cargo")?,
        clang: Some(tool("clang")?),
        lld: tool("lld")?,
        rust_library: tool("rust-library")?,
        library_path: lock.library_path().iter().map(|path| path.below(root)).collect(),
        cargo_home,
    })
}
