//! What runs in Python: pinned environments, conversion and quantisation of models, ONNX's test suite.
//!
//! The programs are `scripts/`, the packages they need `requirements/`. An environment is made of a lock in the
//! toolchain's cache; it gets its name last, by a rename (invariant P of [`opml_toolchain::provision`]).

pub mod convert;
mod environment;
mod error;
mod interpreter;
mod pip;
mod place;
pub mod quantize;
mod report;
mod requirements;
mod script;
pub mod suite;

pub use environment::{Environment, doctor, ensure, find};
pub use error::PythonError;
pub use report::{Port, Report};
pub use requirements::Requirements;
