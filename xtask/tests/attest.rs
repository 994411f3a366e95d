//! `attest`: from a key to a signature that holds, and what is done to a folder in between.
//!
//! | what it catches | test |
//! |---|---|
//! | a statement that leaves out a file, or an input of the manifest | `a_statement_says_what_the_manifest_says` |
//! | a claim about a program that nobody here compiled | `an_adopted_program_has_no_builder` |
//! | a changed, missing or added file that nobody sees | `every_file_is_vouched_for` |
//! | a wrong exit code, or an error that does not help | `failures_say_what_to_do` |
//! | signatures of another program beside this one | `signatures_stay_with_their_statement` |
//! | a private key that others can read, or that is overwritten | `a_key_is_made_once` |

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use common::{FILES, Ran, build, build_model, checkout, manifest, model, outputs, run, xtask};
use opml_toolchain::file;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// `mlp.onnx`, built once per process.
fn mlp() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("attest/mlp");
        build(&mut build_model(checkout(), &model("mlp.onnx"), &out));
        out
    })
}

fn attest(action: &str, dir: &Path, key: &Path) -> Ran {
    run(xtask().args(["attest", action]).arg(dir).arg("--key").arg(key))
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("the file was written")).expect("it is JSON")
}

/// A folder with a copy of the program in `mlp/`, signed, and the keys.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("there is room"));
        fs::create_dir(place.dir()).expect("the folder can be made");
        for (name, bytes) in outputs(mlp()) {
            fs::write(place.dir().join(name), bytes).expect("the file can be copied");
        }
        let made = run(xtask().args(["attest", "keygen"]).arg(place.private()));
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        let signed = attest("sign", &place.dir(), &place.private());
        assert_eq!(signed.code, Some(0), "{}", signed.stderr);
        place
    }

    fn dir(&self) -> PathBuf {
        self.0.path().join("mlp")
    }

    fn private(&self) -> PathBuf {
        self.0.path().join("key.pem")
    }

    fn public(&self) -> PathBuf {
        self.0.path().join("key.pub.pem")
    }

    fn verify(&self) -> Ran {
        attest("verify", &self.dir(), &self.public())
    }
}

fn sha256(path: &Path) -> String {
    hex::encode(Sha256::digest(fs::read(path).expect("the file was written")))
}

/// The digest called `algorithm` of the dependency `name`.
fn dependency(statement: &Value, name: &str, algorithm: &str) -> Value {
    let all = statement["predicate"]["buildDefinition"]["resolvedDependencies"].as_array().expect("a list");
    let one = all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    one["digest"][algorithm].clone()
}

#[test]
fn a_statement_says_what_the_manifest_says() {
    let (statement, manifest) = (json(&mlp().join(file::PROVENANCE)), manifest(&outputs(mlp())));
    let subjects = statement["subject"].as_array().expect("a list");
    let named: Vec<&str> = subjects.iter().filter_map(|subject| subject["name"].as_str()).collect();
    assert_eq!(named, [file::MANIFEST, file::META, file::PRESTATE, file::DEBUG, file::PROGRAM, file::SBOM]);
    for (subject, name) in subjects.iter().zip(named) {
        assert_eq!(subject["digest"]["sha256"], json!(sha256(&mlp().join(name))), "{name}");
    }
    let definition = &statement["predicate"]["buildDefinition"];
    assert_eq!(definition["buildType"], "urn:opml-toolchain:build-model:v1");
    let parameters = json!({"source": "mlp.onnx", "program": "mlp", "target": "cannon32"});
    assert_eq!(definition["externalParameters"], parameters);
    let sources = manifest.sources.expect("it was built here");
    assert_eq!(definition["internalParameters"]["flags"], json!(sources.flags));
    let model = manifest.model.expect("it is a model").sha256;
    assert_eq!(dependency(&statement, "mlp.onnx", "sha256"), json!(model));
    for (name, sha256) in sources.files.iter().filter(|(name, _)| *name != "model") {
        assert_eq!(dependency(&statement, name, "sha256"), json!(sha256), "{name}");
    }
    for (name, one) in &sources.guest {
        assert_eq!(dependency(&statement, name, "opmlTree"), json!(one.sha256), "{name}");
        assert_eq!(dependency(&statement, name, "sha256"), json!(one.checksum), "{name}");
    }
    for (folder, tree) in &sources.tool {
        assert_eq!(dependency(&statement, &format!("{folder}/"), "opmlTree"), json!(tree), "{folder}");
    }
    assert_eq!(dependency(&statement, "guest/src/lib.rs", "sha256"), json!(sources.generated));
    if let Some(commit) = sources.commit {
        assert_eq!(dependency(&statement, "checkout", "gitCommit"), json!(commit));
    }
    // What SLSA has fields for, and what would make two statements of the same build differ.
    assert_eq!(statement["predicate"]["runDetails"]["metadata"], Value::Null);
}

