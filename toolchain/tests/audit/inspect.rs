//! The description of a program, whoever made the file: its parts add up, and none of it costs more than the file is long.

use opml_targets::Target;
use opml_toolchain::elf::Elf;
use opml_toolchain::inspect::{Class, Inspection, Question, Use, have_same_code, inspect};

use crate::program::{CODE, DATA, Program, R, STT_FUNC, STT_OBJECT, Segment, Symbol, TEXT, W, X};

fn described(file: Vec<u8>, arena: Option<u64>, top: usize) -> Inspection {
    let elf = Elf::parse(file).unwrap();
    let target = Target::load("cannon32").unwrap();
    inspect(&Question { program: &elf, names: &elf, target: &target, arena, top })
}

fn describe(program: &Program) -> Inspection {
    described(program.write(), None, 20)
}

fn bytes_of(inspection: &Inspection, of: Use) -> u64 {
    inspection.memory.listed.iter().filter(|area| area.of == of).map(|area| area.bytes).sum()
}

/// Every address once, from the first to the last.
#[track_caller]
fn assert_covers_memory(inspection: &Inspection) {
    let areas = &inspection.memory.listed;
    assert_eq!(inspection.memory.count, areas.len(), "the list is whole");
    let ends: Vec<_> = areas.iter().map(|area| area.addresses.end).collect();
    let starts: Vec<_> = areas.iter().map(|area| area.addresses.start).collect();
    assert_eq!((starts[0], &starts[1..]), (0, &ends[..ends.len() - 1]));
    assert_eq!(ends.last(), Some(&(1 << 32)));
    assert!(
        areas.iter().all(|area| area.bytes == area.addresses.end - area.addresses.start && area.bytes > 0)
    );
}

#[test]
fn parts_of_a_program_add_up() {
    let inspection = describe(&Program::valid());
    assert_covers_memory(&inspection);
    for (of, bytes) in [(Use::Code, 32), (Use::Constants, 32), (Use::Variables, 0x104), (Use::Weights, 0)] {
        assert_eq!(bytes_of(&inspection, of), bytes, "{of:?}");
    }
    let map = *Target::load("cannon32").unwrap().memory();
    assert_eq!(bytes_of(&inspection, Use::Heap), map.heap.end - map.heap.start);
    assert_eq!(bytes_of(&inspection, Use::Stack), map.stack.size);
    let names: Vec<_> = inspection.sections.listed.iter().map(|section| section.name.as_str()).collect();
    assert_eq!(names[..5], [".text", ".MIPS.abiflags", ".rodata", ".data", ".bss"]);
    assert_eq!(inspection.segments.listed[0].access, "r-x");
    assert_eq!(inspection.segments.listed[2].holds, Some(Use::Variables));
}

#[test]
fn every_word_of_code_is_counted_once() {
    // rotr, srav, no instruction, and a nop more.
    let program = Program::with_code(&[0x0025_20c2, 0x0045_1007, 0x7f45_4c46, 0]);
    let instructions = describe(&program).instructions.unwrap();
    assert_eq!((instructions.bytes, instructions.words), (40, 10));
    let words = |mnemonic: &str| {
        instructions.by_mnemonic.iter().find(|one| one.mnemonic == mnemonic).map(|one| (one.words, one.class))
    };
    assert_eq!(words("addiu"), Some((2, Class::Allowed)));
    assert_eq!(words("nop"), Some((3, Class::Allowed)));
    assert_eq!(words("srav"), Some((1, Class::Conditional)));
    assert_eq!(words("rotr"), Some((1, Class::Refused)));
    assert_eq!(words(".word"), Some((1, Class::Refused)));
    assert_eq!(words("lw"), None);
    assert_eq!(Class::ALL.map(|class| instructions.of_class(class)), [7, 1, 2]);
    let counts: Vec<_> = instructions.by_mnemonic.iter().map(|one| one.words).collect();
    assert!(counts.is_sorted_by(|a, b| a >= b), "{counts:?}");
    let shares: f64 = instructions.by_mnemonic.iter().map(|one| one.share).sum();
    assert!((shares - 1.0).abs() < 1e-9, "{shares}");
}

#[test]
fn the_largest_symbols_come_first() {
    let mut program = Program::valid();
    let symbol = |name, size, kind| Symbol { name, address: DATA, size, kind };
    let more =
        [symbol("small", 4, STT_OBJECT), symbol("label", 0, STT_FUNC), symbol("large", 0x100, STT_OBJECT)];
    program.symbols.extend(more);
    let inspection = described(program.write(), None, 3);
    let listed: Vec<_> =
        inspection.symbols.listed.iter().map(|symbol| (symbol.name.as_str(), symbol.bytes)).collect();
    // Those of one size stay in the order of their addresses; one without a size is none of them.
    assert_eq!(listed, [("large", 0x100), ("_start", 16), ("other", 16)]);
    assert_eq!(inspection.symbols.count, 5);
}

#[test]
fn activations_and_weights_are_told_from_other_data() {
    let mut program = Program::valid();
    let arena = Symbol { name: "opml_guest::ARENA", address: DATA + 4, size: 0xf0, kind: STT_OBJECT };
    program.symbols.push(arena);
    program.sections[2].name = ".opml.weights";
    let inspection = described(program.write(), Some(0xf0), 20);
    assert_covers_memory(&inspection);
    assert_eq!(bytes_of(&inspection, Use::Arena), 0xf0);
    assert_eq!(bytes_of(&inspection, Use::Variables), 0x104 - 0xf0);
    assert_eq!((bytes_of(&inspection, Use::Weights), bytes_of(&inspection, Use::Constants)), (32, 0));
    let other = described(program.write(), Some(0xf4), 20);
    assert_eq!(bytes_of(&other, Use::Arena), 0, "the manifest is of another program");
}

