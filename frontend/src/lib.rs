//! ONNX models to a typed graph, to a generated guest crate and a weights object.
