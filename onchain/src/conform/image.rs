//! Every kind of instruction that an image has, at addresses of the image, with operands of all sorts.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use opml_abi::{fd, local_key, syscall};
use opml_isa::{Mnemonic, decode};
use opml_state::{Hash, PAGE_SIZE, State};
use opml_vm::{Host, HostError, Prover};
use serde::Serialize;

use super::number;
use crate::contract::Contract;
use crate::lockstep::{Agreed, LockstepError, lockstep};

/// At how many of its places an instruction is tried, spread over the image.
const PLACES: usize = 5;

/// With how many sets of registers at each of them.
const SETS: u64 = 6;

/// The first set in which a load or store goes to memory of the image.
const FIRST_SET_IN_IMAGE: u64 = 3;

/// The set in which the instruction stands in a delay slot: there, a jump is refused.
const DELAY_SLOT_SET: u64 = SETS - 1;

/// Where system calls read and write: memory that no image has.
const BUFFER: u32 = 0x7fff_f000;

/// System calls are tried with these numbers, each with each descriptor; 4001 is none.
const SYSTEM_CALLS: [u32; 8] = [
    syscall::READ,
    syscall::WRITE,
    syscall::BRK,
    syscall::FCNTL,
    syscall::MMAP,
    syscall::CLONE,
    syscall::EXIT_GROUP,
    4001,
];

/// More descriptors than there are.
const DESCRIPTORS: u64 = 8;

/// What was shown of an image: VM and contract agree on each step that was compared.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Conformity {
    /// The kinds of instructions that the image has, by name.
    pub encodings: Vec<Encoding>,
    /// Steps compared in all.
    pub steps_compared: u64,
    /// The most gas that one of them took.
    pub max_gas: u64,
}

/// A kind of instruction: one opcode and function.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Encoding {
    /// Its name; `.word` for words that are none.
    pub mnemonic: &'static str,
    /// How often the image has it.
    pub occurrences: u64,
    /// Steps that were compared.
    pub steps_compared: u64,
    /// How many of these both refused, such as divisions by zero.
    pub refused: u64,
    /// The most gas that one of them took; 0 if all were refused.
    pub max_gas: u64,
}

/// Executes each kind of instruction in the `code` ranges of `image` in the VM and on the contract: at up to
/// five of its addresses, with six sets of registers each, and a system call with each number and descriptor.
///
/// # Errors
/// [`LockstepError`] at the first step that is not agreed on.
pub fn conform(
    contract: &mut Contract,
    image: &State,
    code: &[Range<u32>],
) -> Result<Conformity, LockstepError> {
    let mut kinds: BTreeMap<Mnemonic, Vec<u32>> = BTreeMap::new();
    for address in code.iter().flat_map(|range| range.clone().step_by(4)) {
        kinds.entry(decode(word(image, address)).mnemonic()).or_default().push(address);
    }
    let encodings = kinds.into_iter().map(|(mnemonic, addresses)| {
        let mut encoding = Encoding {
            mnemonic: mnemonic.name(),
            occurrences: addresses.len() as u64,
            steps_compared: 0,
            refused: 0,
            max_gas: 0,
        };
        let sets = if mnemonic == Mnemonic::Syscall { SYSTEM_CALLS.len() as u64 * DESCRIPTORS } else { SETS };
        for address in spread(&addresses) {
            for set in 0..sets {
                let mut prover = Prover::new(&state(image, address, set))?;
                encoding.steps_compared += 1;
                match lockstep(contract, &mut prover, &mut LocalValues)? {
                    Agreed::Executed { gas } => encoding.max_gas = encoding.max_gas.max(gas),
                    Agreed::Refused(_) => encoding.refused += 1,
                }
            }
        }
        Ok(encoding)
    });
    let mut encodings = encodings.collect::<Result<Vec<Encoding>, LockstepError>>()?;
    encodings.sort_by_key(|encoding| encoding.mnemonic);
    Ok(Conformity {
        steps_compared: encodings.iter().map(|encoding| encoding.steps_compared).sum(),
        max_gas: encodings.iter().map(|encoding| encoding.max_gas).max().unwrap_or_default(),
        encodings,
    })
}

