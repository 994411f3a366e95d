//! A place to build in that has nothing of this machine's user in it: another path, home and cache.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use walkdir::WalkDir;

use crate::error::BuildError;
use crate::provision;
use crate::provision::cache::Cache;
use crate::sources::{Checkout, TOOL, Tree, copy_checkout};

/// Variables of the user that a build there gets, each with the reason. All others but [`NETWORK`] are kept from it.
const PASSED_ON: [(&str, &str); 6] = [
    ("PATH", "cargo, git and the package manager are found there"),
    ("TMPDIR", "where there is room"),
    ("TERM", "progress bars"),
    ("CARGO", "the cargo that runs this"),
    ("RUSTUP_TOOLCHAIN", "the host's compiler, which compiles the tool and nothing of the guest"),
    ("OPML_TOOLCHAIN", "whose compilers build"),
];

/// Variables that say how the network is reached. What comes from it is checked against locks.
pub(super) const NETWORK: [(&str, &str); 11] = [
    ("http_proxy", "apt and cargo"),
    ("https_proxy", "cargo"),
    ("HTTP_PROXY", "the same, as others write it"),
    ("HTTPS_PROXY", "the same"),
    ("no_proxy", "what is reached without"),
    ("NO_PROXY", "the same"),
    ("ALL_PROXY", "cargo"),
    ("SSL_CERT_FILE", "whom cargo trusts"),
    ("SSL_CERT_DIR", "the same"),
    ("CARGO_HTTP_CAINFO", "the same"),
    ("CURL_CA_BUNDLE", "the same"),
];

/// Tables of cargo's configuration that say where crates come from. The lock has their hashes.
const CARGO_TABLES: [&str; 5] = ["source", "registries", "registry", "http", "net"];

/// A copy of a checkout, with a home, a cargo home and a cache of its own, in a folder that goes when this does.
#[derive(Debug)]
pub struct FreshPlace {
    dir: TempDir,
}

impl FreshPlace {
    /// Copies the checkout `source`, git's folder included, and takes from the user's folders what is checked by hash when
    /// it is used: archives of crates and the pinned toolchain.
    ///
    /// # Errors
    /// [`BuildError`] if something cannot be read or written.
    pub fn new(source: &Path, options: &provision::Options) -> Result<Self, BuildError> {
        let dir = tempfile::Builder::new().prefix("opml-fresh-").tempdir();
        let place = Self { dir: dir.map_err(BuildError::io("make", &std::env::temp_dir()))? };
        for folder in [place.home(), place.cargo_home().join("registry"), place.cache()] {
            fs::create_dir_all(&folder).map_err(BuildError::io("make", &folder))?;
        }
        copy_checkout(source, &place.checkout())?;
        copy_git(&source.join(".git"), &place.checkout().join(".git"))?;
        place.seed_cargo_home()?;
        let cache = Cache::new(options.cache_dir.as_deref())?;
        let toolchains = cache.root().join("toolchains");
        link(&toolchains, &place.cache().join("toolchains"))?;
        Ok(place)
    }

    /// The folder with all of it.
    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    /// The copy.
    pub fn checkout(&self) -> PathBuf {
        self.root().join("copy of the source")
    }

    fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    fn cargo_home(&self) -> PathBuf {
        self.root().join("cargo-home")
    }

    fn cache(&self) -> PathBuf {
        self.root().join("cache")
    }

    /// All the environment that a build there is started with.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        let passed =
            PASSED_ON.iter().chain(&NETWORK).filter_map(|(name, _)| Some((*name, std::env::var_os(name)?)));
        let mut all: Vec<_> = passed.collect();
        all.push(("HOME", self.home().into()));
        all.push(("CARGO_HOME", self.cargo_home().into()));
        all.push(("OPML_CACHE_DIR", self.cache().into()));
        all.push(("CARGO_MANIFEST_DIR", self.checkout().join("xtask").into()));
        all.push(("CARGO_TARGET_DIR", self.root().join("target").into()));
        all.extend(user_folder("RUSTUP_HOME", ".rustup").map(|path| ("RUSTUP_HOME", path.into())));
        all
    }

    /// The index and the archives of the user's cargo, not what was unpacked from them; and where crates come from.
    fn seed_cargo_home(&self) -> Result<(), BuildError> {
        let Some(own) = user_folder("CARGO_HOME", ".cargo") else { return Ok(()) };
        for name in ["index", "cache"] {
            link(&own.join("registry").join(name), &self.cargo_home().join("registry").join(name))?;
        }
        for name in ["config.toml", "config"] {
            let Ok(text) = fs::read_to_string(own.join(name)) else { continue };
            let mut table: toml::Table = text.parse().unwrap_or_default();
            table.retain(|key, _| CARGO_TABLES.contains(&key));
            let path = self.cargo_home().join("config.toml");
            fs::write(&path, table.to_string()).map_err(BuildError::io("write", &path))?;
        }
        Ok(())
    }
}

fn user_folder(variable: &str, below_home: &str) -> Option<PathBuf> {
    let own = std::env::var_os(variable).map(PathBuf::from);
    own.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(below_home)))
}

/// A link to `folder`, if there is such a folder.
fn link(folder: &Path, to: &Path) -> Result<(), BuildError> {
    match fs::canonicalize(folder) {
        Ok(folder) => symlink(folder, to).map_err(BuildError::io("write", to)),
        Err(_) => Ok(()),
    }
}

/// Git's folder, so that the copy is known to be of the commit that it is of. Not its hooks, which are programs.
pub(super) fn copy_git(from: &Path, to: &Path) -> Result<(), BuildError> {
    if !from.is_dir() {
        return Ok(());
    }
    let hooks = from.join("hooks");
    for entry in WalkDir::new(from).into_iter().filter_entry(|entry| entry.path() != hooks) {
        let entry = entry.map_err(|error| BuildError::io("list", from)(error.into()))?;
        let place = to.join(entry.path().strip_prefix(from).unwrap_or(entry.path()));
        if entry.file_type().is_dir() {
            fs::create_dir_all(&place).map_err(BuildError::io("make", &place))?;
        } else if entry.file_type().is_file() {
            fs::copy(entry.path(), &place).map_err(BuildError::io("copy", entry.path()))?;
        }
    }
    Ok(())
}

/// Crates that are compiled into the tool besides those of [`TOOL`].
const IN_TOOL: [&str; 4] = ["abi", "kernels", "softfloat", "xtask"];

/// Whether two checkouts make programs with the same tool: its sources and dependencies are the same. A crate that lies elsewhere
/// counts as another.
///
/// # Errors
/// [`BuildError`] if a lock cannot be read.
pub fn same_tool(a: &Checkout, b: &Checkout) -> Result<bool, BuildError> {
    let lock = |checkout: &Checkout| {
        let path = checkout.root().join("Cargo.lock");
        fs::read(&path).map_err(BuildError::io("read", &path))
    };
    let digest = |checkout: &Checkout, folder: &str| {
        let tree = Tree::of_crate(&checkout.root().join(folder), checkout.root()).ok()?;
        Some(tree.digest())
    };
    let same = |folder: &&str| digest(a, folder).is_some_and(|digest_a| Some(digest_a) == digest(b, folder));
    Ok(lock(a)? == lock(b)? && TOOL.iter().chain(&IN_TOOL).all(same))
}
