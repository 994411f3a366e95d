//! Every network of the importer's fixtures as a program: what the guest computes in the VM is what the native
//! twin computes, bit for bit, and the audit accepts the code that the compiler made of each kernel.
//!
//! It catches a kernel whose guest form differs, an instruction of some kernel that the contract does not have, a shape
//! that generated source and twin read differently, and inputs or outputs in the wrong order.

use std::fs;
use std::path::Path;

use opml_abi::{Tensor, decode_blob, encode_blob, exit};
use opml_frontend::tensor_file;
use opml_state::Hash;
use opml_tests::{checkout, guest, program::Program};

#[test]
fn guests_of_all_fixtures_agree_with_the_twin() {
    let fixtures = checkout().join("frontend/tests/fixtures");
    for net in nets() {
        let folder = fixtures.join(net);
        let onnx = fs::read(folder.join("model.onnx")).unwrap_or_else(|e| panic!("{net}: {e}"));
        let program = Program::build(net, &onnx, &Path::new(env!("CARGO_TARGET_TMPDIR")).join("operators"));
        let inputs = recorded_inputs(&folder, &program);
        let native = program.model.run(&inputs).unwrap_or_else(|e| panic!("{net}: {e}"));
        let run = guest::run_blob(&program.prestate, encode_blob(&inputs), Hash::default());
        assert_eq!(run.code, exit::DIFFERENT, "{net}: {}", run.stderr);
        let blob = run.blob.unwrap_or_else(|| panic!("{net}: no output"));
        assert_eq!(decode_blob(&blob).unwrap_or_else(|e| panic!("{net}: {e}")), native, "{net}");
    }
}

/// The folders of the fixtures that hold a network.
fn nets() -> Vec<&'static str> {
    let fixtures = fs::read_dir(checkout().join("frontend/tests/fixtures")).expect("the fixtures are there");
    let mut nets: Vec<&str> = fixtures
        .map(|entry| entry.expect("the folder can be listed"))
        .filter(|entry| entry.path().join("model.onnx").is_file())
        .map(|entry| &*entry.file_name().to_string_lossy().into_owned().leak())
        .collect();
    nets.sort_unstable();
    assert!(nets.len() >= 15, "some of the fixtures are missing: {nets:?}");
    nets
}

fn recorded_inputs(folder: &Path, program: &Program) -> Vec<Tensor> {
    let ports = program.model.graph().inputs.iter().enumerate();
    let read = |(index, port): (usize, &opml_frontend::graph::Port)| {
        tensor_file::read(&folder.join(format!("input_{index}.pb")), &port.info())
    };
    ports.map(|input| read(input).unwrap_or_else(|e| panic!("{e}"))).collect()
}
