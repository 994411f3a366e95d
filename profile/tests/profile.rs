//! Profiles of small programs in machine code: sums, names, and what is written of them.
//!
//! | what it catches | test |
//! |---|---|
//! | a field, a sum or an order that changes unseen | `the_json_of_a_tiny_program` |
//! | steps that are lost without symbols | `a_file_without_symbols_has_addresses_for_names` |
//! | a name that becomes a part of the picture's markup or of a folded line | `hostile_names_stay_text` |
//! | a file that says nonsense in its debug information | `damaged_debug_information_costs_names_alone` |

use object::write::{Object, StandardSection, Symbol, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope};
use opml_profile::{Profile, function_starts};
use opml_state::{Memory, State};
use opml_toolchain::elf::Elf;
use opml_vm::{Counts, GuestHost, Profiler, Request, Stop, Vm};
use serde_json::json;

/// main: twice { leaf }, exit. leaf: return.
const CODE: [u32; 14] = [
    0x2408_0002, // 00 main: addiu $t0, $zero, 2
    0x0c00_000c, // 04 jal leaf
    0x2508_ffff, // 08 addiu $t0, $t0, -1
    0x1500_fffd, // 0c bne $t0, $zero, 04
    0x0000_0000, // 10 nop
    0x2402_1096, // 14 addiu $v0, $zero, 4246
    0x2404_0000, // 18 addiu $a0, $zero, 0
    0x0000_000c, // 1c syscall
    0,
    0,
    0,
    0,           // 20
    0x03e0_0008, // 30 leaf: jr $ra
    0x0000_0000, // 34 nop
];
const LEAF: u64 = 0x30;

/// An object file with the code at address 0, symbols for the named functions, and more sections.
fn elf(names: &[(&str, u64, u64)], sections: &[(&str, &[u8])]) -> Elf {
    let mut file = Object::new(BinaryFormat::Elf, Architecture::Mips, Endianness::Big);
    let text = file.section_id(StandardSection::Text);
    let bytes: Vec<u8> = CODE.iter().flat_map(|word| word.to_be_bytes()).collect();
    file.append_section_data(text, &bytes, 4);
    for &(name, value, size) in names {
        file.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value,
            size,
            kind: SymbolKind::Text,
            scope: SymbolScope::Linkage,
            weak: false,
            section: SymbolSection::Section(text),
            flags: SymbolFlags::None,
        });
    }
    for (name, bytes) in sections {
        let section = file.add_section(Vec::new(), name.as_bytes().to_vec(), SectionKind::Debug);
        file.append_section_data(section, bytes, 1);
    }
    Elf::parse(file.write().expect("an object")).expect("a file")
}

fn counts(elf: &Elf) -> Counts {
    let mut memory = Memory::new();
    let bytes: Vec<u8> = CODE.iter().flat_map(|word| word.to_be_bytes()).collect();
    memory.write(0, &bytes).expect("there is room");
    let vm = Vm::from_state(&State { memory, pc: 0, next_pc: 4, ..State::default() }).expect("a VM");
    let mut profiler = Profiler::new(vm, function_starts(elf));
    let stop = profiler.run(&mut GuestHost::new(Request::default()), 1000).expect("it runs");
    assert_eq!((stop, profiler.vm().step_count()), (Stop::Exited { code: 0 }, 16));
    profiler.finish()
}

fn profile(elf: &Elf) -> Profile {
    Profile::new(&counts(elf), elf, None)
}

#[test]
fn the_json_of_a_tiny_program() {
    let elf = elf(&[("main", 0, 0x20), ("leaf", LEAF, 8)], &[]);
    let profile = profile(&elf);
    let expected = json!({
        "steps": 16,
        "functions": [
            { "name": "main", "self": 12, "total": 16, "calls": 1 },
            { "name": "leaf", "self": 4, "total": 4, "calls": 2 },
        ],
        "lines": [
            { "file": null, "line": null, "function": "main", "steps": 12 },
            { "file": null, "line": null, "function": "leaf", "steps": 4 },
        ],
        "nodes": [],
        "outside_nodes": 16,
        "stacks": [
            { "parent": null, "function": "main", "self": 12 },
            { "parent": 0, "function": "leaf", "self": 4 },
        ],
    });
    assert_eq!(serde_json::to_value(&profile).unwrap(), expected);
    assert_eq!(profile.folded().unwrap(), "main 12\nmain;leaf 4\n");
    let svg = profile.flame_graph("tiny");
    assert!(svg.contains("<title>leaf: 4 steps, 25.00 %</title>"), "{svg}");
    assert!(svg.contains("<title>all: 16 steps, 100.00 %</title>"), "{svg}");
}

#[test]
fn a_file_without_symbols_has_addresses_for_names() {
    let profile = profile(&elf(&[], &[]));
    let names: Vec<_> = profile.functions.iter().map(|f| (f.name.as_str(), f.own, f.calls)).collect();
    assert_eq!(names, [("0x00000000", 12, 1), ("0x00000030", 4, 2)]);
    assert_eq!(profile.folded().unwrap(), "0x00000000 12\n0x00000000;0x00000030 4\n");
}

#[test]
fn hostile_names_stay_text() {
    let hostile = "</title><script>alert(\"1\")&'</script>]]>;a 9\u{1b}[2J\u{ffff}";
    let elf = elf(&[("main", 0, 0x20), (hostile, LEAF, 8)], &[]);
    let profile = profile(&elf);
    let svg = profile.flame_graph(hostile);
    // As often as without it: one script, and one title for each of three bars.
    assert_eq!((svg.matches("<script").count(), svg.matches("<title>").count()), (1, 3));
    assert!(!svg.contains("alert(\"") && !svg.contains('\u{1b}') && !svg.contains('\u{ffff}'), "{svg}");
    assert!(svg.contains("&lt;script&gt;alert(&quot;1&quot;)&amp;&#39;&lt;/script&gt;]]&gt;;a 9"), "{svg}");
    let folded = profile.folded().unwrap();
    let lines: Vec<&str> = folded.lines().collect();
    assert_eq!(lines.len(), 2, "{folded}");
    assert_eq!(lines[1].matches(';').count(), 1, "{folded}");
    assert!(lines[1].ends_with(" 4"), "{folded}");
}

#[test]
fn damaged_debug_information_costs_names_alone() {
    // A unit of version 4 that is longer than its section, one of no known version, and bytes without a meaning.
    let units: [&[u8]; 3] =
        [&[0, 0, 0xff, 0xff, 0, 4, 0, 0, 0, 0, 4, 1], &[0, 0, 0, 8, 0, 99, 0, 0, 0, 0, 4, 1], &[0xff; 40]];
    for unit in units {
        let elf = elf(
            &[("main", 0, 0x20), ("leaf", LEAF, 8)],
            &[(".debug_info", unit), (".debug_abbrev", &[1, 0x11, 1, 0x1b, 0x0e]), (".debug_line", unit)],
        );
        let profile = profile(&elf);
        assert_eq!(profile.folded().unwrap(), "main 12\nmain;leaf 4\n");
    }
}
