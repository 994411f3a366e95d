//! Functions that were inlined, by debug information that is made here byte by byte.
//!
//! | what it catches | test |
//! |---|---|
//! | a function that is lost or in the wrong order, a call's line that is taken for the instruction's | `inlined_functions_are_inside_of_their_callers` |
//! | a file that is quadratic to read | `repeated_range_lists_cost_little`, `overlapping_tables_cost_little` |
//! | nesting without an end | `deep_nesting_is_cut` |

use std::time::{Duration, Instant};

use opml_toolchain::audit::fuzz_elf;
use opml_toolchain::elf::{Elf, Frame};

use crate::program::{Place, Program, Section, TEXT};

/// Tags and attributes with their forms (DWARF 4, section 7.5).
const ABBREVIATIONS: &[&[u8]] = &[
    // A unit: comp_dir string, stmt_list, low_pc.
    &[1, 0x11, 1, 0x1b, 0x08, 0x10, 0x17, 0x11, 0x01, 0, 0],
    // A function: name string, low_pc, high_pc as a length.
    &[2, 0x2e, 1, 0x03, 0x08, 0x11, 0x01, 0x12, 0x06, 0, 0],
    // An inlined one: abstract_origin, low_pc, high_pc, call_file, call_line.
    &[3, 0x1d, 1, 0x31, 0x13, 0x11, 0x01, 0x12, 0x06, 0x58, 0x0b, 0x59, 0x0b, 0, 0],
    // What was inlined: linkage_name string.
    &[4, 0x2e, 0, 0x6e, 0x08, 0, 0],
    // An inlined one in several pieces: abstract_origin, ranges, call_file, call_line.
    &[5, 0x1d, 0, 0x31, 0x13, 0x55, 0x17, 0x58, 0x0b, 0x59, 0x0b, 0, 0],
    &[0],
];

/// Offset of a unit's first entry from the unit's start.
const HEADER: u32 = 11;

/// The start of each unit's entries: compiled in /build, line program 0.
fn unit_entry() -> Vec<u8> {
    [b"\x01/build\0".as_slice(), &0_u32.to_be_bytes(), &0_u32.to_be_bytes()].concat()
}

fn unit(entries: &[u8], table: u32) -> Vec<u8> {
    let length = 7 + entries.len() as u32;
    [&length.to_be_bytes()[..], &[0, 4], &table.to_be_bytes(), &[4], entries].concat()
}

fn function(name: &str, start: u32, length: u32) -> Vec<u8> {
    [&[2], name.as_bytes(), &[0], &start.to_be_bytes(), &length.to_be_bytes()].concat()
}

fn inlined(origin: u32, start: u32, length: u32, line: u8) -> Vec<u8> {
    [&[3][..], &origin.to_be_bytes(), &start.to_be_bytes(), &length.to_be_bytes(), &[1, line]].concat()
}

/// Lines of src/main.rs and, for the second instruction on, of src/kernel.rs.
fn lines() -> Vec<u8> {
    let mut header = vec![4, 1, 1, 0xfb, 14, 10, 0, 1, 1, 1, 1, 0, 0, 0, 1];
    header.extend(b"src\0\0main.rs\0\x01\0\0kernel.rs\0\x01\0\0\0");
    // The address, line 10, a row; a word further file 2 and line 70; the end after eight words.
    let mut rows = [&[0, 5, 2][..], &TEXT.to_be_bytes(), &[3, 9, 1]].concat();
    rows.extend([2, 1, 4, 2, 3, 60, 1, 2, 7, 0, 1, 1]);
    let unit = [&[0, 4][..], &(header.len() as u32).to_be_bytes(), &header, &rows].concat();
    [&(unit.len() as u32).to_be_bytes()[..], &unit].concat()
}

fn file(info: Vec<u8>, abbreviations: Vec<u8>, ranges: Vec<u8>) -> Vec<u8> {
    let mut program = Program::valid();
    let sections = [
        (".debug_info", info),
        (".debug_abbrev", abbreviations),
        (".debug_ranges", ranges),
        (".debug_line", lines()),
    ];
    for (name, bytes) in sections {
        program.sections.push(Section { name, kind: 1, place: Place::Own(bytes), ..Section::default() });
    }
    program.write()
}

