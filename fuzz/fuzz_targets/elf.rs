//! Arbitrary bytes as an ELF file: the reader, the audit and its report.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| opml_toolchain::audit::fuzz_elf(data));
