//! Quantisation of a small network that names digits.

use std::fs;
use std::path::{Path, PathBuf};

use opml_python::convert::ConvertError;
use opml_python::quantize::{self, Activations, Method, Quantized, Request};
use opml_toolchain::progress::Silent;
use opml_toolchain::provision::Options;

fn mnist(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/mnist").join(path)
}

fn run(calibrate: &Path, labels: Option<&str>, out: &Path) -> Result<Quantized, ConvertError> {
    let text = out.with_extension("labels");
    if let Some(labels) = labels {
        fs::write(&text, labels).unwrap();
    }
    let request = Request {
        model: &mnist("cnn.onnx"),
        calibrate,
        labels: labels.is_some().then_some(text.as_path()),
        out,
        activations: Activations::Int8,
        method: Method::Minmax,
    };
    let offline = Options { offline: true, ..Options::default() };
    quantize::quantize(&request, &offline, &Silent)
}

#[test]
fn digits_are_named_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("cnn.int8.onnx");
    // One picture of each digit, in their order; the last label is wrong on purpose.
    let quantized =
        run(&mnist("digits"), Some("0 1 2 3 4\n5 6 7 8 0\n"), &out).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((quantized.samples, quantized.agreement), (10, 1.0));
    assert_eq!(quantized.accuracy, Some([0.9, 0.9]));
    assert!(
        quantized.max_difference > 0.0 && quantized.max_difference < 0.05 * quantized.max_output,
        "{quantized:?}"
    );
    assert!(quantized.mean_difference < quantized.max_difference, "{quantized:?}");
    assert_eq!(quantized.model.operators["Conv"], 2);
    assert!(
        quantized.model.operators["QuantizeLinear"] > 2 && quantized.model.operators["DequantizeLinear"] > 4
    );
    assert_eq!(quantized.model.opset.keys().collect::<Vec<_>>(), ["ai.onnx"]);
    let size = |path: &Path| fs::metadata(path).unwrap().len();
    assert!(size(&out) < size(&mnist("cnn.onnx")));
}

#[test]
fn samples_that_do_not_fit_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (samples, out) = (folder.path().join("samples"), folder.path().join("out.onnx"));
    fs::create_dir(&samples).unwrap();
    let refused = |labels: Option<&str>| match run(&samples, labels, &out) {
        Err(ConvertError::Refused { what, .. }) => what.replace(&samples.display().to_string(), "DIR"),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(None), "DIR is empty");
    fs::write(samples.join("a.txt"), "1").unwrap();
    assert_eq!(refused(None), "DIR/a.txt has none of the endings .npy, .pb, .bin, .png, .pgm");
    fs::remove_file(samples.join("a.txt")).unwrap();
    fs::write(samples.join("a.bin"), [0; 8]).unwrap();
    assert_eq!(refused(None), "DIR/a.bin has the shape [2]; the input `image` has [1, 28, 28, 1]");
    fs::write(samples.join("a.bin"), [0xff; 28 * 28 * 4]).unwrap();
    assert_eq!(refused(None), "DIR/a.bin holds a NaN");
    fs::write(samples.join("a.bin"), [0; 28 * 28 * 4]).unwrap();
    assert!(refused(Some("1 2")).ends_with("has 2 labels for 1 samples"));
    fs::create_dir(samples.join("b")).unwrap();
    assert_eq!(refused(None), "DIR/b has no file for the input `image`");
    assert!(!out.exists());
}
