//! The fixtures (see `fixtures/README.md`) and the example models.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use opml_abi::Tensor;
use opml_frontend::graph::Port;
use opml_frontend::{Model, tensor_file};

/// The networks that have to work.
pub const NETS: [&str; 15] = [
    "add_broadcast",
    "avgpool_globalpool",
    "batchnorm_conv",
    "clip_relu6",
    "concat",
    "conv_padded_strided_grouped",
    "depthwise_conv",
    "gemm_transposed",
    "matmul_add_relu",
    "maxpool_padded",
    "residual_block",
    "sigmoid_tanh",
    "softmax_last_axis",
    "transpose_reshape",
    "two_inputs_two_outputs",
];

/// The example models, in their folder.
pub const MODELS: [&str; 9] = [
    "dcgan/dcgan",
    "encoder/encoder",
    "lstm/lstm",
    "mnist/cnn",
    "mnist/cnn_int8",
    "mnist/mlp",
    "shapes/mobilenet",
    "shapes/resnet",
    "trees/trees",
];

/// A path in the folder of fixtures.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The file of an example model.
pub fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../models/{name}.onnx"))
}

/// The bytes of every network and every example model, each with its name.
pub fn all_models() -> Vec<(String, Vec<u8>)> {
    let nets = NETS.map(|name| (name, fixture(&format!("{name}/model.onnx"))));
    let models = MODELS.map(|name| (name, example(name)));
    let read = |(name, path): (&str, PathBuf)| (name.to_owned(), fs::read(path).unwrap());
    nets.into_iter().chain(models).map(read).collect()
}

/// Numbers for open dimensions.
pub fn dims(given: &[(&str, u32)]) -> BTreeMap<String, u32> {
    given.iter().map(|&(name, value)| (name.to_owned(), value)).collect()
}

/// Imports a model without open dimensions.
pub fn import(bytes: &[u8]) -> Model {
    Model::from_bytes(bytes, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}"))
}

/// The recorded tensors `NET/KIND_N.pb` for `ports`.
pub fn recorded(net: &str, kind: &str, ports: &[Port]) -> Vec<Tensor> {
    let read = |(index, port): (usize, &Port)| {
        tensor_file::read(&fixture(&format!("{net}/{kind}_{index}.pb")), &port.info())
    };
    ports.iter().enumerate().map(|pair| read(pair).unwrap_or_else(|e| panic!("{e}"))).collect()
}
