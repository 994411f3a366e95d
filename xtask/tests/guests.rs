//! `build-model` of guests that somebody wrote, and `new`.
//!
//! | what it catches | test |
//! |---|---|
//! | a choice of cargo's that does nothing | `binaries_features_and_profiles_are_chosen` |
//! | warnings that are lost, now or the second time | the same |
//! | a failure without a name and a place | `failures_are_named` |
//! | a root that depends on where the guest lies | `a_guest_is_the_same_anywhere` |
//! | a guest that cannot be verified, or one that is when it was changed | `a_guest_is_verified` |
//! | a misspelt option that does nothing, messages of the compiler in other words | `what_is_wrong_is_told` |
//! | C that a build script compiles for another machine, or not into the guest | `rust_and_c_call_each_other` |
//! | a new guest that does not build | `a_new_guest_builds`, `a_new_guest_in_c_is_built_and_verified` |

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Ran, checkout, manifest, model, outputs, require_toolchain, run, xtask};
use tempfile::TempDir;

/// A package with a library, two binaries, a feature and a profile.
struct Guest {
    dir: TempDir,
}

const MANIFEST: &str = r#"
[package]
name = "sample"
version = "0.1.0"
edition = "2024"
default-run = "count"

[features]
loud = []

[dependencies]
opml-runtime = { path = "RUNTIME", features = ["guest"] }

[profile.checked]
inherits = "dev"
opt-level = 1

[workspace]
"#;

const LIBRARY: &str = r#"
#![no_std]
extern crate alloc;
use alloc::collections::BTreeMap;
use core::sync::atomic::{AtomicU32, Ordering};

static CALLS: AtomicU32 = AtomicU32::new(0);

/// How often each letter is in a text, the most frequent first; and how often this was asked.
pub fn letters(text: &str) -> (alloc::vec::Vec<(char, u32)>, u32) {
    let mut counts = BTreeMap::new();
    text.chars().for_each(|letter| *counts.entry(letter).or_default() += 1);
    let mut all: alloc::vec::Vec<_> = counts.into_iter().collect();
    all.sort_by_key(|&(_, count)| core::cmp::Reverse(count));
    (all, CALLS.fetch_add(1, Ordering::SeqCst) + 1)
}
"#;

const COUNT: &str = r#"#![no_std]
#![no_main]
extern crate alloc;

#[opml_runtime::entry]
fn main(text: alloc::string::String) -> alloc::string::String {
    let unused = 1;
    let checked = if cfg!(debug_assertions) { "checked" } else { "plain" };
    let loud = if cfg!(feature = "loud") { "!" } else { "" };
    opml_runtime::println!("{} letters", text.len());
    // To write a float takes instructions that the VM has not.
    alloc::format!("{:?} {:.2} {checked}{loud}", sample::letters(&text), text.len() as f64 / 3.0)
}
"#;

const FAIL: &str = r#"#![no_std]
#![no_main]
extern crate alloc;

#[opml_runtime::entry]
fn main(how: alloc::string::String) -> Result<(), &'static str> {
    match how.as_str() {
        "index" => { let at = how.len(); assert_ne!(how.as_bytes()[at], 0) }
        "heap" => drop(core::hint::black_box(alloc::vec::Vec::<u8>::with_capacity(2_000_000_000))),
        "divide" => assert_ne!(1 / (how.len() - 6), 3),
        _ => return Err("asked for nothing that is known"),
    }
    Ok(())
}
"#;

impl Guest {
    fn new() -> Self {
        require_toolchain();
        let guest = Self { dir: tempfile::tempdir().expect("there is room") };
        let runtime = checkout().join("runtime").display().to_string();
        guest.write("Cargo.toml", &MANIFEST.replace("RUNTIME", &runtime));
        // The versions that are there.
        fs::copy(checkout().join("Cargo.lock"), guest.path().join("Cargo.lock"))
            .expect("the lock can be copied");
        guest.write("src/lib.rs", LIBRARY);
        guest.write("src/bin/count.rs", COUNT);
        guest.write("src/bin/fail.rs", FAIL);
        guest
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("sample")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("the folder can be made");
        fs::write(path, text).expect("the file can be written");
    }

    /// Builds it to the folder `out` beside it.
    fn build(&self, out: &str, more: &[&str]) -> (PathBuf, Ran) {
        let out = self.dir.path().join(out);
        let ran = run(xtask().arg("build-model").arg(self.path()).arg("--out").arg(&out).args(more));
        (out, ran)
    }

    /// Runs the program in `built` on a text.
    fn run(&self, built: &Path, text: &str) -> Ran {
        let input = self.dir.path().join("input");
        fs::write(&input, text).expect("the file can be written");
        run(xtask().arg("run").arg(built).arg("--input").arg(&input).args(["--format", "json"]))
    }

