//! A model of 128 MiB is built in not much more memory than its file takes.

mod common;
#[path = "../src/bench/large_model.rs"]
mod large_model;

use std::fs::{self, File};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use common::{build_model, checkout, manifest, outputs, run, xtask};
use opml_toolchain::file;
use serde_json::json;

/// Layers of the model.
const LAYERS: u32 = 2;

/// What a build takes whatever the model: code of the command line and of libraries, and pieces that threads work on.
const ANY_BUILD: u64 = 64 << 20;

/// The most memory that the process had resident so far.
fn peak(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    1024 * kibibytes.unwrap_or(0)
}

#[test]
fn memory_is_bounded_by_the_model() {
    let dir = tempfile::tempdir().expect("there is room");
    let (model, out) = (dir.path().join("large.onnx"), dir.path().join("out"));
    let file = File::create(&model).expect("there is room");
    large_model::write(LAYERS, &mut BufWriter::new(file)).expect("there is room");
    let weights = u64::from(LAYERS) * large_model::LAYER_BYTES;
    assert!(fs::metadata(&model).unwrap().len() > weights);

    let mut command = build_model(checkout(), &model, &out);
    let mut child =
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it was built with its tests");
    let mut most = 0;
    let status = loop {
        most = most.max(peak(child.id()));
        match child.try_wait().expect("a child can be waited for") {
            Some(status) => break status,
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    assert!(status.success(), "{status}");
    assert!(most > weights, "{most} bytes: the build was looked at while it had the model");
    assert!(most < weights / 2 * 3 + ANY_BUILD, "{most} bytes for {weights} of weights");

    let files = outputs(&out);
    let sizes = manifest(&files).sizes;
    let packed = sizes.weights.expect("it is a model");
    assert!((weights..weights / 8 * 9).contains(&packed), "{packed} bytes in the image");
    assert!(sizes.non_zero_pages * 4096 > packed);
    has_its_weights_once(&out);
}

/// They are not in the file with the symbols, which is nevertheless as good for comparisons.
fn has_its_weights_once(out: &Path) {
    let debug = out.join(file::DEBUG);
    assert!(fs::metadata(&debug).unwrap().len() < 8 << 20);
    let audited = run(xtask().arg("audit").arg(&debug));
    assert_eq!(audited.code, Some(1), "{}", audited.stderr);
    assert!(audited.stdout.contains("weights-left-out"), "{}", audited.stdout);

    let changed = out.with_file_name("changed");
    fs::create_dir(&changed).expect("there is room");
    for entry in fs::read_dir(out).expect("it was built") {
        let entry = entry.expect("it was built");
        fs::copy(entry.path(), changed.join(entry.file_name())).expect("there is room");
    }
    let mut program = File::options().write(true).open(changed.join(file::PROGRAM)).expect("it was copied");
    program.seek(SeekFrom::End(-4096)).expect("it has a page");
    program.write_all(&[0x55; 8]).expect("there is room");
    let ran = run(xtask().arg("diff").args([out, &changed]).args(["--format", "json"]));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let image = &ran.json()["comparison"]["image"];
    assert_eq!((&image["pages"], &image["sections"][0]["name"]), (&json!(1), &json!(".opml.weights")));
}
