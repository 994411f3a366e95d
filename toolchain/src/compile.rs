//! From a guest program's source to an archive of object files.

use std::fs;
use std::path::{Path, PathBuf};

use opml_targets::Target;
use sha2::{Digest, Sha256};

use crate::c::{self, CCompiler, CObject};
use crate::error::BuildError;
use crate::flags;
use crate::guest::GuestSource;
use crate::progress::{Progress, Unit};
use crate::provision::Toolchain;
use crate::sources::{GuestCrate, lay_out};
use crate::sysroot::{Sysroot, triple};
use crate::work_dir;

/// A compiled guest: everything but the weights.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    /// The archive.
    pub archive: PathBuf,
    /// What is linked with it: C that somebody wrote.
    pub c: Option<PathBuf>,
    /// Whether it was there already.
    pub cached: bool,
    /// What the compiler said of a package that somebody wrote.
    pub warnings: String,
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
    /// Compiles a guest, or finds it compiled: the archive's name is the hash of all that goes into it.
    pub fn compile(&self, source: &GuestSource, progress: &dyn Progress) -> Result<Objects, BuildError> {
        let rust = self.compile_rust(source, progress)?;
        let GuestSource::C(folder) = source else { return Ok(rust) };
        let c = CCompiler { toolchain: self.toolchain, objects: &self.work.join("objects") };
        let CObject { path, warnings, cached } = c.compile(folder)?;
        Ok(Objects { c: Some(path), warnings, cached: cached && rust.cached, ..rust })
    }

    fn compile_rust(&self, source: &GuestSource, progress: &dyn Progress) -> Result<Objects, BuildError> {
        let archive = self.work.join("objects").join(format!("{}.a", self.key(source)));
        let warnings = archive.with_extension("warnings");
        if archive.is_file() {
            return Ok(Objects { archive, c: None, cached: true, warnings: said(&warnings) });
        }
        let dir = self.folder(source);
        let _guard = work_dir::lock(&dir, progress)?;
        if !archive.is_file() {
            let _task = progress.start("compile the guest", 0, Unit::Items);
            let (built, text) = self.build(source, &dir)?;
            let bytes = fs::read(&built).map_err(BuildError::io("read", &built))?;
            if matches!(source, GuestSource::Package(_)) {
                work_dir::write_atomically(&warnings, text.as_bytes())?;
            }
            work_dir::write_atomically(&archive, &bytes)?;
        }
        Ok(Objects { archive, c: None, cached: false, warnings: said(&warnings) })
    }

    /// Where the guest is compiled. Generated ones are all made of the same crates, so that these stay compiled.
    fn folder(&self, source: &GuestSource) -> PathBuf {
        let folder = self.work.join("guest").join(self.target.name());
        match source {
            GuestSource::Generated(_) => folder,
            GuestSource::C(_) => self.work.join("c").join(self.target.name()),
            GuestSource::Package(package) => {
                self.work.join("packages").join(self.target.name()).join(&package.bin)
            }
        }
    }

    /// Identifies what the guest's crates are compiled to, without the one that is the program.
    fn crates_key(&self, source: &GuestSource) -> String {
        let mut parts = vec![self.sysroot.id.clone()];
        parts.extend(self.crates.iter().flat_map(identity));
        let settings = source.settings();
        if let GuestSource::Package(package) = source {
            parts.extend([settings.profile.to_string(), settings.locations.to_string()]);
            parts.extend(package.models.iter().flat_map(|model| [model.name.clone(), model.source.clone()]));
        }
        hash(parts)
    }

    fn key(&self, source: &GuestSource) -> String {
        match source {
            GuestSource::Generated(text) => hash([self.crates_key(source), text.clone()]),
            GuestSource::C(_) => hash([self.crates_key(source), c::ENTRY.to_owned()]),
            GuestSource::Package(package) => {
                let own = [self.crates_key(source), package.bin.clone(), package.entry.clone()];
                hash(own.into_iter().chain(identity(&package.root)))
            }
        }
    }

    /// Compiles the guest in the folder `dir`: gives the archive, and what cargo printed.
    fn build(&self, source: &GuestSource, dir: &Path) -> Result<(PathBuf, String), BuildError> {
        let (stage, target_dir) = (dir.join("stage"), dir.join("target"));
        work_dir::remove_tree(&stage).map_err(BuildError::io("remove", &stage))?;
        lay_out(self.crates, &stage, source)?;
        self.forget_others(source, dir, &target_dir)?;
        let remap = [(stage.as_path(), flags::SOURCES)];
        let settings = source.settings();
        let rustflags = flags::rustc(&settings, Some(&self.sysroot.path), &remap);
        let guest = stage.join("guest");
        let mut command = crate::tool::cargo_build(self.toolchain, &guest, &settings.profile, &rustflags)?;
        command.arg("-Zjson-target-spec").arg("--target").arg(&self.sysroot.spec);
        crate::tool::use_vendored(&mut command, &stage.join("vendor"));
        command.env("CARGO_TARGET_DIR", &target_dir);
        let help = match source {
            GuestSource::C(_) => "the guest's library does not compile; please report it with the message",
            GuestSource::Generated(_) => "if the model is at fault, please report it with the message",
            GuestSource::Package(_) => {
                // Nothing but what the compiler says of the guest.
                command.arg("--quiet");
                "the messages are those of the compiler; the program has neither std nor threads (docs/guests.md)"
            }
        };
        let printed = crate::tool::run(&mut command, "compiling the guest", help)?;
        let library = format!("lib{}.a", source.library());
        Ok((target_dir.join(triple(self.target)).join("release").join(library), printed))
    }

    /// cargo takes crates of a registry to be as they were when it compiled them, so what was compiled from others goes.
    fn forget_others(&self, source: &GuestSource, dir: &Path, target_dir: &Path) -> Result<(), BuildError> {
        let (marker, key) = (dir.join("crates"), self.crates_key(source));
        if fs::read(&marker).is_ok_and(|old| old == key.as_bytes()) {
            return Ok(());
        }
        work_dir::remove_tree(target_dir).map_err(BuildError::io("remove", target_dir))?;
        work_dir::write_atomically(&marker, key.as_bytes())
    }
}

/// What a crate is compiled from.
fn identity(one: &GuestCrate) -> [String; 3] {
    [one.name(), one.features.join(","), one.tree.digest()]
}

/// Parts that cannot run into each other.
fn hash(parts: impl IntoIterator<Item = String>) -> String {
    let mut sha256 = Sha256::new();
    for part in parts {
        sha256.update((part.len() as u64).to_be_bytes());
        sha256.update(part);
    }
    hex::encode(&sha256.finalize()[..16])
}

/// What was printed when an archive was compiled; nothing is lost without it.
fn said(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
