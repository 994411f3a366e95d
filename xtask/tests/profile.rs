//! `profile` as its users see it.
//!
//! | what it catches | test |
//! |---|---|
//! | a profile of another run than the one `run` makes, or of another one each time | `a_profile_is_the_run_and_always_the_same` |
//! | tables without what they are for | `the_tables_name_functions_lines_and_nodes` |
//! | a program without symbols that has no profile | `a_program_of_image_is_profiled_by_address` |
//! | names of another program, a run that was not made | `what_cannot_be_profiled_is_refused` |

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use common::{Ran, build, build_model, checkout, copy_tree, model, run, xtask};
use opml_toolchain::file;

/// `mlp.onnx`, built once per process.
fn mlp() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("profile/mlp");
        build(&mut build_model(checkout(), &model("mlp.onnx"), &out));
        out
    })
}

fn digit() -> PathBuf {
    model("digits/7_0002.png")
}

fn profile(dir: &Path, more: &[&str]) -> Ran {
    run(xtask().arg("profile").arg(dir).arg("--input").arg(digit()).args(more))
}

#[test]
fn a_profile_is_the_run_and_always_the_same() {
    let places = tempfile::tempdir().expect("there is room");
    let ran = run(xtask().arg("run").arg(mlp()).arg("--input").arg(digit()).args(["--format", "json"]));
    let steps = ran.json()["steps"].clone();
    let files = || {
        let [svg, txt] = ["flame.svg", "folded.txt"].map(|name| places.path().join(name));
        let [svg_arg, txt_arg] = [&svg, &txt].map(|path| path.to_str().expect("a path in text"));
        let ran = profile(mlp(), &["--format", "json", "--flame", svg_arg, "--folded", txt_arg]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert_eq!((&ran.json()["profile"]["steps"], &ran.json()["program"]), (&steps, &"mlp".into()));
        let read = |path: &Path| fs::read_to_string(path).expect("the file was written");
        (ran.stdout, read(&svg), read(&txt))
    };
    let (json, svg, folded) = files();
    assert!(svg.ends_with("</svg>\n") && svg.contains("opml_guest::main"), "{svg}");
    assert!(folded.lines().any(|line| line.starts_with("opml_main;opml_guest::main")), "{folded}");
    assert!((json, svg, folded) == files(), "two profiles of the same run differ");
}

#[test]
fn the_tables_name_functions_lines_and_nodes() {
    let ran = profile(mlp(), &["--top", "2"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for expected in [
        "calls  function\n",
        "steps          line\n",
        "PackedMatMul  /1/Gemm\n",
        "outside",
        "more functions with",
    ] {
        assert!(ran.stdout.contains(expected), "no `{expected}` in:\n{}", ran.stdout);
    }
    assert!(!ran.stdout.contains("/2/Relu"), "more than two nodes:\n{}", ran.stdout);
}

#[test]
fn a_program_of_image_is_profiled_by_address() {
    let places = tempfile::tempdir().expect("there is room");
    let out = places.path().join("image");
    let made = run(xtask().arg("image").arg(mlp().join(file::PROGRAM)).arg("--out").arg(&out));
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    // Without a manifest that says what it takes, the program gets the file's bytes as they are, and refuses them.
    let ran = profile(&out, &["--format", "json"]);
    ran.assert_fails(1, &["the program failed (exit code 2)"]);
    let with_manifest = places.path().join("with-manifest");
    copy_tree(mlp(), &with_manifest);
    fs::remove_file(with_manifest.join(file::DEBUG)).expect("it was copied");
    let ran = profile(&with_manifest, &["--format", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let profile = &ran.json()["profile"];
    assert_eq!((&profile["nodes"], &profile["outside_nodes"]), (&serde_json::json!([]), &profile["steps"]));
    let functions = profile["functions"].as_array().expect("a list");
    assert!(
        functions.len() > 5
            && functions.iter().all(|f| f["name"].as_str().is_some_and(|n| n.starts_with("0x000")))
    );
    let own = functions.iter().filter_map(|function| function["self"].as_u64());
    assert_eq!(Some(own.sum()), profile["steps"].as_u64());
}

#[test]
fn what_cannot_be_profiled_is_refused() {
    let places = tempfile::tempdir().expect("there is room");
    let out = places.path().join("mlp");
    copy_tree(mlp(), &out);
    let mut elf = fs::read(out.join(file::DEBUG)).expect("it was copied");
    // The first instruction.
    elf[0x1003] ^= 1;
    fs::write(out.join(file::DEBUG), elf).expect("it can be written");
    profile(&out, &[]).assert_fails(1, &["has other code at 0x10000 than the prestate beside it"]);
    profile(mlp(), &["--max-steps", "1000"])
        .assert_fails(2, &["did not end within 1000 steps", "--max-steps"]);
    run(xtask().arg("profile").arg(mlp())).assert_fails(2, &["--input"]);
}