    /// What it gives for a text, as text.
    fn gives(&self, built: &Path, text: &str) -> String {
        let ran = self.run(built, text);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let values = ran.json()["outputs"][0]["values"].as_array().expect("an output").clone();
        let bytes = values.iter().map(|value| value.as_u64().expect("a byte") as u8).collect();
        String::from_utf8(bytes).expect("it gives text")
    }
}

#[test]
fn binaries_features_and_profiles_are_chosen() {
    let guest = Guest::new();
    let (plain, ran) = guest.build("plain", &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("unused variable: `unused`"), "no warning in: {}", ran.stderr);
    assert!(ran.stderr.contains("--> src/bin/count.rs:7:9"), "no place in: {}", ran.stderr);
    let (again, ran) = guest.build("again", &[]);
    assert!(ran.stderr.contains("unused variable: `unused`"), "no warning in: {}", ran.stderr);
    assert_eq!(manifest(&outputs(&again)), manifest(&outputs(&plain)));
    assert_eq!(guest.gives(&plain, "abba"), "([('a', 2), ('b', 2)], 1) 1.33 plain");
    let (other, ran) = guest
        .build("other", &["--bin", "count", "--features", "loud", "--profile", "checked", "--name", "x"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(guest.gives(&other, "b"), "([('b', 1)], 1) 0.33 checked!");
    let said = manifest(&outputs(&other));
    let command = "cargo xtask build-model sample --target cannon32 --bin=count --features=loud --profile=checked --name x";
    assert_eq!(said.rebuild, command);
    let sources = said.sources.expect("it was built here");
    assert_eq!(sources.guest["sample 0.1.0"].features, ["loud"]);
    assert!(sources.flags["cargo profile"].contains(&"opt-level=1".to_owned()), "{:?}", sources.flags);
}

#[test]
fn failures_are_named() {
    let guest = Guest::new();
    let (built, ran) = guest.build("fail", &["--bin", "fail"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let said = |how: &str, messages: &[&str]| {
        let input = guest.dir.path().join("input");
        fs::write(&input, how).expect("the file can be written");
        run(xtask().arg("run").arg(&built).arg("--input").arg(&input)).assert_fails(1, messages);
    };
    said("index", &["src/bin/fail.rs:8:53", "the len is 5 but the index is 5"]);
    said("heap", &["memory allocation of 2000000000 bytes failed"]);
    said("divide", &["src/bin/fail.rs:10:32", "attempt to divide by zero"]);
    said("?", &["error: asked for nothing that is known"]);
    let none = run(xtask().arg("run").arg(&built));
    none.assert_fails(1, &["the program takes 1 tensors, the input has 0"]);
}

/// What is compiled has the same names wherever it lies, the paths in its Cargo.toml aside.
#[test]
fn a_guest_is_the_same_anywhere() {
    let (one, other) = (Guest::new(), Guest::new());
    let runtime = checkout().join("xtask/../runtime").display().to_string();
    other.write("Cargo.toml", &MANIFEST.replace("RUNTIME", &runtime));
    let manifests = [&one, &other].map(|guest| {
        let (built, ran) = guest.build("out", &[]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        manifest(&outputs(&built))
    });
    assert_eq!(manifests[0].sha256, manifests[1].sha256);
    let sources = manifests.map(|manifest| manifest.sources.expect("it was built here"));
    assert_ne!(sources[0].guest["sample 0.1.0"].sha256, sources[1].guest["sample 0.1.0"].sha256);
}

#[test]
fn a_guest_is_verified() {
    let guest = Guest::new();
    let (built, ran) = guest.build("out", &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let verify = |more: &[&str]| run(xtask().arg("verify").arg(&built).args(more));
    let folder = guest.path().display().to_string();
    let same = verify(&["--guest", &folder]);
    assert_eq!(same.code, Some(0), "{}{}", same.stdout, same.stderr);
    verify(&[]).assert_fails(2, &["no folder with the manifest's tree hash of sample 0.1.0", "--guest"]);
    guest.write("src/lib.rs", &LIBRARY.replace("+ 1", "+ 2"));
    verify(&["--guest", &folder]).assert_fails(2, &["is not the guest of the manifest"]);
}

#[test]
fn what_is_wrong_is_told() {
    let guest = Guest::new();
    let refused = |code: i32, more: &[&str], messages: &[&str]| {
        let (out, ran) = guest.build("out", more);
        ran.assert_fails(code, messages);
        assert!(!out.exists(), "something was written");
    };
    refused(2, &["--bin", "sum"], &["no binary `sum`", "--bin: count, fail"]);
    refused(2, &["--profile", "fast"], &["no profile `fast`", "dev, release, checked"]);
    refused(2, &["--features", "quiet"], &["cannot resolve the package", "quiet"]);
    guest.write("src/bin/count.rs", &COUNT.replace("let unused = 1", "let unused: u8 = \"\""));
    refused(1, &[], &["error[E0308]: mismatched types", "--> src/bin/count.rs:7:22", "does not compile"]);
    guest
        .write("src/bin/count.rs", &COUNT.replace("text: alloc", "text: u8, other: Option<u8>, more: alloc"));
    refused(1, &[], &["`Option<u8>` is no tensor"]);
    guest.write("src/bin/count.rs", "#![no_std]\nuse opml_runtime as _;\n");
    refused(1, &[], &["no function that is the program", "#[opml_runtime::entry]"]);
    let runtime = checkout().join("runtime").display().to_string();
    let wrong = MANIFEST.replace("RUNTIME", &runtime) + "[package.metadata.opml]\nmodel = \"a.onnx\"\n";
    guest.write("Cargo.toml", &wrong);
    refused(2, &[], &["unknown field `model`"]);
}

/// A binary in Rust that calls C, and one in C that calls Rust.
#[test]
fn rust_and_c_call_each_other() {
    let guest = Guest::new();
    let folder = |name: &str| checkout().join(name).display().to_string();
    let manifest = MANIFEST.replace("RUNTIME", &folder("runtime")).replace(
        "[profile",
        &format!(
            "opml-libc = {{ path = \"{}\" }}\n\n[build-dependencies]\ncc = \"1\"\n\n[profile",
            folder("libc")
        ),
    );
    guest.write("Cargo.toml", &manifest);
    guest.write("build.rs", "fn main() { cc::Build::new().file(\"c/both.c\").compile(\"both\"); }\n");
    guest.write(
        "c/both.c",
        "#include <opml.h>\n#include <stdio.h>\n#include <stdint.h>\n\
        extern uint32_t twice(uint32_t);\n\
        uint32_t squared(uint32_t x) { return x * x; }\n\
        int main(void) { printf(\"%u\\n\", twice(21)); return 0; }\n",
    );
    let head = "#![no_std]\n#![no_main]\nuse opml_libc as _;\n";
    let own = "#[unsafe(no_mangle)]\npub extern \"C\" fn twice(x: u32) -> u32 { 2 * x }\n";
    let rust = format!(
        "{head}{own}unsafe extern \"C\" {{ safe fn squared(x: u32) -> u32; }}\n\
        #[opml_runtime::entry]\nfn main() -> i32 {{ squared(12) as i32 }}\n\
        #[unsafe(no_mangle)]\nextern \"C\" fn unused() {{}}\n"
    );
    guest.write("src/bin/count.rs", &rust);
    guest.write("src/bin/fail.rs", &format!("{head}{own}use opml_runtime as _;\nopml_libc::c_main!();\n"));
    let (rust, ran) = guest.build("rust", &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let result = run(xtask().arg("run").arg(&rust).args(["--format", "json"]));
    assert_eq!(result.json()["outputs"][0]["values"][0], 144, "{}", result.stderr);
    let (c, ran) = guest.build("c", &["--bin", "fail"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let result = run(xtask().arg("run").arg(&c).args(["--format", "json"]));
    assert_eq!(result.json()["stdout"], "42\n", "{}", result.stderr);
}

#[test]
fn a_new_guest_in_c_is_built_and_verified() {
    require_toolchain();
    let dir = tempfile::tempdir().expect("there is room");
    let [folder, out] = ["greeter", "out"].map(|name| dir.path().join(name));
    let made = run(xtask().arg("new").arg(&folder).args(["--lang", "c"]));
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let ran = run(xtask().arg("build-model").arg(&folder).arg("--out").arg(&out));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let same = run(xtask().arg("verify").arg(&out).arg("--guest").arg(&folder));
    assert_eq!(same.code, Some(0), "{}{}", same.stdout, same.stderr);
}

#[test]
fn a_new_guest_builds() {
    require_toolchain();
    let dir = tempfile::tempdir().expect("there is room");
    let folder = dir.path().join("digits");
    let new = |more: &[&str]| run(xtask().arg("new").arg(&folder).args(more));
    let made = new(&["--model", &model("mlp.onnx").display().to_string()]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    new(&[]).assert_fails(2, &["is there already"]);
    let out = dir.path().join("out");
    let ran = run(xtask().arg("build-model").arg(&folder).arg("--out").arg(&out));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let digit = model("digits/7_0002.png").display().to_string();
    let typed = format!("float32[1,1,28,28]:{digit}");
    let ran = run(xtask().arg("run").arg(&out).args(["--input", &typed, "--format", "json"]));
    assert_eq!(ran.json()["outputs"][0]["arg_max"], 7, "{}{}", ran.stdout, ran.stderr);
    let wrong = run(xtask().arg("run").arg(&out).args(["--input", &format!("float[784]:{digit}")]));
    wrong.assert_fails(2, &["`float[784]` is no type of a tensor"]);
}
