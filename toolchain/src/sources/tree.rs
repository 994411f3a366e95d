//! The files of a folder, read once: what is hashed is what is compiled.
//!
//! **Tree hash.** SHA-256 over the files in the order of their paths' bytes, and of each: the length of its path below the
//! folder (8 bytes, big-endian), the path with `/` between its parts, a byte that is 1 if its owner may execute it and else
//! 0, the length of its content (8 bytes, big-endian), the content. Folders count by their files alone. What a
//! `.gitignore` inside the checkout ignores is no part of the tree; a symbolic link is refused, as what it stands for may lie
//! anywhere.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::Gitignore;
use sha2::{Digest, Sha256};
use walkdir::{DirEntry, WalkDir};

use crate::error::BuildError;

/// Most files and most bytes of one tree: several times the largest crate that a guest could reasonably be made of.
const MAX_FILES: usize = 20_000;
const MAX_BYTES: u64 = 256 << 20;

/// What lies beside the sources of a crate and is not compiled into what depends on it; names that start with a dot
/// come on top.
const BESIDE: [&str; 6] = ["Cargo.lock", "Cargo.toml.orig", "benches", "examples", "target", "tests"];

/// A file with its content.
#[derive(Clone, Debug)]
pub(crate) struct TreeFile {
    /// Below the tree's folder, `/` between its parts.
    pub path: String,
    pub executable: bool,
    pub bytes: Vec<u8>,
}

/// The files of a folder in the order of their paths.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub files: Vec<TreeFile>,
}

impl Tree {
    /// What the crate in `dir` is compiled from. `checkout` is the folder whose `.gitignore` has a say in it, if `dir` is below one.
    ///
    /// # Errors
    /// [`BuildError::SourceLink`], [`BuildError::SourceSize`], [`BuildError::SourceName`], [`BuildError::Io`].
    pub fn of_crate(dir: &Path, checkout: &Path) -> Result<Self, BuildError> {
        let beside = |entry: &DirEntry| {
            let name = entry.file_name().to_string_lossy();
            entry.depth() == 1 && (name.starts_with('.') || BESIDE.contains(&&*name))
        };
        let mut tree = Self { files: Vec::new() };
        let mut room = MAX_BYTES;
        walk(dir, checkout, beside, |entry| {
            tree.files.push(read(entry, dir, &mut room)?);
            if tree.files.len() > MAX_FILES { Err(too_large(dir)) } else { Ok(()) }
        })?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }

    /// The tree hash, hexadecimal.
    pub fn digest(&self) -> String {
        let mut sha256 = Sha256::new();
        for file in &self.files {
            sha256.update((file.path.len() as u64).to_be_bytes());
            sha256.update(&file.path);
            sha256.update([u8::from(file.executable)]);
            sha256.update((file.bytes.len() as u64).to_be_bytes());
            sha256.update(&file.bytes);
        }
        hex::encode(sha256.finalize())
    }
}

/// Copies a checkout to the folder `to`: all that no `.gitignore` of it names, but for git's own folder.
///
/// # Errors
/// [`BuildError::SourceLink`], [`BuildError::Io`].
pub(crate) fn copy_checkout(checkout: &Path, to: &Path) -> Result<(), BuildError> {
    let git = |entry: &DirEntry| entry.depth() == 1 && entry.file_name() == ".git";
    walk(checkout, checkout, git, |entry| {
        let place = to.join(entry.path().strip_prefix(checkout).unwrap_or(entry.path()));
        let folder = place.parent().unwrap_or(to);
        fs::create_dir_all(folder).map_err(BuildError::io("make", folder))?;
        fs::copy(entry.path(), &place).map_err(BuildError::io("copy", entry.path()))?;
        Ok(())
    })
}

/// Shows every file below `dir` that is neither left out nor ignored.
fn walk(
    dir: &Path,
    checkout: &Path,
    left_out: impl Fn(&DirEntry) -> bool,
    mut show: impl FnMut(&DirEntry) -> Result<(), BuildError>,
) -> Result<(), BuildError> {
    let mut ignored = Ignored::new(dir, checkout);
    let walk = WalkDir::new(dir).into_iter();
    for entry in walk.filter_entry(|entry| !left_out(entry) && !ignored.ignores(entry)) {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(dir).to_owned();
            BuildError::io("list", &path)(error.into())
        })?;
        if entry.file_type().is_symlink() {
            return Err(BuildError::SourceLink { path: entry.into_path() });
        }
        if entry.file_type().is_file() {
            show(&entry)?;
        }
    }
    Ok(())
}

fn too_large(dir: &Path) -> BuildError {
    BuildError::SourceSize { dir: dir.to_owned(), files: MAX_FILES, mebibytes: MAX_BYTES >> 20 }
}

/// Reads one file, of which no more than `room` bytes are taken.
fn read(entry: &DirEntry, dir: &Path, room: &mut u64) -> Result<TreeFile, BuildError> {
    let content = || -> io::Result<_> {
        let file = fs::File::open(entry.path())?;
        let meta = file.metadata()?;
        let mut bytes = Vec::new();
        file.take(*room + 1).read_to_end(&mut bytes)?;
        Ok((meta, bytes))
    };
    let (meta, bytes) = content().map_err(BuildError::io("read", entry.path()))?;
    *room = room.checked_sub(bytes.len() as u64).ok_or_else(|| too_large(dir))?;
    let path = entry.path().strip_prefix(dir).unwrap_or(entry.path());
    // As text: bytes that are no text would not survive on every system.
    let path = path.to_str().ok_or_else(|| BuildError::SourceName { path: entry.path().to_owned() })?;
    Ok(TreeFile { path: path.to_owned(), executable: is_executable(&meta), bytes })
}

/// The owner's bit alone: the others follow the umask of whoever made the checkout.
fn is_executable(meta: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o100 != 0
}

/// The `.gitignore` files from the checkout's folder down to where the walk is. Those of folders above the checkout, of the
/// user and of git's own settings are not asked: they differ from machine to machine.
struct Ignored {
    rules: Vec<Gitignore>,
}

impl Ignored {
    fn new(dir: &Path, checkout: &Path) -> Self {
        let mut folders: Vec<PathBuf> = Vec::new();
        if dir.starts_with(checkout) {
            folders =
                dir.ancestors().skip(1).take_while(|d| d.starts_with(checkout)).map(Path::to_owned).collect();
            folders.reverse();
        }
        Self { rules: folders.iter().filter_map(|folder| rules(folder)).collect() }
    }

    fn ignores(&mut self, entry: &DirEntry) -> bool {
        let path = entry.path();
        let below = self.rules.iter().rev().filter(|rules| path.starts_with(rules.path()));
        // The nearest file that says anything decides (gitignore(5), "PATTERN FORMAT").
        let verdict =
            below.map(|rules| rules.matched(path, entry.file_type().is_dir())).find(|m| !m.is_none());
        let ignored = matches!(verdict, Some(Match::Ignore(_)));
        if entry.file_type().is_dir() && !ignored {
            self.rules.extend(rules(path));
        }
        ignored
    }
}

/// What the `.gitignore` of `folder` says, if there is one. A line in it that cannot be read says nothing.
fn rules(folder: &Path) -> Option<Gitignore> {
    let path = folder.join(".gitignore");
    path.is_file().then(|| Gitignore::new(path).0)
}
