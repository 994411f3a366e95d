//! The words that are tried: every opcode with every function or selector it has, the other fields with the bits
//! that have to be zero both zero and not.

use std::collections::BTreeSet;

use opml_tests::single_step::Place;

/// Registers in (rs, rt, rd): all apart, any two or all of them the same, any of them `$zero`, and `$ra`.
const REGISTERS: [[u32; 3]; 14] = [
    [8, 9, 10],
    [8, 8, 10],
    [8, 9, 9],
    [8, 9, 8],
    [8, 8, 8],
    [0, 9, 10],
    [0, 9, 9],
    [8, 0, 10],
    [8, 0, 0],
    [8, 9, 0],
    [0, 0, 10],
    [0, 0, 0],
    [31, 9, 31],
    // The number 1 in rs makes `srl` a rotation.
    [1, 9, 10],
];

/// Values of the field sa: none, `ehb` and `pause`, the lowest and highest bits, and the amounts around a half word.
const AMOUNTS: [u32; 9] = [0, 1, 2, 3, 5, 15, 16, 17, 31];

/// 16-bit constants: small ones of both signs, the ends of their range, and some with many bits.
const CONSTANTS: [u32; 9] = [0, 1, 2, 7, 0x7fff, 0x8000, 0xabcd, 0xfff9, 0xffff];

/// Opcodes with a function in the lower six bits, which selects the instruction; and those of coprocessors, where
/// rs selects too.
const WITH_FUNCTION: [u32; 3] = [0x00, 0x1c, 0x1f];
const COPROCESSORS: [u32; 4] = [0x10, 0x11, 0x12, 0x13];

/// Every word that is tried, each once.
pub fn all() -> Vec<u32> {
    let mut words = BTreeSet::new();
    for opcode in 0..64 {
        match opcode {
            _ if WITH_FUNCTION.contains(&opcode) => words.extend(with_function(opcode)),
            _ if COPROCESSORS.contains(&opcode) => words.extend(coprocessor(opcode)),
            0x01 => words.extend(regimm()),
            0x02 | 0x03 => {
                words.extend((0..8).map(|index| opcode << 26 | Place::far(index) >> 2));
                words.insert(opcode << 26);
            }
            _ => words.extend(with_constant(opcode)),
        }
    }
    words.into_iter().collect()
}

fn with_function(opcode: u32) -> impl Iterator<Item = u32> {
    let fields = REGISTERS.iter().flat_map(|registers| AMOUNTS.map(|amount| (registers, amount)));
    fields.flat_map(move |(&[rs, rt, rd], amount)| {
        (0..64).map(move |function| opcode << 26 | rs << 21 | rt << 16 | rd << 11 | amount << 6 | function)
    })
}

fn coprocessor(opcode: u32) -> impl Iterator<Item = u32> {
    // rt, rd and sa: zero, and any others for the operations of rs alone.
    let operations = (0..32 * 64).map(move |i| opcode << 26 | (i / 64) << 21 | (i % 64));
    let others = [0x0009_5000, 0x0009_5085, 0x001f_ffc0, 0x0001_0000, 0x0003_0123];
    operations.chain((0..32).flat_map(move |rs| others.map(|other| opcode << 26 | rs << 21 | other)))
}

fn regimm() -> impl Iterator<Item = u32> {
    (0..32).flat_map(|rt| {
        [0, 8, 31].into_iter().flat_map(move |rs| CONSTANTS.map(|c| 0x01 << 26 | rs << 21 | rt << 16 | c))
    })
}

fn with_constant(opcode: u32) -> impl Iterator<Item = u32> {
    REGISTERS.iter().flat_map(move |&[rs, rt, _]| CONSTANTS.map(|c| opcode << 26 | rs << 21 | rt << 16 | c))
}
