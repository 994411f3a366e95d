//! The handwritten digits of `models/mnist/testdata/`, and what others made of them.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use npyz::NpyFile;
use opml_abi::Tensor;
use serde::Deserialize;

/// Pixels of a digit: 28 by 28.
const PIXELS: usize = 28 * 28;

/// Logits of a row: one for each digit.
pub const CLASSES: usize = 10;

/// The digits with their labels, in the order of the files.
pub struct Digits {
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

impl Digits {
    /// Reads `inputs.npy` (uint8, n by 28 by 28) and `labels.npy` (uint8, n).
    pub fn load() -> Self {
        let (shape, pixels) = npy::<u8>("inputs.npy");
        let (count, labels) = npy::<u8>("labels.npy");
        assert_eq!([count[0], 28, 28], shape[..], "inputs.npy and labels.npy belong together");
        Self { pixels, labels }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.labels.len()
    }

    /// What the digit shows.
    pub fn label(&self, index: usize) -> usize {
        self.labels[index].into()
    }

    /// The digit as an input of the given shape, scaled as in training: pixel / 255, divided in float32.
    pub fn tensor(&self, index: usize, shape: &[u32]) -> Tensor {
        let pixels = &self.pixels[index * PIXELS..][..PIXELS];
        let values: Vec<f32> = pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
        Tensor::from_f32(shape, &values)
    }
}

/// onnxruntime's logits for each digit, from `<model>.logits.npy`.
pub fn onnxruntime(model: &str) -> Vec<[f32; CLASSES]> {
    let (shape, values) = npy::<f32>(&format!("{model}.logits.npy"));
    assert_eq!(shape[1], CLASSES as u64);
    values.as_chunks().0.to_vec()
}

/// How many of the digits onnxruntime names right, from `accuracy.json`.
pub fn recorded_right(model: &str) -> usize {
    #[derive(Deserialize)]
    struct Accuracy {
        models: std::collections::BTreeMap<String, Right>,
    }
    #[derive(Deserialize)]
    struct Right {
        right_of_testdata: usize,
    }
    let path = testdata("accuracy.json");
    let text = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let accuracy: Accuracy =
        serde_json::from_slice(&text).expect("accuracy.json is what make_testdata.py writes");
    accuracy.models[model].right_of_testdata
}

/// The index of the largest logit, the first of equals, as numpy has it.
pub fn arg_max(logits: &[f32]) -> usize {
    (1..logits.len()).fold(0, |best, i| if logits[i] > logits[best] { i } else { best })
}

fn testdata(name: &str) -> PathBuf {
    crate::checkout().join("models/mnist/testdata").join(name)
}

/// Shape and elements of a file of the test data.
fn npy<T: npyz::Deserialize>(name: &str) -> (Vec<u64>, Vec<T>) {
    let path = testdata(name);
    let file = File::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let npy = NpyFile::new(BufReader::new(file)).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let shape = npy.shape().to_vec();
    (shape, npy.into_vec().unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}
