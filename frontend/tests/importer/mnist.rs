//! The example models on the 200 recorded digits, and as a user gives them.

use std::fs;
use std::path::{Path, PathBuf};

use opml_abi::Tensor;
use opml_abi::{DataType, TensorInfo};
use opml_frontend::tensor_file;

use crate::support::import;

/// The models that classify digits.
const MODELS: [&str; 2] = ["cnn", "mlp"];

/// A path in the folder of these models.
fn mnist(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/mnist").join(name)
}

const DIGITS: usize = 200;
const PIXELS: usize = 28 * 28;

/// The bytes behind the header, which numpy pads to 128 bytes, of an array of uint8.
fn array_of_bytes(name: &str, shape: &str) -> Vec<u8> {
    let bytes = fs::read(mnist(name)).unwrap();
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}");
    assert!(String::from_utf8_lossy(&bytes[..128]).contains(&header), "{name}");
    bytes[128..].to_vec()
}

fn pictures() -> Vec<Vec<f32>> {
    let pixels = array_of_bytes("testdata/inputs.npy", "(200, 28, 28)");
    let pictures: Vec<Vec<f32>> = pixels
        .chunks(PIXELS)
        .map(|digit| digit.iter().map(|&pixel| f32::from(pixel) / 255.0).collect())
        .collect();
    assert_eq!(pictures.len(), DIGITS);
    pictures
}

fn largest(row: &[f32]) -> usize {
    (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap()
}

/// How many digits of the test data `accuracy.json` says are right.
fn recorded_right(model: &str) -> u64 {
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(mnist("testdata/accuracy.json")).unwrap()).unwrap();
    assert_eq!(json["testdata"], DIGITS);
    json["models"][model]["right_of_testdata"].as_u64().unwrap()
}

#[test]
fn logits_agree_with_onnxruntime_and_digits_with_the_recorded_accuracy() {
    let (pictures, labels) = (pictures(), array_of_bytes("testdata/labels.npy", "(200,)"));
    for name in MODELS {
        let model = import(&fs::read(mnist(&format!("{name}.onnx"))).unwrap());
        let port =
            TensorInfo { name: "logits".into(), dtype: DataType::Float32, shape: vec![DIGITS as u32, 10] };
        let expected = tensor_file::read(&mnist(&format!("testdata/{name}.logits.npy")), &port).unwrap();
        let expected = expected.to_f32().unwrap();
        let mut right = 0;
        for (index, (picture, expected)) in pictures.iter().zip(expected.chunks(10)).enumerate() {
            let input = Tensor::from_f32(&model.graph().inputs[0].shape, picture);
            let logits = model.run(&[input]).unwrap()[0].to_f32().unwrap();
            // Relative to the row's largest: a logit near zero is a difference of large terms.
            let bound = 1e-4 * expected.iter().fold(0.0f32, |max, v| max.max(v.abs()));
            for (got, expected) in logits.iter().zip(expected) {
                assert!(
                    (got - expected).abs() <= bound,
                    "{name}, digit {index}: expected {expected}, got {got}"
                );
            }
            right += u64::from(largest(&logits) == usize::from(labels[index]));
        }
        assert_eq!(right, recorded_right(name), "{name}");
    }
}

#[test]
fn pictures_are_the_recorded_digits_and_are_named() {
    let pictures = pictures();
    let mut names: Vec<_> =
        fs::read_dir(mnist("digits")).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert_eq!(names.len(), 10);
    for model in MODELS.map(|name| import(&fs::read(mnist(&format!("{name}.onnx"))).unwrap())) {
        for path in &names {
            // LABEL_INDEX.png
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let (label, index) = stem.split_once('_').unwrap();
            let input = tensor_file::read(path, &model.graph().inputs[0].info()).unwrap();
            assert_eq!(input.to_f32().unwrap(), pictures[index.parse::<usize>().unwrap()], "{stem}");
            let logits = model.run(&[input]).unwrap()[0].to_f32().unwrap();
            assert_eq!(largest(&logits), label.parse::<usize>().unwrap(), "{stem}");
        }
    }
}
