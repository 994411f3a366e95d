//! The patches of Go programs, on a small file with the symbols of one.
//!
//! | what it catches | test |
//! |---|---|
//! | a change that is not named, or named otherwise than made | `what_is_changed_is_named` |
//! | headers that are judged as code | `headers_in_front_of_the_code_are_not_loaded` |
//! | a result that depends on anything but the file | `patches_follow_from_the_file` |
//! | a symbol table that leads elsewhere | `symbols_that_lead_elsewhere_are_refused` |
//! | a call that the VM has not, behind a computed number | `system_calls_that_nobody_knows_are_refused` |
//! | a jump table that is overlooked | `jumps_that_nobody_knows_may_be_tables` |

use opml_toolchain::audit::{Rule, audit};
use opml_toolchain::elf::Elf;
use opml_toolchain::patch::{PatchError, PatchSet, Patched, patch};
use sha2::{Digest, Sha256};

use crate::cannon32;
use crate::program::{ABI_FLAGS, DATA, Place, Program, STT_FUNC, STT_OBJECT, Section, Symbol, TEXT};

const TRAP: u32 = 0x0000_0034;
const RETURN: u32 = 0x03e0_0008;

/// The functions of the file: name, and its words.
const FUNCTIONS: [(&str, &[u32]); 6] = [
    ("runtime.rt0_go", &[0x23a5_0004, TRAP, 0, 0]), // addi $a1, $sp, 4
    ("runtime.gcenable", &[0x2402_0001, RETURN, 0]),
    ("runtime.systemstack_switch", &[TRAP, RETURN, 0, 0]),
    ("runtime.sysargs", &[0x2402_0001, 0x2402_0002, 0x2402_0003, 0x2402_0004, 0, 0, RETURN, 0]),
    ("runtime.open", &[0x2402_0fa5, 0x0000_000c, RETURN, 0]), // addiu $v0, $zero, 4005; syscall
    ("main.main", &[0x0085_1021, RETURN, 0]),
];

/// A file that is to a Go program what [`Program::valid`] is to a program.
fn go() -> Program {
    let mut program = Program::valid();
    let mut address = TEXT;
    program.symbols.clear();
    for (name, words) in FUNCTIONS {
        let size = 4 * words.len() as u32;
        program.symbols.push(Symbol { name, address, size, kind: STT_FUNC });
        address += size;
    }
    for (name, address) in [("runtime.physPageSize", DATA + 8), ("runtime.argc", DATA + 12)] {
        program.symbols.push(Symbol { name, address, size: 4, kind: STT_OBJECT });
    }
    program.set_code(&FUNCTIONS.map(|(_, words)| words).concat());
    program
}

fn patched(program: &Program) -> Result<Patched, PatchError> {
    patch(&Elf::parse(program.write()).unwrap(), PatchSet::Go)
}

fn written(elf: &Elf) -> Vec<u8> {
    let mut bytes = Vec::new();
    elf.write(&mut bytes).unwrap();
    bytes
}

fn symbol<'a>(program: &'a mut Program, name: &str) -> &'a mut Symbol {
    program.symbols.iter_mut().find(|symbol| symbol.name == name).unwrap()
}

#[test]
fn what_is_changed_is_named() {
    let program = go();
    let before = audit(Elf::parse(program.write()).unwrap(), &cannon32()).unwrap_err();
    let rules: Vec<_> = before.violations.iter().map(|violation| violation.rule).collect();
    assert!(rules.contains(&Rule::UnknownSyscall) && rules.contains(&Rule::InstructionReverts), "{rules:?}");

    let Patched { elf, patches, no_jump_tables } = patched(&program).unwrap();
    assert_eq!(patches.source_sha256, hex::encode(Sha256::digest(program.write())));
    let changes: Vec<_> =
        patches.changes.iter().map(|change| (&*change.place, &*change.at, &*change.to)).collect();
    assert_eq!(
        changes,
        [
            // addiu; j runtime.systemstack_switch
            ("runtime.rt0_go", "0x00010000", "27a50004080040070000000000000000"),
            ("runtime.gcenable", "0x00010010", "03e000080000000000000000"),
            // addiu $a0, $zero, 2; addiu $v0, $zero, 4246; syscall
            ("runtime.systemstack_switch", "0x0001001c", "24040002240210960000000c00000000"),
            // lui $v0, 1; addiu $v1, $zero, 1; sw $v1, 0x200c($v0); the same with 4096 and 0x2008
            (
                "runtime.sysargs",
                "0x0001002c",
                "3c02000124030001ac43200c3c02000124031000ac43200803e0000800000000"
            ),
            // addiu $v0, $zero, -1; sw $v0, 16($sp)
            ("runtime.open", "0x0001004c", "2402ffffafa2001003e0000800000000"),
        ]
    );
    assert!(patches.changes.iter().all(|change| change.from != change.to && !change.why.is_empty()));
    assert!(no_jump_tables);

    // The changes, and nothing else.
    let mut expected = program.write();
    let offset = elf.segments()[0].offset as usize;
    for change in &patches.changes {
        let at = u32::from_str_radix(&change.at[2..], 16).unwrap();
        let (from, to) = (hex::decode(&change.from).unwrap(), hex::decode(&change.to).unwrap());
        let place = &mut expected[offset + (at - TEXT) as usize..][..from.len()];
        assert_eq!(place, from, "{}", change.place);
        place.copy_from_slice(&to);
    }
    assert_eq!(written(&elf), expected);
    audit(elf, &cannon32()).unwrap_or_else(|failure| panic!("{}", failure.text()));
}