/// Functions and lines at an address, the outermost first.
fn at(elf: &Elf, address: u32) -> Vec<String> {
    let show = |frame: Frame| match frame.place {
        Some(place) => format!("{} {}:{}", frame.function, place.file, place.line),
        None => frame.function,
    };
    elf.frames().at(address.into()).into_iter().map(show).collect()
}

#[test]
fn inlined_functions_are_inside_of_their_callers() {
    let first = unit_entry();
    let origin = HEADER + first.len() as u32;
    // _RNv is a mangled name of Rust: crate `a`, function `kernel`.
    let mut entries = [first, b"\x04_RNvC1a6kernel\0".to_vec(), b"\x04inner\0".to_vec()].concat();
    let inner = origin + b"\x04_RNvC1a6kernel\0".len() as u32;
    entries.extend(function("main", TEXT, 32));
    entries.extend(inlined(origin, TEXT + 4, 16, 20));
    // Pieces at 8 and 16, by a list that begins at offset 8.
    entries.extend([&[5][..], &inner.to_be_bytes(), &8_u32.to_be_bytes(), &[2, 30], &[0, 0]].concat());
    entries.push(0);
    let pair = |start: u32, end: u32| [start.to_be_bytes(), end.to_be_bytes()].concat();
    let ranges = [pair(0, 0), pair(TEXT + 8, TEXT + 12), pair(TEXT + 16, TEXT + 20), pair(0, 0)].concat();
    let bytes = file(unit(&entries, 0), ABBREVIATIONS.concat(), ranges);
    fuzz_elf(&bytes);
    let elf = Elf::parse(bytes).unwrap();
    let main = |line| format!("main /build/src/main.rs:{line}");
    let kernel = "/build/src/kernel.rs:70";
    assert_eq!(at(&elf, TEXT), [main(10)]);
    assert_eq!(at(&elf, TEXT + 4), [main(20), format!("a::kernel {kernel}")]);
    let all = [main(20), "a::kernel /build/src/kernel.rs:30".into(), format!("inner {kernel}")];
    assert_eq!(at(&elf, TEXT + 8), all);
    assert_eq!(at(&elf, TEXT + 12), [main(20), format!("a::kernel {kernel}")]);
    assert_eq!(at(&elf, TEXT + 16), all);
    assert_eq!(at(&elf, TEXT + 20), [format!("main {kernel}")]);
    // Behind the function and its lines.
    assert_eq!(at(&elf, TEXT + 32), [""; 0]);
    // Without debug information, the symbol.
    assert_eq!(at(&Elf::parse(Program::valid().write()).unwrap(), TEXT + 4), ["_start"]);
}

#[track_caller]
fn in_time(work: impl FnOnce()) {
    let start = Instant::now();
    work();
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

/// Each of many entries names the same long list, which has no range in it but base addresses.
#[test]
fn repeated_range_lists_cost_little() {
    let mut entries = [unit_entry(), function("main", TEXT, 32)].concat();
    entries.extend([5, 0, 0, 0, 11, 0, 0, 0, 0, 1, 1].repeat(100_000));
    let base = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0].repeat(200_000);
    let bytes = file(unit(&entries, 0), ABBREVIATIONS.concat(), base);
    in_time(|| assert_eq!(at(&Elf::parse(bytes).unwrap(), TEXT), ["main /build/src/main.rs:10"]));
}

/// Each of many units has its abbreviations begin a byte further into the same long table.
#[test]
fn overlapping_tables_cost_little() {
    let table = [&ABBREVIATIONS[..5].concat()[..], &[6, 0x2e, 0, 0, 0].repeat(100_000), &[0]].concat();
    let units: Vec<u8> = (0..60_000).flat_map(|table| unit(&unit_entry(), table)).collect();
    let bytes = file(units, table, Vec::new());
    in_time(|| assert_eq!(at(&Elf::parse(bytes).unwrap(), TEXT).len(), 1));
}

#[test]
fn deep_nesting_is_cut() {
    let mut entries = [unit_entry(), function("main", TEXT, 32)].concat();
    entries.extend(inlined(HEADER + unit_entry().len() as u32, TEXT, 32, 20).repeat(50_000));
    let bytes = file(unit(&entries, 0), ABBREVIATIONS.concat(), Vec::new());
    let elf = Elf::parse(bytes).unwrap();
    in_time(|| assert_eq!(at(&elf, TEXT + 4).len(), 128));
}
