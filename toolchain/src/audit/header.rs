//! What the file says of itself: file header, ABI flags, and what only a dynamic loader would need.
//!
//! Numbers: System V ABI, MIPS supplement, and the MIPS ABI flags of GNU binutils (`include/elf/mips.h`).

use goblin::elf::{header, program_header, section_header};
use opml_targets::{Abi, ByteOrder, ElfFacts, FloatAbi, Target};

use super::finding::Findings;
use super::rule::Rule;
use crate::elf::{Elf, Header};

/// `e_flags`: an assembly detail without consequence (`EF_MIPS_NOREORDER`).
const NO_REORDER: u32 = 0x0000_0001;
/// `e_flags`: the calling convention's field, and its value for o32.
const ABI_MASK: u32 = 0x0000_f000;
const ABI_O32: u32 = 0x0000_1000;
/// `e_flags`: the architecture's field.
const ARCHITECTURE_MASK: u32 = 0xf000_0000;

/// `SHT_MIPS_ABIFLAGS` and `PT_MIPS_ABIFLAGS`.
pub(crate) const SECTION_ABI_FLAGS: u32 = 0x7000_002a;
pub(super) const SEGMENT_ABI_FLAGS: u32 = 0x7000_0003;
/// Bytes of the ABI flags, version 0.
pub(crate) const ABI_FLAGS_SIZE: usize = 24;
/// `AFL_REG_32`: registers of 32 bits.
const REGISTERS_32: u8 = 1;
/// `Val_GNU_MIPS_ABI_FP_SOFT`
pub(crate) const FLOAT_SOFT: u8 = 3;

const COMPILE: &str = "compile every object, assembly included, for the target's processor (clang: --target=mips-linux-gnu \
                       -mips32 -msoft-float -mno-abicalls) and link for it";
const LINK: &str = "link statically, for fixed addresses, with the target's linker script (no -shared, -pie or --emit-relocs)";

pub(super) fn check(elf: &Elf, target: &Target) -> Findings {
    let mut findings = Findings::default();
    let (header, facts) = (elf.header(), target.elf());
    check_identity(header, facts, &mut findings);
    // The flags of another machine would mean something else.
    if header.machine == header::EM_MIPS {
        check_flags(header.flags, facts, &mut findings);
        check_abi_flags(elf, facts, &mut findings);
    }
    check_loader_needs(elf, &mut findings);
    findings
}

fn check_identity(header: &Header, facts: &ElfFacts, findings: &mut Findings) {
    let mut mismatch = |rule, what, expected: &str, got: &str| {
        findings.file(rule, format!("{what}: expected {expected}, got {got}"), COMPILE);
    };
    if header.class != facts.class {
        let (expected, got) = (facts.class.bits(), header.class.bits());
        mismatch(Rule::ElfClass, "ELF class", &format!("{expected} bits"), &format!("{got} bits"));
    }
    if header.byte_order != facts.byte_order {
        let name = |order| if order == ByteOrder::Big { "big-endian" } else { "little-endian" };
        mismatch(Rule::ByteOrder, "byte order", name(facts.byte_order), name(header.byte_order));
    }
    if header.machine != header::EM_MIPS {
        let got = header::machine_to_str(header.machine);
        mismatch(Rule::Machine, "machine", "MIPS", &format!("{got} ({})", header.machine));
    }
    if header.kind != header::ET_EXEC {
        let got = header::et_to_str(header.kind);
        findings.file(
            Rule::NotExecutable,
            format!("file type: expected EXEC, got {got} ({})", header.kind),
            LINK,
        );
    }
}

fn check_flags(flags: u32, facts: &ElfFacts, findings: &mut Findings) {
    let mut mismatch = |rule, what, expected: u32, got: u32| {
        findings.file(
            rule,
            format!("{what} in e_flags: expected 0x{expected:08x}, got 0x{got:08x}"),
            COMPILE,
        );
    };
    let architecture = match (facts.isa_level, facts.isa_revision) {
        (32, 1) => 0x5000_0000,
        (32, 2) => 0x7000_0000,
        (64, 1) => 0x6000_0000,
        _ => 0x8000_0000,
    };
    if flags & ARCHITECTURE_MASK != architecture {
        mismatch(Rule::Architecture, "architecture", architecture, flags & ARCHITECTURE_MASK);
    }
    let Abi::O32 = facts.abi;
    if flags & ABI_MASK != ABI_O32 {
        mismatch(Rule::CallingConvention, "calling convention", ABI_O32, flags & ABI_MASK);
    }
    let others = flags & !(ARCHITECTURE_MASK | ABI_MASK | NO_REORDER);
    if others != 0 {
        let meaning = flag_meanings(others);
        mismatch(Rule::UnexpectedFlags, &format!("other flags ({meaning})"), 0, others);
    }
}

