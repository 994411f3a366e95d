//! The shipped images on the real contract: every kind of instruction they have, and steps of real runs.
//!
//! | what it catches | test |
//! |---|---|
//! | an instruction that the VM executes otherwise than the contract | `every_kind_*` |
//! | a witness, a memory proof or a preimage that the contract does not take | `a_run_*` |
//! | a snapshot or an incremental tree that loses a write | `proofs_far_apart_*` |

use std::collections::BTreeSet;
use std::ops::Range;

use opml_abi::encode_blob;
use opml_isa::decode;
use opml_onchain::conform::{Plan, conform, run_conform};
use opml_onchain::{Contract, artifacts, check};
use opml_state::State;
use opml_tests::SET_UP;
use opml_tests::digits::Digits;
use opml_tests::guest;
use opml_tests::program::{Program, provision_options};
use opml_toolchain::elf::Elf;
use opml_toolchain::file;
use opml_vm::{GuestHost, Prover, Request};

fn mlp() -> &'static Program {
    Program::mlp(env!("CARGO_TARGET_TMPDIR"))
}

fn cnn() -> &'static Program {
    Program::cnn(env!("CARGO_TARGET_TMPDIR"))
}

fn contract() -> Contract {
    let found = artifacts::find(&provision_options()).unwrap_or_else(|e| panic!("{e}"));
    Contract::deploy(&found.expect(SET_UP)).unwrap_or_else(|e| panic!("{e}"))
}

fn code(program: &Program) -> Vec<Range<u32>> {
    let elf = Elf::parse(program.file(file::PROGRAM)).expect("it was built");
    let code = elf.segments().iter().filter(|segment| segment.is_loaded() && segment.is_executable());
    code.map(|segment| segment.range().start as u32..segment.range().end as u32).collect()
}

/// Names of the instructions in the image, decoded from its memory and not by what is tested.
fn kinds(prestate: &State, code: &[Range<u32>]) -> BTreeSet<&'static str> {
    let name = |address| {
        let mut word = [0; 4];
        prestate.memory.read(address, &mut word).expect("code lies in the address space");
        decode(u32::from_be_bytes(word)).mnemonic().name()
    };
    code.iter().flat_map(|range| range.clone().step_by(4)).map(name).collect()
}

fn every_kind(program: &Program) {
    let code = code(program);
    let shown = conform(&mut contract(), &program.prestate, &code).unwrap_or_else(|e| panic!("{e}"));
    let compared: BTreeSet<&str> = shown.encodings.iter().map(|kind| kind.mnemonic).collect();
    assert_eq!(compared, kinds(&program.prestate, &code));
    assert!(compared.len() > 30, "{compared:?}");
    for kind in &shown.encodings {
        assert!(kind.steps_compared > kind.refused, "{}: never executed", kind.mnemonic);
    }
}

#[test]
fn every_kind_of_instruction_in_mlp() {
    every_kind(mlp());
}

#[test]
fn every_kind_of_instruction_in_cnn() {
    every_kind(cnn());
}

/// The request for the first digit.
fn request(program: &Program) -> Request {
    let input = Digits::load().tensor(0, program.input_shape());
    Request { input: encode_blob(&[input]), step_index: 1, ..Request::default() }
}

/// Steps of the run that computes the first digit, counted by a plain run.
fn steps(program: &Program) -> u64 {
    guest::run(&program.prestate, &Digits::load().tensor(0, program.input_shape())).vm.step_count()
}

fn a_run(program: &Program) {
    let plan = Plan { steps: steps(program), first: 1000, last: 1000, random: 1000 };
    let mut prover = Prover::new(&program.prestate).unwrap();
    let host = &mut GuestHost::new(request(program));
    let shown = run_conform(&mut contract(), &mut prover, host, &plan).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(shown.steps, plan.steps);
    // Random steps may fall on others, but most do not; the input alone takes some 790 reads.
    assert!(shown.steps_compared >= 2900 && shown.system_calls > 790, "{shown:?}");
    assert!(host.output_blob().is_some());
}

#[test]
fn a_run_of_mlp() {
    a_run(mlp());
}

#[test]
fn a_run_of_cnn() {
    a_run(cnn());
}

#[test]
fn proofs_far_apart_hold_on_the_contract() {
    let program = cnn();
    let (mut contract, all) = (contract(), steps(program));
    let (mut prover, mut host) = (Prover::new(&program.prestate).unwrap(), GuestHost::new(request(program)));
    for proof in 0..100 {
        prover.run_to(all * proof / 100 + proof % 7, &mut host).unwrap();
        let proof = prover.step(&mut host).unwrap();
        check(&mut contract, &proof).unwrap_or_else(|e| panic!("step {}: {e}", proof.step));
    }
}
