//! What a program is built from again, and where that lies while it is.

use std::path::{Path, PathBuf};

use opml_toolchain::manifest::Manifest;
use opml_toolchain::rebuild::FreshPlace;
use opml_toolchain::{CFolder, Checkout, Package, PackageInfo};

use super::{Args, VerifyError};
use crate::outcome::Stop;

/// What is given to the command that builds.
pub enum Given {
    /// A file that was brought along: the model, or an ELF file.
    File(PathBuf),
    /// The folder of a guest in the source, by its path there.
    Inside(PathBuf),
    /// The folder of a guest elsewhere.
    Outside(PathBuf),
}

impl Given {
    /// Finds the folder of the guest that `manifest` is of.
    pub fn guest(
        args: &Args,
        manifest: &Manifest,
        guest: &PackageInfo,
        source: &Checkout,
    ) -> Result<Self, Stop> {
        let sources = manifest.sources.as_ref();
        let identity = sources.and_then(|sources| sources.guest.get(&guest.package));
        let unusual = || VerifyError::Unusual { what: "guest", value: guest.package.clone() };
        let expected = &identity.ok_or_else(|| Stop::unable(unusual()))?.sha256;
        let digest = |dir: &Path| Package::digest_of(dir, source);
        let Some(dir) = &args.guest else {
            let place = source.root().join("examples");
            let folders = std::fs::read_dir(&place).into_iter().flatten().filter_map(Result::ok);
            let mut folders: Vec<_> = folders
                .map(|entry| entry.path())
                .filter(|dir| Package::is_in(dir) || CFolder::is_in(dir))
                .collect();
            folders.sort();
            let found = folders.into_iter().find(|dir| digest(dir).is_ok_and(|digest| digest == *expected));
            let (package, place) = (guest.package.clone(), place.display().to_string());
            let found = found.ok_or_else(|| Stop::unable(VerifyError::NoGuest { package, place }))?;
            return Ok(Self::at(&found, source));
        };
        let got = digest(dir).map_err(Stop::unable)?;
        if got == *expected {
            return Ok(Self::at(dir, source));
        }
        let (path, expected) = (dir.clone(), expected.clone());
        Err(Stop::unable(VerifyError::OtherGuest { path, expected, got }))
    }

    fn at(dir: &Path, source: &Checkout) -> Self {
        let canonical = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let dir = canonical(dir);
        match dir.strip_prefix(canonical(source.root())) {
            Ok(inside) => Self::Inside(inside.to_owned()),
            Err(_) => Self::Outside(dir),
        }
    }

    /// Its path for a build in a fresh place: in the copy, so that nothing of the original is read.
    pub fn in_place(&self, place: &FreshPlace) -> PathBuf {
        match self {
            Self::File(path) | Self::Outside(path) => path.clone(),
            Self::Inside(path) => place.checkout().join(path),
        }
    }

    /// Its path in a clean room; `name` is that of a file.
    pub fn in_room(&self, name: &str) -> Result<PathBuf, Stop> {
        match self {
            Self::File(_) => Ok(Path::new("/given").join(name)),
            Self::Inside(path) => Ok(path.clone()),
            Self::Outside(path) => Err(Stop::unable(VerifyError::Outside { path: path.clone() })),
        }
    }
}
