//! The output of a build as somebody hands it over: nothing in it is taken for granted.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::CompareError;
use crate::elf::Elf;
use crate::hashed;
use crate::manifest::{MANIFEST_VERSION, Manifest};
use crate::output::file;
use crate::weights;

/// Longest manifest that is read, in bytes: a hundred times that of a model with many inputs.
const MAX_MANIFEST: u64 = 4 << 20;

/// Longest ELF file that is looked into, in bytes: no memory map has room for a larger one.
const MAX_ELF: u64 = 2 << 30;

/// A folder of a build, or its manifest alone.
#[derive(Clone, Debug)]
pub struct Artifacts {
    /// The folder, if the files are at hand and not just the manifest.
    dir: Option<PathBuf>,
    /// What it says.
    pub manifest: Manifest,
    /// SHA-256 of each file: of what is there, or, of a manifest alone, what it says.
    pub sha256: BTreeMap<String, String>,
    /// Files that are not what the manifest beside them says, or not there.
    pub damaged: Vec<String>,
}

impl Artifacts {
    /// Reads a build's folder, or a manifest that lies in no such folder.
    ///
    /// # Errors
    /// [`CompareError`] for what is no build of this version of the manifest.
    pub fn read(path: &Path) -> Result<Self, CompareError> {
        let is_folder = path.is_dir();
        let text = manifest_text(&if is_folder { path.join(file::MANIFEST) } else { path.to_owned() })?;
        let manifest = parse(path, &text)?;
        let dir = if is_folder { Some(path) } else { path.parent() };
        // A manifest that was handed over without its files speaks for itself.
        let dir = dir.filter(|dir| is_folder || manifest.sha256.keys().any(|name| dir.join(name).exists()));
        let mut artifacts = Self {
            dir: dir.map(Path::to_owned),
            sha256: manifest.sha256.clone(),
            manifest,
            damaged: Vec::new(),
        };
        if let Some(dir) = dir {
            artifacts.hash_files(dir)?;
        }
        Ok(artifacts)
    }

    fn hash_files(&mut self, dir: &Path) -> Result<(), CompareError> {
        for (name, expected) in &self.manifest.sha256 {
            let found = sha256(&dir.join(name))?;
            if found.as_ref() != Some(expected) {
                self.damaged.push(name.clone());
            }
            match found {
                Some(found) => self.sha256.insert(name.clone(), found),
                None => self.sha256.remove(name),
            };
        }
        for name in file::BESIDE {
            self.sha256.extend(sha256(&dir.join(name))?.map(|found| (name.to_owned(), found)));
        }
        Ok(())
    }

    /// The program with its symbols if there is one, else without; none if only the manifest is at hand, or if it is no ELF file. Weights
    /// that the file with symbols has not are those of the other.
    pub fn elf(&self) -> Option<Elf> {
        let dir = self.dir.as_ref()?;
        let read = |name: &str| {
            let path = self.sha256.contains_key(name).then(|| dir.join(name))?;
            let fits = fs::metadata(&path).is_ok_and(|meta| meta.len() <= MAX_ELF);
            if fits { fs::read(path).ok() } else { None }
        };
        let program = || Elf::parse(read(file::PROGRAM)?).ok();
        if self.sha256.contains_key(file::DEBUG) {
            weights::restore(read(file::DEBUG)?, program).ok()
        } else {
            program()
        }
    }
}

fn manifest_text(path: &Path) -> Result<Vec<u8>, CompareError> {
    let unreadable = |source| CompareError::Read { path: path.to_owned(), source };
    let meta = fs::metadata(path).map_err(unreadable)?;
    if !meta.is_file() {
        return Err(unreadable(io::Error::other("it is no file")));
    }
    let mut text = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_MANIFEST + 1).read_to_end(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MAX_MANIFEST {
        return Err(unreadable(io::Error::other(format!("it has more than {MAX_MANIFEST} bytes"))));
    }
    Ok(text)
}

/// Reads a manifest of this version. The names in it are those of files of a build and nothing else: none leads out of its folder.
fn parse(path: &Path, text: &[u8]) -> Result<Manifest, CompareError> {
    let path = || path.to_owned();
    let version = |value: &serde_json::Value| value.get("manifest_version")?.as_u64();
    let value: serde_json::Value =
        serde_json::from_slice(text).map_err(|source| CompareError::Manifest { path: path(), source })?;
    match version(&value) {
        Some(got) if got != u64::from(MANIFEST_VERSION) => {
            return Err(CompareError::Version { path: path(), expected: MANIFEST_VERSION, got });
        }
        _ => {}
    }
    let manifest: Manifest =
        serde_json::from_slice(text).map_err(|source| CompareError::Manifest { path: path(), source })?;
    match manifest.sha256.keys().find(|name| !file::HASHED.contains(&name.as_str())) {
        Some(name) => Err(CompareError::FileName { path: path(), name: name.clone() }),
        None => Ok(manifest),
    }
}

/// The SHA-256 of a file, hexadecimal; none if there is none.
fn sha256(path: &Path) -> Result<Option<String>, CompareError> {
    let unreadable = |source| CompareError::Read { path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
        // A pipe would never end, a link may lead anywhere.
        Ok(meta) if !meta.is_file() => return Err(unreadable(io::Error::other("it is no ordinary file"))),
        Ok(_) => {}
    }
    File::open(path).and_then(hashed::sha256).map(Some).map_err(unreadable)
}
