//! A model with weights in a file beside it and an input that is made a constant, as its user meets it.

mod common;

use std::fs;
use std::path::Path;

use common::{Ran, build_model, manifest, outputs, run, xtask};

/// A field with a length (protobuf's encoding guide).
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len();
    assert!(number < 16 && len < 1 << 14);
    [&[number << 3 | 2, len as u8 | 0x80, (len >> 7) as u8], content].concat()
}

fn number(field: u8, value: u8) -> Vec<u8> {
    vec![field << 3, value]
}

/// An input or output of ONNX's type `dtype`.
fn value(name: &str, dtype: u8, dims: &[u8]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|&d| field(1, &number(1, d))).collect();
    let tensor = [number(1, dtype), field(2, &dims)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

fn node(operator: &str, inputs: [&str; 2], output: &str) -> Vec<u8> {
    let inputs = inputs.map(|name| field(1, name.as_bytes())).concat();
    [inputs, field(2, output.as_bytes()), field(4, operator.as_bytes())].concat()
}

/// `x` [1, 2] times weights [2, 4] in the file `inner/weights`, in the shape that the input `sizes` says.
fn model() -> Vec<u8> {
    let entry =
        |key: &str, value: &str| field(13, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat());
    let place = [entry("location", "inner/weights"), entry("offset", "4"), entry("length", "32")].concat();
    let weights = [number(1, 2), number(1, 4), number(2, 1), field(8, b"w"), place, number(14, 1)].concat();
    let graph = [
        field(1, &node("MatMul", ["x", "w"], "product")),
        field(1, &node("Reshape", ["product", "sizes"], "y")),
        field(5, &weights),
        field(11, &value("x", 1, &[1, 2])),
        field(11, &value("sizes", 7, &[2])),
        field(12, &value("y", 1, &[2, 2])),
    ];
    [number(1, 8), field(7, &graph.concat()), field(8, &number(2, 17))].concat()
}

/// Writes the model, its weights and an input into `folder`.
fn write(folder: &Path) {
    let weights = [9.0f32, 0.0, 0.25, 0.5, 1.0, 1.0, 0.5, 0.0, -1.0];
    fs::create_dir_all(folder.join("inner")).expect("there is room");
    for (name, bytes) in [
        ("model.onnx", model()),
        ("inner/weights", weights.map(f32::to_le_bytes).concat()),
        ("x.json", b"[1, 0.5]".to_vec()),
    ] {
        fs::write(folder.join(name), bytes).expect("the file can be written");
    }
}

fn verify(out: &Path, model: &Path) -> Ran {
    run(xtask().arg("verify").arg(out).arg("--model").arg(model).arg("--offline"))
}

#[test]
fn a_model_of_several_files_is_built_run_drawn_and_verified() {
    let places = tempfile::tempdir().expect("there is room");
    let [out, model, x] = ["out", "model.onnx", "x.json"].map(|name| places.path().join(name));
    write(places.path());
    let refused = run(&mut build_model(common::checkout(), &model, &out));
    refused.assert_fails(1, &["Reshape (node `y`)", "made a constant with --constant"]);
    let sizes = places.path().join("sizes.bin");
    fs::write(&sizes, [2i64, 2].map(i64::to_le_bytes).concat()).expect("the file can be written");
    let constant = format!("sizes={}", sizes.display());
    let built = run(build_model(common::checkout(), &model, &out).args(["--constant", &constant]));
    assert_eq!(built.code, Some(0), "{}", built.stderr);
    let info = manifest(&outputs(&out));
    let model_info = info.model.expect("it was made from a model");
    assert_eq!(model_info.constants["sizes"], "[2,2]");
    assert_eq!(model_info.external.keys().collect::<Vec<_>>(), ["inner/weights"]);
    assert!(info.rebuild.contains("--constant 'sizes=[2,2]'"), "{}", info.rebuild);

    let png = places.path().join("y.png");
    let ran = run(xtask().arg("run").arg(&out).arg("--input").arg(&x).arg("--png").arg(&png));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.starts_with("y float32 [2, 2]\n 0.5 0.5 0.5 0.5\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("y: from 0, black, to 1, white"), "{}", ran.stdout);
    assert!(fs::read(&png).expect("it was drawn").starts_with(b"\x89PNG"));

    let verified = verify(&out, &model);
    assert_eq!(verified.code, Some(0), "{}{}", verified.stdout, verified.stderr);
    let weights = places.path().join("inner/weights");
    let mut bytes = fs::read(&weights).expect("it was written");
    bytes[0] ^= 1;
    fs::write(&weights, bytes).expect("the file can be written");
    verify(&out, &model).assert_fails(2, &["is not the model of the manifest", "inner/weights"]);
}

/// Before anything is compiled.
#[test]
fn what_does_not_fit_is_refused() {
    let places = tempfile::tempdir().expect("there is room");
    write(places.path());
    let model = places.path().join("model.onnx");
    let given = |constant: &str| {
        let out = places.path().join("out");
        run(build_model(common::checkout(), &model, &out).args(["--constant", constant]))
    };
    given("size=[2,2]").assert_fails(1, &["the model has no input `size`; it has: x, sizes"]);
    given("sizes=[2,2,1]").assert_fails(2, &["input `sizes` is [2]; the file holds [3]"]);
    given("sizes=[2,0.5]").assert_fails(2, &["the constant `sizes`", "is 0.5, which int64 does not hold"]);
    given("x=[1,1]").assert_fails(1, &["Reshape (node `y`)"]);
    given("sizes=absent.npy").assert_fails(2, &["absent.npy: there is no such file"]);
    given("sizes").assert_fails(2, &["write it as NAME=FILE"]);
    fs::remove_file(places.path().join("inner/weights")).expect("it was written");
    given("sizes=[2,2]").assert_fails(2, &["cannot read", "inner/weights"]);
}