/// What is set in `flags`, in words.
fn flag_meanings(flags: u32) -> String {
    const MEANINGS: [(u32, &str); 8] = [
        (0x0000_0002, "position-independent code"),
        (0x0000_0004, "calls position-independent code"),
        (0x0000_0020, "n32"),
        (0x0000_0200, "64-bit floating-point registers"),
        (0x0000_0400, "IEEE 754-2008 NaNs"),
        (0x00ff_0000, "a vendor's processor"),
        (0x0200_0000, "microMIPS"),
        (0x0400_0000, "MIPS16"),
    ];
    let set: Vec<_> = MEANINGS.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, text)| *text).collect();
    if set.is_empty() { "unknown".to_owned() } else { set.join(", ") }
}

fn check_abi_flags(elf: &Elf, facts: &ElfFacts, findings: &mut Findings) {
    let sections = elf.sections().iter().filter(|section| section.kind == SECTION_ABI_FLAGS);
    let segments = elf.segments().iter().filter(|segment| segment.kind == SEGMENT_ABI_FLAGS);
    let mut places: Vec<_> = sections
        .map(|section| (section.offset, elf.section_data(section)))
        .chain(segments.map(|segment| (segment.offset, elf.segment_data(segment))))
        .collect();
    // A linked file names the same bytes as a section and as a segment.
    places.sort_unstable();
    places.dedup();
    if places.is_empty() {
        let problem = "no .MIPS.abiflags: nothing says that the code was compiled for soft float".to_owned();
        findings.file(
            Rule::AbiFlagsMissing,
            problem,
            "keep .MIPS.abiflags in the linker script and when stripping",
        );
    }
    for (_, bytes) in places {
        check_abi_flags_bytes(bytes, facts, findings);
    }
}

/// Layout: version (16 bits), level, revision, register sizes (general, coprocessors 1 and 2), floating-point ABI,
/// then 32 bits each: extension, ASEs, flags 1, flags 2.
fn check_abi_flags_bytes(bytes: &[u8], facts: &ElfFacts, findings: &mut Findings) {
    let [version @ .., level, revision, general, cop1, cop2, float] = match bytes.first_chunk::<8>() {
        Some(start) if bytes.len() == ABI_FLAGS_SIZE => *start,
        _ => {
            let problem = format!(".MIPS.abiflags: expected {ABI_FLAGS_SIZE} bytes, got {}", bytes.len());
            return findings.file(Rule::AbiFlagsMalformed, problem, COMPILE);
        }
    };
    let version: [u8; 2] = version;
    if version != [0, 0] {
        let problem = format!(".MIPS.abiflags: expected version 0, got {}", u16::from_be_bytes(version));
        return findings.file(Rule::AbiFlagsMalformed, problem, COMPILE);
    }
    let extensions = &bytes[8..16];
    if (level, revision) != (facts.isa_level, facts.isa_revision) || extensions != [0; 8] {
        let extended = if extensions == [0; 8] { "" } else { " with extensions" };
        let (expected, release) = (facts.isa_level, facts.isa_revision);
        let problem = format!(
            "architecture in .MIPS.abiflags: expected MIPS{expected} release {release}, got MIPS{level} release \
             {revision}{extended}"
        );
        findings.file(Rule::AbiFlagsArchitecture, problem, COMPILE);
    }
    if (general, cop1, cop2) != (REGISTERS_32, 0, 0) {
        let problem = format!(
            "register sizes in .MIPS.abiflags (general, coprocessor 1, coprocessor 2): expected codes 1, 0, 0, got \
             {general}, {cop1}, {cop2}"
        );
        findings.file(Rule::AbiFlagsRegisters, problem, COMPILE);
    }
    let FloatAbi::Soft = facts.float;
    if float != FLOAT_SOFT {
        let problem =
            format!("floating-point ABI in .MIPS.abiflags: expected {FLOAT_SOFT} (soft), got {float}");
        findings.file(Rule::AbiFlagsFloat, problem, COMPILE);
    }
}

fn check_loader_needs(elf: &Elf, findings: &mut Findings) {
    for segment in elf.segments() {
        let (rule, what) = match segment.kind {
            program_header::PT_INTERP => (Rule::Interpreter, "the file asks for an interpreter"),
            program_header::PT_DYNAMIC => (Rule::Dynamic, "there is a dynamic segment"),
            program_header::PT_TLS => (Rule::ThreadLocal, "there is a segment of thread-local storage"),
            _ => continue,
        };
        findings.at(rule, segment.address, format!("{what}, and nothing on the VM would serve it"), LINK);
    }
    for section in elf.sections() {
        let (rule, what) = match section.kind {
            section_header::SHT_REL | section_header::SHT_RELA if section.size > 0 => {
                (Rule::Relocation, "holds relocations")
            }
            section_header::SHT_DYNAMIC => (Rule::Dynamic, "is for a dynamic loader"),
            _ if section.flags & u64::from(section_header::SHF_TLS) != 0 => {
                (Rule::ThreadLocal, "is thread-local storage")
            }
            _ => continue,
        };
        let name = elf.section_name(section);
        findings.file(rule, format!("section `{name}` {what}, and nothing on the VM would serve it"), LINK);
    }
}
