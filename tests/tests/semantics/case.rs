//! A word in a state, and what can be read off the two.

use opml_state::State;

/// A word that is to be executed, and the state before.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    pub word: u32,
    pub state: &'a State,
}

/// The five bits of `word` from bit `at` upwards: the number of a register.
pub fn field(word: u32, at: u32) -> usize {
    (word >> at & 31) as usize
}

/// The upper six bits.
pub fn opcode(word: u32) -> u32 {
    word >> 26
}

/// The lower six bits of a word whose opcode is `opcode`.
pub fn function_of(word: u32, opcode: u32) -> Option<u32> {
    (word >> 26 == opcode).then_some(word & 0x3f)
}

/// The register number in rt of a word of opcode 1, where it selects the instruction.
pub fn regimm(word: u32) -> Option<usize> {
    (opcode(word) == 1).then(|| field(word, 16))
}

/// Whether the manual calls it a branch or jump.
pub fn is_branch(word: u32) -> bool {
    match opcode(word) {
        0x00 => matches!(word & 0x3f, 8 | 9),
        0x01 => matches!(field(word, 16), 0..4 | 0x10..0x14),
        opcode => matches!(opcode, 0x02..=0x07 | 0x14..=0x17),
    }
}

/// `div` or `divu`.
pub fn is_division(word: u32) -> bool {
    matches!(function_of(word, 0), Some(0x1a | 0x1b))
}

/// Whether the instruction of `state` is in the delay slot of a branch that was taken to elsewhere.
pub fn in_delay_slot(state: &State) -> bool {
    state.next_pc != state.pc.wrapping_add(4)
}

impl Case<'_> {
    /// The value of the register whose number is in the field at bit `at`.
    pub fn operand(&self, at: u32) -> u32 {
        self.state.registers[field(self.word, at)]
    }

    /// Where a load or store goes.
    pub fn address(&self) -> u32 {
        self.operand(21).wrapping_add(self.word as u16 as i16 as u32)
    }

    /// Whether it is a load or store of a half word or word at an address that is no multiple of its size.
    pub fn is_unaligned(&self) -> bool {
        match opcode(self.word) {
            // lh, lhu, sh
            0x21 | 0x25 | 0x29 => !self.address().is_multiple_of(2),
            // lw, sw, ll, sc
            0x23 | 0x2b | 0x30 | 0x38 => !self.address().is_multiple_of(4),
            _ => false,
        }
    }
}
