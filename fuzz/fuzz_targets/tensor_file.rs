//! Arbitrary bytes as a file for a model's input, in every format.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| opml_frontend::fuzz_tensor_file(data));
