//! Where two programs differ: sections, symbols, pages.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::elf::{Elf, Section};

/// Bytes of a page of the VM.
const PAGE: u64 = 4096;

/// What is different in two programs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImageDifference {
    /// The sections that differ, in the order of their addresses.
    pub sections: Vec<SectionDifference>,
    /// Symbols that only the first has.
    pub symbols_removed: Vec<String>,
    /// Symbols that only the second has.
    pub symbols_added: Vec<String>,
    /// Symbols whose size is another.
    pub symbols_resized: Vec<String>,
    /// Symbols of the same size whose bytes are others; code that only calls what has moved is among them.
    pub symbols_changed: Vec<String>,
    /// Pages of the initial memory that differ.
    pub pages: u64,
    /// The lowest address at which memory differs.
    pub first_address: Option<u64>,
    /// What lies there in either program.
    pub first_symbols: [Option<String>; 2],
}

/// A section that is not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SectionDifference {
    /// Its name.
    pub name: String,
    /// Whether it is part of the initial memory.
    pub loaded: bool,
    /// Whether it is code.
    pub code: bool,
    /// Its size in either, if it is there.
    pub sizes: [Option<u64>; 2],
    /// How many bytes at the same offset differ; those that only one has are not counted.
    pub bytes: u64,
}

impl ImageDifference {
    /// Compares two programs.
    pub fn of(a: &Elf, b: &Elf) -> Self {
        let (pages, first_address) = pages(a, b);
        let symbol = |elf: &Elf| {
            let located = elf.symbol_at(first_address?)?;
            Some(format!("{}+{:#x}", located.name, located.offset))
        };
        let mut difference = Self {
            sections: sections(a, b),
            pages,
            first_address,
            first_symbols: [symbol(a), symbol(b)],
            ..Self::default()
        };
        difference.compare_symbols(a, b);
        difference
    }

    /// Whether the programs have other instructions.
    pub fn changes_code(&self) -> bool {
        self.sections.iter().any(|section| section.code)
    }

    /// Whether the initial memory is the same.
    pub fn loads_the_same(&self) -> bool {
        self.pages == 0
    }

    fn compare_symbols(&mut self, a: &Elf, b: &Elf) {
        let (a, b) = (symbols(a), symbols(b));
        for (name, (size, content)) in &a {
            match b.get(name) {
                None => self.symbols_removed.push(name.clone()),
                Some((other, _)) if other != size => self.symbols_resized.push(name.clone()),
                Some((_, other)) if other != content => self.symbols_changed.push(name.clone()),
                Some(_) => {}
            }
        }
        self.symbols_added = b.keys().filter(|name| !a.contains_key(*name)).cloned().collect();
    }
}

/// Size and content of each symbol that has a size.
fn symbols(elf: &Elf) -> BTreeMap<String, (u64, Option<&[u8]>)> {
    let content = |address: u64, size: u64| {
        let mut segments = elf.segments().iter().filter(|s| s.is_loaded());
        let segment = segments.find(|s| address >= s.address && address + size <= s.address + s.file_size)?;
        let start = usize::try_from(address - segment.address).ok()?;
        elf.segment_data(segment).get(start..start + usize::try_from(size).ok()?)
    };
    let sized = elf.symbols().iter().filter(|symbol| symbol.size > 0);
    sized.map(|s| (elf.symbol_name(s), (s.size, content(s.address, s.size)))).collect()
}

fn sections(a: &Elf, b: &Elf) -> Vec<SectionDifference> {
    let named = |elf: &Elf| -> BTreeMap<String, Section> {
        elf.sections().iter().map(|section| (elf.section_name(section), *section)).collect()
    };
    let (first, second) = (named(a), named(b));
    let names: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let mut differences = Vec::new();
    for name in names {
        let sides = [first.get(name), second.get(name)];
        let [Some(one), Some(other)] = [sides[0].or(sides[1]), sides[1].or(sides[0])] else { continue };
        let bytes = match sides {
            [Some(one), Some(other)] if one.has_bytes() && other.has_bytes() => {
                let pairs = a.section_data(one).iter().zip(b.section_data(other));
                pairs.filter(|(left, right)| left != right).count() as u64
            }
            _ => 0,
        };
        let sizes = sides.map(|side| side.map(|section| section.size));
        if bytes > 0 || sizes[0] != sizes[1] || one.address != other.address {
            let (loaded, code) = (one.is_loaded(), one.is_executable());
            differences
                .push((one.address, SectionDifference { name: name.clone(), loaded, code, sizes, bytes }));
        }
    }
    differences.sort_by_key(|(address, section)| (!section.loaded, *address));
    differences.into_iter().map(|(_, section)| section).collect()
}

/// How many pages differ, and the first address at which they do.
fn pages(a: &Elf, b: &Elf) -> (u64, Option<u64>) {
    let (first, second) = (Image::of(a), Image::of(b));
    let indices: BTreeSet<u64> = first.pages().chain(second.pages()).collect();
    let (mut one, mut other) = ([0; PAGE as usize], [0; PAGE as usize]);
    let (mut count, mut lowest) = (0, None);
    for index in indices {
        first.read(index, &mut one);
        second.read(index, &mut other);
        if let Some(offset) = one.iter().zip(&other).position(|(left, right)| left != right) {
            count += 1;
            lowest = lowest.or(Some(index * PAGE + offset as u64));
        }
    }
    (count, lowest)
}

/// The initial memory of a program.
struct Image<'a>(Vec<(u64, &'a [u8])>);

impl<'a> Image<'a> {
    fn of(elf: &'a Elf) -> Self {
        let loaded = elf.segments().iter().filter(|segment| segment.is_loaded());
        Self(loaded.map(|segment| (segment.address, elf.segment_data(segment))).collect())
    }

    fn pages(&self) -> impl Iterator<Item = u64> {
        self.0.iter().flat_map(|(start, bytes)| start / PAGE..(start + bytes.len() as u64).div_ceil(PAGE))
    }

    fn read(&self, index: u64, page: &mut [u8; PAGE as usize]) {
        page.fill(0);
        let (from, to) = (index * PAGE, (index + 1) * PAGE);
        for (start, bytes) in &self.0 {
            let (low, high) = (from.max(*start), to.min(start + bytes.len() as u64));
            if low < high {
                let source = &bytes[(low - start) as usize..(high - start) as usize];
                page[(low - from) as usize..(high - from) as usize].copy_from_slice(source);
            }
        }
    }
}
