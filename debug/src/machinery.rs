//! The functions between the place that panics and the end of the program, which say nothing about the program.

use crate::Called;

/// How the names of `core`'s and the runtime's ways into a panic begin, crate by crate.
const PANICS: [&str; 8] = [
    "__rustc::rust_begin_unwind",
    "alloc::alloc::handle_alloc_error",
    "alloc::raw_vec::handle_error",
    "core::cell::panic_",
    "core::panicking::",
    "core::slice::copy_from_slice_impl::len_mismatch_fail",
    "rust_begin_unwind",
    "opml_runtime::",
];

/// Functions of `core` whose only work is a panic end in one of these.
const FAILURES: [&str; 3] = ["_fail", "_failed", "_fail_rt"];

/// Whether a function is what every panic of Rust ends in.
pub(crate) fn is_panic_handler(function: &str) -> bool {
    function.ends_with("rust_begin_unwind")
}

/// Where the sources of Rust's library are said to be.
const LIBRARY: &str = "/rustc/";

/// Whether a function is one of Rust's library.
pub(crate) fn is_library(call: &Called) -> bool {
    call.place.as_ref().is_some_and(|place| place.file.starts_with(LIBRARY))
}

/// Whether a function is one of those.
pub(crate) fn is_machinery(function: &str) -> bool {
    // What is implemented for a type begins with `<`.
    let name = function.trim_start_matches('<');
    let of_core = name.starts_with("core::") || name.starts_with("alloc::");
    let ends_in_panic = || {
        let last = name.rsplit("::").next().unwrap_or(name);
        FAILURES.iter().any(|failure| last.ends_with(failure))
    };
    PANICS.iter().any(|panic| name.starts_with(panic)) || of_core && ends_in_panic()
}
