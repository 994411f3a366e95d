//! Where the parts of the program lie in memory, and where it starts.

use goblin::elf::program_header;
use opml_targets::{AddressRange, Class, Target};

use super::finding::Findings;
use super::header::SEGMENT_ABI_FLAGS;
use super::rule::Rule;
use crate::elf::{Elf, Segment};

const LAYOUT: &str =
    "link with the target's linker script; if the program is simply too large, make its constants smaller";
const SCRIPT: &str =
    "correct the linker script: each segment at its own addresses and with its own bytes of the file";

pub(super) fn check(elf: &Elf, target: &Target) -> Findings {
    let mut findings = Findings::default();
    let loaded: Vec<_> = elf.segments().iter().filter(|segment| segment.is_loaded()).copied().collect();
    if loaded.is_empty() {
        findings.file(Rule::NothingToLoad, "no segment is loaded".to_owned(), SCRIPT);
    }
    for segment in &loaded {
        check_segment(segment, target, &mut findings);
    }
    check_stack_permission(elf, &mut findings);
    check_overlaps(&loaded, Rule::SegmentOverlap, "address", Segment::range, &mut findings);
    // Such a file could make a small file fill the whole memory.
    let in_file = |segment: &Segment| AddressRange {
        start: segment.offset,
        end: segment.offset.saturating_add(segment.file_size),
    };
    check_overlaps(&loaded, Rule::FileOverlap, "file offset", in_file, &mut findings);
    check_other_headers(elf, &loaded, &mut findings);
    check_weights(elf, &mut findings);
    check_entry(elf, &loaded, &mut findings);
    findings
}

fn check_segment(segment: &Segment, target: &Target, findings: &mut Findings) {
    let address = segment.address;
    if segment.file_size > segment.memory_size {
        let (expected, got) = (segment.memory_size, segment.file_size);
        let problem = format!("a segment has 0x{got:x} bytes in the file but only 0x{expected:x} in memory");
        findings.at(Rule::FileSize, address, problem, SCRIPT);
    }
    if segment.is_writable() && segment.is_executable() {
        let problem = "a segment is both writable and executable".to_owned();
        findings.at(
            Rule::WritableCode,
            address,
            problem,
            "put variables into a segment of their own (flags rw-)",
        );
    }
    let range = segment.range();
    let size = segment.file_size.max(segment.memory_size);
    let end_of_memory = match target.elf().class {
        Class::Elf32 => 1 << 32,
        Class::Elf64 => u64::MAX,
    };
    if address.checked_add(size).is_none_or(|end| end > end_of_memory) {
        let problem = format!("a segment of 0x{size:x} bytes wraps around the end of the address space");
        return findings.at(Rule::AddressWrap, address, problem, SCRIPT);
    }
    check_room(segment, range, target, findings);
}

fn check_room(segment: &Segment, range: AddressRange, target: &Target, findings: &mut Findings) {
    let memory = target.memory();
    let mut outside = |rule, problem| findings.at(rule, segment.address, problem, LAYOUT);
    if memory.image.contains_range(range) {
        return;
    }
    if range.overlaps(memory.heap) {
        outside(Rule::HeapRoom, format!("the segment {range} reaches into the heap {}", memory.heap));
    }
    let stack = memory.stack.range();
    if range.overlaps(stack) {
        outside(Rule::StackRoom, format!("the segment {range} reaches into the stack {stack}"));
    }
    if !range.overlaps(memory.heap) && !range.overlaps(stack) {
        outside(
            Rule::MemoryMap,
            format!("the segment {range} is not inside the image range {}", memory.image),
        );
    }
}

fn check_stack_permission(elf: &Elf, findings: &mut Findings) {
    let stacks = elf.segments().iter().filter(|segment| segment.kind == program_header::PT_GNU_STACK);
    if stacks.filter(|segment| segment.is_executable()).count() > 0 {
        let problem = "the file asks for an executable stack".to_owned();
        findings.file(
            Rule::WritableCode,
            problem,
            "link with -z noexecstack; add .note.GNU-stack to assembly",
        );
    }
}

