//! From a guest program's source to an archive of object files.

use std::fs;
use std::path::{Path, PathBuf};

use opml_targets::Target;
use sha2::{Digest, Sha256};

use crate::error::BuildError;
use crate::flags;
use crate::progress::{Progress, Unit};
use crate::provision::Toolchain;
use crate::sources::{GUEST, GuestCrate, lay_out};
use crate::sysroot::{Sysroot, triple};
use crate::work_dir;

/// A compiled guest: everything but the weights.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    /// The archive.
    pub archive: PathBuf,
    /// Whether it was there already.
    pub cached: bool,
}

/// What a compile needs besides the program.
pub(crate) struct Compiler<'a> {
    pub toolchain: &'a Toolchain,
    pub sysroot: &'a Sysroot,
    /// What the guest is made of.
    pub crates: &'a [GuestCrate],
    pub target: &'a Target,
    /// Folder of this checkout's builds.
    pub work: &'a Path,
}

impl Compiler<'_> {
    /// Compiles the guest crate of which `source` is the only file, or finds it compiled: the archive's name is the hash of
    /// all that goes into it.
    pub fn compile(&self, source: &str, progress: &dyn Progress) -> Result<Objects, BuildError> {
        let archive = self.work.join("objects").join(format!("{}.a", self.key(source)));
        if archive.is_file() {
            return Ok(Objects { archive, cached: true });
        }
        let dir = self.work.join("guest").join(self.target.name());
        let _guard = work_dir::lock(&dir, progress)?;
        if !archive.is_file() {
            let _task = progress.start("compile the guest", 0, Unit::Items);
            let built = self.build(source, &dir)?;
            let bytes = fs::read(&built).map_err(BuildError::io("read", &built))?;
            work_dir::write_atomically(&archive, &bytes)?;
        }
        Ok(Objects { archive, cached: false })
    }

    /// Identifies what the guest's crates are compiled to, without the generated one.
    fn crates_key(&self) -> String {
        let mut sha256 = Sha256::new();
        let crates =
            self.crates.iter().flat_map(|one| [one.name(), one.features.join(","), one.tree.digest()]);
        for part in std::iter::once(self.sysroot.id.clone()).chain(crates) {
            sha256.update((part.len() as u64).to_be_bytes());
            sha256.update(part);
        }
        hex::encode(&sha256.finalize()[..16])
    }

    fn key(&self, source: &str) -> String {
        hex::encode(&Sha256::digest(format!("{}{source}", self.crates_key()))[..16])
    }

    fn build(&self, source: &str, dir: &Path) -> Result<PathBuf, BuildError> {
        let (stage, target_dir) = (dir.join("stage"), dir.join("target"));
        work_dir::remove_tree(&stage).map_err(BuildError::io("remove", &stage))?;
        lay_out(self.crates, &stage, source)?;
        self.forget_others(dir, &target_dir)?;
        let remap = [(stage.as_path(), flags::SOURCES)];
        let rustflags = flags::rustc(Some(&self.sysroot.path), &remap);
        let mut command = crate::tool::cargo_build(self.toolchain, &stage.join("guest"), &rustflags)?;
        command.arg("-Zjson-target-spec").arg("--target").arg(&self.sysroot.spec);
        crate::tool::use_vendored(&mut command, &stage.join("vendor"));
        command.env("CARGO_TARGET_DIR", &target_dir);
        crate::tool::run(
            &mut command,
            "compiling the guest",
            "if the model is at fault, please report it with the message",
        )?;
        let library = format!("lib{}.a", GUEST.replace('-', "_"));
        Ok(target_dir.join(triple(self.target)).join("release").join(library))
    }

    /// cargo takes crates of a registry to be as they were when it compiled them, so what was compiled from others goes.
    fn forget_others(&self, dir: &Path, target_dir: &Path) -> Result<(), BuildError> {
        let (marker, key) = (dir.join("crates"), self.crates_key());
        if fs::read(&marker).is_ok_and(|old| old == key.as_bytes()) {
            return Ok(());
        }
        work_dir::remove_tree(target_dir).map_err(BuildError::io("remove", target_dir))?;
        work_dir::write_atomically(&marker, key.as_bytes())
    }
}
