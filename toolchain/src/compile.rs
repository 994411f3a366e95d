//! From a guest program's source to an archive of object files.

use std::fs;
use std::path::{Path, PathBuf};

use opml_targets::Target;
use sha2::{Digest, Sha256};

use crate::error::BuildError;
use crate::flags;
use crate::guest::GuestProgram;
use crate::progress::{Progress, Unit};
use crate::provision::Toolchain;
use crate::sources::{Checkout, write_if_changed};
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
    pub checkout: &'a Checkout,
    pub target: &'a Target,
    /// Folder of this checkout's builds.
    pub work: &'a Path,
    pub offline: bool,
}

impl Compiler<'_> {
    /// Compiles `program`, or finds it compiled: the archive's name is the hash of all that goes into it,
    /// which the weights do not.
    pub fn compile(&self, program: &GuestProgram, progress: &dyn Progress) -> Result<Objects, BuildError> {
        let archive = self.work.join("objects").join(format!("{}.a", self.key(program)?));
        if archive.is_file() {
            return Ok(Objects { archive, cached: true });
        }
        let dir = self.work.join("guest").join(self.target.name());
        let _guard = work_dir::lock(&dir, progress)?;
        if !archive.is_file() {
            let _task = progress.start("compile the guest", 0, Unit::Items);
            let built = self.build(program, &dir)?;
            let bytes = fs::read(&built).map_err(BuildError::io("read", &built))?;
            work_dir::write_atomically(&archive, &bytes)?;
        }
        Ok(Objects { archive, cached: false })
    }

    fn key(&self, program: &GuestProgram) -> Result<String, BuildError> {
        let mut sha256 = Sha256::new();
        let sources = self.checkout.digest()?;
        for part in [program.source.as_bytes(), self.sysroot.id.as_bytes(), &sources] {
            sha256.update((part.len() as u64).to_be_bytes());
            sha256.update(part);
        }
        Ok(hex::encode(&sha256.finalize()[..16]))
    }

    fn build(&self, program: &GuestProgram, dir: &Path) -> Result<PathBuf, BuildError> {
        let stage = dir.join("stage");
        self.checkout.stage(&stage, self.offline)?;
        write_if_changed(&stage.join("guest/Cargo.toml"), MANIFEST.as_bytes())?;
        write_if_changed(&stage.join("guest/src/lib.rs"), program.source.as_bytes())?;
        let target_dir = dir.join("target");
        let remap = [(stage.as_path(), flags::SOURCES)];
        let rustflags = flags::rustc(Some(&self.sysroot.path), &remap);
        let mut command = crate::tool::cargo_build(self.toolchain, &stage, &rustflags)?;
        command.args(["--package", "opml-guest"]);
        command.arg("-Zjson-target-spec").arg("--target").arg(&self.sysroot.spec);
        crate::tool::use_vendored(&mut command, &stage.join("vendor"));
        command.env("CARGO_TARGET_DIR", &target_dir);
        crate::tool::run(
            &mut command,
            "compiling the guest",
            "if the model is at fault, please report it with the message",
        )?;
        Ok(target_dir.join(triple(self.target)).join("release/libopml_guest.a"))
    }
}

/// The generated crate: the same name for all models, so that symbols do not depend on the model's.
const MANIFEST: &str = r#"[package]
name = "opml-guest"
version = "0.0.0"
edition = "2024"

[lib]
crate-type = ["staticlib"]

[dependencies]
opml-abi.workspace = true
opml-kernels.workspace = true
opml-runtime.workspace = true
"#;
