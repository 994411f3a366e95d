//! Any bytes as a state whose next step VM and contract have to agree on.

use std::sync::Arc;

use opml_abi::{KEY_TYPE_LOCAL, keccak256_key, local_key, syscall};
use opml_state::{Hash, State, keccak256};
use opml_vm::{Host, HostError, Prover, VmError, data_address};

use crate::contract::{Contract, PreimageError};
use crate::lockstep::{Agreed, LockstepError, lockstep};

/// Numbers of system calls that are tried; the last is none.
const SYSTEM_CALLS: [u32; 8] = [
    syscall::READ,
    syscall::WRITE,
    syscall::MMAP,
    syscall::FCNTL,
    syscall::BRK,
    syscall::CLONE,
    syscall::EXIT_GROUP,
    4001,
];

/// Executes the step of the state that `data` describes in the VM and on the contract. The first four bytes
/// are the instruction; bytes that are missing are zeros. `None` if there is nothing to compare, as the VM
/// has met a limit of its own that the contract does not have.
///
/// # Panics
/// If they disagree, or one of them fails: that is a bug.
pub fn fuzz_step(contract: &mut Contract, data: &[u8]) -> Option<Agreed> {
    let mut bytes = Bytes(data);
    let (state, preimage) = state(&mut bytes);
    let mut host = One { key: state.preimage_key, preimage };
    let mut prover = Prover::new(&state).expect("the machine has the address space");
    match lockstep(contract, &mut prover, &mut host) {
        Ok(agreed) => Some(agreed),
        // Long hints are held off chain only; keys of other kinds are no part of the guest ABI.
        Err(LockstepError::Vm(VmError::HintTooLong { .. } | VmError::Preimage { .. })) => None,
        Err(LockstepError::Preimage(PreimageError::KeyType { .. })) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Input that never ends: zeros follow.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn array<const N: usize>(&mut self) -> [u8; N] {
        let taken = self.0.len().min(N);
        let mut array = [0; N];
        array[..taken].copy_from_slice(&self.0[..taken]);
        self.0 = &self.0[taken..];
        array
    }

    fn word(&mut self) -> u32 {
        u32::from_be_bytes(self.array())
    }

    /// A number below `bound`, which is at most 256.
    fn below(&mut self, bound: u32) -> u32 {
        u32::from(self.array::<1>()[0]) % bound
    }

    /// True for one in `many` of all bytes.
    fn one_in(&mut self, many: u32) -> bool {
        self.below(many) == many - 1
    }

    /// A value for a register: often one at which arithmetic changes its mind.
    fn value(&mut self) -> u32 {
        match self.below(8) {
            0 => 0,
            1 => 1,
            2 => u32::MAX,
            3 => 1 << 31,
            4 => (1 << 31) - 1,
            5 => self.below(64),
            _ => self.word(),
        }
    }
}

/// A state, made up: no program need lead to it. And the preimage that it may read.
fn state(bytes: &mut Bytes<'_>) -> (State, Vec<u8>) {
    let word = bytes.word();
    let pc = match bytes.below(16) {
        // The ends of memory and of the region that jumps stay in, and a pc of any alignment.
        0 => 0xffff_fffc,
        1 => 0x0fff_fffc,
        2 => bytes.word(),
        _ => bytes.word() & !3,
    };
    let next_pc = if bytes.one_in(4) { bytes.word() } else { pc.wrapping_add(4) };
    let mut state = State { pc, next_pc, ..State::default() };
    // A program can't change register 0, but the contract takes a state that has.
    let first = usize::from(!bytes.one_in(16));
    state.registers[first..].fill_with(|| bytes.value());
    (state.lo, state.hi, state.heap) = (bytes.value(), bytes.value(), bytes.value());
    state.step = u64::from_be_bytes(bytes.array());
    state.exited = bytes.one_in(32);
    state.exit_code = if state.exited { bytes.below(4) as u8 } else { 0 };
    if word & 0xfc00_003f == 0x0c {
        arguments(&mut state, bytes);
    }
    let preimage = preimage(&mut state, bytes);
    if let Some(address) = data_address(word, &state.registers).filter(|_| !state.exited) {
        // The leaf that is read or written, and one not far from it.
        for at in [address & !31, address & !31 ^ 64] {
            state.memory.write(at, &bytes.array::<32>()).expect("a leaf lies in memory");
        }
    }
    state.memory.write(pc & !3, &word.to_be_bytes()).expect("a word lies in memory");
    (state, preimage)
}

/// Registers of a system call: mostly one that does something.
fn arguments(state: &mut State, bytes: &mut Bytes<'_>) {
    if bytes.one_in(16) {
        return;
    }
    state.registers[2] = SYSTEM_CALLS[bytes.below(SYSTEM_CALLS.len() as u32) as usize];
    state.registers[4] = bytes.below(9);
    match state.registers[2] {
        // The command that fcntl knows, more often than others.
        syscall::FCNTL if bytes.one_in(2) => state.registers[5] = 3,
        syscall::MMAP if bytes.one_in(2) => state.registers[4] = 0,
        syscall::READ if bytes.one_in(2) => state.registers[4] = 5,
        _ => {}
    }
    if bytes.one_in(2) {
        state.registers[6] = bytes.below(40);
    }
}

/// A preimage of up to 47 bytes and its key; local values longer than 32 are refused.
fn preimage(state: &mut State, bytes: &mut Bytes<'_>) -> Vec<u8> {
    let length = bytes.below(48) as usize;
    let preimage = bytes.array::<48>()[..length].to_vec();
    let key = match bytes.below(4) {
        0 => bytes.array(),
        1 => keccak256_key(keccak256(&preimage).0),
        _ => local_key(bytes.below(7) as u8),
    };
    state.preimage_key = Hash(key);
    state.preimage_offset = if bytes.one_in(16) { bytes.word() } else { bytes.below(60) };
    preimage
}

/// A host that knows one preimage: under its hash, or as the local value that is asked for.
struct One {
    key: Hash,
    preimage: Vec<u8>,
}

impl Host for One {
    fn preimage(&mut self, key: &[u8; 32]) -> Result<Arc<[u8]>, HostError> {
        let known = key[0] == KEY_TYPE_LOCAL || *key == keccak256_key(keccak256(&self.preimage).0);
        let known = known && *key == self.key.0;
        known.then(|| self.preimage.as_slice().into()).ok_or_else(|| "no preimage of that key".into())
    }

    fn hint(&mut self, _payload: &[u8]) {}

    fn output(&mut self, _fd: u32, _bytes: &[u8]) {}
}
