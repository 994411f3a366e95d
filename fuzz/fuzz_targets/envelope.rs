//! Any bytes as a signed envelope: an error, or a statement about files that lie in one folder.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // Both outcomes are fine; what a good statement promises is asserted inside.
    let _ = opml_attest::fuzz_envelope(data);
});
