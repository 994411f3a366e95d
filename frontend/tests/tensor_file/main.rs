//! Tensor files in every format: what is read, what is refused and why, what is written.

mod bounds;
mod formats;
mod pictures;
mod support;
mod text;
mod types;
mod writing;
