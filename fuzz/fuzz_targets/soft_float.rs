//! Pairs of numbers through soft-float, against the hardware.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| opml_softfloat::fuzz_soft_float(data));
