//! Programs that the audit has to let pass.

use crate::program::{CODE, Program, R, Segment, X};
use crate::{judge, violated};

#[test]
fn a_valid_program_passes() {
    let audited = judge(&Program::valid()).unwrap();
    assert_eq!(audited.target(), "cannon32");
    assert_eq!(audited.instructions(), CODE.len());
    assert_eq!(
        {
            let mut written = Vec::new();
            audited.elf().write(&mut written).unwrap();
            written
        },
        Program::valid().write()
    );
}

#[test]
fn a_stripped_program_passes_by_the_segment_of_its_abi_flags() {
    let mut program = Program::valid();
    program.with_sections = false;
    let rodata = program.segments[1].clone();
    program.segments.push(Segment {
        kind: 0x7000_0003,
        bytes: rodata.bytes[..24].to_vec(),
        shared_with: Some(1),
        ..rodata
    });
    assert_eq!(violated(&program), []);
}

/// What linkers add: a header over bytes that are loaded anyway (register usage, notes), and one without bytes.
#[test]
fn program_headers_that_repeat_what_is_loaded_pass() {
    let mut program = Program::valid();
    let again = Segment { kind: 0x7000_0000, shared_with: Some(1), ..program.segments[1].clone() };
    program.segments.extend([again, Segment { kind: 0x6474_e551, flags: R, ..Segment::default() }]);
    assert_eq!(violated(&program), []);
}

#[test]
fn shifts_by_an_amount_that_is_shown_to_be_small_pass() {
    let srav = 0x00c4_1007; // srav $v0, $a0, $a2
    let shown: [&[u32]; 7] = [
        &[0x30c6_001f, srav],                           // andi $a2, $a2, 31
        &[0x30c6_001f, 0x0085_1821, srav],              // andi $a2, $a2, 31; addu $v1, $a0, $a1
        &[0x2406_0005, srav],                           // addiu $a2, $zero, 5
        &[0x3c06_0000, 0x34c6_001f, srav],              // lui $a2, 0; ori $a2, $a2, 31
        &[0x0085_302b, srav],                           // sltu $a2, $a0, $a1
        &[0x0006_36c2, srav],                           // srl $a2, $a2, 27
        &[0x30c6_001f, 0x1080_0001, srav, 0x0000_0000], // andi; beq with the shift in its delay slot
    ];
    for words in shown {
        assert_eq!(violated(&Program::with_code(words)), [], "{words:08x?}");
    }
}

#[test]
fn system_calls_with_a_known_or_an_unknown_number_pass() {
    let syscall = 0x0000_000c;
    let numbers: [&[u32]; 4] = [
        &[0x2402_0fa3, syscall],                           // addiu $v0, $zero, 4003
        &[0x3402_0fa4, 0x2405_0000, syscall],              // ori $v0, $zero, 4004; addiu $a1, $zero, 0
        &[0x8fa2_0000, syscall],                           // lw $v0, 0($sp)
        &[0x2402_0001, 0x1080_0001, 0x0000_0000, syscall], // a number that another way may replace
    ];
    for words in numbers {
        assert_eq!(violated(&Program::with_code(words)), [], "{words:08x?}");
    }
}

#[test]
fn code_may_go_on_in_the_segment_behind() {
    let mut program = Program::valid();
    // The last instruction is a jump whose delay slot is the first word of the next segment.
    program.set_code(&CODE[..7]);
    program.segments.push(Segment {
        kind: 1,
        flags: R | X,
        address: program.segments[0].address + 28,
        bytes: vec![0; 4],
        memory_size: 4,
        shared_with: None,
    });
    assert_eq!(violated(&program), []);
}
