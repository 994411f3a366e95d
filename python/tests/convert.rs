//! Conversions, and files that are refused. `fixtures/make_fixtures.py` and `fixtures/hostile.py` write the files.

use std::path::{Path, PathBuf};

use opml_python::convert::{self, ConvertError, Converted, Kind, Request, Shape};
use opml_python::{PythonError, Requirements};
use opml_toolchain::progress::Silent;
use opml_toolchain::provision::Options;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Tests do without the network: what is missing is an error that says so.
fn offline() -> Options {
    Options { offline: true, ..Options::default() }
}

struct Run {
    out: PathBuf,
    result: Result<(Kind, Converted), ConvertError>,
    _folder: tempfile::TempDir,
}

fn run(name: &str, shapes: &[(&str, &[u64], &str)], allow_code: bool) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("model.onnx");
    let shape = |(name, dims, dtype): &(&str, &[u64], &str)| Shape {
        name: (*name).to_owned(),
        dims: dims.to_vec(),
        dtype: (*dtype).to_owned(),
    };
    let shapes: Vec<Shape> = shapes.iter().map(shape).collect();
    let file = fixture(name);
    let request = Request { file: &file, out: &out, shapes: &shapes, opset: 18, allow_code };
    let result = convert::convert(&request, &offline(), &Silent);
    Run { out, result, _folder: folder }
}

#[track_caller]
fn converted(run: &Run, kind: Kind, inputs: &[(&str, &str, &[u64])], outputs: usize) {
    let (got, converted) = run.result.as_ref().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(*got, kind);
    let named = |(name, dtype, shape): &(&str, &str, &[u64])| format!("{name} {dtype} {shape:?}");
    let ports = converted.model.inputs.iter().map(|port| {
        let shape: Vec<u64> = port.shape.iter().map(|dim| dim.as_u64().expect("a fixed dimension")).collect();
        format!("{} {} {shape:?}", port.name, port.dtype)
    });
    assert_eq!(ports.collect::<Vec<_>>(), inputs.iter().map(named).collect::<Vec<_>>());
    assert_eq!(converted.model.outputs.len(), outputs);
    let compared = &converted.comparison;
    assert!(compared.max_output > 0.01, "{compared:?}");
    assert!(compared.max_difference <= 1e-5 * compared.max_output.max(1.0), "{compared:?}");
    assert_eq!(converted.model.opset["ai.onnx"], 18);
    // ModelProto begins with the version of the format.
    assert_eq!(std::fs::read(&run.out).unwrap()[0], 8);
}

#[track_caller]
fn refused(run: &Run) -> &ConvertError {
    assert!(!run.out.exists());
    run.result.as_ref().map(drop).expect_err("it has to be refused")
}

#[test]
fn exported_programs() {
    let fixed = run("network.pt2", &[], false);
    converted(&fixed, Kind::ExportedProgram, &[("input", "float", &[1, 1, 6, 6])], 1);
    // Two types, a free batch that --shape fixes in one input and that is 1 by default, and two outputs.
    let free = run("mixed.pt2", &[("x", &[5, 4], "float32"), ("ids", &[5, 4], "int64")], false);
    converted(&free, Kind::ExportedProgram, &[("x", "float", &[5, 4]), ("ids", "int64", &[5, 4])], 2);
}

#[test]
fn torchscript_needs_shapes() {
    let done = run("network.torchscript.pt", &[("input", &[2, 1, 6, 6], "float32")], false);
    converted(&done, Kind::Torchscript, &[("input", "float", &[2, 1, 6, 6])], 1);
    let without = run("network.torchscript.pt", &[], false);
    let ConvertError::Refused { what, help } = refused(&without) else { panic!("{:?}", without.result) };
    assert_eq!(what, "the file does not say the shape of its input `input`");
    assert_eq!(help, "say it: --shape input=1,3,32,32");
}

#[test]
fn pickled_modules_with_leave_and_weights_alone_never() {
    let module = run("module.pt", &[("x", &[3, 4], "float32")], true);
    converted(&module, Kind::TorchPickle, &[("input", "float", &[3, 4])], 1);
    let weights = run("weights.pt", &[("x", &[3, 4], "float32")], true);
    let ConvertError::Refused { what, .. } = refused(&weights) else { panic!("{:?}", weights.result) };
    assert!(what.contains("weights alone say nothing about the network"), "{what}");
}

