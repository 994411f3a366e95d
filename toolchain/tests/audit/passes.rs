//! Programs that the audit has to let pass.

use opml_toolchain::audit::{AuditOptions, MAX_REVERTING, Rule, audit_with};
use opml_toolchain::elf::Elf;

use crate::program::{CODE, Program, R, Segment, X};
use crate::{cannon32, judge, violated};

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
fn shifts_behind_a_guard_against_large_amounts_pass() {
    // sltiu $v1, $a2, 32; addiu $a3, $zero, 31; movz $a2, $a3, $v1; srav $v0, $a0, $a2
    let words = [0x2cc3_0020, 0x2407_001f, 0x00e3_300a, 0x00c4_1007];
    assert_eq!(violated(&Program::with_code(&words)), []);
    for (at, other, why) in [
        (0, 0x2cc3_0021, "33 and above"),
        (0, 0x28c3_0020, "slti lets negative amounts through"),
        (0, 0x2ca3_0020, "another register is compared"),
        (1, 0x2407_0020, "32 in place of a large amount"),
        (1, 0x8fa7_0000, "nobody knows what is loaded"),
        (2, 0x00e3_300b, "movn replaces the small ones"),
    ] {
        let mut words = words;
        words[at] = other;
        assert_eq!(violated(&Program::with_code(&words)), [Rule::InstructionDiffers], "{why}");
    }
    let changed = [words[0], 0x00c6_3021, words[1], words[2], words[3]];
    let found = violated(&Program::with_code(&changed));
    assert_eq!(found, [Rule::InstructionDiffers], "the amount changes behind the comparison");
}

/// As compilers write them: a loop around the pair, and a way out between the two.
#[test]
fn a_store_conditional_behind_its_load_linked_passes() {
    let swap = [
        0x0080_2825, // or $a1, $a0, $zero
        0xc0c7_0004, // again: ll $a3, 4($a2)
        0x1487_0004, // bne $a0, $a3, out
        0x0000_0000,
        0x0060_1025, // or $v0, $v1, $zero
        0xe0c2_0004, // sc $v0, 4($a2)
        0x1040_fffa, // beq $v0, $zero, again
        0x0000_0000, // out
    ];
    assert_eq!(violated(&Program::with_code(&swap)), []);
    for (at, other, why) in [
        (1, 0x8cc7_0004, "lw in place of ll"),
        (1, 0xc0c7_0000, "another offset"),
        (1, 0xc0a7_0004, "another base"),
        (1, 0xc0c6_0004, "the base is what was loaded"),
        (3, 0x8c80_0000, "a load in between"),
        (3, 0xac80_0000, "a store in between"),
        (4, 0x24c6_0004, "the base is moved"),
        (4, 0xe0c3_0004, "another store-conditional in between"),
        (4, 0x0000_000c, "a system call in between"),
        (6, 0x1040_fffd, "a branch to what is in between"),
    ] {
        let mut words = swap;
        words[at] = other;
        assert_eq!(violated(&Program::with_code(&words)), [Rule::InstructionDiffers], "{why}");
    }
    // jal; ll in its delay slot; sc: what was called may have done anything.
    let called = [0x0c00_4000, 0xc0c7_0004, 0xe0c2_0004];
    assert_eq!(violated(&Program::with_code(&called)), [Rule::InstructionDiffers]);
}

#[test]
fn instructions_that_revert_pass_when_they_are_allowed_and_are_listed() {
    let options = AuditOptions { allow_reverting: true, ..AuditOptions::default() };
    let judge = |words: &[u32]| {
        let elf = Elf::parse(Program::with_code(words).write()).unwrap();
        audit_with(elf, &cannon32(), &options)
    };
    let audited = judge(&[0x0000_0034, 0x0085_1021, 0x0000_000d]).unwrap(); // teq, addu, break
    let listed: Vec<_> = audited.reverting().iter().map(|violation| violation.address.unwrap()).collect();
    assert_eq!(listed, [0x0001_0010, 0x0001_0018]);
    assert_eq!(audited.reverting()[0].symbol.as_deref(), Some("other"));
    // What computes something else, and what is no instruction, stays refused.
    for other in [0x0025_20c2, 0xefef_efef] {
        let failure = judge(&[0x0000_0034, other]).unwrap_err();
        assert_eq!(failure.violations.len(), 1, "{}", failure.text());
        assert_ne!(failure.violations[0].rule, Rule::InstructionReverts);
    }
    let most = [0x0000_0034; MAX_REVERTING];
    assert_eq!(judge(&most).unwrap().reverting().len(), MAX_REVERTING);
    let failure = judge(&[&most[..], &[0x34]].concat()).unwrap_err();
    assert_eq!(failure.violations.len(), MAX_REVERTING + 1);
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
