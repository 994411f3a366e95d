//! `verify` and `diff` on builds that are as they should be, that were changed, and that are no builds.

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use common::{FreshCheckout, Ran, build, build_model, model, run, xtask};
use opml_toolchain::file;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The example model, built into a folder of that name.
fn built(places: &TempDir, name: &str) -> PathBuf {
    let out = places.path().join(name);
    build(&mut build_model(common::checkout(), &model("mlp.onnx"), &out));
    out
}

fn places() -> TempDir {
    TempDir::new().expect("there is room")
}

fn command(name: &str, arguments: &[&Path]) -> Ran {
    run(xtask().arg(name).args(arguments))
}

fn manifest(dir: &Path) -> Value {
    let text = fs::read(dir.join(file::MANIFEST)).expect("a build writes a manifest");
    serde_json::from_slice(&text).expect("a manifest is JSON")
}

/// A folder with nothing but the manifest of `dir`, of which `edit` changed something.
fn forged(dir: &Path, to: &Path, edit: impl Fn(&mut Value)) -> PathBuf {
    let mut value = manifest(dir);
    edit(&mut value);
    fs::create_dir_all(to).expect("the folder can be made");
    let path = to.join(file::MANIFEST);
    fs::write(&path, value.to_string()).expect("the file can be written");
    path
}

#[test]
fn a_manifest_alone_can_be_verified() {
    let places = places();
    let alone = forged(&built(&places, "out"), &places.path().join("alone"), |_| ());
    let ran = run(xtask().arg("verify").arg(&alone).args(["--format", "json", "--offline"]));
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    // It was compiled again, with the library: nothing of an earlier build was taken.
    assert!(
        ran.stderr.contains("build core and alloc") && ran.stderr.contains("compile the guest"),
        "{}",
        ran.stderr
    );
    let result = ran.json();
    assert_eq!(result["identical"], json!(true));
    assert_eq!(result["memory_root"], manifest(&places.path().join("out"))["memory_root"]);
    assert_eq!(result["has_root"], Value::Null, "none was given");
}

#[test]
fn a_changed_file_and_another_root_are_found() {
    let places = places();
    let out = built(&places, "out");
    let program = out.join(file::PROGRAM);
    let mut bytes = fs::read(&program).expect("a build writes a program");
    *bytes.last_mut().expect("it is not empty") ^= 1;
    fs::write(&program, bytes).expect("the file can be written");
    let root = format!("0x{}", "12".repeat(32));
    let ran = run(xtask().arg("verify").arg(&out).args(["--against", &root, "--offline"]));
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    let manifest = manifest(&out);
    let expected = [
        "given was changed after it was built: its manifest says otherwise of program.elf",
        "it is none of these",
        manifest["memory_root"].as_str().expect("it is text"),
    ];
    for text in expected {
        assert!(ran.stdout.contains(text), "no `{text}` in: {}", ran.stdout);
    }
}

