//! Words by their fields, and small programs of them.

use opml_state::{Memory, State};

/// Where programs start.
pub const START: u32 = 0x1000;

/// Memory that programs work on: two words that no instruction is made of.
pub const DATA: u32 = 0x4000;
pub const DATA_WORDS: [u32; 2] = [0x8182_8384, 0x9192_9394];

/// Registers of a system call: its number and then its result, and the number of an error.
pub const V0: usize = 2;
pub const A3: usize = 7;

/// Registers for operands.
pub const S: u32 = 8;
pub const T: u32 = 9;
pub const D: u32 = 10;

pub const SYSCALL: u32 = 0x0000_000c;
pub const NOP: u32 = 0;

/// A word of opcode 0 with `S`, `T` and `D` as its registers.
pub fn special(function: u32) -> u32 {
    S << 21 | T << 16 | D << 11 | function
}

/// A word with rs, rt and a 16-bit constant.
pub fn immediate(opcode: u32, rs: u32, rt: u32, constant: u32) -> u32 {
    opcode << 26 | rs << 21 | rt << 16 | constant & 0xffff
}

/// `beq $zero, $zero`, which is always taken, to `words` behind its delay slot.
pub fn branch(words: u32) -> u32 {
    immediate(0x04, 0, 0, words)
}

/// The state before the first of `words`, with these values in registers.
pub fn program(words: &[u32], registers: &[(u32, u32)]) -> State {
    let mut memory = Memory::new();
    let mut put = |at: u32, words: &[u32]| {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        memory.write(at, &bytes).expect("it fits");
    };
    put(START, words);
    put(DATA, &DATA_WORDS);
    let mut state = State { memory, pc: START, next_pc: START + 4, ..State::default() };
    registers.iter().for_each(|&(register, value)| state.registers[register as usize] = value);
    state
}

/// The state before a system call with up to three arguments.
pub fn system_call(number: u32, arguments: &[u32]) -> State {
    let registers: Vec<_> = (4..).zip(arguments.iter().copied()).chain([(V0 as u32, number)]).collect();
    program(&[SYSCALL], &registers)
}

/// The word at `address`.
pub fn word_at(state: &State, address: u32) -> u32 {
    let mut bytes = [0; 4];
    state.memory.read(address, &mut bytes).expect("it is inside");
    u32::from_be_bytes(bytes)
}
