//! The compiled contracts: fetched by lock, kept in the toolchain's cache, checked at every use.
//!
//! They come from the npm package that the OP Stack publishes. `onchain/contracts.lock` names it and the files
//! of it that are used, each with its hash. No copy of it is in the repository. An installed folder is whole:
//! it gets its name last, by a rename (invariant P of [`opml_toolchain::provision`]).

mod archive;
mod error;
mod lock;
mod npm;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use opml_toolchain::progress::{Progress, Unit};
use opml_toolchain::provision::Options;
use opml_toolchain::provision::cache::Cache;
use serde::Deserialize;
use sha2::{Digest, Sha256};

pub use archive::ArchiveError;
pub use error::ArtifactError;
pub use lock::Lock;
use lock::LockedFile;

/// Folder in the unfinished installation that npm writes to.
const DOWNLOAD: &str = "download";

/// The compiled contracts of a lock.
#[derive(Clone, Debug)]
pub struct Artifacts {
    /// Creation code by the contract's name.
    codes: BTreeMap<String, Vec<u8>>,
}

impl Artifacts {
    /// The code that deploys `contract` when its constructor's arguments are put behind it.
    ///
    /// # Errors
    /// [`ArtifactError::NotLocked`] if the lock names no such contract.
    pub fn creation_code(&self, contract: &'static str) -> Result<&[u8], ArtifactError> {
        let code = self.codes.get(contract);
        code.map(Vec::as_slice).ok_or(ArtifactError::NotLocked { name: contract })
    }

    /// Reads what is installed in `folder`, and checks that it is still what the lock names.
    fn read(lock: &Lock, folder: &Path) -> Result<Self, ArtifactError> {
        let code =
            |file: &LockedFile| Ok((file.name.clone(), creation_code(file, &folder.join(file.file_name()))?));
        Ok(Self { codes: lock.files().iter().map(code).collect::<Result<_, ArtifactError>>()? })
    }
}

/// The contracts that this source tree is checked against; installs them if they are not.
///
/// # Errors
/// [`ArtifactError`], which says what to do.
pub fn ensure(options: &Options, progress: &dyn Progress) -> Result<Artifacts, ArtifactError> {
    ensure_lock(&Lock::contracts()?, options, progress)
}

/// [`ensure`] with another lock.
///
/// # Errors
/// [`ArtifactError`], which says what to do.
pub fn ensure_lock(
    lock: &Lock,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Artifacts, ArtifactError> {
    let cache = Cache::new(options.cache_dir.as_deref())?;
    let place = cache.toolchain(&lock.id());
    if !place.is_dir() {
        let guard = cache.lock(progress)?;
        // Another process may have done it while this one waited.
        if !place.is_dir() {
            cache.remove_leftovers(&guard)?;
            install(lock, &cache, options, progress)?;
        }
    }
    Artifacts::read(lock, &place)
}

/// The contracts that [`ensure`] would give if it may change nothing; `None` if they are not installed.
///
/// # Errors
/// [`ArtifactError::Changed`] and others for an installation that can't be used.
pub fn find(options: &Options) -> Result<Option<Artifacts>, ArtifactError> {
    find_lock(&Lock::contracts()?, options)
}

/// [`find`] with another lock.
///
/// # Errors
/// [`ArtifactError::Changed`] and others for an installation that can't be used.
pub fn find_lock(lock: &Lock, options: &Options) -> Result<Option<Artifacts>, ArtifactError> {
    let place = Cache::new(options.cache_dir.as_deref())?.toolchain(&lock.id());
    place.is_dir().then(|| Artifacts::read(lock, &place)).transpose()
}

fn install(
    lock: &Lock,
    cache: &Cache,
    options: &Options,
    progress: &dyn Progress,
) -> Result<(), ArtifactError> {
    if options.offline {
        return Err(ArtifactError::Offline { package: lock.package(), cache: cache.root().into() });
    }
    let (partial, place) = (cache.partial(&lock.id()), cache.toolchain(&lock.id()));
    let installed = fill(lock, &partial, options, progress)
        .and_then(|()| fs::rename(&partial, &place).map_err(ArtifactError::io("write", &place)));
    if installed.is_err() && partial.exists() {
        fs::remove_dir_all(&partial).map_err(ArtifactError::io("remove", &partial))?;
    }
    installed
}

/// Fetches the package and leaves its wanted files, and nothing else, in `partial`.
fn fill(
    lock: &Lock,
    partial: &Path,
    options: &Options,
    progress: &dyn Progress,
) -> Result<(), ArtifactError> {
    let download = partial.join(DOWNLOAD);
    fs::create_dir_all(&download).map_err(ArtifactError::io("make", &download))?;
    let search_path = options.search_path.clone().or_else(|| std::env::var_os("PATH")).unwrap_or_default();
    let task = progress.start(&format!("fetch {}", lock.package()), 0, Unit::Items);
    let package = npm::fetch(lock, &download, &search_path)?;
    let file = File::open(&package).map_err(ArtifactError::io("read", &package))?;
    archive::unpack(std::io::BufReader::new(file), lock.files(), partial)
        .map_err(|source| ArtifactError::Archive { package: lock.package(), source })?;
    drop(task);
    fs::remove_dir_all(&download).map_err(ArtifactError::io("remove", &download))
}

/// What forge writes about a compiled contract, as far as it is read.
#[derive(Deserialize)]
struct ForgeArtifact {
    bytecode: ForgeBytecode,
}

#[derive(Deserialize)]
struct ForgeBytecode {
    object: String,
}

fn creation_code(file: &LockedFile, path: &Path) -> Result<Vec<u8>, ArtifactError> {
    let mut bytes = Vec::new();
    let opened = File::open(path).map_err(ArtifactError::io("read", path))?;
    opened.take(file.size + 1).read_to_end(&mut bytes).map_err(ArtifactError::io("read", path))?;
    let sha256 = hex::encode(Sha256::digest(&bytes));
    if sha256 != file.sha256 {
        return Err(ArtifactError::Changed {
            path: path.to_owned(),
            expected: format!("SHA-256 {}", file.sha256),
            got: format!("SHA-256 {sha256}"),
        });
    }
    let no_code = |detail: String| ArtifactError::NoCode { path: path.to_owned(), detail };
    let artifact: ForgeArtifact =
        serde_json::from_slice(&bytes).map_err(|error| no_code(error.to_string()))?;
    let object = artifact.bytecode.object;
    let digits =
        object.strip_prefix("0x").ok_or_else(|| no_code("its code does not begin with 0x".into()))?;
    // A place where a library's address is still to be put is no hexadecimal digit either.
    hex::decode(digits).map_err(|error| no_code(format!("its code: {error}")))
}
