//! The weights object: arrays go from memory into an object file without passing through a compiler.

use object::write::{Object, StandardSection, StandardSegment, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, FileFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf,
};
use opml_targets::{ByteOrder, Target};

use crate::guest::Weight;

/// The section that linker scripts place behind the compiler's constants.
const SECTION: &[u8] = b".opml.weights";

/// Alignment of each array: a word, and a leaf of the memory tree is a multiple of it.
const ALIGN: u64 = 4;

/// A relocatable object that defines `weights` in their order.
///
/// # Errors
/// What the `object` crate says of sizes it cannot write.
pub fn weights_object(weights: &[Weight], target: &Target) -> Result<Vec<u8>, object::write::Error> {
    let big = target.elf().byte_order == ByteOrder::Big;
    let endianness = if big { Endianness::Big } else { Endianness::Little };
    let mut file = Object::new(BinaryFormat::Elf, Architecture::Mips, endianness);
    // What the compiler's objects carry; the linker refuses to mix.
    file.flags = FileFlags::Elf {
        os_abi: elf::ELFOSABI_NONE,
        abi_version: 0,
        e_flags: elf::EF_MIPS_ABI_O32 | elf::EF_MIPS_ARCH_32 | elf::EF_MIPS_NOREORDER,
    };
    // An empty .text is what linkers expect first in an object.
    file.section_id(StandardSection::Text);
    let segment = file.segment_name(StandardSegment::Data).to_vec();
    let section = file.add_section(segment, SECTION.to_vec(), SectionKind::ReadOnlyData);
    for weight in weights {
        let bytes: Vec<u8> =
            weight.words.iter().flat_map(|w| if big { w.to_be_bytes() } else { w.to_le_bytes() }).collect();
        let value = file.append_section_data(section, &bytes, ALIGN);
        file.add_symbol(Symbol {
            name: weight.symbol.clone().into_bytes(),
            value,
            size: bytes.len() as u64,
            kind: SymbolKind::Data,
            scope: SymbolScope::Linkage,
            weak: false,
            section: SymbolSection::Section(section),
            flags: SymbolFlags::None,
        });
    }
    file.write()
}
