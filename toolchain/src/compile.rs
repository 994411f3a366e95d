//! From a guest program's source to an archive of object files.

use std::fs;
use std::path::{Path, PathBuf};

use opml_targets::Target;
use sha2::{Digest, Sha256};

use crate::c::{self, CCompiler, CObject};
use crate::error::BuildError;
use crate::expand;
use crate::flags;
use crate::guest::GuestSource;
use crate::package::Package;
use crate::progress::{Progress, Unit};
use crate::provision::Toolchain;
use crate::sources::{GuestCrate, lay_out, vendored};
use crate::sysroot::{Sysroot, triple};
use crate::work_dir;

/// A compiled guest: everything but the weights.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    /// The archive.
    pub archive: PathBuf,
    /// Object files that are linked in front of it: the program again with other instructions, C that somebody wrote.
    pub first: Vec<PathBuf>,
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
        let mut rust = self.compile_rust(source, progress)?;
        let GuestSource::C(folder) = source else { return Ok(rust) };
        let c = CCompiler { toolchain: self.toolchain, objects: &self.work.join("objects") };
        let CObject { path, warnings, cached } = c.compile(folder)?;
        rust.first.push(path);
        Ok(Objects { warnings, cached: cached && rust.cached, ..rust })
    }

    fn compile_rust(&self, source: &GuestSource, progress: &dyn Progress) -> Result<Objects, BuildError> {
        let archive = self.work.join("objects").join(format!("{}.a", self.key(source)));
        let (expanded, warnings) = (archive.with_extension("o"), archive.with_extension("warnings"));
        let found = |cached| Objects {
            first: Some(expanded.clone()).filter(|path| path.is_file()).into_iter().collect(),
            cached,
            warnings: said(&warnings),
            archive: archive.clone(),
        };
        if archive.is_file() {
            return Ok(found(true));
        }
        let dir = self.folder(source);
        let _guard = work_dir::lock(&dir, progress)?;
        if !archive.is_file() {
            let _task = progress.start("compile the guest", 0, Unit::Items);
            let (built, text) = self.build(source, &dir)?;
            if source.is_expanded() {
                self.expand(&built, &source.library(), &expanded)?;
            }
            let bytes = fs::read(&built).map_err(BuildError::io("read", &built))?;
            if matches!(source, GuestSource::Package(_)) {
                work_dir::write_atomically(&warnings, text.as_bytes())?;
            }
            work_dir::write_atomically(&archive, &bytes)?;
        }
        Ok(found(false))
    }

    /// Makes the object `expanded` of the assembly that lies beside the archive `built`, if it has instructions to be replaced. Else there
    /// is none: the archive is right as it is, and needs no clang.
    fn expand(&self, built: &Path, library: &str, expanded: &Path) -> Result<(), BuildError> {
        let assembly = assembly_files(built, library)?;
        // A profile that has no link-time optimisation, or cuts the program into pieces, is left to the audit.
        let [assembly] = &assembly[..] else { return Ok(()) };
        if !expand::is_needed(assembly)? {
            return Ok(());
        }
        let object = assembly.with_extension("expanded.o");
        expand::assemble(self.toolchain, assembly, &object)?;
        let bytes = fs::read(&object).map_err(BuildError::io("read", &object))?;
        work_dir::write_atomically(expanded, &bytes)
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
        parts.extend(source.is_expanded().then(|| expand::IDENTITY.to_owned()));
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
        let built =
            target_dir.join(triple(self.target)).join("release").join(format!("lib{}.a", source.library()));
        // Of another compile, by another name.
        for old in assembly_files(&built, &source.library())? {
            fs::remove_file(&old).map_err(BuildError::io("remove", &old))?;
        }
        let subcommand = if source.is_expanded() { "rustc" } else { "build" };
        let mut command =
            crate::tool::cargo_build(self.toolchain, subcommand, &guest, &settings.profile, &rustflags)?;
        command.arg("-Zjson-target-spec").arg("--target").arg(&self.sysroot.spec);
        crate::tool::use_vendored(&mut command, &stage.join("vendor"));
        command.env("CARGO_TARGET_DIR", &target_dir);
        let hand_written = matches!(source, GuestSource::Package(_));
        if let GuestSource::Package(package) = source {
            // All that cargo resolved, the defaults among them if they are on.
            command.args(["--no-default-features", "--features", &package.root.features.join(",")]);
        }
        // Build scripts of a guest with the C library may compile C.
        if let Some(library) = self.crates.iter().find(|one| one.package.name.as_str() == c::LIBRARY) {
            let headers =
                vendored(&stage, &library.package.name, &library.package.version.to_string()).join("include");
            let triple = triple(self.target);
            command.envs(c::script_environment(self.toolchain, &triple, &headers, (&stage, flags::SOURCES))?);
        }
        // Nothing but what the compiler says of the guest.
        command.args(hand_written.then_some("--quiet"));
        if source.is_expanded() {
            command.args(["--lib", "--", "--emit=asm"]);
        }
        let help = "if the model is at fault, please report it with the message";
        let printed = crate::tool::run(&mut command, "compiling the guest", help);
        let printed = match (printed, source) {
            (Ok(text), GuestSource::Package(package)) => as_written(package, text),
            (Err(BuildError::Tool { output, .. }), GuestSource::Package(package)) => {
                return Err(BuildError::Guest { output: as_written(package, output) });
            }
            (printed, _) => printed?,
        };
        Ok((built, printed))
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

/// The assembly of the library `library` that lies beside its archive `built`.
fn assembly_files(built: &Path, library: &str) -> Result<Vec<PathBuf>, BuildError> {
    let dir = built.with_file_name("deps");
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(&dir).map_err(BuildError::io("list", &dir))? {
        let path = entry.map_err(BuildError::io("list", &dir))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.strip_prefix(library).is_some_and(|rest| rest.starts_with('-') && rest.ends_with(".s")) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Messages with the names that the files of the package's library have for who wrote it.
fn as_written(package: &Package, messages: String) -> String {
    let root = &package.root.package;
    messages.replace(&format!("{}/vendor/{}-{}/", flags::SOURCES, root.name, root.version), "")
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
