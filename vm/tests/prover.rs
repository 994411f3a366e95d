//! Proofs of steps: each leads from one state hash to the next, wherever the run is entered.

mod common;

use std::collections::BTreeSet;

use common::echo::echo;
use common::*;
use opml_abi::{fd, syscall};
use opml_state::cannon::StepProof;
use opml_state::{MemoryProof, WitnessFields, hash_witness};
use opml_vm::{GuestHost, Prover, Request, Stop, VmError};

const INPUT: &[u8] = b"an input blob of 31 bytes, odd.";

fn host() -> GuestHost {
    GuestHost::new(Request { input: INPUT.to_vec(), ..Request::default() })
}

fn prover() -> Prover {
    Prover::new(&echo(INPUT.len() as u32)).unwrap()
}

/// All proofs of the run, made one after another.
fn all() -> Vec<StepProof> {
    let (mut prover, mut host) = (prover(), host());
    let mut proofs = Vec::new();
    while prover.vm().exit_code().is_none() {
        proofs.push(prover.step(&mut host).unwrap());
    }
    proofs
}

/// The address whose memory the second half of the proof is about, told from the state and the instruction.
fn data_address(proof: &StepProof) -> Option<u32> {
    let state = WitnessFields::of(&proof.state_data);
    let leaf = MemoryProof::from_bytes(proof.proof_data.first_chunk().unwrap()).leaf();
    let at = (state.pc & 31) as usize;
    let word = u32::from_be_bytes(leaf.0[at..at + 4].try_into().unwrap());
    let registers = state.registers;
    let base = registers[(word >> 21 & 31) as usize];
    match word >> 26 {
        0 if word == SYSCALL => match (registers[2], registers[4]) {
            (syscall::READ, fd::PREIMAGE_READ) | (syscall::WRITE, fd::PREIMAGE_WRITE) => Some(registers[5]),
            _ => None,
        },
        0x20.. => Some(base.wrapping_add(word as u16 as i16 as u32)),
        _ => None,
    }
}

#[test]
fn the_proofs_of_a_run_are_a_chain() {
    let proofs = all();
    assert!(proofs.len() > 300, "{} steps", proofs.len());
    let (mut with_data, mut with_oracle) = (0, 0);
    for (step, proof) in proofs.iter().enumerate() {
        proof.check().unwrap_or_else(|error| panic!("step {step}: {error}"));
        assert_eq!(proof.step, step as u64);
        if let Some(next) = proofs.get(step + 1) {
            assert_eq!(proof.post, next.pre, "step {step}");
        }
        let root = WitnessFields::of(&proof.state_data).memory_root;
        let data = MemoryProof::from_bytes(proof.proof_data.last_chunk().unwrap());
        match data_address(proof) {
            Some(address) => assert_eq!(data.root(address), root, "step {step}"),
            None => assert_eq!(data.to_bytes(), [0; MemoryProof::LEN], "step {step}"),
        }
        with_data += usize::from(data_address(proof).is_some());
        with_oracle += usize::from(proof.oracle.is_some());
    }
    // Three preimages: two of 8 + 32 bytes and one of 8 + 31, from aligned addresses on.
    assert_eq!((with_oracle, with_data > 80), (10 + 10 + 10, true));
}

#[test]
fn a_proof_does_not_depend_on_where_the_run_was_entered() {
    let proofs = all();
    let steps: BTreeSet<usize> = (0..proofs.len()).step_by(17).chain([proofs.len() - 1]).collect();
    let (mut prover, mut host) = (prover(), host());
    for step in steps {
        assert_eq!(prover.run_to(step as u64, &mut host).unwrap(), Stop::Limit);
        assert_eq!(prover.step(&mut host).unwrap(), proofs[step], "step {step}");
    }
    assert_eq!(prover.state_hash(), prover.vm().state().state_hash());
}

#[test]
fn the_tree_follows_every_kind_of_store() {
    // The fast interpreter, which notes only the first store to a page: a loop over three pages.
    let mut words = set(T0, 0x0010_0ff0).to_vec();
    words.extend(set(T1, 3000));
    words.extend([
        sw(T1, T0, 0),
        imm(0x28, T0, T1, 5),
        addiu(T1, T1, -1),
        bne(T1, ZERO, -4),
        addiu(T0, T0, 4),
    ]);
    words.extend([j(START), NOP]);
    let state = program(&words);
    let mut prover = Prover::new(&state).unwrap();
    for step in [1, 5000, 5001, 9000, 30_000, 30_001, 70_000] {
        prover.run_to(step, &mut Bare::default()).unwrap();
        let now = prover.vm().state();
        assert_eq!(prover.witness(), now.witness(), "step {step}");
        assert_eq!(prover.witness(), now.witness(), "step {step}, asked again");
    }
}

#[test]
fn a_refused_step_has_an_input_and_no_proof() {
    let state = program(&[special(0x1a, ZERO, ZERO, ZERO, 0), NOP]);
    let mut prover = Prover::new(&state).unwrap();
    let input = prover.input(&mut Bare::default()).unwrap();
    assert_eq!((input.state_data, input.oracle), (state.witness(), None));
    assert!(matches!(prover.step(&mut Bare::default()), Err(VmError::Unprovable { step: 0, .. })));
    assert_eq!(prover.state_hash(), hash_witness(&state.witness()));
}

#[test]
fn there_is_no_step_past_the_end() {
    let (mut prover, mut host) = (prover(), host());
    let end = all().len() as u64;
    assert_eq!(prover.run_to(end + 5, &mut host).unwrap(), Stop::Exited { code: 1 });
    let error = prover.step(&mut host).unwrap_err();
    assert!(matches!(error, VmError::Exited { code: 1, steps } if steps == end), "{error}");
}
