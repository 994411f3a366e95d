//! A program is built again, in a fresh place or in a clean room.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use opml_frontend::ModelFile;
use opml_toolchain::compare::Artifacts;
use opml_toolchain::manifest::{Manifest, ModelFormat, ModelInfo};
use opml_toolchain::progress::{Progress, Unit};
use opml_toolchain::provision::{self, Lock};
use opml_toolchain::rebuild::{CleanRoom, FreshPlace, same_tool};
use opml_toolchain::{Checkout, copy_hashed, file};
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use super::given::Given;
use super::{Args, VerifyError};
use crate::outcome::Stop;

type Result<T> = std::result::Result<T, Stop>;

/// Builds what `given` says from `source`, and reads what came out; nothing if the source gives no program that passes.
/// `own` is the checkout of this tool.
pub fn rebuild(
    args: &Args,
    given: &Artifacts,
    own: &Checkout,
    source: &Checkout,
    progress: &dyn Progress,
) -> Result<Option<Artifacts>> {
    let manifest = &given.manifest;
    let dir = tempfile::tempdir().map_err(not_prepared(&std::env::temp_dir()))?;
    let elf = || format!("{}.elf", manifest.name);
    let name = manifest.model.as_ref().map_or_else(elf, |model| model.file_name(&manifest.name));
    // A folder of its own: a model may have files beside it, of whatever names.
    let given = dir.path().join("given");
    std::fs::create_dir(&given).map_err(not_prepared(&given))?;
    let program = match &manifest.guest {
        Some(guest) => Given::guest(args, manifest, guest, source)?,
        None => {
            let file = given.join(&name);
            bring(args, manifest, source, &file)?;
            Given::File(file)
        }
    };
    let out = dir.path().join("rebuilt");
    std::fs::create_dir(&out).map_err(not_prepared(&out))?;
    if args.clean_room {
        let log = own.root().join("target/opml/clean-room.log");
        let folder = log.parent().expect("a path of several parts has one");
        std::fs::create_dir_all(folder).map_err(not_prepared(folder))?;
        let arguments = arguments(manifest, &program.in_room(&name)?, Path::new("/rebuilt"), false);
        let room =
            CleanRoom { source: source.root(), brought: &given, arguments: &arguments, out: &out, log: &log };
        room.run(progress).map_err(Stop::unable)?;
    } else {
        let task = progress.start("copy the source to a fresh place", 0, Unit::Items);
        let options = crate::commands::provision_options(args.offline)?;
        let place = FreshPlace::new(source.root(), &options).map_err(Stop::unable)?;
        drop(task);
        let own_tool = same_tool(own, source).map_err(Stop::unable)?;
        let program = program.in_place(&place);
        let mut arguments = arguments(manifest, &program, &out, args.offline);
        if let Some(lock) = other_lock(manifest, source, &options)? {
            let path = dir.path().join("toolchain.lock");
            std::fs::write(&path, lock.text()).map_err(not_prepared(&path))?;
            arguments.extend(["--toolchain-lock".to_owned(), path.display().to_string()]);
        }
        if !build_in(&place, &arguments, own_tool, args.offline)? {
            return Ok(None);
        }
    }
    Artifacts::read(&out).map(Some).map_err(Stop::unable)
}

/// The command line that makes a program of `file` again, after `cargo xtask`.
fn arguments(manifest: &Manifest, file: &Path, out: &Path, offline: bool) -> Vec<String> {
    let is_image = manifest.model.is_none() && manifest.guest.is_none();
    let command = if is_image { "image" } else { "build-model" };
    let mut arguments = vec![command.to_owned(), file.display().to_string()];
    let options = [("--name", manifest.name.clone()), ("--target", manifest.target.clone())];
    for (name, value) in
        options.into_iter().chain([("--out", out.display().to_string()), ("--format", "json".into())])
    {
        arguments.extend([name.to_owned(), value]);
    }
    arguments.extend((offline && !is_image).then(|| "--offline".to_owned()));
    arguments.extend(manifest.guest.iter().flat_map(|guest| guest.selection.arguments()));
    if let Some(model) = &manifest.model {
        arguments.extend(model.dims.iter().map(|(name, n)| format!("--dim={name}={n}")));
        arguments.extend(model.constants.iter().map(|(name, text)| format!("--constant={name}={text}")));
    }
    arguments
}

