//! Guests written in C: a folder with `opml.toml`, compiled with the pinned clang and linked with the guest's library.

mod compile;
mod flags;
mod options;
mod scripts;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

pub(crate) use compile::{CCompiler, CObject};
pub(crate) use flags::compiler as compiler_flags;
pub use options::{COptions, Definition};
pub(crate) use scripts::environment as script_environment;

use crate::error::BuildError;
use crate::package::{PackageInfo, Selection};
use crate::sources::{Checkout, CrateIdentity, GuestCrate, Tree, resolve};

/// The options of a guest written in C.
const OPTIONS: &str = "opml.toml";

/// The crate with the library and its headers.
pub(crate) const LIBRARY: &str = "opml-libc";

/// The crate that a C program is linked with: the library, and an entry point that calls `main`.
pub(crate) const ENTRY: &str = "#![no_std]\nopml_libc::c_main!();\n";

/// A folder that was read: what is hashed is what is compiled.
#[derive(Clone, Debug)]
pub struct CFolder {
    options: COptions,
    pub(crate) tree: Tree,
    /// The library and all it needs.
    pub(crate) crates: Vec<GuestCrate>,
}

impl CFolder {
    /// Whether `dir` is the folder of one.
    pub fn is_in(dir: &Path) -> bool {
        dir.join(OPTIONS).is_file()
    }

    /// Reads the folder `dir` and the library.
    ///
    /// # Errors
    /// [`BuildError::COptions`], and what can be wrong with sources.
    pub fn open(dir: &Path, checkout: &Checkout, offline: bool) -> Result<Self, BuildError> {
        let dir = fs::canonicalize(dir).map_err(BuildError::io("find", dir))?;
        let tree = Tree::of_crate(&dir, checkout.root())?;
        let options = tree.files.iter().find(|file| file.path == OPTIONS);
        let options = options.map(|file| String::from_utf8_lossy(&file.bytes)).unwrap_or_default();
        let options = COptions::read(&options)?;
        if let Some(missing) = options.sources.iter().find(|source| !has(&tree, source)) {
            let problem = format!("sources: there is no {missing} in the folder, or .gitignore names it");
            return Err(BuildError::COptions { problem });
        }
        Ok(Self { options, tree, crates: resolve(checkout, offline, &[LIBRARY])? })
    }

    /// Name of the program.
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// What its file says.
    pub fn options(&self) -> &COptions {
        &self.options
    }

    /// What a manifest says of it.
    pub fn info(&self) -> PackageInfo {
        PackageInfo { package: self.full_name(), selection: Selection::default(), models: BTreeMap::new() }
    }

    /// Name and version.
    pub(crate) fn full_name(&self) -> String {
        format!("{} {}", self.options.name, self.options.version)
    }

    /// What a manifest says of its files.
    pub(crate) fn identity(&self) -> CrateIdentity {
        CrateIdentity { source: "path".into(), sha256: self.tree.digest(), ..CrateIdentity::default() }
    }

    /// The headers of the library.
    fn headers(&self) -> impl Iterator<Item = &crate::sources::TreeFile> {
        let library = self.crates.iter().filter(|one| one.package.name.as_str() == LIBRARY);
        library.flat_map(|one| &one.tree.files).filter(|file| file.path.starts_with("include/"))
    }
}

fn has(tree: &Tree, path: &str) -> bool {
    // `./main.c` is `main.c`.
    let path: std::path::PathBuf = Path::new(path).components().filter(|c| c.as_os_str() != ".").collect();
    tree.files.iter().any(|file| Path::new(&file.path) == path)
}