#[test]
fn segments_in_each_other_s_way_still_make_a_map() {
    let mut program = Program::valid();
    program.segments[1].address = TEXT + 16;
    program.segments[2].address = 0xffff_fff0;
    let heap = Target::load("cannon32").unwrap().memory().heap.start as u32;
    let stray = Segment {
        kind: 1,
        flags: R | W,
        address: heap + 0x1000,
        memory_size: 0x1000,
        bytes: vec![1],
        shared_with: None,
    };
    program.segments.push(stray);
    let inspection = describe(&program);
    assert_covers_memory(&inspection);
    assert_eq!(bytes_of(&inspection, Use::Code), 32);
    assert_eq!(bytes_of(&inspection, Use::Constants), 16, "behind the code that it overlaps");
    assert_eq!(bytes_of(&inspection, Use::Variables), 0x1000 + 16, "up to the end of the address space");
}

#[test]
fn a_file_for_another_processor_has_no_instructions() {
    let mut foreign = Program::valid();
    foreign.machine = 62;
    assert!(describe(&foreign).instructions.is_none());
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/elf/");
    let read = |name: &str| std::fs::read(format!("{corpus}{name}")).unwrap();
    let inspection = described(read("x86-64-header"), None, 20);
    assert!(inspection.instructions.is_none());
    assert_covers_memory(&inspection);
    let refused = described(read("refused-instructions"), None, 20).instructions.unwrap();
    assert_eq!((refused.of_class(Class::Refused), refused.of_class(Class::Conditional)), (3, 1));
}

/// A name of the file, and one that demangling makes: a punycode of U+009B, which starts a command to a terminal.
#[test]
fn names_cannot_write_to_a_terminal() {
    let mut program = Program::valid();
    program.symbols[0].name = "\u{1b}]0;title\u{7}\u{202e}drow";
    program.symbols[1].name = "_RNvC1au2_1a";
    program.sections[0].name = ".te\u{1b}[2Jxt";
    let text = serde_json::to_string(&describe(&program)).unwrap();
    let names: Vec<_> = describe(&program).symbols.listed.iter().map(|symbol| symbol.name.clone()).collect();
    assert_eq!(names[0], "\u{fffd}]0;title\u{fffd}\u{fffd}drow");
    assert_eq!(names[1], "a::\u{fffd}");
    assert!(text.contains(".te\u{fffd}[2Jxt"), "{text}");
}

#[test]
fn json_has_the_keys_that_are_documented() {
    let json = serde_json::to_value(describe(&Program::valid())).unwrap();
    let document = include_str!("../../../docs/formats.md");
    let section = document.split("## `inspect --format json`").nth(1).expect("the format is described");
    let section = section.split("\n## ").next().unwrap();
    let mut keys = Vec::new();
    collect(&json, &mut keys);
    assert!(keys.len() > 20, "{keys:?}");
    let missing: Vec<_> = keys.iter().filter(|key| !section.contains(&format!("`{key}`"))).collect();
    assert!(missing.is_empty(), "docs/formats.md does not name {missing:?}");
    assert_eq!(json["entry"], "0x00010000");
    assert_eq!(json["memory"]["listed"][1]["use"], "code");
    assert_eq!(json["memory"]["listed"][1]["addresses"]["start"], "0x00010000");
}

fn collect(json: &serde_json::Value, keys: &mut Vec<String>) {
    match json {
        serde_json::Value::Object(map) => map.iter().for_each(|(key, value)| {
            keys.push(key.clone());
            collect(value, keys);
        }),
        serde_json::Value::Array(values) => values.iter().for_each(|value| collect(value, keys)),
        _ => {}
    }
}

/// Else a small file could ask for as many words as it has segments times bytes.
#[test]
fn bytes_that_segments_share_are_looked_at_once() {
    let mut program = Program::valid();
    let (code, again) = (CODE.repeat(128), 300_u32);
    program.set_code(&code);
    let shared = |index| Segment {
        kind: 1,
        flags: R | X,
        address: 0x0020_0000 + 0x1000 * index,
        bytes: vec![0; 4 * code.len()],
        memory_size: 4 * code.len() as u32,
        shared_with: Some(0),
    };
    program.segments.extend((0..again).map(shared));
    let inspection = describe(&program);
    let instructions = inspection.instructions.unwrap();
    assert_eq!((instructions.bytes, instructions.words), (4 * code.len() as u64, code.len() as u64));
    assert_eq!((inspection.segments.count, inspection.segments.listed.len()), (again as usize + 3, 256));
}

#[test]
fn symbols_of_other_code_are_noticed() {
    let elf = |program: &Program| Elf::parse(program.write()).unwrap();
    let (program, mut stripped) = (Program::valid(), Program::valid());
    stripped.with_sections = false;
    assert!(have_same_code(&elf(&program), &elf(&stripped)));
    assert!(!have_same_code(&elf(&program), &elf(&Program::with_code(&[0]))));
    stripped.segments[0].address += 0x1000;
    assert!(!have_same_code(&elf(&program), &elf(&stripped)));
}
