//! Any bytes as a Debian package: an error or its members, in bounded memory.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // Both outcomes are fine; only a panic, a hang or a large allocation is not.
    let _ = opml_toolchain::provision::fuzz_deb(data);
});
