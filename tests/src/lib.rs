//! What crosses crates: end-to-end, conformance, rejection cases.
//!
//! The tests are in `tests/`; this library is what they share. It panics where a program would report an
//! error, since its only callers are tests.

pub mod batch;
pub mod digits;
pub mod examples;
pub mod guest;
pub mod program;
pub mod single_step;
pub mod unicorn;

use std::path::Path;

use opml_python::suite::Suite;
use opml_toolchain::provision::Options;

/// The folder of the workspace.
pub fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate is a folder of the checkout")
}

/// What a test says that misses a tool: it fails, as a test that did not run has shown nothing.
pub const SET_UP: &str =
    "the tools of the tests are not installed: `cargo xtask test` installs them and runs the tests";

/// ONNX's backend test suite.
///
/// # Panics
/// If it has not been written.
pub fn onnx_suite() -> Suite {
    let found = opml_python::suite::find(&Options::default()).unwrap_or_else(|error| panic!("{error}"));
    found.expect(SET_UP)
}
