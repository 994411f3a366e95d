//! What the VM refuses, the contract reverts on, and each for the reason that the other has.

mod common;

use std::sync::Arc;

use common::assembler::*;
use common::*;
use opml_abi::{fd, keccak256_key, local_key, syscall};
use opml_onchain::{Agreed, CallError, LOCAL_CONTEXT, PreimageError, Revert, RevertReason};
use opml_state::{Hash, State, keccak256};
use opml_vm::{Host, HostError, Prover, Reason};

/// A host that has one preimage for whatever key.
struct Any(Vec<u8>);

impl Host for Any {
    fn preimage(&mut self, _key: &[u8; 32]) -> Result<Arc<[u8]>, HostError> {
        Ok(self.0.as_slice().into())
    }
    fn hint(&mut self, _payload: &[u8]) {}
    fn output(&mut self, _fd: u32, _bytes: &[u8]) {}
}

/// Checks that both refuse the first step of `state` for `reason`.
fn refused(state: &State, preimage: &[u8], reason: Reason) {
    let agreed = agree(&mut contract(), state, &mut Any(preimage.to_vec()));
    assert_eq!(agreed, Agreed::Refused(reason));
}

/// What the contract says to the first step of `state`.
fn revert(state: &State) -> Revert {
    let input = Prover::new(state).unwrap().input(&mut Bare::default()).unwrap();
    match contract().step(&input.state_data, &input.proof_data, LOCAL_CONTEXT) {
        Err(CallError::Reverted(revert)) => revert,
        other => panic!("{other:?}"),
    }
}

