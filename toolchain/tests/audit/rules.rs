//! One rejection for each rule, and that it is the only one.

use opml_toolchain::audit::{AuditOptions, Rule, Stage, audit_with};
use opml_toolchain::elf::Elf;

use crate::program::{
    ABI_FLAGS, CODE, DATA, PT_LOAD, Place, Program, R, RODATA, SHF_ALLOC, STT_OBJECT, Section,
};
use crate::program::{Segment, Symbol, TEXT, W, X};
use crate::{cannon32, judge, violated};

/// A rule, its stage, and a program that violates this rule alone.
fn cases() -> Vec<(Rule, Stage, Program)> {
    let mut cases = header_cases();
    cases.extend(segment_cases());
    cases.extend(code_cases());
    let mut program = Program::valid();
    program.segments[1].bytes.extend(b"/home/somebody/model.onnx");
    program.segments[1].memory_size += 25;
    cases.push((Rule::HostPath, Stage::Content, program));
    cases
}

fn changed(change: impl FnOnce(&mut Program)) -> Program {
    let mut program = Program::valid();
    change(&mut program);
    program
}

/// A valid program with one byte of its ABI flags changed.
fn abi_flags(at: usize, value: u8) -> Program {
    changed(|program| program.segments[1].bytes[at] = value)
}

fn segment(kind: u32, flags: u32, address: u32) -> Segment {
    Segment { kind, flags, address, bytes: vec![0; 4], memory_size: 4, shared_with: None }
}

/// As linkers write `PT_GNU_STACK`: flags and nothing else.
fn empty(kind: u32, flags: u32) -> Segment {
    Segment { kind, flags, ..Segment::default() }
}

fn header_cases() -> Vec<(Rule, Stage, Program)> {
    let own = |kind, flags| Section {
        name: ".x",
        kind,
        flags,
        place: Place::Own(vec![0; 8]),
        ..Section::default()
    };
    let cases = [
        (Rule::Machine, changed(|program| program.machine = 3)),
        (Rule::NotExecutable, changed(|program| program.kind = 3)),
        (Rule::Architecture, changed(|program| program.flags = 0x7000_1001)),
        (Rule::CallingConvention, changed(|program| program.flags = 0x5000_0001)),
        (Rule::UnexpectedFlags, changed(|program| program.flags |= 2)),
        (Rule::AbiFlagsMissing, changed(|program| program.sections[1].kind = 1)),
        (Rule::AbiFlagsMalformed, changed(|program| program.sections[1].size = 20)),
        (Rule::AbiFlagsMalformed, abi_flags(1, 1)),
        (Rule::AbiFlagsArchitecture, abi_flags(3, 2)),
        (Rule::AbiFlagsArchitecture, abi_flags(15, 4)),
        (Rule::AbiFlagsRegisters, abi_flags(5, 1)),
        (Rule::AbiFlagsFloat, abi_flags(7, 1)),
        (Rule::Interpreter, changed(|program| program.segments.push(segment(3, R, RODATA)))),
        (Rule::Dynamic, changed(|program| program.segments.push(segment(2, R, RODATA)))),
        (Rule::Dynamic, changed(|program| program.sections.push(own(6, 0)))),
        (Rule::Relocation, changed(|program| program.sections.push(own(9, 0)))),
        (Rule::Relocation, changed(|program| program.sections.push(own(4, 0)))),
        (Rule::ThreadLocal, changed(|program| program.segments.push(segment(7, R, RODATA)))),
        (Rule::ThreadLocal, changed(|program| program.sections.push(own(1, 0x400)))),
    ];
    cases.into_iter().map(|(rule, program)| (rule, Stage::Header, program)).collect()
}

/// A valid program with a header of type `kind` for the first `size` bytes of its constants, said to lie at `address`.
fn repeated(kind: u32, address: u32, size: u32) -> Program {
    changed(|program| {
        let mut bytes = program.segments[1].bytes.clone();
        bytes.resize(size as usize, 0);
        let again = Segment { kind, flags: R, address, bytes, memory_size: size, shared_with: Some(1) };
        program.segments.push(again);
    })
}

