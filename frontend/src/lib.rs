//! ONNX and TFLite models to a typed graph, to a generated guest crate and its weights.
//!
//! ```text
//! bytes --import--> Graph --fuse--> Graph --pack--> Graph --plan--> Plan --emit--> source of the guest crate
//! ```
//!
//! [`Model`] holds what comes out. The same graph runs natively through [`Model::run`], the twin that
//! every run in the VM has to agree with bit for bit.

mod builder;
mod constant;
pub mod elements;
mod emit;
mod error;
mod eval;
mod fuse;
mod fuzz;
pub mod graph;
mod guard;
mod model;
mod model_file;
pub mod onnx;
mod op;
mod pack;
mod plan;
pub mod tensor_file;
pub mod tflite;
mod twin;
pub mod values;

pub use constant::{Constant, Put};
pub use emit::SourceCall;
pub use error::{ImportError, Unsupported, shell_word};
pub use fuzz::{fuzz_model, fuzz_tensor_file};
pub use model::{ImportOptions, LARGE, Model};
pub use model_file::{ModelFile, ModelFileError, WeightsFile};
pub use plan::Plan;
pub use twin::RunError;
