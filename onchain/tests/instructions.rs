//! Every instruction that the audit allows, with operands of all sorts, in the VM and on the contract.

mod common;

use std::collections::BTreeSet;

use common::*;
use opml_isa::{Mnemonic, decode};
use opml_onchain::{Agreed, fuzz_step};
use opml_targets::{Target, Verdict};

/// States for each instruction, and words that are made for them: a few have another name, as a shift of
/// register 0 by nothing is a nop.
const STATES: usize = 1000;
const WORDS: usize = 1100;

/// Bytes that describe a state: more than the longest description has.
const DESCRIPTION: usize = 512;

/// Fields that an instruction leaves open: registers in rs, rt, rd, the shift amount or code, the immediate,
/// the jump target.
const S: u32 = 31 << 21;
const T: u32 = 31 << 16;
const D: u32 = 31 << 11;
const H: u32 = 31 << 6;
const I: u32 = 0xffff;
const J: u32 = 0x03ff_ffff;

/// Name, fixed bits, open fields (MIPS Architecture for Programmers, volume II).
const INSTRUCTIONS: [(&str, u32, u32); 61] = [
    ("nop", 0, 0),
    ("sll", 0x00, T | D | H),
    ("srl", 0x02, T | D | H),
    ("sra", 0x03, T | D | H),
    ("sllv", 0x04, S | T | D),
    ("srlv", 0x06, S | T | D),
    ("srav", 0x07, S | T | D),
    ("jr", 0x08, S),
    ("jalr", 0x09, S | D),
    ("movz", 0x0a, S | T | D),
    ("movn", 0x0b, S | T | D),
    ("syscall", 0x0c, 0x03ff_ffc0),
    ("sync", 0x0f, H),
    ("mfhi", 0x10, D),
    ("mthi", 0x11, S),
    ("mflo", 0x12, D),
    ("mtlo", 0x13, S),
    ("mult", 0x18, S | T),
    ("multu", 0x19, S | T),
    ("div", 0x1a, S | T),
    ("divu", 0x1b, S | T),
    ("addu", 0x21, S | T | D),
    ("subu", 0x23, S | T | D),
    ("and", 0x24, S | T | D),
    ("or", 0x25, S | T | D),
    ("xor", 0x26, S | T | D),
    ("nor", 0x27, S | T | D),
    ("slt", 0x2a, S | T | D),
    ("sltu", 0x2b, S | T | D),
    ("bltz", 0x0400_0000, S | I),
    ("bgez", 0x0401_0000, S | I),
    ("j", 0x0800_0000, J),
    ("jal", 0x0c00_0000, J),
    ("beq", 0x1000_0000, S | T | I),
    ("bne", 0x1400_0000, S | T | I),
    ("blez", 0x1800_0000, S | I),
    ("bgtz", 0x1c00_0000, S | I),
    ("addiu", 0x2400_0000, S | T | I),
    ("slti", 0x2800_0000, S | T | I),
    ("sltiu", 0x2c00_0000, S | T | I),
    ("andi", 0x3000_0000, S | T | I),
    ("ori", 0x3400_0000, S | T | I),
    ("xori", 0x3800_0000, S | T | I),
    ("lui", 0x3c00_0000, T | I),
    ("mul", 0x7000_0002, S | T | D),
    ("clz", 0x7000_0020, S | D),
    ("clo", 0x7000_0021, S | D),
    ("lb", 0x8000_0000, S | T | I),
    ("lh", 0x8400_0000, S | T | I),
    ("lwl", 0x8800_0000, S | T | I),
    ("lw", 0x8c00_0000, S | T | I),
    ("lbu", 0x9000_0000, S | T | I),
    ("lhu", 0x9400_0000, S | T | I),
    ("lwr", 0x9800_0000, S | T | I),
    ("sb", 0xa000_0000, S | T | I),
    ("sh", 0xa400_0000, S | T | I),
    ("swl", 0xa800_0000, S | T | I),
    ("sw", 0xac00_0000, S | T | I),
    ("swr", 0xb800_0000, S | T | I),
    ("ll", 0xc000_0000, S | T | I),
    ("sc", 0xe000_0000, S | T | I),
];

/// An instruction with its open fields taken from `random`.
fn instruction((name, fixed, open): (&str, u32, u32), random: u32) -> u32 {
    let word = fixed | random & open;
    // The manual wants the destination of these in both fields.
    let twice = if name.starts_with("cl") { (word & D) << 5 } else { 0 };
    word | twice
}

#[test]
fn the_contract_is_that_of_the_target() {
    let target = Target::load("cannon32").unwrap();
    assert_eq!(target.contract().name, "MIPS");
    assert_eq!(contract().version(), Ok(target.contract().version.clone()));
}

#[test]
fn the_list_is_that_of_the_audit() {
    let target = Target::load("cannon32").unwrap();
    let allowed = Mnemonic::ALL.iter().filter(|m| !matches!(target.verdict(**m), Verdict::Refused(_)));
    let allowed: BTreeSet<&str> = allowed.map(|mnemonic| mnemonic.name()).collect();
    let listed: BTreeSet<&str> = INSTRUCTIONS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(listed, allowed);
}

#[test]
fn vm_and_contract_agree_on_every_instruction() {
    on_all_processors(&INSTRUCTIONS, |contract, &entry| {
        let name = entry.0;
        let bytes = random_bytes(name, WORDS * DESCRIPTION);
        let (mut executed, mut compared, mut states) = (0, 0, 0);
        for chunk in bytes.chunks(DESCRIPTION) {
            let word = instruction(entry, u32::from_be_bytes(*chunk.first_chunk().unwrap()));
            if decode(word).mnemonic().name() != name {
                continue;
            }
            let description = [&word.to_be_bytes(), &chunk[4..]].concat();
            states += 1;
            match fuzz_step(contract, &description) {
                Some(Agreed::Executed { .. }) => (executed, compared) = (executed + 1, compared + 1),
                Some(Agreed::Refused(_)) => compared += 1,
                None => {}
            }
        }
        assert!(states >= STATES, "{name}: {states} states");
        // Only system calls can be left out: a long hint, a preimage of a kind there is none of.
        assert!(compared == states || name == "syscall", "{name}: {compared} of {states} were compared");
        assert!(executed > STATES / 2, "{name}: {executed} executed");
    });
}
