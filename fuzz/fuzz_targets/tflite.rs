//! Arbitrary bytes as a TFLite model.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    opml_frontend::fuzz_onnx(data);
});
