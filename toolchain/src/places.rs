//! What an address of a program's memory belongs to, from whichever of the program's files are at hand.

use opml_state::Memory;
use opml_state::cannon::{Metadata, Symbol};
use opml_targets::AddressRange;

use crate::elf::{self, Elf, Located};

/// Symbols and sections of a program. The files need not be those of the memory that is looked at, nor have passed an
/// audit; [`foreign_code`](Self::foreign_code) tells.
#[derive(Clone, Debug, Default)]
pub struct Places {
    elf: Option<Elf>,
    metadata: Option<Metadata>,
    /// Loaded sections by address.
    sections: Vec<(AddressRange, String)>,
}

impl Places {
    /// Takes an ELF file, a symbol file, both or none.
    pub fn new(elf: Option<Elf>, metadata: Option<Metadata>) -> Self {
        let loaded = elf.iter().flat_map(|file| {
            let loaded = file.sections().iter().filter(|section| section.is_loaded() && section.size > 0);
            loaded.map(|section| (section.range(), file.section_name(section)))
        });
        let mut sections: Vec<_> = loaded.collect();
        sections.sort_by_key(|(range, _)| (range.start, range.end));
        let metadata = metadata.map(|mut metadata| {
            // They are shown on terminals, as the ELF file's are, which come cleaned.
            metadata
                .symbols
                .iter_mut()
                .for_each(|symbol| symbol.name = elf::shown_name(symbol.name.as_bytes()));
            metadata
        });
        Self { elf, metadata, sections }
    }

    /// The symbol that `address` belongs to: the ELF file's, else the symbol file's.
    pub fn symbol(&self, address: u32) -> Option<Located> {
        // A symbol without a size reaches up to the next one; behind the last section that is the whole stack.
        let placed = self.sections.is_empty() || self.section(address).is_some();
        let elf = self.elf.as_ref().filter(|_| placed);
        let in_elf = elf.and_then(|elf| elf.symbol_at(address.into()));
        let in_metadata = || {
            let symbol = self.metadata.as_ref()?.find(address)?;
            Some(Located { name: symbol.name.clone(), offset: (address - symbol.start).into() })
        };
        in_elf.or_else(in_metadata)
    }

    /// The section that `address` lies in.
    pub fn section(&self, address: u32) -> Option<&str> {
        let after = self.sections.partition_point(|(range, _)| range.start <= address.into());
        let (range, name) = self.sections[..after].last()?;
        range.contains(address.into()).then_some(name.as_str())
    }

    /// The sections that share an address with `range`, in rising order.
    pub fn sections_in(&self, range: AddressRange) -> Vec<&str> {
        let shared = self.sections.iter().filter(|(section, _)| section.overlaps(range));
        shared.map(|(_, name)| name.as_str()).collect()
    }

    /// The symbols of the symbol file that start in `range`, in rising order.
    pub fn symbols_in(&self, range: AddressRange) -> &[Symbol] {
        let symbols = self.metadata.as_ref().map_or(&[][..], |metadata| &metadata.symbols);
        let before = |address| symbols.partition_point(|symbol| u64::from(symbol.start) < address);
        &symbols[before(range.start)..before(range.end)]
    }

    /// The first segment of code, by its address, that `memory` does not hold as the ELF file has it: then the file is of
    /// another program, and its names mean nothing.
    pub fn foreign_code(&self, memory: &Memory) -> Option<u64> {
        let elf = self.elf.as_ref()?;
        let same = |address: u64, bytes: &[u8]| {
            let mut there = vec![0; bytes.len()];
            let read = u32::try_from(address).is_ok_and(|address| memory.read(address, &mut there).is_ok());
            read && there == bytes
        };
        let code = elf.segments().iter().filter(|segment| segment.is_loaded() && segment.is_executable());
        let mut foreign = code.filter(|segment| !same(segment.address, elf.segment_data(segment)));
        foreign.next().map(|segment| segment.address)
    }
}
