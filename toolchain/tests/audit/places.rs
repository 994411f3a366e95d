//! Names for the addresses of a program's memory.

use opml_state::Memory;
use opml_state::cannon::{Metadata, Symbol};
use opml_targets::AddressRange;
use opml_toolchain::Places;
use opml_toolchain::elf::Elf;

use crate::program::{CODE, DATA, Program, RODATA, Symbol as Label, TEXT};

fn places(program: &Program, symbols: &[(&str, u32, u32)]) -> Places {
    let symbol = |&(name, start, size): &(&str, u32, u32)| Symbol { name: name.to_owned(), start, size };
    let metadata = Metadata::new(symbols.iter().map(symbol).collect());
    Places::new(Some(Elf::parse(program.write()).unwrap()), Some(metadata))
}

fn symbol(places: &Places, address: u32) -> Option<String> {
    places.symbol(address).map(|symbol| symbol.to_string())
}

#[test]
fn the_elf_file_names_first_and_the_symbol_file_what_is_left() {
    let both = places(&Program::valid(), &[("of meta.json", TEXT, 16), ("variable", DATA, 4)]);
    assert_eq!(symbol(&both, TEXT + 4).as_deref(), Some("_start+0x4"));
    assert_eq!(symbol(&both, DATA + 2).as_deref(), Some("variable+0x2"));
    assert_eq!(symbol(&both, DATA + 4), None);
    let mut program = Program::valid();
    program.symbols.push(Label { name: "end", address: DATA + 0x100, size: 0, kind: 0 });
    let labelled = places(&program, &[]);
    assert_eq!(symbol(&labelled, DATA + 0x103).as_deref(), Some("end+0x3"), "still in .bss");
    assert_eq!(symbol(&labelled, 0x7fff_0000), None, "nothing of the program lies there");
    let none = Places::default();
    assert_eq!((symbol(&none, TEXT), none.section(TEXT)), (None, None));
}

#[test]
fn sections_are_those_that_are_loaded() {
    let places = places(&Program::valid(), &[]);
    let sections =
        [TEXT - 1, TEXT, TEXT + 31, TEXT + 32, RODATA + 24, DATA + 0x103].map(|a| places.section(a));
    assert_eq!(sections, [None, Some(".text"), Some(".text"), None, Some(".rodata"), Some(".bss")]);
    // The tables of symbols and names have the address 0 and are not there.
    assert_eq!(places.section(0), None);
    let range = AddressRange { start: u64::from(TEXT) + 31, end: u64::from(RODATA) + 25 };
    assert_eq!(places.sections_in(range), [".text", ".MIPS.abiflags", ".rodata"]);
}

#[test]
fn symbols_of_a_range_are_those_that_start_in_it() {
    let places = places(&Program::valid(), &[("a", 4, 100), ("b", 8, 0), ("c", 8, 4), ("d", 12, 4)]);
    let names = |start, end| {
        let symbols = places.symbols_in(AddressRange { start, end });
        symbols.iter().map(|symbol| symbol.name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(names(5, 12), ["b", "c"]);
    assert_eq!(names(0, 1 << 32), ["a", "b", "c", "d"]);
    assert_eq!(names(13, 1 << 32), [""; 0]);
}

#[test]
fn memory_of_another_program_is_noticed() {
    let places = places(&Program::valid(), &[]);
    let code: Vec<u8> = CODE.iter().flat_map(|word| word.to_be_bytes()).collect();
    let mut memory = Memory::new();
    memory.write(TEXT, &code).unwrap();
    // Variables change while a program runs; only the code counts.
    memory.write(DATA, &[9; 4]).unwrap();
    assert_eq!(places.foreign_code(&memory), None);
    memory.write(TEXT + 31, &[1]).unwrap();
    assert_eq!(places.foreign_code(&memory), Some(u64::from(TEXT)));
    assert_eq!(places.foreign_code(&Memory::new()), Some(u64::from(TEXT)));
}

/// A symbol file is JSON, in which a name can hold anything.
#[test]
fn names_can_be_shown_on_a_terminal() {
    let long = "x".repeat(5000);
    let places = places(&Program::valid(), &[("\u{1b}[2Jclear", 8, 4), (&long, 16, 4)]);
    assert_eq!(symbol(&places, 8).as_deref(), Some("\u{fffd}[2Jclear"));
    assert_eq!(symbol(&places, 16).map(|name| name.len()), Some(1024));
}

/// Addresses that no memory of 32 bits has.
#[test]
fn hostile_addresses_are_no_panic() {
    let mut program = Program::valid();
    program.segments[0].address = u32::MAX - 3;
    program.sections[0].address = u32::MAX;
    let places = places(&program, &[]);
    assert_eq!(places.foreign_code(&Memory::new()), Some(u64::from(u32::MAX - 3)));
    assert_eq!(places.section(u32::MAX), Some(".text"));
}