/// Reports each range that starts inside one before it. One sweep in order of the starts finds an overlap in whichever
/// order the file lists the two.
fn check_overlaps(
    segments: &[Segment],
    rule: Rule,
    unit: &str,
    range: impl Fn(&Segment) -> AddressRange,
    findings: &mut Findings,
) {
    let mut sorted: Vec<_> = segments.iter().map(|segment| (range(segment), segment.address)).collect();
    sorted.retain(|(range, _)| range.start < range.end);
    sorted.sort_by_key(|(range, address)| (range.start, range.end, *address));
    let mut furthest: Option<AddressRange> = None;
    for (range, address) in sorted {
        if let Some(previous) = furthest.filter(|previous| range.start < previous.end) {
            let problem = format!("the {unit} ranges {previous} and {range} of two segments overlap");
            findings.at(rule, address, problem, SCRIPT);
        }
        furthest = Some(furthest.filter(|previous| previous.end > range.end).unwrap_or(range));
    }
}

/// Cannon's loader (`cannon/mipsevm/program/load.go`) copies the bytes of every program header into memory, whatever
/// its type, but those of the ABI flags; and it refuses a header that has more bytes in memory than in the file. So
/// the only one that leaves the judged memory as it is repeats bytes of a segment that is loaded anyway.
fn check_other_headers(elf: &Elf, loaded: &[Segment], findings: &mut Findings) {
    let mut sorted: Vec<_> = loaded.iter().collect();
    sorted.sort_by_key(|segment| segment.address);
    let others = elf.segments().iter().filter(|segment| {
        let skipped = [program_header::PT_LOAD, SEGMENT_ABI_FLAGS].contains(&segment.kind);
        !skipped && segment.file_size.max(segment.memory_size) > 0
    });
    for segment in others {
        let before = sorted.partition_point(|loaded| loaded.address <= segment.address);
        if sorted[..before].last().is_some_and(|loaded| repeats(segment, loaded)) {
            continue;
        }
        let kind = program_header::pt_to_str(segment.kind);
        let problem = format!(
            "a program header that is no segment to load ({kind}, type 0x{:x}) has 0x{:x} bytes in the file and 0x{:x} in \
             memory, which a loader would put into memory all the same",
            segment.kind, segment.file_size, segment.memory_size
        );
        let action = "leave it out of the linker script (PHDRS), or keep all of it inside a loaded segment";
        findings.at(Rule::StraySegment, segment.address, problem, action);
    }
}

/// Whether `segment` names bytes of the file that `loaded` puts at the same addresses.
fn repeats(segment: &Segment, loaded: &Segment) -> bool {
    segment.file_size == segment.memory_size
        && loaded.file_range().contains_range(segment.range())
        && segment.offset.checked_sub(loaded.offset) == segment.address.checked_sub(loaded.address)
}

/// A build leaves large weights out of the file with its symbols. It would load, with zeros, and have a root like any program.
fn check_weights(elf: &Elf, findings: &mut Findings) {
    if let Some(section) = elf.weights().filter(|section| !section.has_bytes() && section.size > 0) {
        let problem = format!("0x{:x} bytes of weights were left out of the file", section.size);
        findings.at(Rule::WeightsLeftOut, section.address, problem, "take program.elf, which has them");
    }
}

fn check_entry(elf: &Elf, loaded: &[Segment], findings: &mut Findings) {
    let entry = elf.header().entry;
    if !entry.is_multiple_of(4) {
        let problem = format!("the entry 0x{entry:08x} is not the address of a word");
        findings.at(Rule::EntryAlignment, entry, problem, "align the entry's section to 4 bytes");
    }
    let inside = |segment: &&Segment| segment.is_executable() && segment.file_range().contains(entry);
    if !loaded.iter().any(|segment| inside(&segment)) {
        let problem = format!("the entry 0x{entry:08x} is not in executable bytes of the file");
        let action = "define the entry symbol of the linker script (ENTRY) in an executable section";
        findings.at(Rule::EntryOutsideCode, entry, problem, action);
    }
}