fn segment_cases() -> Vec<(Rule, Stage, Program)> {
    let load = |flags, address, memory_size| {
        let segment = Segment { memory_size, ..segment(PT_LOAD, flags, address) };
        changed(|program| program.segments.push(segment))
    };
    let cases = [
        (Rule::FileSize, load(R, 0x2_0000, 3)),
        (Rule::AddressWrap, load(R, 0xffff_fffc, 8)),
        (Rule::WritableCode, load(R | W | X, 0x2_0000, 4)),
        (Rule::WritableCode, changed(|program| program.segments.push(empty(0x6474_e551, R | W | X)))),
        (Rule::MemoryMap, load(R, 0, 4)),
        (Rule::MemoryMap, load(R, 0xffff_0000, 0x1_0000)),
        (Rule::HeapRoom, load(R, 0x5fff_fff8, 16)),
        (Rule::StackRoom, load(R, 0x7fff_0000, 4)),
        (Rule::SegmentOverlap, load(R, DATA + 0x100, 4)),
        (Rule::SegmentOverlap, load(R, DATA - 4, 8)),
        (Rule::SegmentOverlap, load(R, RODATA - 4, 0x2000 - 0x100)),
        (
            Rule::FileOverlap,
            changed(|program| {
                program.segments.push(Segment { shared_with: Some(2), ..segment(PT_LOAD, R, 0x2_0000) });
            }),
        ),
        // A note with bytes of its own, a null header that is filled, and one that only claims memory.
        (Rule::StraySegment, changed(|program| program.segments.push(segment(4, R, 0x2_0000)))),
        (Rule::StraySegment, changed(|program| program.segments.push(segment(0, R, TEXT)))),
        (
            Rule::StraySegment,
            changed(|program| {
                program.segments.push(Segment { memory_size: 0x1000, ..empty(0x6474_e551, R | W) });
            }),
        ),
        // Bytes of a loaded segment, but at another address, or going on behind its end.
        (Rule::StraySegment, repeated(4, RODATA + 4, 24)),
        (Rule::StraySegment, repeated(4, RODATA, 36)),
        // Memory without content is nothing unusual, but for the weights.
        (Rule::WeightsLeftOut, changed(|program| program.sections[4].name = ".opml.weights")),
        (Rule::EntryAlignment, changed(|program| program.entry = TEXT + 2)),
        (Rule::EntryOutsideCode, changed(|program| program.entry = RODATA)),
        (Rule::EntryOutsideCode, changed(|program| program.entry = TEXT + 32)),
    ];
    cases.into_iter().map(|(rule, program)| (rule, Stage::Segments, program)).collect()
}

fn code_cases() -> Vec<(Rule, Stage, Program)> {
    let code = Program::with_code;
    let cases = [
        (
            Rule::CodeAlignment,
            changed(|program| {
                program.segments[0].bytes.extend([0, 0]);
                program.segments[0].memory_size += 2;
            }),
        ),
        (Rule::CodeNotInFile, changed(|program| program.segments[0].memory_size += 4)),
        (
            Rule::DataInCode,
            changed(|program| {
                let place = Place::InSegment(0, 12);
                let (flags, address) = (SHF_ALLOC, TEXT + 12);
                program.sections.push(Section { name: ".lit4", kind: 1, flags, address, size: 4, place });
            }),
        ),
        (
            Rule::DataInCode,
            changed(|program| {
                program.symbols.push(Symbol { name: "table", address: TEXT + 12, size: 4, kind: STT_OBJECT });
            }),
        ),
        (
            Rule::Padding,
            changed(|program| {
                program.set_code(&[&CODE[..], &[0, CODE[5]]].concat());
                program.sections[0].size -= 8;
            }),
        ),
        (Rule::UnknownInstruction, code(&[0xefef_efef])),
        (Rule::UnknownInstruction, code(&[0x0085_1018])), // mult with a destination
        (Rule::InstructionReverts, code(&[0x0000_000d])), // break
        (Rule::InstructionReverts, code(&[0x0085_001a, 0x00a0_01f4])), // div, teq
        (Rule::InstructionReverts, code(&[0x7ca4_20c0])), // ext
        (Rule::InstructionReverts, code(&[0xc7a2_0004])), // lwc1
        (Rule::InstructionDiffers, code(&[0x0025_20c2])), // rotr
        (Rule::InstructionDiffers, code(&[0x0491_0001, 0])), // bgezal
        (Rule::InstructionDiffers, code(&[0x0085_1020])), // add
        (Rule::InstructionDiffers, code(&[0xe3a4_0000])), // sc
        (Rule::InstructionDiffers, code(&[0x00c4_1007])), // srav
        (Rule::InstructionDiffers, code(&[0x30c6_003f, 0x00c4_1007])), // andi $a2, $a2, 63; srav
        (Rule::InstructionDiffers, code(&[0x30c6_001f, 0x8fa6_0000, 0x00c4_1007])), // andi; lw $a2; srav
        // jal; andi in its delay slot; srav: the callee may change $a2 before the shift. The same behind jr.
        (Rule::InstructionDiffers, code(&[0x0c00_4000, 0x30c6_001f, 0x00c4_1007])),
        (Rule::InstructionDiffers, code(&[0x03e0_0008, 0x30c6_001f, 0x00c4_1007])),
        // A branch leads between the mask and the shift.
        (Rule::InstructionDiffers, code(&[0x1080_0002, 0, 0x30c6_001f, 0x00c4_1007])),
        (Rule::InstructionUnneeded, code(&[0x0000_0040])), // ssnop
        (Rule::BranchInDelaySlot, code(&[0x1000_0001, 0x1000_0001, 0])),
        (Rule::BranchInDelaySlot, code(&[0x03e0_0008, 0x03e0_0008, 0])),
        (Rule::DelaySlotOutsideCode, changed(|program| program.set_code(&CODE[..7]))),
        (Rule::TargetOutsideCode, code(&[0x1000_7fff, 0])),
        (Rule::TargetOutsideCode, code(&[0x0c00_4400, 0])), // jal to the constants
        (Rule::UnknownSyscall, code(&[0x2402_0fa1, 0x0000_000c])), // addiu $v0, $zero, 4001
        (Rule::UnknownSyscall, code(&[0x3c02_0001, 0x3442_0fa3, 0x0000_000c])), // lui $v0, 1; ori $v0, $v0, 4003
        (Rule::UnknownSyscall, code(&[0x2403_0fa1, 0x0060_1021, 0x0000_000c])), // addiu $v1; addu $v0, $v1, $zero
    ];
    cases.into_iter().map(|(rule, program)| (rule, Stage::Code, program)).collect()
}