#[test]
fn an_adopted_program_has_no_builder() {
    let place = tempfile::tempdir().expect("there is room");
    let ran = run(xtask()
        .arg("image")
        .arg(mlp().join(file::PROGRAM))
        .args(["--name", "theirs", "--out"])
        .arg(place.path()));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let predicate = &json(&place.path().join(file::PROVENANCE))["predicate"];
    let elf = json!({"name": "theirs.elf", "digest": {"sha256": sha256(&mlp().join(file::PROGRAM))}});
    let definition = json!({
        "buildType": "urn:opml-toolchain:image:v1",
        "externalParameters": {"source": "theirs.elf", "program": "theirs", "target": "cannon32"},
        "internalParameters": {},
        "resolvedDependencies": [elf],
    });
    assert_eq!(predicate["buildDefinition"], definition);
    assert_eq!(predicate["runDetails"]["builder"]["id"], "urn:opml-toolchain:builder:image:v1");
}

#[test]
fn every_file_is_vouched_for() {
    let place = Place::new();
    let good = place.verify();
    assert_eq!(good.code, Some(0), "{}", good.stderr);
    assert!(good.stdout.contains("mlp for cannon32"), "{}", good.stdout);
    for name in FILES.into_iter().chain([file::MANIFEST]) {
        let path = place.dir().join(name);
        let bytes = fs::read(&path).expect("the file was written");
        let mut changed = bytes.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        fs::write(&path, changed).expect("the file can be written");
        place.verify().assert_fails(1, &[name]);
        fs::remove_file(&path).expect("the file is there");
        place.verify().assert_fails(1, &[&format!("{name} is missing")]);
        fs::write(&path, bytes).expect("the file can be written");
    }
    fs::create_dir(place.dir().join("proofs")).expect("the folder can be made");
    assert_eq!(place.verify().code, Some(0), "what `prove` writes is no part of the program");
    fs::write(place.dir().join("program.wasm"), "").expect("the file can be written");
    place.verify().assert_fails(1, &["program.wasm is in the folder"]);
    // Nor is it signed away.
    attest("sign", &place.dir(), &place.private()).assert_fails(1, &["program.wasm is in the folder"]);
}

#[test]
fn failures_say_what_to_do() {
    let (place, other) = (Place::new(), Place::new());
    let envelope = place.dir().join(file::ENVELOPE);
    attest("verify", &place.dir(), &other.public()).assert_fails(1, &["no signature is one of the key"]);
    attest("verify", &place.dir(), &place.private())
        .assert_fails(2, &["key.pem", "no public key", "-pubout"]);
    attest("sign", &place.dir(), &place.public()).assert_fails(2, &["key.pub.pem", "no private key"]);
    attest("verify", &place.dir(), &place.dir().join("nowhere.pem")).assert_fails(2, &["nowhere.pem"]);
    let mut signed = json(&envelope);
    signed["payloadType"] = json!("application/json");
    fs::write(&envelope, signed.to_string()).expect("the file can be written");
    place.verify().assert_fails(1, &["application/json", "application/vnd.in-toto+json"]);
    fs::write(&envelope, "{}").expect("the file can be written");
    place.verify().assert_fails(1, &["the envelope cannot be read", "missing field"]);
    fs::remove_file(&envelope).expect("the file is there");
    place.verify().assert_fails(2, &["nobody signed this folder", "attest sign"]);
    fs::remove_file(place.dir().join(file::PROVENANCE)).expect("the file is there");
    attest("sign", &place.dir(), &place.private()).assert_fails(2, &[file::PROVENANCE, "build"]);
}

#[test]
fn signatures_stay_with_their_statement() {
    let (place, other) = (Place::new(), Place::new());
    let envelope = place.dir().join(file::ENVELOPE);
    let ran = attest("sign", &place.dir(), &other.private());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for key in [place.public(), other.public()] {
        let mut command = xtask();
        command.args(["attest", "verify", "--format", "json"]).arg(place.dir()).arg("--key").arg(key);
        let verified = run(&mut command).json();
        assert_eq!(verified["signatures"].as_array().map(Vec::len), Some(2), "{verified}");
        assert_eq!(verified["sha256"][file::PROGRAM], json!(sha256(&mlp().join(file::PROGRAM))));
    }
    // The same again: a damaged file is mended, and what was signed is there again.
    fs::write(place.dir().join(file::META), "{}").expect("the file can be written");
    build(&mut build_model(checkout(), &model("mlp.onnx"), &place.dir()));
    assert_eq!(place.verify().code, Some(0), "{}", place.verify().stderr);
    // Another program: its folder must not look signed.
    let mut renamed = build_model(checkout(), &model("mlp.onnx"), &place.dir());
    build(renamed.args(["--name", "other"]));
    assert!(!envelope.exists(), "an envelope around the statement of another program");
}

#[test]
fn a_key_is_made_once() {
    let dir = tempfile::tempdir().expect("there is room");
    let path = dir.path().join("key.pem");
    let keygen = || run(xtask().args(["attest", "keygen"]).arg(&path));
    let made = keygen();
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let mode = fs::metadata(&path).expect("it was written").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = outputs(dir.path());
    let secret = String::from_utf8_lossy(&before["key.pem"]).into_owned();
    let secret = secret.lines().nth(1).expect("the key's line");
    assert!(!made.stdout.contains(secret) && !made.stderr.contains(secret), "the key is on the screen");
    keygen().assert_fails(2, &["key.pem is there already", "never overwritten"]);
    assert_eq!(outputs(dir.path()), before);
}
