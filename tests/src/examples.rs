//! The example models in `models/`, the inputs recorded for them, and what onnxruntime made of these; of those in
//! TensorFlow Lite's format, what that made of them.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use npyz::{DType, NpyFile, TypeChar};
use opml_abi::{DataType, Tensor};

use opml_toolchain::manifest::Port;

use crate::program::Program;

/// All of them: files below `models/` without their ending.
pub const ALL: [&str; 13] = [
    "dcgan/dcgan",
    "encoder/encoder",
    "gpt/gpt",
    "lstm/lstm",
    "mnist/cnn",
    "mnist/cnn_int8",
    "mnist/mlp",
    "mnist/mlp500",
    "mnist/mobile",
    "mnist/mobile_int8",
    "shapes/mobilenet",
    "shapes/resnet",
    "trees/trees",
];

/// An array of numpy: dimensions, and its elements as float32, or int64 if they were.
struct Array {
    shape: Vec<u32>,
    dtype: DataType,
    floats: Vec<f32>,
    integers: Vec<i64>,
}

impl Array {
    fn load(path: &PathBuf) -> Self {
        let open = File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let file = NpyFile::new(BufReader::new(open)).expect("numpy wrote it");
        let shape = file.shape().iter().map(|&d| d as u32).collect();
        let DType::Plain(kind) = file.dtype() else { panic!("{}: not plain", path.display()) };
        let (mut floats, mut integers) = (Vec::new(), Vec::new());
        let mut dtype = DataType::Float32;
        match (kind.type_char(), kind.size_field()) {
            (TypeChar::Float, 4) => floats = file.into_vec().expect("of float32"),
            (TypeChar::Uint, 1) => {
                let bytes: Vec<u8> = file.into_vec().expect("of uint8");
                floats = bytes.into_iter().map(f32::from).collect();
            }
            (TypeChar::Int, 8) => {
                dtype = DataType::Int64;
                integers = file.into_vec().expect("of int64");
            }
            other => panic!("{}: elements {other:?}", path.display()),
        }
        Self { shape, dtype, floats, integers }
    }

    /// The case `index` as a tensor for `port`. Bytes are not scaled: they are what the scale is for.
    fn case(&self, index: usize, port: &Port, scale: f32) -> Tensor {
        let shape = &port.shape[..];
        let len: usize = shape.iter().map(|&d| d as usize).product();
        let range = index * len..(index + 1) * len;
        if self.dtype == DataType::Int64 {
            let data = self.integers[range].iter().flat_map(|v| v.to_be_bytes()).collect();
            return Tensor { dtype: DataType::Int64, shape: shape.to_vec(), data };
        }
        if port.dtype == DataType::Uint8.name() {
            let data = self.floats[range].iter().map(|&v| v as u8).collect();
            return Tensor { dtype: DataType::Uint8, shape: shape.to_vec(), data };
        }
        // Divided in float32, as in training.
        let values: Vec<f32> =
            self.floats[range].iter().map(|&v| if scale == 1.0 { v } else { v / scale }).collect();
        Tensor::from_f32(shape, &values)
    }
}

/// Cases of an example.
pub struct Cases {
    inputs: Vec<Array>,
    outputs: Vec<Array>,
    scale: f32,
}

impl Cases {
    /// Those of the example `path`.
    pub fn load(path: &str, program: &Program) -> Self {
        let (folder, name) = path.split_once('/').expect("a folder and a name");
        let data =
            |folder: &str, file: &str| crate::checkout().join(format!("models/{folder}/testdata/{file}.npy"));
        let (inputs, scale) = match folder {
            "dcgan" => (vec![data(folder, "latent"), data(folder, "digit")], 1.0),
            "lstm" | "encoder" => (vec![data("mnist", "inputs")], 255.0),
            "mnist" | "shapes" => (vec![data(folder, "inputs")], 255.0),
            _ => (vec![data(folder, "inputs")], 1.0),
        };
        let outputs =
            program.manifest.outputs.iter().map(|port| data(folder, &format!("{name}.{}", port.name)));
        let outputs = outputs.map(|path| Array::load(&path)).collect();
        Self { inputs: inputs.iter().map(Array::load).collect(), outputs, scale }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.outputs[0].shape[0] as usize
    }

    /// The inputs of a case.
    pub fn inputs(&self, program: &Program, index: usize) -> Vec<Tensor> {
        let ports = program.manifest.inputs.iter().zip(&self.inputs);
        ports.map(|(port, array)| array.case(index, port, self.scale)).collect()
    }

    /// What the reference made of them.
    pub fn expected(&self, program: &Program, index: usize) -> Vec<Tensor> {
        let ports = program.manifest.outputs.iter().zip(&self.outputs);
        ports.map(|(port, array)| array.case(index, port, 1.0)).collect()
    }
}