#[test]
fn each_rule_rejects_what_it_is_for_and_nothing_else_does() {
    for (index, (rule, stage, program)) in cases().into_iter().enumerate() {
        let failure = judge(&program).expect_err(rule.id());
        assert_eq!(violated(&program), [rule], "case {index}: {}", failure.text());
        assert_eq!(failure.stage, stage, "{rule}");
        assert!(failure.violations.iter().all(|v| !v.problem.is_empty() && !v.action.is_empty()), "{rule}");
    }
}

/// What needs a file that the builder cannot make: another class or byte order changes every field, so a foreign file
/// violates several rules at once.
#[test]
fn every_rule_has_a_case() {
    let mut covered: Vec<_> = cases().into_iter().map(|(rule, ..)| rule).collect();
    covered.extend([Rule::ElfClass, Rule::ByteOrder, Rule::NothingToLoad]);
    let missing: Vec<_> = Rule::ALL.iter().filter(|rule| !covered.contains(rule)).collect();
    assert!(missing.is_empty(), "rules without a case: {missing:?}");
}

#[test]
fn the_file_header_of_another_machine_is_rejected_in_full() {
    // A header of x86-64 Linux and nothing behind it.
    let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend([3, 0, 62, 0, 1, 0, 0, 0]);
    file.resize(64, 0);
    let failure = audit_with(Elf::parse(file).unwrap(), &cannon32(), &AuditOptions::default()).unwrap_err();
    let rules: Vec<_> = failure.violations.iter().map(|violation| violation.rule).collect();
    assert_eq!(rules, [Rule::ElfClass, Rule::ByteOrder, Rule::Machine, Rule::NotExecutable]);
    let problems: Vec<_> = failure.violations.iter().map(|violation| violation.problem.as_str()).collect();
    assert_eq!(problems[0], "ELF class: expected 32 bits, got 64 bits");
    assert_eq!(problems[1], "byte order: expected big-endian, got little-endian");
}

#[test]
fn a_file_with_nothing_to_load_is_rejected() {
    let mut program = Program::valid();
    program.segments.iter_mut().for_each(|segment| segment.kind = 0x6fff_ffff);
    assert_eq!(violated(&program), [Rule::NothingToLoad, Rule::StraySegment, Rule::EntryOutsideCode]);
}

#[test]
fn paths_of_this_machine_are_rejected_when_they_are_given() {
    let mut program = Program::valid();
    program.segments[2].bytes = b"xx/builds/here/src/lib.rs\0".to_vec();
    program.segments[2].memory_size = 26;
    let judge = |paths: &[&str]| {
        let host_paths = paths.iter().map(|path| (*path).to_owned()).collect();
        let elf = Elf::parse(program.write()).unwrap();
        audit_with(elf, &cannon32(), &AuditOptions { host_paths, ..AuditOptions::default() })
    };
    assert!(judge(&["/", "/elsewhere", "/builds/her"]).is_ok());
    let failure = judge(&["/builds/here/"]).unwrap_err();
    assert_eq!(failure.violations.len(), 1);
    assert_eq!(failure.violations[0].address, Some(u64::from(DATA) + 2));
    assert!(failure.violations[0].problem.contains("`/builds/here/src/lib.rs`"), "{}", failure.text());
}

#[test]
fn two_segments_with_two_sets_of_abi_flags_are_both_judged() {
    let mut other = ABI_FLAGS;
    other[7] = 1;
    let mut program = Program::valid();
    program.sections.push(Section {
        name: ".abiflags2",
        kind: 0x7000_002a,
        place: Place::Own(other.to_vec()),
        ..Section::default()
    });
    assert_eq!(violated(&program), [Rule::AbiFlagsFloat]);
}
