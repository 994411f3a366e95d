//! TFLite models against what TensorFlow's own kernels make of the same inputs: cases/ has a model for each operator, with numbers as floats
//! and as integers (make_cases.py writes them).

mod cases;
mod refused;
mod support;