#[test]
fn headers_in_front_of_the_code_are_not_loaded() {
    let mut program = go();
    let words = FUNCTIONS.map(|(_, words)| words).concat();
    // Sixteen bytes of something else in front, as the linker's headers; and its flags.
    program.set_code(&[&[0x7f45_4c46, 0xffff_ffff, 1, 2], &words[..]].concat());
    program.segments[0].address = TEXT - 16;
    program.sections[0] = Section {
        size: 4 * words.len() as u32,
        place: Place::InSegment(0, 16),
        ..program.sections[0].clone()
    };
    program.entry = TEXT;
    program.flags |= 4;
    let mut flags = ABI_FLAGS;
    flags[5] = 1;
    program.segments[1].bytes[..24].copy_from_slice(&flags);
    // The headers themselves, and a note.
    for kind in [6, 4] {
        program.segments.push(crate::program::Segment {
            kind,
            shared_with: Some(0),
            ..program.segments[0].clone()
        });
    }
    let Patched { elf, patches, .. } = patched(&program).unwrap();
    let places: Vec<_> = patches.changes.iter().map(|change| &*change.place).take(5).collect();
    assert_eq!(
        places,
        [
            "file header, e_flags",
            ".MIPS.abiflags, size of floating-point registers",
            "program header 0",
            "program header 3",
            "program header 4"
        ]
    );
    let code = elf.segments()[0];
    assert_eq!((code.address, code.file_size), (u64::from(TEXT), 4 * words.len() as u64));
    assert_eq!(&elf.segment_data(&code)[4..8], 0x0800_4007_u32.to_be_bytes());
    audit(elf, &cannon32()).unwrap_or_else(|failure| panic!("{}", failure.text()));

    // Flags of hard float stay, and are refused.
    program.segments[1].bytes[7] = 1;
    let failure = audit(patched(&program).unwrap().elf, &cannon32()).unwrap_err();
    assert!(failure.violations.iter().any(|violation| violation.rule == Rule::AbiFlagsFloat));
}

#[test]
fn patches_follow_from_the_file() {
    let [first, second] = [patched(&go()).unwrap(), patched(&go()).unwrap()];
    assert_eq!(written(&first.elf), written(&second.elf));
    assert_eq!(first.patches, second.patches);
    let again = patch(&first.elf, PatchSet::Go).unwrap();
    assert_eq!((written(&again.elf), again.patches.changes.len()), (written(&first.elf), 0));
}

#[test]
fn symbols_that_lead_elsewhere_are_refused() {
    let refused = |change: &dyn Fn(&mut Program)| {
        let mut program = go();
        change(&mut program);
        patched(&program).expect_err("it is refused").to_string()
    };
    let gcenable = "runtime.gcenable";
    for (address, size) in [
        (DATA, 12),            // not code
        (TEXT + 0x4000, 12),   // not in the file
        (TEXT + 0x12, 12),     // not a word
        (TEXT + 0x10, 13),     // not whole words
        (TEXT + 0x10, 0x1000), // ends outside
        (0xffff_fff8, 0x10),   // wraps around
        (TEXT + 0x10, 0),      // nothing
    ] {
        let problem = refused(&|program| {
            *symbol(program, gcenable) = Symbol { name: gcenable, address, size, kind: STT_FUNC };
        });
        assert!(
            problem.contains("`runtime.gcenable`") && problem.contains("is not in the memory"),
            "{problem}"
        );
    }
    assert_eq!(
        refused(&|program| symbol(program, gcenable).size = 4),
        "the function `runtime.gcenable` has 4 bytes, expected at least 8"
    );
    assert_eq!(
        refused(&|program| symbol(program, "runtime.open").address = TEXT + 0x14),
        "the functions `runtime.systemstack_switch` and `runtime.open` share bytes"
    );
    assert_eq!(
        refused(&|program| symbol(program, "main.main").name = gcenable),
        "two functions are called `runtime.gcenable`: at 0x00010010 and at 0x0001005c"
    );
    assert_eq!(
        refused(&|program| symbol(program, gcenable).kind = STT_OBJECT),
        "the program has no symbol `runtime.gcenable`, which every Go program has"
    );
    for address in [TEXT, DATA + 9, DATA + 0x104, u32::MAX - 3] {
        let problem = refused(&|program| symbol(program, "runtime.physPageSize").address = address);
        assert!(problem.starts_with("`runtime.physPageSize`, 0x4 bytes"), "{problem}");
    }
    assert!(refused(&|program| program.with_sections = false).contains("has no symbol"));
    assert!(refused(&|program| program.machine = 40).contains("no 32-bit big-endian MIPS program"));
}

#[test]
fn system_calls_that_nobody_knows_are_refused() {
    let mut program = go();
    symbol(&mut program, "runtime.open").name = "main.open";
    let Err(PatchError::SystemCall { name, address }) = patched(&program) else { panic!("it is refused") };
    assert_eq!((&*name, address), ("main.open", u64::from(TEXT) + 0x50));
}

#[test]
fn jumps_that_nobody_knows_may_be_tables() {
    let mut program = go();
    let mut words = FUNCTIONS.map(|(_, words)| words).concat();
    let last = words.len() - 2;
    words[last] = 0x0080_0008; // jr $a0
    program.set_code(&words);
    assert!(!patched(&program).unwrap().no_jump_tables);
    symbol(&mut program, "main.main").name = "gogo";
    assert!(patched(&program).unwrap().no_jump_tables);
}
