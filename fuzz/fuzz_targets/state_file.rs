//! Hostile bytes to the readers of Cannon's files.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| opml_state::fuzz_state_file(data));
