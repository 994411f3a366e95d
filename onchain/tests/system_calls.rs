//! Every system call, in the VM and on the contract: numbers, arguments, the preimage oracle byte by byte.

mod common;

use std::sync::Arc;

use common::assembler::*;
use common::*;
use opml_abi::{fd, keccak256_key, local_key, syscall};
use opml_onchain::{Agreed, Contract};
use opml_state::{Hash, State, keccak256};
use opml_vm::{Host, HostError, Prover};

/// A host with one preimage, whatever the key.
struct One(Vec<u8>);

impl Host for One {
    fn preimage(&mut self, _key: &[u8; 32]) -> Result<Arc<[u8]>, HostError> {
        Ok(self.0.as_slice().into())
    }
    fn hint(&mut self, _payload: &[u8]) {}
    fn output(&mut self, _fd: u32, _bytes: &[u8]) {}
}

/// Where calls read and write; the two words there are not zeros.
const BUFFER: u32 = 0x5018;

/// A state whose first instruction is a system call.
fn calling(number: u32, arguments: [u32; 3]) -> State {
    let mut state = program(&[SYSCALL, NOP]);
    state.registers[V0 as usize] = number;
    state.registers[A0 as usize..][..3].copy_from_slice(&arguments);
    state.registers[A3 as usize] = 0xeeee;
    state.heap = 0x2000_0000;
    state.preimage_key = Hash(std::array::from_fn(|i| i as u8 + 1));
    state.memory.write(BUFFER, &[0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8]).unwrap();
    state
}

/// Executes the call on both sides, which agree on it; gives registers 2 and 7.
fn call(contract: &mut Contract, state: &State, preimage: &[u8]) -> (u32, u32) {
    let agreed = agree(contract, state, &mut One(preimage.to_vec()));
    assert!(matches!(agreed, Agreed::Executed { .. }), "{agreed:?} {:?}", state.registers);
    let mut prover = Prover::new(state).unwrap();
    prover.step(&mut One(preimage.to_vec())).unwrap();
    let registers = prover.vm().registers();
    (registers[V0 as usize], registers[A3 as usize])
}

#[test]
fn calls_without_memory() {
    let mut contract = contract();
    let mut results = |number, arguments| call(&mut contract, &calling(number, arguments), b"");
    assert_eq!(results(syscall::BRK, [7, 0, 0]), (0x4000_0000, 0));
    assert_eq!(results(syscall::CLONE, [7, 0, 0]), (1, 0));
    for size in [0, 1, 4095, 4096, 4097, 0xf000_0000, 0xffff_f001, u32::MAX] {
        assert_eq!(results(syscall::MMAP, [0, size, 0]), (0x2000_0000, 0), "{size:#x}");
        assert_eq!(results(syscall::MMAP, [0x5001, size, 0]), (0x5001, 0), "{size:#x}");
    }
    for descriptor in (0..9).chain([u32::MAX]) {
        for command in [0, 1, 2, 3, 4, u32::MAX] {
            let (result, error) = results(syscall::FCNTL, [descriptor, command, 0]);
            assert_eq!(result == u32::MAX, error != 0, "{descriptor} {command}");
        }
    }
    for unknown in [0, 1, 4001, 4002, 4005, 4247, 5003, u32::MAX] {
        assert_eq!(results(unknown, [1, 2, 3]), (0, 0), "{unknown}");
    }
}

#[test]
fn exits() {
    let mut contract = contract();
    for code in [0, 1, 2, 0x100, 0x1ff, u32::MAX] {
        let state = calling(syscall::EXIT_GROUP, [code, 0, 0]);
        let mut prover = Prover::new(&state).unwrap();
        // The exit, then a step after it, which changes nothing.
        for _ in 0..2 {
            let agreed = opml_onchain::lockstep(&mut contract, &mut prover, &mut Bare::default());
            assert!(matches!(agreed, Ok(Agreed::Executed { .. })), "{agreed:?}");
            assert_eq!((prover.vm().exit_code(), prover.vm().step_count()), (Some(code as u8), 1));
        }
    }
}

