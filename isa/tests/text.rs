//! The text of every instruction against an independent disassembler, and what decoding must refuse.

use std::collections::BTreeSet;

use opml_isa::{Kind, Mnemonic, Register, decode};

/// Words and their text by GNU objdump 2.40 (`-m mips:isa32r2 -M no-aliases`), the first at address 0x10000. Its
/// output was brought to our notation: `$` before registers, `fp` for `s8`, `rotr` for `ror`, two operands for
/// divisions, decimal numbers except for logical immediates and addresses, the manual's names for `sll $zero`.
const DISASSEMBLY: &str = include_str!("disassembly.txt");

#[test]
fn text_agrees_with_an_independent_disassembler() {
    let mut seen = BTreeSet::new();
    for (line, address) in DISASSEMBLY.lines().zip((0x10000..).step_by(4)) {
        let (word, expected) = line.split_once(' ').unwrap();
        let instruction = decode(u32::from_str_radix(word, 16).unwrap());
        assert_eq!(instruction.at(address).to_string(), expected, "word {word}");
        seen.insert(instruction.mnemonic());
    }
    let missing: Vec<_> = Mnemonic::ALL.iter().filter(|mnemonic| !seen.contains(mnemonic)).collect();
    assert!(missing.is_empty(), "instructions without a line in disassembly.txt: {missing:?}");
}

#[test]
fn names_are_unique_and_found_again() {
    for &mnemonic in Mnemonic::ALL {
        assert_eq!(Mnemonic::from_name(mnemonic.name()), Some(mnemonic));
    }
    assert_eq!(Mnemonic::from_name(".word"), None);
    assert_eq!(Mnemonic::from_name("move"), None);
}

#[test]
fn words_with_reserved_bits_are_no_instructions() {
    let words = [
        (0x0085_1018, "mult with a destination"),
        (0x0080_2140, "sll with a source"),
        (0x3c84_0001, "lui with a source (aui of release 6)"),
        (0x7083_2020, "clz whose target fields differ"),
        (0x03e0_f809, "jalr that links to where it jumps from"),
        (0x0002_0001, "movf with a bit in its zero field"),
        (0x7ca4_1904, "ins that ends before it starts"),
        (0x7ca4_ff00, "ext that ends outside the register"),
        (0xefef_efef, "a linker's filler"),
        (0x0000_0005, "lsa of release 6"),
        (0x7410_0000, "jalx"),
    ];
    for (word, why) in words {
        let instruction = decode(word);
        assert_eq!(instruction.mnemonic(), Mnemonic::Unknown, "{why}: {}", instruction.at(0));
        assert_eq!(instruction.at(0).to_string(), format!(".word 0x{word:08x}"));
    }
}

#[test]
fn flow_and_destinations() {
    let beq = decode(0x1000_fff7);
    assert_eq!((beq.kind(), beq.target(0x10020)), (Kind::Branch, Some(0x10000)));
    assert_eq!(decode(0x1000_7fff).target(0xffff_fffc), Some(0x1_fffc), "addresses wrap");
    let jal = decode(0x0c00_0400);
    assert_eq!((jal.kind(), jal.destination()), (Kind::JumpLink, Some(Register::RA)));
    assert_eq!(jal.target(0x0fff_fffc), Some(0x1000_1000), "the region is that of the delay slot");

    let cases = [
        (0x27bd_ffe0, Some(Register::SP), false, "addiu"),
        (0x0085_1021, Some(Register::V0), false, "addu"),
        (0x0000_0821 & !0xf800, None, false, "addu to $zero"),
        (0x8fa4_fffc, Some(Register::A0), false, "lw"),
        (0xafa4_fffc, None, false, "sw"),
        (0xe3a4_0000, Some(Register::A0), false, "sc"),
        (0xc7a2_0004, None, false, "lwc1"),
        (0x4164_6000, Some(Register::A0), false, "di"),
        (0x0000_000c, Some(Register::V0), false, "syscall"),
        (0x0085_001a, None, false, "div"),
        (0x0320_f809, Some(Register::RA), true, "jalr"),
        (0x0320_0008, None, true, "jr"),
        (0x0491_0001, Some(Register::RA), true, "bgezal"),
        (0x0493_0001, Some(Register::RA), true, "bgezall"),
        (0x5080_0001, None, true, "beql"),
        (0x4500_0003, None, true, "bc1f"),
        (0x4200_0018, None, false, "eret"),
    ];
    for (word, destination, delay_slot, name) in cases {
        let instruction = decode(word);
        assert_eq!(instruction.destination(), destination, "{name}");
        assert_eq!(instruction.has_delay_slot(), delay_slot, "{name}");
    }
}
