//! From a function's registers to its caller's, by frame information that is made here byte by byte (DWARF 4, section 6.4).

use std::time::{Duration, Instant};

use opml_toolchain::elf::{Caller, Elf};

use crate::program::{Place, Program, Section, TEXT};

/// What entries have in common: code in bytes, offsets in words downwards, the return address in register 31; the frame begins
/// at register 29.
fn common(augmentation: &[u8]) -> Vec<u8> {
    let head = [&u32::MAX.to_be_bytes()[..], &[4], augmentation, &[0, 4, 0]].concat();
    // Behind an augmentation comes how long its data is.
    let data: &[u8] = if augmentation.is_empty() { &[] } else { &[0] };
    with_length(&[&head, &[1, 0x7c, 31][..], data, &[0x0c, 29, 0]].concat())
}

fn with_length(content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_be_bytes()[..], content].concat()
}

/// An entry of `length` bytes of code, with the common one at the section's start.
fn entry(start: u32, length: u32, instructions: &[u8]) -> Vec<u8> {
    with_length(
        &[&0_u32.to_be_bytes()[..], &start.to_be_bytes(), &length.to_be_bytes(), instructions].concat(),
    )
}

/// After one instruction the frame has 32 bytes; register 31 is kept in its last word, and register 16 in the one before.
const PROLOGUE: [u8; 7] = [0x44, 0x0e, 32, 0x9f, 1, 0x90, 2];

fn file(frames: Vec<u8>) -> Elf {
    let mut program = Program::valid();
    let content = Place::Own(frames);
    program.sections.push(Section { name: ".debug_frame", kind: 1, place: content, ..Section::default() });
    Elf::parse(program.write()).expect("it is a file")
}

/// The caller at `pc`; memory has at each address the address.
fn caller(elf: &Elf, pc: u32) -> Option<Caller> {
    let mut registers = [7; 32];
    registers[29] = 0x1000;
    elf.unwinder().caller(pc, &registers, Some)
}

#[test]
fn registers_are_those_of_the_caller() {
    let elf = file([common(b""), entry(TEXT, 16, &PROLOGUE), entry(TEXT + 16, 8, &[])].concat());
    let inside = caller(&elf, TEXT + 4).expect("it is known");
    assert!(inside.has_return_address);
    assert_eq!([16, 17, 29, 31].map(|register| inside.registers[register]), [0x1018, 7, 0x1020, 0x101c]);
    // Where nothing was saved yet, and in a function that saves nothing.
    for pc in [TEXT, TEXT + 16] {
        let outside = caller(&elf, pc).expect("it is known");
        assert!(!outside.has_return_address);
        assert_eq!((outside.registers[29], outside.registers[31]), (0x1000, 7));
    }
    for pc in [TEXT - 4, TEXT + 24] {
        assert_eq!(caller(&elf, pc), None);
    }
    // What lies nowhere cannot be read.
    assert_eq!(elf.unwinder().caller(TEXT + 4, &[0; 32], |_| None), None);
}

#[test]
fn damage_costs_what_comes_after_it() {
    let good = [common(b""), entry(TEXT, 16, &PROLOGUE)].concat();
    let bad = with_length(&[&0x7fff_u32.to_be_bytes()[..], &[0; 8]].concat());
    let elf = file([good, bad, entry(TEXT + 16, 16, &PROLOGUE)].concat());
    assert!(caller(&elf, TEXT + 4).is_some());
    assert_eq!(caller(&elf, TEXT + 20), None);
    // An instruction that there is not.
    assert_eq!(caller(&file([common(b""), entry(TEXT, 16, &[0x3f])].concat()), TEXT), None);
}

#[test]
fn hostile_sizes_cost_little() {
    let start = Instant::now();
    // Many entries with one common one that is long to read.
    let long = [b"z".as_slice(), &b"S".repeat(1 << 20)].concat();
    let many: Vec<u8> = (0..50_000).flat_map(|index| entry(TEXT + index, 1, &[])).collect();
    assert_eq!(caller(&file([common(&long), many].concat()), TEXT), None, "the common entry is too long");
    // An entry that is long to run.
    let nops = vec![0; 1 << 20];
    assert_eq!(caller(&file([common(b""), entry(TEXT, 16, &nops)].concat()), TEXT), None);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}
