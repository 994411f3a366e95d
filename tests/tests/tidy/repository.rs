//! The files of the repository, and how violations are reported.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand};
use ignore::WalkBuilder;

/// Documents of others, to the letter.
const OF_OTHERS: &str = "tests/tests/sbom/schema/";

/// A text file of the repository.
pub struct TextFile {
    /// Path below the root, with slashes.
    pub path: String,
    pub text: String,
}

impl TextFile {
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub fn is_ours(&self) -> bool {
        !self.path.starts_with(OF_OTHERS)
    }

    /// The lines with their numbers, from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }
}

pub fn root() -> PathBuf {
    let tests = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it for tests");
    Path::new(&tests).parent().expect("the crate is a folder of the repository").to_owned()
}

/// Everything that git would track and that is UTF-8, in the order of the paths. It goes by `.gitignore` and
/// not by git itself, so that it works on an unpacked archive too.
pub fn text_files() -> Vec<TextFile> {
    let root = root();
    // Only what lies in the repository may decide: neither the user's ignore lists nor those of folders above.
    let mut walk = WalkBuilder::new(&root);
    walk.hidden(false).ignore(false).git_global(false).git_exclude(false).parents(false).require_git(false);
    walk.filter_entry(|entry| entry.file_name() != ".git");
    let mut files = Vec::new();
    for entry in walk.build().map(|entry| entry.expect("the repository can be listed")) {
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path().strip_prefix(&root).expect("the walk stays below its root");
        let bytes = fs::read(entry.path()).expect("a file of the repository can be read");
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(TextFile { path: path.to_string_lossy().replace('\\', "/"), text });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.iter().any(|file| file.path == "Cargo.toml"), "no files below {}", root.display());
    files
}

pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What cargo makes of the workspace on this host. Other systems' packages may not have been downloaded.
pub fn metadata() -> Metadata {
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml"));
    command.other_options(["--locked".to_owned(), "--filter-platform".to_owned(), host]);
    command.exec().expect("cargo reads the workspace")
}

/// Fails with all of `violations`, if there are any.
#[track_caller]
pub fn report<T: Display>(rule: &str, violations: impl IntoIterator<Item = T>) {
    let list: Vec<String> = violations.into_iter().map(|violation| format!("  {violation}\n")).collect();
    assert!(list.is_empty(), "{rule}; {} violations:\n{}", list.len(), list.concat());
}
