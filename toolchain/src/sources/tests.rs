//! What the digests of sources are of. A digest that misses an input would say of two programs that they were made from
//! the same when they were not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::identity::{Given, Sources, TOOL};
use super::tree::Tree;
use super::{Checkout, CrateIdentity};
use crate::error::BuildError;
use crate::guest::GuestSource;
use crate::manifest::ModelInfo;

/// A checkout of crates with a file or two each.
struct Small {
    dir: tempfile::TempDir,
}

/// What a [`Small`] is built with besides its files.
#[derive(Clone)]
struct Extra {
    script: String,
    source: String,
    model: ModelInfo,
    lock: String,
}

impl Small {
    fn new() -> Self {
        let small = Self { dir: tempfile::tempdir().unwrap() };
        for name in ["Cargo.toml", "Cargo.lock", "toolchain/guest-toolchain.lock", "linker/x.ld"] {
            small.write(name, "text");
        }
        for folder in TOOL {
            small.write(&format!("{folder}/Cargo.toml"), "[package]");
            small.write(&format!("{folder}/src/lib.rs"), "fn f() {}");
        }
        small.write("frontend/build/main.rs", "fn main() {}");
        small.write(".gitignore", "__pycache__/\n*.log\n");
        small
    }

    fn root(&self) -> &Path {
        self.dir.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn sources(&self, extra: &Extra) -> Sources {
        let guest = GuestSource::Generated(extra.source.clone());
        let given = Given {
            texts: vec![("linker/x.ld".into(), &extra.script)],
            guest: &guest,
            model: Some(&extra.model),
            toolchain_lock: Some(&extra.lock),
        };
        Sources::of(&Checkout::new(self.root()).unwrap(), &[], &given).unwrap()
    }

    fn digest(&self) -> String {
        self.sources(&extra()).digest
    }
}

fn model() -> ModelInfo {
    let external = BTreeMap::from([("weights.bin".to_owned(), "cc".to_owned())]);
    ModelInfo { sha256: "aa".to_owned(), external, ..ModelInfo::default() }
}

fn extra() -> Extra {
    let text = |text: &str| text.to_owned();
    Extra { script: text("script"), source: text("source"), model: model(), lock: text("bb") }
}

#[test]
fn one_byte_of_any_input_changes_the_digest() {
    let small = Small::new();
    let mut seen = BTreeSet::from([small.digest()]);
    let files = ["Cargo.toml".to_owned(), "Cargo.lock".into(), "frontend/build/main.rs".into()];
    let files = files.into_iter().chain(
        TOOL.iter().flat_map(|folder| ["Cargo.toml", "src/lib.rs"].map(|file| format!("{folder}/{file}"))),
    );
    for name in files {
        let path = small.root().join(&name);
        let before = fs::read(&path).unwrap();
        for at in [0, before.len() - 1] {
            let mut after = before.clone();
            after[at] ^= 1;
            fs::write(&path, after).unwrap();
            assert!(seen.insert(small.digest()), "byte {at} of {name}");
        }
        fs::write(&path, &before).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o744)).unwrap();
        let by_mode = small.digest();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(seen.contains(&small.digest()), "{name}: who else may read a file is no part of it");
        // Of the two files that are taken alone, the mode says nothing.
        assert!(seen.insert(by_mode) || !name.contains('/'), "the mode of {name}");
    }
    let changes: [fn(&mut Extra); 6] = [
        |extra| extra.script.push('x'),
        |extra| extra.source.push('x'),
        |extra| extra.model.sha256.push('x'),
        |extra| extra.model.external.values_mut().for_each(|sha256| sha256.push('x')),
        |extra| extra.model.external = BTreeMap::from([("weights".into(), "cc".into())]),
        |extra| extra.lock.push('x'),
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut other = extra();
        change(&mut other);
        assert!(seen.insert(small.sources(&other).digest), "change {at}");
    }
}

#[test]
fn flags_and_crates_are_part_of_the_digest() {
    let sources = Small::new().sources(&extra());
    assert_eq!(sources.own_digest(), sources.digest);
    let mut seen = BTreeSet::from([sources.digest.clone()]);
    let mut other = sources.clone();
    other.flags.get_mut("rustc").unwrap().push("-O".into());
    assert!(seen.insert(other.own_digest()), "a flag");
    let mut other = sources.clone();
    other.guest.insert("x 1.0.0".into(), CrateIdentity::default());
    assert!(seen.insert(other.own_digest()), "a crate");
    other.guest.get_mut("x 1.0.0").unwrap().features.push("std".into());
    assert!(seen.insert(other.own_digest()), "a feature");
    // Where the checkout is in its history is told beside the digest.
    assert_eq!(Sources { commit: Some("ab".into()), ..sources.clone() }.own_digest(), sources.digest);
}

#[test]
fn files_that_are_added_renamed_or_moved_change_a_tree() {
    let small = Small::new();
    let digest = || Tree::of_crate(&small.root().join("isa"), small.root()).unwrap().digest();
    let mut seen = BTreeSet::from([digest()]);
    small.write("isa/src/b.rs", "");
    assert!(seen.insert(digest()), "an empty file");
    fs::rename(small.root().join("isa/src/b.rs"), small.root().join("isa/src/c.rs")).unwrap();
    assert!(seen.insert(digest()), "its name");
    // The same bytes in a row, cut elsewhere.
    small.write("isa/src/c.rs", "f");
    small.write("isa/src/lib.rs", "n f() {}");
    assert!(seen.insert(digest()), "where one file ends");
}

#[test]
fn what_is_no_source_is_left_out() {
    let small = Small::new();
    let before = small.digest();
    for name in [
        "isa/tests/a.rs",
        "isa/.hidden",
        "isa/target/x",
        "isa/src/__pycache__/x",
        "isa/src/a.log",
        "README.md",
    ] {
        small.write(name, "text");
        assert_eq!(small.digest(), before, "{name}");
    }
    // A file of the user's own above the checkout must not decide what is compiled.
    let inner = tempfile::tempdir_in(small.root()).unwrap();
    fs::create_dir(inner.path().join("src")).unwrap();
    fs::write(inner.path().join("src/a.log"), "text").unwrap();
    assert_eq!(Tree::of_crate(inner.path(), inner.path()).unwrap().files.len(), 1);
}

#[test]
fn the_nearest_gitignore_decides() {
    let small = Small::new();
    small.write("isa/src/kept.log", "text");
    small.write("isa/src/.gitignore", "!kept.log\n");
    let tree = Tree::of_crate(&small.root().join("isa"), small.root()).unwrap();
    let names: Vec<_> = tree.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(names, ["Cargo.toml", "src/.gitignore", "src/kept.log", "src/lib.rs"]);
}

#[test]
fn links_are_refused_wherever_they_lead() {
    for target in ["lib.rs", "..", ".", "/etc/passwd", "nowhere"] {
        let small = Small::new();
        let link = small.root().join("isa/src/link");
        symlink(target, &link).unwrap();
        let error = Tree::of_crate(&small.root().join("isa"), small.root()).unwrap_err();
        assert!(matches!(&error, BuildError::SourceLink { path } if *path == link), "{target}: {error}");
    }
}
