//! `roots` as its users see it: exit codes, the table, the reasons, and what `--update` writes.
//!
//! Everything happens in a file of its own; that of the checkout is only read.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Ran, checkout, require_toolchain, run, xtask};

/// Runs `roots` on `file`, which is in the way of no other test.
fn roots(file: &Path, more: &[&str]) -> Ran {
    require_toolchain();
    run(xtask().arg("roots").arg("--file").arg(file).args(more))
}

fn pins() -> String {
    fs::read_to_string(checkout().join("roots.toml")).expect("the checkout has pins")
}

/// A file with `text`, and the folder that it goes with.
fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().expect("there is room");
    let path = place.path().join("pins.toml");
    fs::write(&path, text).expect("the file can be written");
    (place, path)
}

#[test]
fn the_pins_of_the_checkout_hold() {
    let ran = roots(&checkout().join("roots.toml"), &[]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("all roots are as pinned"), "{}", ran.stdout);
    for model in ["mlp", "mlp500", "cnn"] {
        assert!(ran.stdout.contains(&format!("{model} ")), "{model} is not in {}", ran.stdout);
    }
}

#[test]
fn a_changed_pin_fails_and_update_mends_it() {
    // With the digests of now: those of the checkout are of the day of its last root.
    let (_place, path) = file(&pins());
    assert_eq!(roots(&path, &["--update"]).code, Some(0));
    let today = fs::read_to_string(&path).expect("it was written");
    let value = |key: &str| {
        let line = today.lines().find_map(|line| line.strip_prefix(&format!("{key} = \"")));
        line.expect("every pin has it").trim_end_matches('"').to_owned()
    };
    let changed = today.replace(&value("memory_root"), &format!("0x{}", "0".repeat(64)));
    let changed = changed.replace(&value("toolchain"), &"0".repeat(64));
    fs::write(&path, &changed).expect("the file can be written");
    let ran = roots(&path, &[]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    for said in ["likeliest cause first", "tool's source  toolchain", "cargo xtask roots --update"] {
        assert!(ran.stdout.contains(said), "no `{said}` in {}", ran.stdout);
    }
    let json = roots(&path, &["--format", "json"]);
    assert_eq!(json.code, Some(1));
    let json = json.json();
    assert_eq!(json["as_pinned"], false);
    let models = json["models"].as_array().expect("a list of models");
    let differing: Vec<_> = models.iter().filter(|model| model["verdict"] == "differs").collect();
    assert_eq!(differing.len(), 1, "{json:#}");
    assert_eq!(differing[0]["causes"][0]["what"], "toolchain");
    assert_eq!(fs::read_to_string(&path).expect("it is there"), changed, "nothing is written unasked");

    let ran = roots(&path, &["--update"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("likeliest cause first"), "{}", ran.stdout);
    assert_eq!(roots(&path, &[]).code, Some(0));
    let written = fs::read_to_string(&path).expect("it is there");
    assert_eq!(roots(&path, &["--update"]).code, Some(0));
    assert_eq!(fs::read_to_string(&path).expect("it is there"), written, "the same roots have the same text");
}

#[test]
fn models_without_pins_and_pins_without_models_fail() {
    let (_place, path) = file(&pins().replace("[built.models.cnn]", "[built.models.other]"));
    let ran = roots(&path, &[]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    for said in ["not pinned", "no such model"] {
        assert!(ran.stdout.contains(said), "no `{said}` in {}", ran.stdout);
    }
    // Without a file nothing is pinned.
    fs::remove_file(&path).expect("it is there");
    assert_eq!(roots(&path, &[]).code, Some(1));
}

#[test]
fn a_file_that_is_none_is_told_before_anything_is_built() {
    let (_place, path) = file("schema = 1\nroot = 1\n");
    roots(&path, &[]).assert_fails(2, &["roots.toml can't be read (line 2)", "root"]);
    let ran = roots(&path, &["--update"]);
    ran.assert_fails(2, &["unknown field"]);
    assert_eq!(fs::read_to_string(&path).expect("it is there"), "schema = 1\nroot = 1\n");
}
