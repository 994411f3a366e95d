//! Arbitrary bytes as sums of products: every way to them gives what big integers give.
#![no_main]

// They stand with the tests, as the big integers are no dependency of the crates.
#[path = "../../native/tests/support/fuzz.rs"]
mod fuzz;
#[path = "../../native/tests/support/mod.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::fuzz_dot(data));
