//! `inspect`: what a program is made of.
//!
//! | what it catches | test |
//! |---|---|
//! | a part of the program that is not shown, or shown twice | `the_parts_are_those_of_the_manifest` |
//! | names of another program | `symbols_of_another_program_are_refused` |
//! | a script that takes a missing file for an empty program | `what_cannot_be_read_ends_with_2` |

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use common::{Ran, build, build_model, checkout, copy_tree, manifest, model, outputs, run, xtask};
use opml_toolchain::file;
use serde_json::Value;
use tempfile::TempDir;

/// `mlp.onnx`, built once per process.
fn mlp() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("inspect/mlp");
        build(&mut build_model(checkout(), &model("mlp.onnx"), &out));
        out
    })
}

fn inspect(program: &Path, more: &[&str]) -> Ran {
    run(xtask().arg("inspect").arg(program).args(more))
}

/// The numbers under `key` of those entries of a list for which `is_wanted` holds.
fn sum(list: &Value, key: &str, is_wanted: impl Fn(&Value) -> bool) -> u64 {
    let entries = list["listed"].as_array().expect("a list").iter();
    entries.filter(|entry| is_wanted(entry)).map(|entry| entry[key].as_u64().expect("a number")).sum()
}

#[test]
fn the_parts_are_those_of_the_manifest() {
    let ran = inspect(mlp(), &["--format", "json", "--top", "5"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let (json, manifest) = (ran.json(), manifest(&outputs(mlp())));
    let of = |name: &'static str| sum(&json["memory"], "bytes", |area| area["use"] == name);
    let arena = manifest.memory_plan.expect("a model has a plan").arena;
    assert_eq!(of("arena"), arena);
    assert_eq!(of("code"), manifest.sizes.code);
    assert_eq!(of("variables") + arena, manifest.sizes.variables);
    assert_eq!(of("constants") + of("weights"), manifest.sizes.constants);
    assert_eq!(of("weights"), manifest.sizes.weights.expect("a model has weights"));
    assert_eq!(sum(&json["memory"], "bytes", |_| true), 1 << 32);

    let instructions = &json["instructions"];
    let counts = instructions["by_mnemonic"].as_array().expect("a list");
    let words: u64 = counts.iter().map(|one| one["words"].as_u64().expect("a number")).sum();
    assert_eq!((words, words * 4), (instructions["words"].as_u64().unwrap(), manifest.sizes.code));
    assert!(counts.iter().all(|one| one["class"] == "allowed"), "it passed the audit: {counts:?}");
    let symbols = json["symbols"]["listed"].as_array().expect("a list");
    let sizes: Vec<_> = symbols.iter().map(|symbol| symbol["bytes"].as_u64()).collect();
    assert!(sizes.len() == 5 && sizes.is_sorted_by(|a, b| a >= b), "{symbols:?}");
}

#[test]
fn text_has_the_picture_and_the_names() {
    let ran = inspect(mlp(), &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let picture = ran.stdout.lines().find(|line| line.contains('[')).expect("a picture of the memory");
    // Weights take most of the first 64 MiB; the heap starts at 1.5 GiB, and nothing is above the stack.
    assert!(
        picture.contains(&format!("[w{}{}{}]", ".".repeat(23), "h".repeat(8), ".".repeat(32))),
        "{picture}"
    );
    for expected in ["mlp for cannon32", ".text", "opml_guest::ARENA", "addu"] {
        assert!(ran.stdout.contains(expected), "no `{expected}` in: {}", ran.stdout);
    }
    let refused = ran.stdout.lines().find(|line| line.trim_start().starts_with("refused"));
    assert_eq!(refused.map(|line| line.split_whitespace().collect()), Some(vec!["refused", "0", "0.0", "%"]));
}

/// The one that is loaded has no names; the one beside it has, and debug sections besides.
#[test]
fn a_file_alone_can_be_given() {
    let symbols = |name: &str| {
        let ran = inspect(&mlp().join(name), &["--format", "json"]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        ran.json()["symbols"]["count"].as_u64().expect("a number")
    };
    assert_eq!(symbols(file::PROGRAM), 0);
    assert!(symbols(file::DEBUG) > 20);
    let foreign = checkout().join("fuzz/corpus/elf/x86-64-header");
    let ran = inspect(&foreign, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("no instructions: the file is for another processor"), "{}", ran.stdout);
}

#[test]
fn symbols_of_another_program_are_refused() {
    let places = TempDir::new().expect("there is room");
    copy_tree(mlp(), places.path());
    let debug = places.path().join(file::DEBUG);
    let mut bytes = fs::read(&debug).expect("the file was copied");
    // The code comes first in the file, behind the headers.
    bytes[0x1000] ^= 1;
    fs::write(&debug, bytes).expect("the file can be written");
    inspect(places.path(), &[]).assert_fails(2, &["program.debug.elf has other code than the program.elf"]);
    fs::remove_file(&debug).expect("the file was there");
    let ran = inspect(places.path(), &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("no symbols"), "{}", ran.stdout);
}

#[test]
fn what_cannot_be_read_ends_with_2() {
    let places = TempDir::new().expect("there is room");
    inspect(places.path(), &[]).assert_fails(2, &["manifest.json", "build-model"]);
    inspect(&places.path().join("nowhere.elf"), &[]).assert_fails(2, &["cannot read"]);
    let notes = places.path().join("notes.elf");
    fs::write(&notes, "not an ELF file\n").expect("the file can be written");
    inspect(&notes, &["--format", "json"]).assert_fails(2, &["cannot inspect", "not an ELF file"]);
}
