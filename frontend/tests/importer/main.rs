//! The importer as its users meet it: from the bytes of an ONNX file to a program and its native twin.

mod memory;
mod mnist;
mod nets;
mod refused;
mod source;
mod support;