/// Up to [`PLACES`] of the addresses, the first and the last among them.
fn spread(addresses: &[u32]) -> impl Iterator<Item = u32> + '_ {
    let places = addresses.len().min(PLACES);
    (0..places).map(move |place| addresses[place * (addresses.len() - 1) / (places - 1).max(1)])
}

fn word(image: &State, address: u32) -> u32 {
    let mut bytes = [0; 4];
    // What lies behind the end of memory reads as zeros, as everything that is not there.
    let _ = image.memory.read(address & !3, &mut bytes);
    u32::from_be_bytes(bytes)
}

/// The state before the instruction at `address`. Of the memory of `image` it has the page of the instruction
/// and that of the data it touches.
fn state(image: &State, address: u32, set: u64) -> State {
    let instruction = decode(word(image, address));
    let mut state = State { pc: address, next_pc: address.wrapping_add(4), ..State::default() };
    for register in 1..32 {
        state.registers[register] = value(address, set, register);
    }
    (state.lo, state.hi, state.heap) = (value(address, set, 32), value(address, set, 33), image.heap);
    if set == DELAY_SLOT_SET {
        state.next_pc = address.wrapping_add(64);
    }
    copy_page(image, &mut state, address);
    if instruction.mnemonic() == Mnemonic::Syscall {
        system_call(&mut state, set);
    } else if instruction.word() >> 26 >= 0x20 {
        let (base, offset) = (instruction.rs().number() as usize, instruction.signed_immediate() as u32);
        if base != 0 && set >= FIRST_SET_IN_IMAGE {
            let pages = image.memory.page_count().max(1) as u64;
            let page = number("page", [address.into(), set]) % pages;
            let page = image.memory.pages().nth(page as usize).map_or(0, |(index, _)| index);
            let at =
                page * PAGE_SIZE as u32 + number("offset", [address.into(), set]) as u32 % PAGE_SIZE as u32;
            state.registers[base] = at.wrapping_sub(offset);
        }
        let at = state.registers[base].wrapping_add(offset);
        copy_page(image, &mut state, at);
    }
    state
}

/// What a register holds: the values at which arithmetic changes its mind, then any.
fn value(address: u32, set: u64, register: usize) -> u32 {
    match set {
        0 => 0,
        1 => u32::MAX,
        2 => [1 << 31, (1 << 31) - 1][register % 2],
        3 => register as u32,
        _ => number("register", [u64::from(address) << 32 | set, register as u64]) as u32,
    }
}

fn system_call(state: &mut State, set: u64) {
    state.registers[2] = SYSTEM_CALLS[(set / DESCRIPTORS) as usize];
    state.registers[4] = (set % DESCRIPTORS) as u32;
    // Each alignment; for mmap a length, and of fcntl mostly the command that there is.
    state.registers[5] = if state.registers[2] == syscall::FCNTL && !set.is_multiple_of(3) {
        3
    } else {
        BUFFER + set as u32 % 4
    };
    state.registers[6] = set as u32 % 6;
    if state.registers[4] == fd::PREIMAGE_READ {
        state.preimage_key = Hash(local_key(1));
        state.preimage_offset = set as u32 % 41;
    }
}

fn copy_page(image: &State, state: &mut State, address: u32) {
    let index = address / PAGE_SIZE as u32;
    if let Some(page) = image.memory.page(index) {
        state.memory.set_page(index, Box::new(*page));
    }
}

/// A host that has a value for each local key.
struct LocalValues;

impl Host for LocalValues {
    fn preimage(&mut self, key: &[u8; 32]) -> Result<Arc<[u8]>, HostError> {
        Ok(opml_state::keccak256(key).0.as_slice().into())
    }

    fn hint(&mut self, _payload: &[u8]) {}

    fn output(&mut self, _fd: u32, _bytes: &[u8]) {}
}
