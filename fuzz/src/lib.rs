//! How inputs change where most changes of bytes would not get past the parser.

pub mod models;
mod random;
pub mod tflite;
