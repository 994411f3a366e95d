//! What programs are made from: a checkout of this project, the crates of a guest, and the digests of both.

mod identity;
mod resolve;
mod stage;
#[cfg(test)]
mod tests;
mod tree;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use identity::{CrateIdentity, Sources, TOOL};
pub(crate) use identity::{EXTERNAL, Given, MODELS, TOOLCHAIN_LOCK, texts};
pub(crate) use resolve::{GUEST_PACKAGES, Graph, GuestCrate, resolve};
pub(crate) use stage::{lay_out, vendored};
pub(crate) use tree::{Tree, TreeFile, copy_checkout};

use crate::error::BuildError;

/// A checkout of this project.
#[derive(Clone, Debug)]
pub struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// The checkout at `root`, the folder of the workspace's `Cargo.toml`.
    ///
    /// # Errors
    /// [`BuildError::NoCheckout`] if it is none.
    pub fn new(root: &Path) -> Result<Self, BuildError> {
        let needed = ["Cargo.toml", "Cargo.lock", "toolchain/guest-toolchain.lock", "linker"];
        match needed.iter().map(|name| root.join(name)).find(|path| !path.exists()) {
            Some(missing) => Err(BuildError::NoCheckout { root: root.to_owned(), missing }),
            None => Ok(Self { root: root.to_owned() }),
        }
    }

    /// The folder of the workspace.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

pub(crate) fn read_toml(path: &Path) -> Result<toml::Table, BuildError> {
    let text = fs::read_to_string(path).map_err(BuildError::io("read", path))?;
    text.parse().map_err(|e: toml::de::Error| BuildError::io("parse", path)(io::Error::other(e.to_string())))
}
