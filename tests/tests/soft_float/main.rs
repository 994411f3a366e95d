//! The guest's floats against the hardware's, in the VM: 2^20 pairs of numbers through every operation that the compiler
//! has a call for, and 2^17 arguments through each elementary function.
//!
//! It catches a call that is answered by the wrong function, a function that the guest's compiler breaks, and
//! elementary functions that differ from those of the native twin.

mod sums;

use std::path::Path;

use opml_abi::{decode_blob, encode_blob, exit};
use opml_state::Hash;
use opml_tests::{guest, program};
use opml_toolchain::{GuestProgram, Request};
use sums::{BLOCKS, OPERATIONS};

/// The rest of the guest: it runs the blocks and sends the sums.
const MAIN: &str = "
fn main(guest: opml_runtime::Guest<opml_runtime::Mips>) -> ! {
    let mut words = [0; BLOCKS * OPERATIONS.len()];
    for (block, out) in (0..).zip(words.chunks_exact_mut(OPERATIONS.len())) {
        out.copy_from_slice(&sums(block));
    }
    guest.finish(&[opml_runtime::OutputTensor {
        dtype: opml_runtime::abi::DataType::Float32,
        shape: &[BLOCKS as u32, OPERATIONS.len() as u32],
        words: &words,
    }])
}

opml_runtime::program!(main);
";

#[test]
fn the_guest_computes_what_the_hardware_does() {
    let source = format!("#![no_std]\n{}{MAIN}", include_str!("sums.rs"));
    let request = Request::bare("soft_float", GuestProgram::generated(source, Vec::new()));
    let prestate = program::build_request(request, Path::new(env!("CARGO_TARGET_TMPDIR"))).1;
    let run = guest::run_blob(&prestate, encode_blob(&[]), Hash::default());
    assert_eq!(run.code, exit::DIFFERENT, "{}", run.stderr);
    let blob = run.blob.expect("the guest sent its sums");
    let sent = decode_blob(&blob).expect("the guest sent a blob").remove(0).to_f32().expect("of words");
    for (block, sent) in (0..BLOCKS as u32).zip(sent.chunks(OPERATIONS.len())) {
        for ((operation, expected), sent) in OPERATIONS.iter().zip(sums::sums(block)).zip(sent) {
            assert_eq!(sent.to_bits(), expected, "{operation}, in block {block}");
        }
    }
}
