//! Any bytes as the archive of a toolchain: an error, or a lock with exactly its packages.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // Both outcomes are fine; what a good archive promises is asserted inside.
    let _ = opml_toolchain::provision::fuzz_archive(data);
});
