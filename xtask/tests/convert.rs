//! `convert` and `quantize` as their users see them. What they do is tested in `python/tests/`.

mod common;

use common::{checkout, model, run, xtask};
use serde_json::Value;

#[test]
fn a_file_that_runs_programs_is_refused_with_code_1() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("model.onnx");
    let convert = |file: &str| {
        let mut command = xtask();
        command.args(["convert", "--offline"]).arg(checkout().join("python/tests/fixtures").join(file));
        run(command.arg("--out").arg(&out))
    };
    convert("forest.pkl")
        .assert_fails(1, &["can run any program", "--allow-code-execution", "everything that you can"]);
    convert("make_fixtures.py").assert_fails(1, &["none of the formats", "what is converted"]);
    convert("absent.pt2").assert_fails(2, &["can't read", "absent.pt2"]);
    assert!(!out.exists());
}

#[test]
fn arguments_that_cannot_be_understood_end_with_code_2() {
    let convert = |option: &[&str]| run(xtask().args(["convert", "x.pt2", "-o", "x.onnx"]).args(option));
    convert(&["--shape", "1,3"]).assert_fails(2, &["expected NAME=DIMS"]);
    convert(&["--opset", "3"]).assert_fails(2, &["3 is not in 13..=22"]);
}

#[test]
fn quantize_prints_json_alone() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("mlp.int8.onnx");
    let mut command = xtask();
    command.args(["quantize", "--offline", "--format", "json", "--calibrate"]).arg(model("digits"));
    let ran = run(command.arg(model("mlp.onnx")).arg("--out").arg(&out));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["model"]["samples"], 10);
    assert_eq!(report["model"]["accuracy"], Value::Null);
    assert!(out.is_file());
}