fn text(state: &State) -> String {
    match revert(state).reason() {
        RevertReason::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn branches_and_jumps_in_delay_slots() {
    let words = [
        (beq(ZERO, ZERO, 4), "branch in delay slot"),
        (bne(ZERO, ZERO, 4), "branch in delay slot"),
        (imm(0x06, T0, 0, 4), "branch in delay slot"),
        (imm(0x07, T0, 0, 4), "branch in delay slot"),
        (imm(0x01, T0, 0, 4), "branch in delay slot"),
        (imm(0x01, T0, 1, 4), "branch in delay slot"),
        (j(START), "jump in delay slot"),
        (jal(START), "jump in delay slot"),
        (jr(RA), "jump in delay slot"),
        (special(0x09, T0, 0, RA, 0), "jump in delay slot"),
    ];
    for (word, says) in words {
        let state = State { next_pc: START + 64, ..program(&[word, NOP]) };
        refused(&state, b"", Reason::BranchInDelaySlot);
        assert_eq!(text(&state), says, "{word:#010x}");
    }
}

#[test]
fn divisions_by_zero() {
    for func in [0x1a, 0x1b] {
        let state = program(&[special(func, T0, T1, 0, 0), NOP]);
        refused(&state, b"", Reason::DivisionByZero);
        assert_eq!(text(&state), "MIPS: division by zero");
    }
}

#[test]
fn words_that_are_no_instruction() {
    let mut words = Vec::new();
    // What is left of opcode 0 and of opcode 0x1c, then every other opcode there is none of.
    let special_ones = [0x00, 0x02, 0x03, 0x04, 0x06, 0x07, 0x0f, 0x24, 0x25, 0x26, 0x27, 0x2a, 0x2b];
    let is_special = |func| (0x08..=0x0c).contains(&func) || (0x10..0x14).contains(&func);
    let is_special = |func| is_special(func) || (0x18..0x1c).contains(&func) || (0x20..0x24).contains(&func);
    words.extend((0..0x40).filter(|f| !is_special(*f) && !special_ones.contains(f)));
    words.extend((0..0x40).filter(|f| ![0x02, 0x20, 0x21].contains(f)).map(|f| special2(f, T0, T1, T2)));
    words.extend((0x10..0x1c).chain(0x1d..0x20).map(|opcode| imm(opcode, T0, T1, 0)));
    let memory = [0x27, 0x2c, 0x2d, 0x2f].into_iter().chain(0x31..=0x37).chain(0x39..=0x3f);
    words.extend(memory.map(|opcode| imm(opcode, T0, T1, 0x2000)));
    assert_eq!(words.len(), 34 + 61 + 15 + 18);
    let mut contract = contract();
    for word in words {
        let state = program(&[word, NOP]);
        let agreed = agree(&mut contract, &state, &mut Bare::default());
        assert_eq!(agreed, Agreed::Refused(Reason::UnknownInstruction), "{word:#010x}");
        assert_eq!(text(&state), "invalid instruction", "{word:#010x}");
    }
}

#[test]
fn an_unaligned_pc() {
    for pc in [START + 1, START + 2, START + 3] {
        let state = State { pc, next_pc: pc + 4, ..program(&[NOP, NOP, NOP]) };
        refused(&state, b"", Reason::UnalignedPc);
        assert_eq!(revert(&state).reason(), RevertReason::Silent);
    }
}

/// A state that reads four bytes from `offset` of the preimage of `key`.
fn reading(key: [u8; 32], offset: u32) -> State {
    let mut state = program(&[SYSCALL, NOP]);
    state.registers[V0 as usize] = syscall::READ;
    state.registers[A0 as usize..][..3].copy_from_slice(&[fd::PREIMAGE_READ, 0x5000, 4]);
    State { preimage_key: Hash(key), preimage_offset: offset, ..state }
}

#[test]
fn preimages_behind_their_end() {
    let key = keccak256_key(keccak256(b"hello").0);
    for offset in [13, 14, 1000, u32::MAX] {
        refused(&reading(key, offset), b"hello", Reason::PreimageOffset);
    }
    refused(&reading(local_key(3), 14), b"hello", Reason::PreimageOffset);
    refused(&reading(local_key(3), u32::MAX), b"hello", Reason::PreimageOffset);
    let mut contract = contract();
    for state in [reading(key, 12), reading(local_key(3), 13)] {
        let agreed = agree(&mut contract, &state, &mut Any(b"hello".to_vec()));
        assert!(matches!(agreed, Agreed::Executed { .. }), "{agreed:?}");
    }
}

#[test]
fn local_values_that_are_too_long() {
    for len in [33, 100] {
        refused(&reading(local_key(3), 0), &vec![7; len], Reason::LocalValueTooLong);
    }
}

#[test]
fn preimages_are_loaded_for_their_key_only() {
    let mut contract = contract();
    let key = keccak256_key(keccak256(b"hello").0);
    let error = contract.load_preimage(key, b"hallo", 0, LOCAL_CONTEXT).unwrap_err();
    let got = Hash(keccak256_key(keccak256(b"hallo").0));
    assert_eq!(error, PreimageError::WrongValue { expected: Hash(key), got });
    let error = contract.load_preimage([9; 32], b"hello", 0, LOCAL_CONTEXT).unwrap_err();
    assert_eq!(error, PreimageError::KeyType { key: Hash([9; 32]) });
}

#[test]
fn nothing_of_a_step_is_left_for_the_next() {
    let (mut contract, state) = (contract(), reading(local_key(3), 0));
    let input = Prover::new(&state).unwrap().input(&mut Any(b"hello".to_vec())).unwrap();
    let mut step = |context| contract.step(&input.state_data, &input.proof_data, context);
    let missing = |result| match result {
        Err(CallError::Reverted(revert)) => {
            revert.reason() == RevertReason::Text("pre-image must exist".into())
        }
        _ => false,
    };
    assert!(missing(step(LOCAL_CONTEXT)), "never loaded");
    contract.load_preimage(local_key(3), b"hello", 0, LOCAL_CONTEXT).unwrap();
    let mut step = |context| contract.step(&input.state_data, &input.proof_data, context);
    assert!(step(LOCAL_CONTEXT).is_ok());
    assert!(missing(step(LOCAL_CONTEXT)), "loaded for the step before");
    contract.load_preimage(local_key(3), b"hello", 0, [1; 32]).unwrap();
    assert!(missing(contract.step(&input.state_data, &input.proof_data, LOCAL_CONTEXT)), "another context");
    contract.load_preimage(local_key(3), b"hello", 0, LOCAL_CONTEXT).unwrap();
    contract.forget();
    assert!(missing(contract.step(&input.state_data, &input.proof_data, LOCAL_CONTEXT)), "forgotten");
}

#[test]
fn a_wrong_proof_is_no_agreement() {
    let state = program(&[special(0x1a, T0, T1, 0, 0), NOP]);
    let mut input = Prover::new(&state).unwrap().input(&mut Bare::default()).unwrap();
    input.proof_data[5] ^= 1;
    let result = contract().step(&input.state_data, &input.proof_data, LOCAL_CONTEXT);
    let Err(CallError::Reverted(revert)) = result else { panic!("{result:?}") };
    assert_eq!(revert.reason(), RevertReason::BadProof);
}
