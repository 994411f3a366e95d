//! Writes the members of packages below a root folder (invariant U of [`super::member`]).

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::deb::{DebError, Sink};
use super::lock::Keep;
use super::member::MemberPath;

/// Unpacks one package. Several may write below the same root at once: nothing that exists is ever
/// replaced, so what was checked stays true.
pub struct Unpacker<'a> {
    root: &'a Path,
    keep: &'a Keep,
    /// Folders of this package that are known to be real ones.
    folders: BTreeSet<String>,
}

impl<'a> Unpacker<'a> {
    /// An unpacker of one package into `root`, which exists.
    pub fn new(root: &'a Path, keep: &'a Keep) -> Self {
        Self { root, keep, folders: BTreeSet::new() }
    }

    /// Makes the folder `parts`, one component after the other, and checks that none is a link.
    fn make_folders<'p>(&mut self, parts: impl Iterator<Item = &'p str>) -> Result<(), DebError> {
        let mut name = String::new();
        for part in parts {
            if !name.is_empty() {
                name.push('/');
            }
            name.push_str(part);
            if self.folders.contains(&name) {
                continue;
            }
            let path = self.root.join(&name);
            match fs::create_dir(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if !fs::symlink_metadata(&path)?.is_dir() {
                        return Err(DebError::Through(name));
                    }
                }
                Err(error) => return Err(error.into()),
            }
            self.folders.insert(name.clone());
        }
        Ok(())
    }

    /// Where the member goes, with its parents made.
    fn place(&mut self, path: &MemberPath) -> Result<PathBuf, DebError> {
        let parents = path.components().count() - 1;
        self.make_folders(path.components().take(parents))?;
        Ok(path.below(self.root))
    }
}

/// The error of making a member that is there already names the member.
fn new_member(path: &MemberPath) -> impl Fn(io::Error) -> DebError + '_ {
    move |error| match error.kind() {
        io::ErrorKind::AlreadyExists => DebError::Exists(path.to_string()),
        _ => DebError::Io(error),
    }
}

impl Sink for Unpacker<'_> {
    fn wants(&self, path: &MemberPath) -> bool {
        self.keep.wants(path)
    }

    fn directory(&mut self, path: &MemberPath) -> Result<(), DebError> {
        self.make_folders(path.components())
    }

    fn file(&mut self, path: &MemberPath, executable: bool, data: &mut dyn Read) -> Result<(), DebError> {
        let place = self.place(path)?;
        let mut file = File::create_new(place).map_err(new_member(path))?;
        io::copy(data, &mut file)?;
        // The archive's other bits (set-uid, group-writable) have no use here; the umask plays no part.
        file.set_permissions(fs::Permissions::from_mode(if executable { 0o755 } else { 0o644 }))?;
        Ok(())
    }

    fn symlink(&mut self, path: &MemberPath, target: &str) -> Result<(), DebError> {
        let place = self.place(path)?;
        symlink(target, place).map_err(new_member(path))
    }

    fn hard_link(&mut self, path: &MemberPath, target: &MemberPath) -> Result<(), DebError> {
        let wrong = || DebError::HardLink { path: path.to_string(), target: target.to_string() };
        // Through `place`, so that the target is not reached through a link either.
        let original = self.place(target)?;
        if !fs::symlink_metadata(&original).is_ok_and(|meta| meta.is_file()) {
            return Err(wrong());
        }
        let place = self.place(path)?;
        fs::hard_link(original, place).map_err(new_member(path))
    }
}
