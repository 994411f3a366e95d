//! What a failure says: places, words, text, JSON.

use opml_toolchain::audit::{Rule, Stage};

use crate::judge;
use crate::program::{CODE, Place, Program, Section};

/// A DWARF 4 line program: `src/guest.rs` from line 10 on, one line per instruction, eight instructions at 0x10000.
fn line_program() -> Section {
    let mut header = vec![
        4, 1, 1, 0, 14,
        10, // instruction length, operations, is_stmt, line base, line range, opcode base
        0, 1, 1, 1, 1, 0, 0, 0, 1, // operands of the standard opcodes 1 to 9
    ];
    header.extend(b"src\0\0guest.rs\0\x01\0\0\0");
    let mut body = vec![0, 5, 2, 0, 1, 0, 0]; // set_address 0x10000
    body.extend([3, 9, 1]); // advance_line 9, copy
    for _ in 1..8 {
        body.push(10 + 14 + 1); // special opcode: address + 4, line + 1
    }
    body.extend([2, 1, 0, 1, 1]); // advance_pc 4, end_sequence
    let mut program = vec![0, 4];
    program.extend((header.len() as u32).to_be_bytes());
    program.extend(header);
    program.extend(body);
    let mut section = (program.len() as u32).to_be_bytes().to_vec();
    section.extend(program);
    Section { name: ".debug_line", kind: 1, place: Place::Own(section), ..Section::default() }
}

/// Two rotations and an unknown system call, with source lines.
fn failing() -> Program {
    let mut program = Program::valid();
    let mut code = CODE;
    (code[0], code[4], code[5]) = (0x2402_0001, 0x0025_20c2, 0x0025_20c2);
    program.set_code(&code);
    program.sections.push(line_program());
    program
}

#[test]
fn a_violation_says_where_it_is_and_what_to_do() {
    let failure = judge(&failing()).unwrap_err();
    assert_eq!(failure.stage, Stage::Code);
    assert_eq!(failure.unlisted, 0);
    let [syscall, first, second] = &failure.violations[..] else { panic!("{}", failure.text()) };

    assert_eq!(
        (first.rule, first.address, first.word),
        (Rule::InstructionDiffers, Some(0x10010), Some(0x0025_20c2))
    );
    assert_eq!(first.instruction.as_deref(), Some("rotr $a0, $a1, 3"));
    assert_eq!(first.symbol.as_deref(), Some("other"));
    assert_eq!(first.source.as_deref(), Some("src/guest.rs:14"));
    assert_eq!(second.symbol.as_deref(), Some("other+0x4"));
    assert!(first.problem.contains("srl") && first.action.contains("release 1"), "{}", failure.text());

    assert_eq!((syscall.rule, syscall.symbol.as_deref()), (Rule::UnknownSyscall, Some("_start+0x8")));
    assert!(syscall.problem.contains("system call 1:"), "{}", syscall.problem);
    assert!(syscall.action.contains("exit_group 4246"), "{}", syscall.action);
}

#[test]
fn text_lists_every_violation_once_in_groups() {
    let text = judge(&failing()).unwrap_err().text();
    let expected = "\
the program fails the code stage of the audit for cannon32: 3 violations

instruction-differs (2): rotr: the contract ignores the bit that makes a shift a rotation: it runs as srl
    what to do: compile for MIPS32 release 1, which rotates with srl, sll and or
  0x00010010  rotr $a0, $a1, 3  in other  at src/guest.rs:14
  0x00010014  rotr $a0, $a1, 3  in other+0x4  at src/guest.rs:15

unknown-syscall (1): the VM has no system call 1: it returns 0 and does nothing
    what to do: use one of: read 4003, write 4004, brk 4045, fcntl 4055, mmap 4090, clone 4120, exit_group 4246
  0x00010008  syscall  in _start+0x8  at src/guest.rs:12
";
    assert_eq!(text, expected);
}

#[test]
fn json_has_the_same_in_fields() {
    let json = serde_json::to_value(judge(&failing()).unwrap_err()).unwrap();
    assert_eq!(json["stage"], "code");
    assert_eq!(json["unlisted"], 0);
    let violation = &json["violations"][1];
    assert_eq!(violation["rule"], "instruction-differs");
    assert_eq!(violation["address"], "0x00010010");
    assert_eq!(violation["word"], "0x002520c2");
    assert_eq!(violation["instruction"], "rotr $a0, $a1, 3");
    assert_eq!(violation["source"], "src/guest.rs:14");
}

#[test]
fn a_stage_lists_all_it_finds_and_the_next_is_not_reached() {
    let mut program = failing();
    program.flags |= 2;
    program.kind = 3;
    let failure = judge(&program).unwrap_err();
    let rules: Vec<_> = failure.violations.iter().map(|violation| violation.rule).collect();
    assert_eq!(
        (failure.stage, &rules[..]),
        (Stage::Header, &[Rule::NotExecutable, Rule::UnexpectedFlags][..])
    );
}

#[test]
fn a_very_long_list_is_counted_instead() {
    let mut program = Program::valid();
    program.segments.truncate(2);
    program.segments[1].address = 0x10_0000;
    program.sections.truncate(2);
    program.sections[1].address = 0x10_0000;
    program.symbols.clear();
    program.set_code(&vec![0x0025_20c2; 150_000]);
    let failure = judge(&program).unwrap_err();
    assert_eq!((failure.violations.len(), failure.unlisted), (100_000, 50_000));
    assert!(failure.to_string().ends_with("150000 violations"), "{failure}");
    assert!(failure.text().ends_with("and 50000 more, not listed\n"));
}
