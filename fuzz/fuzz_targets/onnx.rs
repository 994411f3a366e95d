//! Arbitrary bytes as an ONNX model.
#![no_main]

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    opml_fuzz::models::mutate(data, size, max_size, seed)
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    opml_frontend::fuzz_model(data);
});
