//! The command line as a process, in this checkout or in a copy of it.
// Each test program uses a part of this.
#![allow(dead_code, reason = "shared by several test programs")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use opml_toolchain::manifest::Manifest;
use opml_toolchain::{file, provision};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use walkdir::WalkDir;

/// The files of a build but for the manifest.
pub const FILES: [&str; 6] =
    [file::PROGRAM, file::DEBUG, file::PRESTATE, file::META, file::SBOM, file::PROVENANCE];

/// The folder of the workspace.
pub fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the checkout")
}

/// A network of the importer's tests.
pub fn fixture(name: &str) -> PathBuf {
    checkout().join("frontend/tests/fixtures").join(name)
}

/// An example model.
pub fn model(name: &str) -> PathBuf {
    checkout().join("models/mnist").join(name)
}

/// `cargo xtask` in this checkout.
pub fn xtask() -> Command {
    xtask_in(checkout())
}

/// `cargo xtask` as cargo would run it in the checkout `root`.
pub fn xtask_in(root: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.current_dir(root).env("CARGO_MANIFEST_DIR", root.join("xtask")).stdin(Stdio::null());
    command
}

/// Fails where the build would start to download: a test that does shows the weather.
pub fn require_toolchain() {
    let options = provision::Options::from_env().expect("OPML_TOOLCHAIN names a provider");
    let found = provision::find(&options).unwrap_or_else(|e| panic!("{e}"));
    assert!(
        found.is_some(),
        "the guest toolchain is not installed: `cargo xtask test` installs it and runs the tests"
    );
}

/// A finished process.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Standard output as the one JSON document it has to be.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }

    /// Asserts the exit code and that standard error has all of `messages`.
    #[track_caller]
    pub fn assert_fails(&self, code: i32, messages: &[&str]) {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        for message in messages {
            assert!(self.stderr.contains(message), "no `{message}` in: {}", self.stderr);
        }
        assert_eq!(self.stdout, "", "a command that fails has no result");
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Ran {
    command.output().expect("the command line was built with its tests").into()
}

/// `build-model` of `onnx` into `out`, with the progress on standard error.
pub fn build_model(root: &Path, onnx: &Path, out: &Path) -> Command {
    require_toolchain();
    let mut command = xtask_in(root);
    command.args(["build-model", "--format", "json"]).arg(onnx).arg("--out").arg(out);
    command
}

/// Runs a build that has to succeed. Says whether the compiler ran.
#[track_caller]
pub fn build(command: &mut Command) -> bool {
    let ran = run(command);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran.stderr.contains("compile the guest")
}

/// The bytes of all files of a build, manifest included, by name.
pub fn outputs(out: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(out).expect("the build made the folder") {
        let path = entry.expect("the folder can be listed").path();
        let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
        files.insert(name, fs::read(&path).expect("the file can be read"));
    }
    files
}

/// The SHA-256 of each file, for messages that can be read.
pub fn hashes(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<&str, String> {
    files.iter().map(|(name, bytes)| (name.as_str(), hex::encode(Sha256::digest(bytes)))).collect()
}

pub fn manifest(files: &BTreeMap<String, Vec<u8>>) -> Manifest {
    serde_json::from_slice(&files[file::MANIFEST]).expect("a manifest that is there is whole")
}

/// A copy of the checkout, as far as cargo and the build read it, that nobody has built in.
pub struct FreshCheckout {
    dir: TempDir,
}

impl FreshCheckout {
    pub fn new() -> Self {
        let dir = TempDir::new().expect("there is room for a copy");
        let copy = Self { dir };
        let workspace: toml::Table = fs::read_to_string(checkout().join("Cargo.toml"))
            .expect("this is a checkout")
            .parse()
            .expect("Cargo.toml is TOML");
        let members = workspace["workspace"]["members"].as_array().expect("the workspace has members");
        for file in ["Cargo.toml", "Cargo.lock"] {
            fs::copy(checkout().join(file), copy.root().join(file)).expect("the file can be copied");
        }
        for member in members.iter().filter_map(|member| member.as_str()).chain(["linker"]) {
            copy_tree(&checkout().join(member), &copy.root().join(member));
        }
        copy
    }

    pub fn root(&self) -> &Path {
        self.dir.path()
    }
}

/// Copies a folder with all that is in it.
pub fn copy_tree(from: &Path, to: &Path) {
    for entry in WalkDir::new(from) {
        let entry = entry.expect("the checkout can be listed");
        let place = to.join(entry.path().strip_prefix(from).expect("it is below the folder"));
        if entry.file_type().is_dir() {
            fs::create_dir_all(&place).expect("the folder can be made");
        } else {
            fs::copy(entry.path(), &place).expect("the file can be copied");
        }
    }
}