#[test]
fn reads_and_writes_of_every_descriptor() {
    let mut contract = contract();
    for number in [syscall::READ, syscall::WRITE] {
        for descriptor in (0..9).chain([0x100, u32::MAX]) {
            for count in [0, 1, 4, 6] {
                let mut state = calling(number, [descriptor, BUFFER + 1, count]);
                // A hint of four bytes, so that what is written there has an end.
                state.memory.write(BUFFER + 1, &[0, 0, 0, 2, 1, 2]).unwrap();
                state.preimage_key = Hash(local_key(1));
                let (result, error) = call(&mut contract, &state, &[0xaa; 32]);
                let known = match number {
                    syscall::READ => [fd::STDIN, fd::HINT_RESPONSE, fd::PREIMAGE_READ].contains(&descriptor),
                    _ => [fd::STDOUT, fd::STDERR, fd::HINT_REQUEST, fd::PREIMAGE_WRITE].contains(&descriptor),
                };
                assert_eq!(error, if known { 0 } else { 9 }, "{number} {descriptor}");
                assert_eq!(result == u32::MAX, !known, "{number} {descriptor}");
            }
        }
    }
}

#[test]
fn preimages_from_every_offset_to_every_alignment() {
    let cases: Vec<(usize, bool)> =
        [0, 1, 5, 31, 32, 33, 70].into_iter().flat_map(|len| [(len, true), (len, false)]).collect();
    on_all_processors(&cases, |contract, &(len, is_local)| {
        let preimage = random_bytes("preimage", len);
        let key = if is_local { local_key(4) } else { keccak256_key(keccak256(&preimage).0) };
        // The end itself can be read of local values only; longer ones are refused.
        let end = if is_local { 8 + len + 1 } else { 8 + len };
        for offset in (0..end).filter(|_| !is_local || len <= 32) {
            for alignment in 0..4 {
                for count in [0, 1, 2, 3, 4, 5, u32::MAX] {
                    let arguments = [fd::PREIMAGE_READ, BUFFER + alignment, count];
                    let mut state = calling(syscall::READ, arguments);
                    (state.preimage_key, state.preimage_offset) = (Hash(key), offset as u32);
                    let read = (8 + len - offset).min(4 - alignment as usize).min(count as usize);
                    assert_eq!(
                        call(contract, &state, &preimage),
                        (read as u32, 0),
                        "{arguments:x?} {offset}"
                    );
                }
            }
        }
    });
}

#[test]
fn local_values_have_every_number() {
    let mut contract = contract();
    for number in (0..8).chain([0x7f, 0xff]) {
        let mut state = calling(syscall::READ, [fd::PREIMAGE_READ, BUFFER, 4]);
        (state.preimage_key, state.preimage_offset) = (Hash(local_key(number)), 8);
        assert_eq!(call(&mut contract, &state, &[number; 32]), (4, 0), "{number}");
    }
    // A number may be as long as a key.
    let mut state = calling(syscall::READ, [fd::PREIMAGE_READ, BUFFER, 4]);
    state.preimage_key = Hash([1; 32]);
    assert_eq!(call(&mut contract, &state, b"value"), (4, 0));
}

#[test]
fn keys_from_every_alignment() {
    let mut contract = contract();
    for alignment in 0..4 {
        for count in [0, 1, 2, 3, 4, 5, 32, u32::MAX] {
            let state = calling(syscall::WRITE, [fd::PREIMAGE_WRITE, BUFFER + alignment, count]);
            let written = (4 - alignment).min(count);
            assert_eq!(call(&mut contract, &state, b""), (written, 0), "{alignment} {count}");
        }
    }
}

#[test]
fn calls_at_the_ends_of_memory_and_in_delay_slots() {
    let mut contract = contract();
    for address in [0, 3, 0xffff_fffc, 0xffff_ffff] {
        let mut state = calling(syscall::READ, [fd::PREIMAGE_READ, address, 4]);
        state.preimage_key = Hash(local_key(1));
        assert_eq!(call(&mut contract, &state, b"abcd"), (4 - (address & 3), 0), "{address:#x}");
        let state = calling(syscall::WRITE, [fd::PREIMAGE_WRITE, address, 4]);
        assert_eq!(call(&mut contract, &state, b""), (4 - (address & 3), 0), "{address:#x}");
    }
    // A read over the next instruction, and over the call itself.
    for address in [START, START + 4] {
        let mut state = calling(syscall::READ, [fd::PREIMAGE_READ, address, 4]);
        state.preimage_key = Hash(local_key(1));
        assert_eq!(call(&mut contract, &state, b"abcd"), (4, 0));
    }
    let state = State { next_pc: 0x9000, ..calling(syscall::BRK, [0; 3]) };
    assert_eq!(call(&mut contract, &state, b""), (0x4000_0000, 0));
}
