//! The cache folder: where everything provisioned lives, and who may change it.
//!
//! ```text
//! toolchains/<id>                  an installed set of packages; whole if it is there (the rename commits)
//! toolchains/<id>.partial-<pid>    one being unpacked or removed
//! downloads/<sha256>.deb           checked packages; kept, so that a toolchain can be exported
//! downloads/partial-<pid>/         packages being downloaded or imported
//! locks/<sha256>.lock              the text of each lock that was installed
//! apt/                             the package manager's private state
//! cargo-home/                      $CARGO_HOME of guest builds
//! sysroots/                        core and alloc, built with the toolchains; has a lock of its own
//! provision.lock                   held by whoever changes any of these
//! ```

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::error::ProvisionError;
use super::lock::{Lock, Package};
use crate::progress::{Progress, Unit};
use crate::work_dir;

/// The cache folder; nothing is made before it is needed.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

/// Held while the cache is changed; let go when dropped, and by the system when the process ends.
pub struct Guard(#[expect(dead_code, reason = "the lock lives as long as the open file")] File);

impl Cache {
    /// The cache at `dir`, else `$OPML_CACHE_DIR`, else `opml-toolchain` in the user's cache directory
    /// (XDG base directory specification: `$XDG_CACHE_HOME`, else `~/.cache`).
    ///
    /// # Errors
    /// [`ProvisionError::NoCacheDir`] if no home directory is known, [`ProvisionError::CacheDir`] for a path
    /// that can't be used.
    pub fn new(dir: Option<&Path>) -> Result<Self, ProvisionError> {
        let named = dir.map(Path::to_owned).or_else(|| {
            std::env::var_os("OPML_CACHE_DIR").filter(|value| !value.is_empty()).map(PathBuf::from)
        });
        let root = match named {
            Some(root) => root,
            None => {
                let user = etcetera::base_strategy::Xdg::new().map_err(|_| ProvisionError::NoCacheDir)?;
                user.cache_dir().join("opml-toolchain")
            }
        };
        // Tools run in other working directories.
        let root = std::path::absolute(&root).map_err(ProvisionError::io("find", &root))?;
        // Some of it goes through lists joined by colons and through configuration files with quotes.
        match root.to_str() {
            Some(text) if !text.contains([':', '"', '\\', '\n']) => Ok(Self { root }),
            _ => Err(ProvisionError::CacheDir { path: root }),
        }
    }

    /// The cache folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the packages of the lock with this id are installed.
    pub fn toolchain(&self, id: &str) -> PathBuf {
        self.toolchains().join(id)
    }

    /// The name of `id` before it is whole, or after it is condemned.
    pub fn partial(&self, id: &str) -> PathBuf {
        self.toolchains().join(format!("{id}.partial-{}", std::process::id()))
    }

    fn toolchains(&self) -> PathBuf {
        self.root.join("toolchains")
    }

    /// Checked packages.
    pub fn downloads(&self) -> PathBuf {
        self.root.join("downloads")
    }

    /// Where a checked package is. It goes by its hash: locks may differ in what they take for one version.
    pub fn package(&self, package: &Package) -> PathBuf {
        self.downloads().join(package.stored_name())
    }

    /// The texts of locks.
    pub fn locks(&self) -> PathBuf {
        self.root.join("locks")
    }

    /// Keeps the text of `lock`, so that what was built with it can be built again when the checkout has another.
    ///
    /// # Errors
    /// [`ProvisionError::Io`] or [`ProvisionError::DiskFull`] if it can't be written.
    pub fn keep_lock(&self, lock: &Lock, _guard: &Guard) -> Result<(), ProvisionError> {
        let folder = self.locks();
        fs::create_dir_all(&folder).map_err(ProvisionError::io("make", &folder))?;
        let (path, partial) = (self.lock_text(lock.sha256()), folder.join("partial"));
        fs::write(&partial, lock.text()).map_err(ProvisionError::io("write", &partial))?;
        fs::rename(&partial, &path).map_err(ProvisionError::io("write", &path))
    }

    /// Where the text of the lock with this SHA-256 is, if it was kept.
    pub fn lock_text(&self, sha256: &str) -> PathBuf {
        self.locks().join(format!("{sha256}.lock"))
    }

    /// Where this process downloads to. Its own folder, as a package manager whose master was killed may
    /// still be writing to its one.
    pub fn incoming(&self) -> PathBuf {
        self.downloads().join(format!("partial-{}", std::process::id()))
    }

    /// The package manager's private state.
    pub fn apt(&self) -> PathBuf {
        self.root.join("apt")
    }

    /// `$CARGO_HOME` of guest builds.
    pub fn cargo_home(&self) -> PathBuf {
        self.root.join("cargo-home")
    }

    /// `core` and `alloc` as the toolchains built them for each target.
    pub fn sysroots(&self) -> PathBuf {
        self.root.join("sysroots")
    }

    /// Waits until nobody else changes the cache.
    ///
    /// # Errors
    /// [`ProvisionError::Io`] or [`ProvisionError::DiskFull`] if the folder can't be made or locked.
    pub fn lock(&self, progress: &dyn Progress) -> Result<Guard, ProvisionError> {
        let path = self.root.join("provision.lock");
        let failed = |doing| ProvisionError::io(doing, &path);
        fs::create_dir_all(self.toolchains()).map_err(ProvisionError::io("make", &self.toolchains()))?;
        fs::create_dir_all(self.downloads()).map_err(ProvisionError::io("make", &self.downloads()))?;
        let file = File::options().create(true).append(true).open(&path).map_err(failed("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                let _task = progress.start("wait for another installation", 0, Unit::Items);
                file.lock().map_err(failed("lock"))?;
            }
            Err(fs::TryLockError::Error(error)) => return Err(failed("lock")(error)),
        }
        Ok(Guard(file))
    }

    /// Removes what dead processes left. Whoever holds the lock is alone, so every `.partial-` folder of an
    /// installation is a leftover.
    ///
    /// # Errors
    /// [`ProvisionError::Io`] if one can't be removed.
    pub fn remove_leftovers(&self, _guard: &Guard) -> Result<(), ProvisionError> {
        for path in entries(&self.toolchains())? {
            if file_name(&path).contains(".partial-") {
                remove_tree(&path)?;
            }
        }
        Ok(())
    }

    /// The folders dead processes downloaded into; what is whole in them is worth keeping.
    ///
    /// # Errors
    /// [`ProvisionError::Io`] if the folder can't be read.
    pub fn abandoned_downloads(&self, _guard: &Guard) -> Result<Vec<PathBuf>, ProvisionError> {
        let mut found = entries(&self.downloads())?;
        found.retain(|path| file_name(path).starts_with("partial-") && path.is_dir());
        Ok(found)
    }

    /// Removes an installation: first its name, so that a kill leaves no half of it that looks whole.
    ///
    /// # Errors
    /// [`ProvisionError::Io`] if it can't be renamed or removed.
    pub fn remove_toolchain(&self, id: &str, _guard: &Guard) -> Result<(), ProvisionError> {
        let (whole, condemned) = (self.toolchain(id), self.partial(id));
        fs::rename(&whole, &condemned).map_err(ProvisionError::io("remove", &whole))?;
        remove_tree(&condemned)
    }

    /// The ids of all installations, sorted.
    ///
    /// # Errors
    /// [`ProvisionError::Io`] if the folder can't be read.
    pub fn installed(&self) -> Result<Vec<String>, ProvisionError> {
        let paths = entries(&self.toolchains())?;
        Ok(paths.iter().map(|path| file_name(path)).filter(|name| !name.contains(".partial-")).collect())
    }
}

/// Removes a folder with all that is in it; one that is not there is fine.
pub(super) fn remove_tree(path: &Path) -> Result<(), ProvisionError> {
    work_dir::remove_tree(path).map_err(ProvisionError::io("remove", path))
}

/// The paths in a folder, sorted; none if it does not exist.
pub(super) fn entries(dir: &Path) -> Result<Vec<PathBuf>, ProvisionError> {
    let listing = match fs::read_dir(dir) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(ProvisionError::io("read", dir)(error)),
    };
    let paths = listing.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<io::Result<Vec<_>>>().map_err(ProvisionError::io("read", dir))?;
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
