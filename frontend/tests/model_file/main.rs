//! What an import is given besides the model: files with weights, constants for inputs.

#[path = "../build/mod.rs"]
mod build;
mod constants;
mod external;
