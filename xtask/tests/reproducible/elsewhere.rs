//! A guest is the same whether its crates lie in the workspace, outside of it, in a git repository, in a folder of vendored crates
//! or in a registry.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use opml_toolchain::compare::{Artifacts, Comparison, compare};
use tempfile::TempDir;

use crate::common::{self, FreshCheckout, build, checkout, model};

/// The crate that is moved; others of the guest depend on it.
const MOVED: &str = "softfloat";

/// Builds the example model in the checkout `root`, and compares it with the same of this checkout.
fn compared(root: &Path, out: &Path) -> Comparison {
    let [here, there] = ["here", "there"].map(|name| out.join(name));
    let onnx = model("mlp.onnx");
    build(&mut common::build_model(checkout(), &onnx, &here));
    assert!(build(&mut common::build_model(root, &onnx, &there)), "another checkout is compiled");
    let read = |dir| Artifacts::read(dir).unwrap_or_else(|e| panic!("{e}"));
    compare(&read(&here), &read(&there))
}

/// Every file is the same. What the manifests say of the sources is not: files of the checkout were changed for it.
#[track_caller]
fn assert_same_files(comparison: &Comparison) {
    assert_eq!(comparison.files, [], "{comparison:#?}");
    let fields: Vec<_> = comparison.fields.iter().map(|field| field.field.as_str()).collect();
    assert_eq!(fields, ["sources.digest"]);
}

fn edit(path: &Path, edits: &[(&str, &str)]) {
    let mut text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    for (from, to) in edits {
        assert!(text.contains(from), "`{from}` is not in {}", path.display());
        text = text.replace(from, to);
    }
    fs::write(path, text).expect("the file can be written");
}

/// Moves a crate out of the workspace of `copy` to `place`, with a manifest that needs no workspace.
fn move_out(copy: &FreshCheckout, place: &Path) {
    let crate_dir = copy.root().join(MOVED);
    common::copy_tree(&crate_dir, place);
    fs::remove_dir_all(&crate_dir).expect("the folder can be removed");
    let manifest = place.join("Cargo.toml");
    let inherited = [
        // First, as the next one stands in it.
        ("rust-version.workspace = true", "rust-version = \"1.91\""),
        ("version.workspace = true", "version = \"0.1.0\""),
        ("edition.workspace = true", "edition = \"2024\""),
        ("license.workspace = true", "license = \"MIT OR Apache-2.0\""),
        ("publish.workspace = true", "publish = false"),
        ("[dev-dependencies]\nrayon.workspace = true\n", ""),
        ("[lints]\nworkspace = true\n", "[workspace]\n"),
    ];
    edit(&manifest, &inherited);
}

/// Makes the workspace of `copy` take the crate as `dependency` says.
fn depend(copy: &FreshCheckout, dependency: &str) {
    let edits = [
        ("\"softfloat\", ", ""),
        ("opml-softfloat = { path = \"softfloat\" }", &format!("opml-softfloat = {dependency}")),
    ];
    edit(&copy.root().join("Cargo.toml"), &edits);
}

#[test]
fn a_crate_outside_the_workspace_gives_the_same_bytes() {
    let (copy, places) = (FreshCheckout::new(), TempDir::new().expect("there is room"));
    let place = places.path().join("float library");
    move_out(&copy, &place);
    depend(&copy, &format!("{{ path = '{}' }}", place.display()));
    assert_same_files(&compared(copy.root(), places.path()));
}

#[test]
fn a_crate_from_git_gives_the_same_bytes() {
    let (copy, places) = (FreshCheckout::new(), TempDir::new().expect("there is room"));
    let place = places.path().join("repository");
    move_out(&copy, &place);
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=x", "-c", "user.email=x@x", "-C"]).arg(&place).args(arguments);
        let ran = common::run(&mut command);
        assert_eq!(ran.code, Some(0), "git is needed for this test: {}", ran.stderr);
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "x"]);
    depend(&copy, &format!("{{ git = 'file://{}' }}", place.display()));
    assert_same_files(&compared(copy.root(), places.path()));
}

/// A folder of crates with the three that guests take from the registry, as `cargo vendor` would make it.
fn vendored(copy: &FreshCheckout, dir: &Path) {
    let sources = registry_sources();
    let lock: toml::Table = fs::read_to_string(copy.root().join("Cargo.lock"))
        .expect("a checkout has a lock")
        .parse()
        .expect("a lock is TOML");
    for package in lock["package"].as_array().expect("a lock has packages") {
        let field = |key: &str| package.get(key).and_then(|value| value.as_str()).unwrap_or_default();
        if !["arrayvec", "crunchy", "tiny-keccak"].contains(&field("name")) {
            continue;
        }
        let name = format!("{}-{}", field("name"), field("version"));
        let from = sources.iter().map(|dir| dir.join(&name)).find(|dir| dir.is_dir());
        let from = from.unwrap_or_else(|| panic!("{name} is unpacked: this test was compiled with it"));
        common::copy_tree(&from, &dir.join(&name));
        let checksum = format!("{{\"files\":{{}},\"package\":\"{}\"}}", field("checksum"));
        fs::write(dir.join(&name).join(".cargo-checksum.json"), checksum).expect("the file can be written");
    }
    let configuration = format!(
        "[source.crates-io]\nreplace-with = 'vendored'\n[source.vendored]\ndirectory = '{}'\n",
        dir.display()
    );
    fs::create_dir_all(copy.root().join(".cargo")).expect("the folder can be made");
    fs::write(copy.root().join(".cargo/config.toml"), configuration).expect("the file can be written");
}

/// Where cargo unpacks crates of its registries.
fn registry_sources() -> Vec<PathBuf> {
    let dir = crate::user_folder("CARGO_HOME", ".cargo").join("registry/src");
    let entries = fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    entries.map(|entry| entry.expect("the folder can be listed").path()).collect()
}

/// Nothing of the checkout is another, so the manifest is the same, too.
#[test]
fn vendored_crates_give_the_same_bytes() {
    let (copy, places) = (FreshCheckout::new(), TempDir::new().expect("there is room"));
    vendored(&copy, &places.path().join("vendor"));
    let comparison = compared(copy.root(), places.path());
    assert!(comparison.is_identical(), "{comparison:#?}");
}

#[test]
fn a_crate_from_a_registry_gives_the_same_bytes() {
    let (copy, places) = (FreshCheckout::new(), TempDir::new().expect("there is room"));
    let vendor = places.path().join("vendor");
    vendored(&copy, &vendor);
    let place = vendor.join("opml-softfloat-0.1.0");
    move_out(&copy, &place);
    fs::write(place.join(".cargo-checksum.json"), "{\"files\":{}}").expect("the file can be written");
    depend(&copy, "\"0.1.0\"");
    assert_same_files(&compared(copy.root(), places.path()));
}
