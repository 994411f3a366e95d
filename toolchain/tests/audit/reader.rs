//! The ELF reader: what it gives, and which damage is named how.

use opml_toolchain::elf::{Elf, ElfError, MAX_NAME};
use opml_toolchain::statements::{Statement, Statements};

use crate::program::{Place, Program, RODATA, STT_FUNC, Section, Symbol, TEXT};

#[test]
fn symbols_are_found_by_address() {
    let mut program = Program::valid();
    let mangled = "_ZN4opml6kernel17h0123456789abcdefE";
    program.symbols.push(Symbol { name: mangled, address: TEXT + 8, size: 4, kind: STT_FUNC });
    program.symbols.push(Symbol { name: "label", address: TEXT, size: 0, kind: 0 });
    program.symbols.push(Symbol { name: "marker", address: TEXT + 0x40, size: 0, kind: 0 });
    let elf = Elf::parse(program.write()).unwrap();
    let at = |address: u32| elf.symbol_at(u64::from(address)).map(|symbol| symbol.to_string());
    assert_eq!(at(TEXT).as_deref(), Some("_start"));
    assert_eq!(at(TEXT + 8).as_deref(), Some("opml::kernel"), "the innermost one");
    assert_eq!(at(TEXT + 12).as_deref(), Some("_start+0xc"), "behind the inner one");
    assert_eq!(at(TEXT + 0x20), None, "behind the last function");
    assert_eq!(at(TEXT + 0x44).as_deref(), Some("marker+0x4"));
    assert_eq!(at(RODATA + 25).as_deref(), Some("constant+0x1"));
    assert_eq!(at(0), None);
    assert!(elf.symbols().is_sorted_by_key(|symbol| symbol.address));
}

#[test]
fn names_are_cut_and_made_printable() {
    let long = "x".repeat(5000).leak();
    let mut program = Program::valid();
    program.symbols[0].name = long;
    program.symbols[1].name = "red\u{1b}[31m";
    let elf = Elf::parse(program.write()).unwrap();
    assert_eq!(elf.symbol_at(u64::from(TEXT)).unwrap().name.len(), MAX_NAME);
    assert_eq!(elf.symbol_at(u64::from(TEXT) + 16).unwrap().name, "red\u{fffd}[31m");
}

/// The error for a valid file with a field of 2 or 4 bytes changed.
fn damaged(at: usize, value: &[u8]) -> ElfError {
    let mut file = Program::valid().write();
    file[at..at + value.len()].copy_from_slice(value);
    Elf::parse(file).unwrap_err()
}

#[test]
fn damage_to_the_headers_is_named() {
    assert!(matches!(Elf::parse(Vec::new()), Err(ElfError::NoHeader(_))));
    assert!(matches!(Elf::parse(b"#!/bin/sh\n".repeat(10)), Err(ElfError::NoHeader(_))));
    assert!(matches!(damaged(4, &[3]), ElfError::NoHeader(_)), "class");
    assert!(matches!(damaged(5, &[0]), ElfError::NoHeader(_)), "byte order");

    let outside = |error| match error {
        ElfError::OutsideFile { what, index, .. } => (what, index),
        other => panic!("{other}"),
    };
    assert_eq!(outside(damaged(28, &[0xff; 4])), ("program headers", 0));
    assert_eq!(outside(damaged(44, &[0xff, 0xfe])), ("program headers", 0));
    assert_eq!(outside(damaged(32, &[0xff; 4])), ("section headers", 0));
    assert_eq!(outside(damaged(48, &[0xff, 0xff])), ("section headers", 0));
    assert_eq!(outside(damaged(52 + 32 + 16, &[0x7f, 0, 0, 0])), ("segment", 1));
    assert_eq!(outside(damaged(52 + 4, &[0xff; 4])), ("segment", 0));

    let sizes = |error| match error {
        ElfError::EntrySize { table, expected, got } => (table, expected, got),
        other => panic!("{other}"),
    };
    assert_eq!(sizes(damaged(42, &[0, 31])), ("program headers", 32, 31));
    assert_eq!(sizes(damaged(46, &[0, 64])), ("section headers", 40, 64));
    assert!(matches!(damaged(44, &[0xff, 0xff]), ElfError::ExtendedNumbering { table: "program headers" }));
    assert!(matches!(damaged(48, &[0, 0]), ElfError::ExtendedNumbering { table: "section headers" }));
}

#[test]
fn damage_to_sections_and_symbols_is_named() {
    let file = Program::valid().write();
    let table = u32::from_be_bytes(file[32..36].try_into().unwrap()) as usize;
    let symbols = table + 6 * 40;
    let error = damaged(symbols + 16, &[0xff; 4]);
    assert!(matches!(error, ElfError::OutsideFile { what: "section", index: 6, .. }), "{error}");
    let error = damaged(symbols + 24, &[0, 0, 0, 99]);
    assert!(matches!(error, ElfError::Table { table: "symbol table", .. }), "string table: {error}");
    let error = damaged(symbols + 20, &[0, 0, 0, 15]);
    assert!(matches!(error, ElfError::Table { table: "symbol table", .. }), "size: {error}");
}

/// A file in two pieces is the file, wherever it is cut behind its tables; but no segment may lie on the cut, as its bytes are
/// to be found in one piece.
#[test]
fn a_file_in_two_pieces_is_the_file() {
    // Sections would have their table at the end.
    let whole = Program { with_sections: false, ..Program::valid() }.write();
    let elf = Elf::parse(whole.clone()).unwrap();
    let cut_at = |at: usize| Elf::with_tail(whole[..at].to_vec(), whole[at..].to_vec().into());
    let mut seen = [0; 2];
    for at in 0..whole.len() {
        match cut_at(at) {
            Ok(cut) => {
                seen[0] += 1;
                let mut written = Vec::new();
                cut.write(&mut written).unwrap();
                assert_eq!(written, whole);
                for (a, b) in elf.segments().iter().zip(cut.segments()) {
                    assert_eq!(elf.segment_data(a), cut.segment_data(b), "cut at {at}");
                    assert_eq!(elf.segment_data(a), cut.shared_segment_data(b), "cut at {at}");
                }
            }
            Err(ElfError::NoHeader(_) | ElfError::OutsideFile { .. } | ElfError::Table { .. }) => {
                seen[1] += 1
            }
            Err(other) => panic!("cut at {at}: {other}"),
        }
    }
    assert!(seen.into_iter().all(|count| count > 0), "{seen:?}");
}

#[test]
fn statements_are_read_with_clean_names_or_refused() {
    let read = |text: &str| {
        let mut program = Program::valid();
        let place = Place::Own(text.as_bytes().to_vec());
        program.sections.push(Section {
            name: ".debug_opml_statements",
            kind: 1,
            place,
            ..Section::default()
        });
        Statements::of(&Elf::parse(program.write()).unwrap())
    };
    let good = r#"{"source":"a.rs","statements":[{"line":3,"operator":"Relu","name":"red\u001b[31m","multiply_accumulates":0}]}"#;
    let table = read(good).unwrap().expect("there is one");
    let name = "red\u{fffd}[31m".to_owned();
    let relu = Statement { line: 3, operator: "Relu".into(), name, multiply_accumulates: 0 };
    assert_eq!(table, Statements { source: "a.rs".into(), statements: vec![relu] });
    for bad in [&good[..good.len() - 1], &good.replace("\"line\"", "\"row\""), "{}", "[]"] {
        let error = read(bad).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the section .debug_opml_statements is no table of statements",
            "{bad}"
        );
    }
    assert_eq!(Statements::of(&Elf::parse(Program::valid().write()).unwrap()).unwrap(), None);
}
