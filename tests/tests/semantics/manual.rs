//! What the manual leaves open, where a processor does something all the same: MIPS32 Architecture for
//! Programmers, volume II, "The MIPS32 Instruction Set".

use opml_state::State;

use crate::case::{self, field};

/// Volume II, "Instruction Fields": fields of zeros without a name are unused and have to be zero; "if such fields
/// are set to non-zero values, the operation of the processor is UNPREDICTABLE".
///
/// Mask and value of the instructions that the contract executes, as release 2 has them, and the bits that have to
/// be zero.
const UNUSED_FIELDS: &[(u32, u32, u32)] = &[
    // sll, sra; srl, whose lowest bit of rs makes it `rotr` in release 2
    (0xfc00_003f, 0x0000_0000, 0x03e0_0000),
    (0xfc00_003f, 0x0000_0003, 0x03e0_0000),
    (0xfc00_003f, 0x0000_0002, 0x03c0_0000),
    // sllv, srav; srlv, whose lowest bit of sa makes it `rotrv`
    (0xfc00_003f, 0x0000_0004, 0x0000_07c0),
    (0xfc00_003f, 0x0000_0007, 0x0000_07c0),
    (0xfc00_003f, 0x0000_0006, 0x0000_0780),
    // jr, jalr: of the hints only the highest bit has a meaning
    (0xfc00_003f, 0x0000_0008, 0x001f_fbc0),
    (0xfc00_003f, 0x0000_0009, 0x001f_03c0),
    // movz, movn
    (0xfc00_003e, 0x0000_000a, 0x0000_07c0),
    // sync
    (0xfc00_003f, 0x0000_000f, 0x03ff_f800),
    // mfhi, mflo; mthi, mtlo
    (0xfc00_003d, 0x0000_0010, 0x03ff_07c0),
    (0xfc00_003d, 0x0000_0011, 0x001f_ffc0),
    // mult, multu, div, divu
    (0xfc00_003c, 0x0000_0018, 0x0000_ffc0),
    // add, addu, sub, subu, and, or, xor, nor; slt, sltu
    (0xfc00_0038, 0x0000_0020, 0x0000_07c0),
    (0xfc00_003e, 0x0000_002a, 0x0000_07c0),
    // blez, bgtz
    (0xf800_0000, 0x1800_0000, 0x001f_0000),
    // lui
    (0xfc00_0000, 0x3c00_0000, 0x03e0_0000),
    // mul; clz, clo
    (0xfc00_003f, 0x7000_0002, 0x0000_07c0),
    (0xfc00_003e, 0x7000_0020, 0x0000_07c0),
];

/// Whether bits of `word` are set that the manual wants zero.
pub fn has_unused_bits(word: u32) -> bool {
    UNUSED_FIELDS.iter().any(|&(mask, value, unused)| word & mask == value && word & unused != 0)
}

/// Whether the manual leaves open what `word` does in `state`.
pub fn is_unpredictable(word: u32, state: &State) -> bool {
    has_unused_bits(word)
        // "Programming Restrictions" of each branch and jump.
        || (case::is_branch(word) && case::in_delay_slot(state))
        // DIV, DIVU: "if the divisor in GPR rt is zero, the arithmetic result value is UNPREDICTABLE".
        || (case::is_division(word) && state.registers[field(word, 16)] == 0)
        || has_unpredictable_registers(word)
        // SC: without an LL in front.
        || word >> 26 == 0x38
}

fn has_unpredictable_registers(word: u32) -> bool {
    let (rs, rt, rd) = (field(word, 21), field(word, 16), field(word, 11));
    match (word >> 26, word & 0x3f) {
        // JALR: "register specifiers rs and rd must not be equal".
        (0x00, 0x09) => rs == rd,
        // BLTZAL, BGEZAL and their likely forms: rs must not be $ra, which the branch writes.
        (0x01, _) => rs == 31 && (0x10..0x14).contains(&rt),
        // CLZ, CLO: rt and rd have to be the same.
        (0x1c, 0x20 | 0x21) => rt != rd,
        _ => false,
    }
}