/// The lock that the program was built with, if it is not the source's: the cache knows those that were installed or imported.
fn other_lock(manifest: &Manifest, source: &Checkout, options: &provision::Options) -> Result<Option<Lock>> {
    let sha256 = manifest.toolchain.as_ref().and_then(|toolchain| toolchain.lock_sha256.as_ref());
    let own = crate::commands::read(&source.root().join("toolchain/guest-toolchain.lock"))?;
    let Some(sha256) = sha256.filter(|sha256| **sha256 != hex::encode(Sha256::digest(&own))) else {
        return Ok(None);
    };
    let found = provision::lock_by_sha256(options, sha256).map_err(Stop::unable)?;
    found.map(Some).ok_or_else(|| Stop::unable(VerifyError::NoLock { sha256: sha256.clone() }))
}

/// Builds in the fresh place, with this tool or with the one of the source. Says whether there is a program.
fn build_in(place: &FreshPlace, arguments: &[String], own_tool: bool, offline: bool) -> Result<bool> {
    let mut command = if own_tool {
        Command::new(std::env::current_exe().map_err(not_prepared(Path::new("this program")))?)
    } else {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["run", "--quiet", "--release", "--locked", "--package", "xtask"]);
        cargo.args(offline.then_some("--offline")).arg("--");
        cargo
    };
    command.args(arguments).env_clear().envs(place.environment()).current_dir(place.checkout());
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    match status.map_err(not_prepared(&place.checkout()))?.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(Stop::unable(VerifyError::NotBuilt)),
    }
}

/// Brings what is built to the path `to`: the model with its files, or the ELF file of a program that was built elsewhere. What is written is what was
/// hashed: the file that it was made from may be another by then.
fn bring(args: &Args, manifest: &Manifest, source: &Checkout, to: &Path) -> Result<()> {
    let Some(model) = &manifest.model else {
        if !args.build.is_dir() {
            return Err(Stop::unable(VerifyError::NoElf));
        }
        let program = args.build.join(file::PROGRAM);
        return copy(&program, to).map(drop).map_err(not_prepared(&program));
    };
    if let Some(path) = &args.model {
        let found = ModelFile::read(path).map_err(Stop::unable)?;
        return match is_of(&found, model) {
            true => write(&found, to),
            false => {
                let expected = digests(&model.sha256, &model.external);
                let got = digests(&found.sha256, &found.external_sha256());
                Err(Stop::unable(VerifyError::OtherModel { path: path.clone(), expected, got }))
            }
        };
    }
    // `.` for a manifest that is named without a folder.
    let folder = args.build.parent().filter(|folder| !folder.as_os_str().is_empty());
    let beside = if args.build.is_dir() { &args.build } else { folder.unwrap_or(Path::new(".")) };
    let places = [source.root().join("models"), beside.to_owned()];
    let candidates = places.iter().flat_map(|place| models(place));
    let found = candidates.filter_map(|path| ModelFile::read(&path).ok()).find(|found| is_of(found, model));
    match found {
        Some(found) => write(&found, to),
        None => {
            let places = places.iter().map(|place| place.display().to_string()).collect();
            Err(Stop::unable(VerifyError::NoModel { sha256: model.sha256.clone(), places }))
        }
    }
}

/// Whether this is the model of a manifest, the files with its weights included.
fn is_of(found: &ModelFile, model: &ModelInfo) -> bool {
    found.sha256 == model.sha256 && found.external_sha256() == model.external
}

/// The digest of a model, and those of the files beside it.
fn digests(sha256: &str, external: &BTreeMap<String, String>) -> String {
    let external = external.iter().map(|(path, sha256)| format!(", {path} {sha256}"));
    sha256.to_owned() + &external.collect::<String>()
}

/// Writes a model, and the files with its weights beside it. Where they are was checked when they were read.
fn write(model: &ModelFile, to: &Path) -> Result<()> {
    let folder = to.parent().expect("a model is in a folder");
    for (location, file) in &model.external {
        let path = folder.join(location);
        let inner = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(inner).map_err(not_prepared(inner))?;
        std::fs::write(&path, &file.bytes).map_err(not_prepared(&path))?;
    }
    std::fs::write(to, &model.bytes).map_err(not_prepared(to))
}

/// Copies a file, and gives the SHA-256 of what was written, hexadecimal.
fn copy(from: &Path, to: &Path) -> io::Result<String> {
    copy_hashed(File::open(from)?, File::create(to)?)
}

/// The models below a folder.
fn models(place: &Path) -> impl Iterator<Item = PathBuf> {
    let files =
        WalkDir::new(place).max_depth(4).sort_by_file_name().into_iter().filter_map(std::result::Result::ok);
    let files = files.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path);
    files.filter(|path| ModelFormat::names(path))
}

fn not_prepared(path: &Path) -> impl FnOnce(std::io::Error) -> Stop + use<> {
    let path = path.to_owned();
    move |source| Stop::unable(VerifyError::Prepare { path, source })
}
