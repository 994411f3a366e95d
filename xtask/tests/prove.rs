//! `prove`, `check-proof` and `conform`: proofs of a real run, on the real contract.

mod common;

use std::fs;
use std::path::Path;

use common::{Ran, build, build_model, fixture, model, run, xtask};
use opml_toolchain::provision;
use tempfile::TempDir;

const SET_UP: &str = "the contract is not fetched: `cargo xtask test` fetches it and runs the tests";

/// The built perceptron in a folder of its own.
fn mlp() -> TempDir {
    let options = provision::Options::from_env().expect("OPML_TOOLCHAIN names a provider");
    assert!(opml_onchain::artifacts::find(&options).unwrap_or_else(|e| panic!("{e}")).is_some(), "{SET_UP}");
    let dir = TempDir::new().expect("there is room");
    build(&mut build_model(common::checkout(), &model("mlp.onnx"), &dir.path().join("mlp")));
    dir
}

/// `prove` of steps of the run for one digit, with more arguments.
fn prove(dir: &Path, steps: &str, more: &[&str]) -> Ran {
    let mut command = xtask();
    command.arg("prove").arg(dir.join("mlp")).arg("--input").arg(model("digits/7_0002.png"));
    run(command.args(["--step", steps, "--format", "json"]).args(more))
}

fn check_proof(files: &[&Path]) -> Ran {
    run(xtask().arg("check-proof").args(files).args(["--format", "json"]))
}

#[test]
fn proofs_are_written_checked_and_found_damaged() {
    let dir = mlp();
    let ran = prove(dir.path(), "0,100,5..8,70_000..79_000:3000", &["--check"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let proofs = ran.json()["proofs"].as_array().unwrap().clone();
    let steps: Vec<u64> = proofs.iter().map(|proof| proof["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [0, 5, 6, 7, 100, 70_000, 73_000, 76_000]);
    assert!(proofs.iter().all(|proof| proof["gas"].as_u64().unwrap() > 21_000));
    // Neighbours: the state after one step is the state before the next.
    assert_eq!(proofs[1]["post"], proofs[2]["pre"]);

    let proofs_dir = dir.path().join("mlp/proofs");
    let file = proofs_dir.join("proof-73000.json");
    let ran = check_proof(&[&file, &proofs_dir.join("proof-5.json")]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.json()["proofs"][0]["step"], 73_000);

    let good = fs::read_to_string(&file).unwrap();
    let flipped = |field: &str, at: usize| {
        let at = good.find(field).unwrap_or_else(|| panic!("no {field}")) + field.len() + 5 + at;
        let digit = if &good[at..=at] == "0" { "1" } else { "0" };
        format!("{}{digit}{}", &good[..at], &good[at + 1..])
    };
    let damaged = dir.path().join("damaged.json");
    for (text, message) in [
        (flipped("\"state-data\"", 40), "contradicts itself in its state hash (pre)"),
        (flipped("\"pre\"", 9), "contradicts itself in its state hash (pre)"),
        (flipped("\"proof-data\"", 100), "contradicts itself in its memory of the instruction"),
        (flipped("\"post\"", 30), "the proof's post state is wrong"),
        (good[..good.len() / 2].to_owned(), "not a proof of one step"),
    ] {
        fs::write(&damaged, text).unwrap();
        check_proof(&[&damaged]).assert_fails(1, &[message, "damaged.json"]);
    }
    check_proof(&[&dir.path().join("none.json")]).assert_fails(2, &["could not be read", "none.json"]);
}

/// The README shows what the command prints.
#[test]
fn the_readme_is_true() {
    let dir = mlp();
    let mut command = xtask();
    command.arg("prove").arg(dir.path().join("mlp")).arg("--input").arg(model("digits/7_0002.png"));
    let ran = run(command.args(["--step", "5750,50000", "--check"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let readme = fs::read_to_string(common::checkout().join("README.md")).unwrap();
    assert!(ran.stdout.lines().count() > 6, "{}", ran.stdout);
    // The folder is another one here.
    for line in ran.stdout.lines().filter(|line| !line.contains("proof-N.json")) {
        assert!(
            readme.lines().any(|shown| shown == line),
            "README.md does not have\n{line}\nof\n{}",
            ran.stdout
        );
    }
}

#[test]
fn what_cannot_be_proven_is_said() {
    let dir = mlp();
    prove(dir.path(), "1000000", &[]).assert_fails(1, &["there is no step", "exited with 1 after"]);
    prove(dir.path(), "0..2000000", &[]).assert_fails(2, &["at most 1000000 are made at once"]);
    prove(dir.path(), "5..5", &[]).assert_fails(2, &["no step is in 5..5"]);
    let proofs = dir.path().join("mlp/proofs");
    assert!(!proofs.exists() || fs::read_dir(&proofs).unwrap().next().is_none(), "nothing was written");
}

#[test]
fn a_late_step_is_reached_by_snapshots_that_are_checked() {
    let dir = mlp();
    let late = |more: &[&str]| prove(dir.path(), "50000", &[&["--snapshot-every", "20000"], more].concat());
    let first = late(&[]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let runs = dir.path().join("mlp/proofs/snapshots");
    let run_dir = fs::read_dir(&runs).unwrap().next().unwrap().unwrap().path();
    let mut snapshots: Vec<_> = fs::read_dir(&run_dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    snapshots.sort();
    assert_eq!(snapshots.len(), 2, "at 20,000 and 40,000: {snapshots:?}");
    assert_eq!(late(&["--check"]).json()["proofs"][0]["post"], first.json()["proofs"][0]["post"]);
    // Another claim is another run.
    let claim = format!("0x{}", "11".repeat(32));
    assert_eq!(late(&["--claim", &claim]).code, Some(0));
    assert_eq!(fs::read_dir(&runs).unwrap().count(), 2);
    fs::copy(&snapshots[1], &snapshots[0]).unwrap();
    let bytes = fs::read(&snapshots[1]).unwrap();
    for snapshot in &snapshots {
        fs::write(snapshot, &bytes[..bytes.len() / 2]).unwrap();
    }
    late(&[]).assert_fails(2, &["the snapshot", "cannot be read"]);
}

#[test]
fn conform_covers_the_image_and_a_run() {
    let dir = mlp();
    let mut command = xtask();
    command.arg("conform").arg(dir.path().join("mlp")).arg("--input").arg(model("digits/7_0002.png"));
    let ran = run(command.args(["--steps", "50", "--format", "json"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let shown = ran.json();
    let names: Vec<&str> = shown["image"]["encodings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| kind["mnemonic"].as_str().unwrap())
        .collect();
    assert!(["addiu", "lw", "mult", "syscall", "jr"].iter().all(|name| names.contains(name)), "{names:?}");
    assert!(shown["run"]["system_calls"].as_u64().unwrap() > 790);

    let out = dir.path().join("again");
    let ran = run(build_model(common::checkout(), &fixture("clip_relu6/model.onnx"), &out).arg("--conform"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let json = ran.json();
    assert!(json["conformity"]["steps_compared"].as_u64().unwrap() > 500);
    assert!(json["manifest"]["prestate_hash"].is_string());
}
