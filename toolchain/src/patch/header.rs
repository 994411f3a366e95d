//! What Go's linker writes into the headers of every program, and the audit refuses for a reason.

use goblin::elf::program_header::{PT_NOTE, PT_NULL, PT_PHDR};

use super::Change;
use crate::audit::{ABI_FLAGS_SIZE, FLOAT_SOFT, SECTION_ABI_FLAGS};
use crate::elf::{Elf, Segment};

/// Where `e_flags` and `e_phoff` are in a 32-bit file, and how long a program header is.
const FLAGS: usize = 36;
const TABLE: usize = 28;
const ENTRY: usize = 32;

/// `e_flags`: calls position-independent code.
const CALLS_PIC: u32 = 4;

/// Changes the headers in `bytes`, the file of `elf`, which is 32-bit and big-endian.
pub(super) fn patch(elf: &Elf, bytes: &mut [u8]) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut put = |bytes: &mut [u8], place: String, at: usize, new: &[u8], why: &str| {
        let old = &mut bytes[at..at + new.len()];
        if old != new {
            let (from, to) = (hex::encode(&*old), hex::encode(new));
            changes.push(Change { place, at: format!("0x{at:08x}"), from, to, why: why.to_owned() });
            old.copy_from_slice(new);
        }
    };
    let flags = elf.header().flags & !CALLS_PIC;
    let why = "Go's linker marks every program as calling position-independent code; there is none in it";
    put(bytes, "file header, e_flags".to_owned(), FLAGS, &flags.to_be_bytes(), why);
    if let Some(at) = register_size(elf) {
        let why = "Go's linker says 32-bit floating-point registers in programs of soft float, too";
        put(bytes, ".MIPS.abiflags, size of floating-point registers".to_owned(), at, &[0], why);
    }
    let table = word(bytes, TABLE) as usize;
    for (index, segment) in elf.segments().iter().enumerate() {
        let at = table + ENTRY * index;
        let name = format!("program header {index}");
        if matches!(segment.kind, PT_PHDR | PT_NOTE) {
            let mut entry = [0; ENTRY];
            entry[..4].copy_from_slice(&PT_NULL.to_be_bytes());
            put(bytes, name, at, &entry, "what it names is no longer loaded; nothing on the VM reads it");
        } else if let Some(skipped) = in_front_of_code(elf, segment) {
            let why = "the file's headers and notes were loaded with the code, and would be judged as code";
            let physical = word(bytes, at + 12).wrapping_add(skipped);
            let Segment { offset, address, file_size, memory_size, .. } = *segment;
            // Fields of a 32-bit file, in it and in memory; `skipped` is no more than either size.
            let [offset, address] = [offset, address].map(|start| start as u32 + skipped);
            let [file_size, memory_size] = [file_size, memory_size].map(|size| size as u32 - skipped);
            let entry = [offset, address, physical, file_size, memory_size].map(u32::to_be_bytes);
            put(bytes, name, at + 4, entry.as_flattened(), why);
        }
    }
    changes
}

/// How many bytes of an executable segment are in front of its first executable section, if any are.
fn in_front_of_code(elf: &Elf, segment: &Segment) -> Option<u32> {
    if !segment.is_loaded() || !segment.is_executable() {
        return None;
    }
    let sections = elf.sections().iter().filter(|section| section.is_loaded() && section.is_executable());
    let starts =
        sections.map(|section| section.address).filter(|&start| segment.file_range().contains(start));
    let skipped = starts.min()? - segment.address;
    u32::try_from(skipped).ok().filter(|&skipped| skipped > 0 && segment.memory_size >= skipped.into())
}

/// Where the ABI flags say how wide floating-point registers are, in a file whose flags say soft float.
fn register_size(elf: &Elf) -> Option<usize> {
    let section = elf.sections().iter().find(|section| section.kind == SECTION_ABI_FLAGS)?;
    let flags = elf.section_data(section).first_chunk::<ABI_FLAGS_SIZE>()?;
    let is_soft = flags[7] == FLOAT_SOFT;
    is_soft.then(|| section.offset as usize + 5)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}
