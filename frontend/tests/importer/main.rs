//! The importer as its users meet it: from the bytes of an ONNX file to a program and its native twin.

#[path = "../build/mod.rs"]
mod build;
mod constants;
mod convolutions;
mod external;
mod memory;
mod mnist;
mod nets;
mod refused;
mod source;
mod support;
