//! What the authors of guests have when something goes wrong: `run` names faults and panics, and `debug` serves gdb.

#[path = "../common/mod.rs"]
mod common;
mod faults;
mod gdb;
mod protocol;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use common::checkout;
use opml_targets::Target;
use opml_toolchain::progress::Silent;
use opml_toolchain::{Checkout, GuestProgram, Options, Request, provision};

const GUEST: &str = include_str!("guest.rs");

/// The guest, built once.
fn guest() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        common::require_toolchain();
        let program = GuestProgram::generated(GUEST.to_owned(), Vec::new());
        let options = Options {
            provision: provision::Options::from_env().expect("OPML_TOOLCHAIN names a provider"),
            checkout: Checkout::new(checkout()).expect("this is a checkout"),
            out: Path::new(env!("CARGO_TARGET_TMPDIR")).join("debugging"),
            work: None,
        };
        let target = Target::load("cannon32").expect("the target's own files are right");
        let built = opml_toolchain::build(Request::bare("debugging", program), &target, &options, &Silent);
        built.unwrap_or_else(|error| panic!("{error}")).out
    })
}

/// The line of the guest with the comment `line: name`.
fn line(name: &str) -> u64 {
    let mark = format!("// line: {name}");
    let index = GUEST.lines().position(|line| line.ends_with(&mark));
    index.unwrap_or_else(|| panic!("no line of the guest has the mark {name}")) as u64 + 1
}

/// A file with one byte, the input.
fn input(byte: u8) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("there is room");
    std::fs::write(file.path(), [byte]).expect("the file can be written");
    file
}
