//! Any bytes as a lock of packages: an error, or names and paths that are safe to use.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // Both outcomes are fine; what a good lock promises is asserted inside.
    let _ = opml_toolchain::provision::fuzz_lock(data);
});