#[test]
fn keras_and_saved_models() {
    let image: (&str, &str, &[u64]) = ("image", "float", &[1, 6, 6, 1]);
    converted(&run("network.keras", &[], false), Kind::Keras, &[image], 1);
    converted(&run("saved_model", &[], false), Kind::SavedModel, &[image], 1);
    let batch = run("network.keras", &[("image", &[4, 6, 6, 1], "float32")], false);
    converted(&batch, Kind::Keras, &[("image", "float", &[4, 6, 6, 1])], 1);
    let allowed = run("lambda.keras", &[], true);
    assert_eq!(allowed.result.unwrap().0, Kind::Keras);

    let wrong = run("network.keras", &[("image", &[1, 5, 6, 1], "float32")], false);
    let ConvertError::Refused { what, .. } = refused(&wrong) else { panic!("{:?}", wrong.result) };
    assert_eq!(what, "the input `image` has the shape [None, 6, 6, 1], and not [1, 5, 6, 1]");
    let unknown = run("network.keras", &[("picture", &[1, 6, 6, 1], "float32")], false);
    let ConvertError::Refused { what, .. } = refused(&unknown) else { panic!("{:?}", unknown.result) };
    assert_eq!(what, "--shape names picture; the model's inputs are image");
}

#[test]
fn estimators() {
    let forest = run("forest.pkl", &[], true);
    converted(&forest, Kind::Sklearn, &[("input", "float", &[1, 4])], 2);
    let ridge = run("ridge.joblib", &[("input", &[7, 4], "float32")], true);
    converted(&ridge, Kind::Sklearn, &[("input", "float", &[7, 4])], 1);
    let list = run("list.pkl", &[], true);
    let ConvertError::Refused { what, .. } = refused(&list) else { panic!("{:?}", list.result) };
    assert_eq!(what, "the file holds a list");
}

/// Each is refused before its framework is asked, so no environment is needed.
#[test]
fn programs_are_not_run_without_leave() {
    let pickle = "it is a pickle, which is a program";
    for (name, kind, reason) in [
        ("forest.pkl", Kind::Sklearn, pickle),
        ("ridge.joblib", Kind::Sklearn, pickle),
        ("module.pt", Kind::TorchPickle, pickle),
        ("weights.pt", Kind::TorchPickle, pickle),
        ("old.pt", Kind::TorchPickle, pickle),
        ("lambda.keras", Kind::Keras, "it has a Lambda layer, which is a function of Python"),
        ("foreign.keras", Kind::Keras, "it calls os.system"),
        ("calls_system.pt2", Kind::ExportedProgram, "it calls torch.os.system"),
        ("evaluates.pt2", Kind::ExportedProgram, "it evaluates __import__('os').getpid()"),
        ("pickled_weights.pt2", Kind::ExportedProgram, "it holds a pickle"),
        ("library.pt2", Kind::ExportedProgram, "it holds machine code (network/data/aotinductor/model/x.so)"),
        ("saves.torchscript.pt", Kind::Torchscript, "it calls torch.save"),
    ] {
        let run = run(name, &[], false);
        let ConvertError::RunsCode { kind: got, reasons, .. } = refused(&run) else {
            panic!("{name}: {:?}", run.result)
        };
        assert_eq!((*got, reasons.as_slice()), (kind, &[reason.to_owned()][..]), "{name}");
    }
}

/// The loader of exported programs reads a sample of the inputs, and runs conditions on them.
#[test]
fn what_loading_a_program_would_run_is_kept_from_it() {
    let sample = run("pickled_sample.pt2", &[], false);
    let ConvertError::Python(PythonError::Script { tail, .. }) = refused(&sample) else {
        panic!("{:?}", sample.result)
    };
    assert!(tail.contains("Weights only load failed") && !tail.contains("the pickle was run"), "{tail}");
    let guard = run("guard.pt2", &[], false);
    converted(&guard, Kind::ExportedProgram, &[("input", "float", &[1, 1, 6, 6])], 1);
}

#[test]
fn other_files_are_named() {
    for (name, expected) in [
        ("make_fixtures.py", "none of the formats"),
        ("twice.pt2", "damaged: two members of the archive have one name"),
        ("../fixtures", "a folder without saved_model.pb"),
    ] {
        let run = run(name, &[], false);
        let ConvertError::Unknown { what, .. } = refused(&run) else { panic!("{name}: {:?}", run.result) };
        assert_eq!(what, expected, "{name}");
    }
    let missing = run("absent.pt2", &[], false);
    let error = refused(&missing);
    assert!(matches!(error, ConvertError::Python(PythonError::Io { doing: "read", .. })), "{error:?}");
}

#[test]
fn without_the_network_what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { cache_dir: Some(folder.path().to_owned()), ..offline() };
    let error = opml_python::ensure(&Requirements::SKLEARN, &options, &Silent).unwrap_err();
    assert!(matches!(error, PythonError::Offline { environment: "sklearn", .. }), "{error:?}");
    let options = Options { search_path: Some(folder.path().into()), ..offline() };
    let error = opml_python::ensure(&Requirements::SKLEARN, &options, &Silent).unwrap_err();
    assert!(matches!(&error, PythonError::NoPython { found } if found.is_empty()), "{error:?}");
}
