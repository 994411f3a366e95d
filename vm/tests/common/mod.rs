//! An assembler of single words, small states, and a host without anything, for the tests of the VM.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod echo;

use std::sync::Arc;

use opml_state::{Memory, State};
use opml_vm::{Host, HostError, Vm};

/// Where test programs start.
pub const START: u32 = 0x1000;

/// Registers by their o32 names, as far as the tests need them.
pub const ZERO: u32 = 0;
pub const V0: u32 = 2;
pub const A0: u32 = 4;
pub const A1: u32 = 5;
pub const A2: u32 = 6;
pub const A3: u32 = 7;
pub const T0: u32 = 8;
pub const T1: u32 = 9;
pub const T2: u32 = 10;
pub const RA: u32 = 31;

/// An instruction of opcode 0.
pub fn special(func: u32, rs: u32, rt: u32, rd: u32, shift: u32) -> u32 {
    rs << 21 | rt << 16 | rd << 11 | shift << 6 | func
}

/// An instruction of opcode 0x1c.
pub fn special2(func: u32, rs: u32, rt: u32, rd: u32) -> u32 {
    0x1c << 26 | special(func, rs, rt, rd, 0)
}

/// An instruction with a 16-bit constant.
pub fn imm(opcode: u32, rs: u32, rt: u32, value: i32) -> u32 {
    assert!((-0x8000..0x1_0000).contains(&value));
    opcode << 26 | rs << 21 | rt << 16 | (value as u32 & 0xffff)
}

pub fn addu(rd: u32, rs: u32, rt: u32) -> u32 {
    special(0x21, rs, rt, rd, 0)
}

pub fn addiu(rt: u32, rs: u32, value: i32) -> u32 {
    imm(0x09, rs, rt, value)
}

pub fn lui(rt: u32, value: u32) -> u32 {
    imm(0x0f, 0, rt, value as i32)
}

pub fn ori(rt: u32, rs: u32, value: u32) -> u32 {
    imm(0x0d, rs, rt, value as i32)
}

/// The two words that set a register to any value.
pub fn set(rt: u32, value: u32) -> [u32; 2] {
    [lui(rt, value >> 16), ori(rt, rt, value & 0xffff)]
}

pub fn lw(rt: u32, base: u32, offset: i32) -> u32 {
    imm(0x23, base, rt, offset)
}

pub fn sw(rt: u32, base: u32, offset: i32) -> u32 {
    imm(0x2b, base, rt, offset)
}

/// Branches count in words from the delay slot.
pub fn beq(rs: u32, rt: u32, words: i32) -> u32 {
    imm(0x04, rs, rt, words)
}

pub fn bne(rs: u32, rt: u32, words: i32) -> u32 {
    imm(0x05, rs, rt, words)
}

pub fn j(target: u32) -> u32 {
    0x02 << 26 | (target >> 2 & 0x03ff_ffff)
}

pub fn jal(target: u32) -> u32 {
    0x03 << 26 | (target >> 2 & 0x03ff_ffff)
}

pub fn jr(rs: u32) -> u32 {
    special(0x08, rs, 0, 0, 0)
}

pub const NOP: u32 = 0;
pub const SYSCALL: u32 = 0x0c;

/// Memory with `words` from `address` onwards.
pub fn memory(address: u32, words: &[u32]) -> Memory {
    let mut memory = Memory::new();
    put(&mut memory, address, words);
    memory
}

/// Writes `words` to `address` onwards.
pub fn put(memory: &mut Memory, address: u32, words: &[u32]) {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    memory.write(address, &bytes).unwrap();
}

/// The state before the first of `words`, at [`START`].
pub fn program(words: &[u32]) -> State {
    State { memory: memory(START, words), pc: START, next_pc: START + 4, ..State::default() }
}

/// The word at `address`.
pub fn word(vm: &Vm, address: u32) -> u32 {
    u32::from_be_bytes(vm.memory(address, 4).try_into().unwrap())
}

/// A host that has no preimage and keeps hints and outputs.
#[derive(Default)]
pub struct Bare {
    pub hints: Vec<Vec<u8>>,
    pub outputs: Vec<(u32, Vec<u8>)>,
}

impl Host for Bare {
    fn preimage(&mut self, _key: &[u8; 32]) -> Result<Arc<[u8]>, HostError> {
        Err("there is none".into())
    }
    fn hint(&mut self, payload: &[u8]) {
        self.hints.push(payload.to_vec());
    }
    fn output(&mut self, fd: u32, bytes: &[u8]) {
        self.outputs.push((fd, bytes.to_vec()));
    }
}
