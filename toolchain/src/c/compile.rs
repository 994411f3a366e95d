//! From C files to one object.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use super::{CFolder, flags};
use crate::error::BuildError;
use crate::expand;
use crate::provision::{Tool, Toolchain};
use crate::sources::TreeFile;
use crate::work_dir::{self, write_new};

/// What a failed compile asks for.
const HELP: &str = "the messages are clang's; docs/guests-in-c.md says what the library has";

/// The folder's sources as paths of messages and debug information.
const SOURCES: &str = "/opml/guest";

/// The library's headers likewise.
const HEADERS: &str = "/opml/libc/include";

/// A compiled folder.
#[derive(Clone, Debug)]
pub(crate) struct CObject {
    /// The object file.
    pub path: PathBuf,
    /// What the compiler said.
    pub warnings: String,
    /// Whether it was there already.
    pub cached: bool,
}

/// What the compile needs besides the folder.
pub(crate) struct CCompiler<'a> {
    pub toolchain: &'a Toolchain,
    /// Where objects are kept.
    pub objects: &'a Path,
}

impl CCompiler<'_> {
    /// Compiles `folder`, or finds it compiled: the object's name is the hash of all that goes into it.
    pub fn compile(&self, folder: &CFolder) -> Result<CObject, BuildError> {
        let path = self.objects.join(format!("{}.o", self.key(folder)));
        let said = path.with_extension("warnings");
        let cached = path.is_file();
        if !cached {
            let dir = tempfile::tempdir().map_err(BuildError::io("make", &std::env::temp_dir()))?;
            // As the compiler names it.
            let stage = fs::canonicalize(dir.path()).map_err(BuildError::io("find", dir.path()))?;
            let (object, warnings) = self.build(folder, &stage)?;
            work_dir::write_atomically(&said, warnings.as_bytes())?;
            work_dir::write_atomically(&path, &object)?;
        }
        // Nothing is lost without it.
        Ok(CObject { warnings: fs::read_to_string(&said).unwrap_or_default(), path, cached })
    }

    /// Everything that decides on the object. The folder's options are a file of its tree.
    fn key(&self, folder: &CFolder) -> String {
        let identity = serde_json::to_string(self.toolchain.identity()).expect("an identity is strings");
        let mut sha256 = Sha256::new();
        let mut update = |part: &[u8]| {
            sha256.update((part.len() as u64).to_be_bytes());
            sha256.update(part);
        };
        let flags = flags::compiler().join("\n");
        for part in [&identity, &flags, &folder.tree.digest(), expand::IDENTITY] {
            update(part.as_bytes());
        }
        for file in folder.headers() {
            update(file.path.as_bytes());
            update(&file.bytes);
        }
        hex::encode(&sha256.finalize()[..16])
    }

    /// Compiles in the empty folder `stage`: gives the object and what was printed.
    fn build(&self, folder: &CFolder, stage: &Path) -> Result<(Vec<u8>, String), BuildError> {
        let (sources, library) = (stage.join("guest"), stage.join("libc"));
        lay_out(&folder.tree.files, &sources)?;
        lay_out(folder.headers(), &library)?;
        let compiler = self.compiler(folder, stage)?;
        let (mut objects, mut printed) = (Vec::new(), String::new());
        for (number, source) in folder.options.sources.iter().enumerate() {
            let assembly = stage.join(format!("{number}.s"));
            let mut command = compiler.to_command();
            command.current_dir(stage).arg("-S").arg("-o").arg(&assembly).arg(sources.join(source));
            let said = crate::tool::run(&mut command, "compiling the guest", HELP)
                .map_err(|error| readable(error, &sources))?;
            if !said.is_empty() {
                printed += &format!("{}\n", said.replace(&format!("{}/", sources.display()), ""));
            }
            let object = stage.join(format!("{number}.o"));
            expand::assemble(self.toolchain, &assembly, &object)?;
            objects.push(object);
        }
        let whole = stage.join("whole.o");
        let mut command = self.toolchain.command(Tool::Lld);
        command.arg("--relocatable").args(&objects).arg("-o").arg(&whole);
        crate::tool::run(&mut command, "putting the guest's objects together", HELP)?;
        Ok((fs::read(&whole).map_err(BuildError::io("read", &whole))?, printed))
    }

    /// clang with its flags, folders, macros and standard; in an environment in which nothing of the user's is left, so that no
    /// variable which cc or clang knows changes an object.
    fn compiler(&self, folder: &CFolder, stage: &Path) -> Result<cc::Tool, BuildError> {
        let failed = |error: cc::Error| BuildError::Tool {
            stage: "asking cc for the compiler",
            output: error.to_string(),
            help: HELP,
        };
        let clang: Command = self.toolchain.command(Tool::Clang);
        let mut build = cc::Build::new();
        build.set_envs_snapshot(clang.get_envs().filter_map(|(name, value)| Some((name, value?))));
        build.compiler(self.toolchain.path(Tool::Clang)?).no_default_flags(true).cargo_metadata(false);
        // For cc, which asks for them; what decides stands in the flags.
        build.target("mips-unknown-linux-gnu").host("x86_64-unknown-linux-gnu").opt_level(3).out_dir(stage);
        for flag in flags::compiler() {
            build.flag(flag);
        }
        for (from, to) in [("guest", SOURCES), ("libc/include", HEADERS)] {
            build.flag(format!("-ffile-prefix-map={}={to}", stage.join(from).display()));
        }
        build.flag(format!("-fdebug-compilation-dir={SOURCES}"));
        build.flag(format!("-std={}", folder.options.standard));
        for include in &folder.options.include {
            build.include(stage.join("guest").join(include));
        }
        // Behind the guest's own, and before the compiler's.
        build.flag("-isystem").flag(stage.join("libc/include"));
        for (name, definition) in &folder.options.define {
            if let Some(text) = definition.text() {
                build.define(name, text.as_str());
            }
        }
        build.try_get_compiler().map_err(failed)
    }
}

/// Messages name files as the author knows them.
fn readable(error: BuildError, sources: &Path) -> BuildError {
    match error {
        BuildError::Tool { stage, output, help } => {
            BuildError::Tool { stage, output: output.replace(&format!("{}/", sources.display()), ""), help }
        }
        other => other,
    }
}

fn lay_out<'a>(files: impl IntoIterator<Item = &'a TreeFile>, to: &Path) -> Result<(), BuildError> {
    files.into_iter().try_for_each(|file| write_new(&to.join(&file.path), &file.bytes))
}