#[test]
fn a_program_from_elsewhere_is_verified_from_its_file() {
    let places = places();
    let out = built(&places, "out");
    let adopted = places.path().join("adopted");
    let mut image = xtask();
    image.arg("image").arg(out.join(file::PROGRAM)).args(["--name", "x", "--out"]).arg(&adopted);
    assert_eq!(run(&mut image).code, Some(0));
    let ran = command("verify", &[&adopted]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let alone = forged(&adopted, &places.path().join("alone"), |_| ());
    command("verify", &[&alone]).assert_fails(2, &["cannot be made again without its ELF file"]);
}

#[test]
fn diff_names_the_source_that_changed() {
    let (copy, places) = (FreshCheckout::new(), places());
    let out = built(&places, "out");
    assert_eq!(command("diff", &[&out, &out]).code, Some(0));
    // A line more: nothing that is loaded changes, the lines of the debug information do.
    let source = copy.root().join("kernels/src/elementwise.rs");
    let text = fs::read_to_string(&source).expect("the crate has the file");
    fs::write(&source, format!("\n{text}")).expect("the file can be written");
    let other = places.path().join("other");
    assert!(build(&mut build_model(copy.root(), &model("mlp.onnx"), &other)), "another source is compiled");
    let ran = run(xtask().arg("diff").args([&out, &other]).args(["--format", "json"]));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let comparison = &ran.json()["comparison"];
    let files: Vec<_> =
        comparison["files"].as_array().expect("a list").iter().map(|file| &file["name"]).collect();
    assert!(files.contains(&&json!(file::DEBUG)) && !files.contains(&&json!(file::PROGRAM)), "{files:?}");
    assert_eq!(comparison["image"]["pages"], json!(0));
    assert_eq!(comparison["image"]["first_address"], Value::Null);
    let causes = comparison["causes"].as_array().expect("a list");
    assert_eq!(causes.len(), 1, "{causes:?}");
    assert_eq!(
        (&causes[0]["kind"], &causes[0]["what"]),
        (&json!("crate-source"), &json!("opml-kernels 0.1.0"))
    );
}

#[test]
fn diff_of_two_models_names_the_model_first() {
    let places = places();
    let (one, other) = (built(&places, "one"), places.path().join("other"));
    build(&mut build_model(common::checkout(), &model("mlp500.onnx"), &other));
    let ran = command("diff", &[&one, &other]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let causes = ran.stdout.split("made from, likeliest reason first").nth(1).expect("there are causes");
    let kinds: Vec<_> = causes.lines().filter_map(|line| line.split_whitespace().next()).skip(1).collect();
    assert_eq!(kinds, ["model", "generated"], "{}", ran.stdout);
    for text in ["program.elf", ".text", "pages differ", "memory_root"] {
        assert!(ran.stdout.contains(text), "no `{text}` in: {}", ran.stdout);
    }
}

/// A manifest is a stranger's: what is in it must neither be followed nor reach a command line.
#[test]
fn forged_manifests_are_refused() {
    let places = places();
    let out = built(&places, "out");
    let check = |what: &str, edit: &dyn Fn(&mut Value), message: &str| {
        let path = forged(&out, &places.path().join(what), edit);
        command("verify", &[&path]).assert_fails(2, &[message]);
        command("verify", &[path.parent().expect("a folder")]).assert_fails(2, &[message]);
    };
    for name in ["../out/program.elf", "/etc/passwd", "x", "manifest.json"] {
        let edit = |value: &mut Value| value["sha256"][name] = json!("00");
        check("file", &edit, &format!("names a file `{name}`, which is none of a build"));
    }
    check(
        "name",
        &|value| value["name"] = json!("../x"),
        "the manifest's name `../x` is none that a build writes",
    );
    check("name", &|value| value["name"] = json!("--out"), "none that a build writes");
    check("target", &|value| value["target"] = json!("vax"), "the manifest's target `vax`");
    check("version", &|value| value["manifest_version"] = json!(1), "has version 1, expected 2");
    check("field", &|value| value["shell"] = json!("x"), "is not the manifest of a build");
    check("kind", &|value| *value = json!([1]), "is not the manifest of a build");
    let model = |value: &mut Value| value["model"]["sha256"] = json!("00");
    let path = forged(&out, &places.path().join("model"), model);
    command("verify", &[&path]).assert_fails(2, &["no file with the manifest's SHA-256 of the model, 00"]);
    // The compilers of a lock that nobody here knows are not fetched on a stranger's word.
    let lock = "ab".repeat(32);
    let path =
        forged(&out, &places.path().join("lock"), |value| value["toolchain"]["lock_sha256"] = json!(lock));
    let expected =
        [&*format!("toolchain of another lock, {lock}, which is not known here"), "toolchain import"];
    command("verify", &[&path]).assert_fails(2, &expected);
    let large = places.path().join("large.json");
    fs::write(&large, " ".repeat((4 << 20) + 1)).expect("there is room");
    command("verify", &[&large]).assert_fails(2, &["it has more than 4194304 bytes"]);
}

#[test]
fn what_cannot_be_read_or_built_is_told_apart() {
    let places = places();
    let out = built(&places, "out");
    let nothing = places.path().join("nothing");
    command("verify", &[&nothing]).assert_fails(2, &["cannot read", "build-model"]);
    command("diff", &[&out, places.path()]).assert_fails(2, &["cannot read"]);
    let mut wrong = xtask();
    wrong.arg("verify").arg(&out).arg("--source").arg(places.path());
    run(&mut wrong).assert_fails(2, &["is no checkout of this project"]);
    let mut wrong = xtask();
    wrong.arg("verify").arg(&out).arg("--model").arg(model("mlp500.onnx"));
    run(&mut wrong).assert_fails(2, &["is not the model of the manifest", "expected", "got"]);
    // A link in the place of a file could lead to one that is there for ever.
    let program = out.join(file::PROGRAM);
    fs::remove_file(&program).expect("it is there");
    symlink("/dev/zero", &program).expect("a link can be made");
    command("diff", &[&out, &out]).assert_fails(2, &["program.elf", "it is no ordinary file"]);
}

#[test]
fn a_loop_of_links_among_sources_is_refused() {
    let (copy, places) = (FreshCheckout::new(), places());
    symlink(".", copy.root().join("kernels/src/loop")).expect("a link can be made");
    let mut command = build_model(copy.root(), &model("mlp.onnx"), &places.path().join("out"));
    run(&mut command).assert_fails(2, &["kernels/src/loop is a symbolic link", ".gitignore"]);
}
