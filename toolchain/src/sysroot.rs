//! `core` and `alloc` for a target: built once per toolchain and target, shared by all guests.

mod library;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use opml_targets::Target;
use sha2::{Digest, Sha256};

use crate::error::BuildError;
use crate::flags::{self, Settings};
use crate::progress::{Progress, Unit};
use crate::provision::Toolchain;
use crate::work_dir::{self, write_new};

/// A folder that rustc takes as `--sysroot`, and the target specification that goes with it.
#[derive(Clone, Debug)]
pub(crate) struct Sysroot {
    /// The folder.
    pub path: PathBuf,
    /// The target specification, JSON.
    pub spec: PathBuf,
    /// Identifies toolchain, target and flags: equal ids, equal libraries.
    pub id: String,
}

/// rustc's name of the target: the specification's file name, and a folder of the sysroot.
pub(crate) fn triple(target: &Target) -> String {
    format!("mips-{}-none", target.name())
}

impl Sysroot {
    /// Finds or builds the sysroot of `target` in the folder `dir`.
    pub fn ensure(
        toolchain: &Toolchain,
        target: &Target,
        dir: &Path,
        progress: &dyn Progress,
    ) -> Result<Self, BuildError> {
        let spec = specification(target)?;
        let id = id(toolchain, &spec);
        let path = dir.join(&id);
        let sysroot = Self { spec: path.join(format!("{}.json", triple(target))), path, id };
        if sysroot.path.is_dir() {
            return Ok(sysroot);
        }
        let _guard = work_dir::lock(dir, progress)?;
        if !sysroot.path.is_dir() {
            let partial = dir.join(format!("{}.partial", sysroot.id));
            let _task =
                progress.start("build core and alloc for the target (once per toolchain)", 0, Unit::Items);
            build(toolchain, target, &spec, &partial)?;
            // The rename commits: a folder of that name is whole.
            fs::rename(partial.join("sysroot"), &sysroot.path)
                .map_err(BuildError::io("make", &sysroot.path))?;
            fs::remove_dir_all(&partial).map_err(BuildError::io("remove", &partial))?;
        }
        Ok(sysroot)
    }
}

/// The target specification as the JSON rustc reads.
fn specification(target: &Target) -> Result<String, BuildError> {
    let unusable = |reason: String| BuildError::Target { target: target.name().to_owned(), reason };
    let table: toml::Table =
        target.rustc_spec().parse().map_err(|e: toml::de::Error| unusable(e.to_string()))?;
    serde_json::to_string_pretty(&table).map_err(|e| unusable(e.to_string()))
}

/// Stands between cargo and the compiler.
const WRAPPER: &str = include_str!("sysroot/rustc.sh");

fn id(toolchain: &Toolchain, spec: &str) -> String {
    let identity = serde_json::to_string(toolchain.identity()).expect("an identity is strings");
    let profile = flags::profile().to_string();
    let mut sha256 = Sha256::new();
    for part in [
        &identity,
        spec,
        &profile,
        &flags::rustc(&Settings::default(), None, &[]),
        flags::LIBRARY,
        flags::SOURCES,
        library::FOLDER,
        library::ABORT.with,
        WRAPPER,
    ] {
        sha256.update((part.len() as u64).to_be_bytes());
        sha256.update(part);
    }
    hex::encode(&sha256.finalize()[..8])
}

/// Builds an empty crate with `-Z build-std` and collects the libraries that cargo made for it.
fn build(toolchain: &Toolchain, target: &Target, spec: &str, dir: &Path) -> Result<(), BuildError> {
    work_dir::remove_tree(dir).map_err(BuildError::io("remove", dir))?;
    let triple = triple(target);
    let mut manifest = toml::Table::new();
    manifest.insert(
        "package".into(),
        toml::toml! { name = "opml-sysroot" version = "0.0.0" edition = "2024" }.into(),
    );
    // A workspace of its own: the cache may lie in a folder of somebody's workspace.
    manifest.insert("workspace".into(), toml::Table::new().into());
    // Beside the library and not around it: cargo names files inside a workspace by their path there.
    let package = dir.join("package");
    write_new(&package.join("Cargo.toml"), manifest.to_string().as_bytes())?;
    write_new(&package.join("src/lib.rs"), b"#![no_std]\n")?;
    let sysroot = dir.join("sysroot");
    let spec_path = sysroot.join(format!("{triple}.json"));
    write_new(&spec_path, spec.as_bytes())?;
    let library = dir.join(library::FOLDER);
    library::copy(toolchain.rust_library(), &library)?;
    let names = names_of(&library)?;
    let mut remap = vec![(dir, flags::SOURCES)];
    remap.extend(names.iter().map(|name| (name.as_path(), flags::LIBRARY)));
    let settings = Settings::default();
    let rustflags = flags::rustc(&settings, None, &remap);
    let mut command = crate::tool::cargo_build(toolchain, "build", &package, &settings.profile, &rustflags)?;
    // Neither is stable; the toolchain is pinned, so they cannot change under us. `mem` brings memcpy and
    // its kin, which a C library would.
    command.args([
        "-Zbuild-std=core,alloc",
        "-Zbuild-std-features=compiler-builtins-mem",
        "-Zjson-target-spec",
    ]);
    command.arg("--target").arg(&spec_path).env("CARGO_TARGET_DIR", dir.join("target"));
    // cargo has no other way to name the sources; its own tests use this one, and the toolchain is pinned.
    command.env("__CARGO_TESTS_ONLY_SRC_ROOT", &library);
    let wrapper = dir.join("rustc.sh");
    write_new(&wrapper, WRAPPER.as_bytes())?;
    fs::set_permissions(&wrapper, PermissionsExt::from_mode(0o755))
        .map_err(BuildError::io("write", &wrapper))?;
    command.env("RUSTC_WRAPPER", &wrapper);
    if let Some(vendored) = toolchain.vendored_crates() {
        crate::tool::use_vendored(&mut command, &vendored);
    }
    crate::tool::run(
        &mut command,
        "building core and alloc",
        "`cargo xtask doctor` shows what the toolchain lacks",
    )?;
    collect(
        &dir.join("target").join(&triple).join("release/deps"),
        &sysroot.join("lib/rustlib").join(&triple).join("lib"),
    )
}

/// All that the folder of the library is called in debug information: as it is given, and without any link as the working directory
/// of the compiler.
fn names_of(library: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let resolved = fs::canonicalize(library).map_err(BuildError::io("find", library))?;
    let mut names = vec![library.to_owned(), resolved];
    names.dedup();
    Ok(names)
}

/// Copies the libraries that cargo built, but for the empty crate's own.
fn collect(from: &Path, to: &Path) -> Result<(), BuildError> {
    fs::create_dir_all(to).map_err(BuildError::io("make", to))?;
    for entry in fs::read_dir(from).map_err(BuildError::io("list", from))? {
        let path = entry.map_err(BuildError::io("list", from))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libopml_sysroot") {
            fs::copy(&path, to.join(&name)).map_err(BuildError::io("copy", &path))?;
        }
    }
    Ok(())
}
