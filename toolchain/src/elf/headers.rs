//! The file header and its two tables.

use goblin::container::{Container, Ctx, Endian};
use goblin::elf::{Elf as Goblin, ProgramHeader, SectionHeader, header};
use opml_targets::{ByteOrder, Class};

use super::{ElfError, Header, Section, Segment};

/// `e_phnum` of a file that has its number of program headers elsewhere (`PN_XNUM`).
const EXTENDED_NUMBER: u16 = 0xffff;

/// What is read off the headers.
pub(super) struct Tables {
    pub header: Header,
    pub segments: Vec<Segment>,
    pub sections: Vec<Section>,
    /// Index of the section with the names of the sections.
    pub section_names: Option<usize>,
}

/// Reads the headers of a file whose bytes are `data` and behind them `tail` more.
pub(super) fn read(data: &[u8], tail: usize) -> Result<Tables, ElfError> {
    let raw = Goblin::parse_header(data).map_err(|error| ElfError::NoHeader(error.to_string()))?;
    let header = file_header(&raw)?;
    let context = Ctx::new(
        if header.class == Class::Elf32 { Container::Little } else { Container::Big },
        if header.byte_order == ByteOrder::Little { Endian::Little } else { Endian::Big },
    );
    let segments = segments(data, tail, &raw, context)?;
    let sections = sections(data, tail, &raw, context)?;
    let section_names = Some(usize::from(raw.e_shstrndx)).filter(|&index| index != 0);
    Ok(Tables { header, segments, sections, section_names })
}

fn file_header(raw: &header::Header) -> Result<Header, ElfError> {
    let class = match raw.e_ident[header::EI_CLASS] {
        header::ELFCLASS32 => Class::Elf32,
        header::ELFCLASS64 => Class::Elf64,
        other => return Err(ElfError::NoHeader(format!("unknown class {other}"))),
    };
    let byte_order = match raw.e_ident[header::EI_DATA] {
        header::ELFDATA2LSB => ByteOrder::Little,
        header::ELFDATA2MSB => ByteOrder::Big,
        other => return Err(ElfError::NoHeader(format!("unknown byte order {other}"))),
    };
    Ok(Header {
        class,
        byte_order,
        kind: raw.e_type,
        machine: raw.e_machine,
        entry: raw.e_entry,
        flags: raw.e_flags,
    })
}

fn segments(data: &[u8], tail: usize, raw: &header::Header, context: Ctx) -> Result<Vec<Segment>, ElfError> {
    let count = usize::from(raw.e_phnum);
    if count == 0 {
        return Ok(Vec::new());
    }
    let table = "program headers";
    if raw.e_phnum == EXTENDED_NUMBER {
        return Err(ElfError::ExtendedNumbering { table });
    }
    let offset = check_table(data, table, raw.e_phoff, count, raw.e_phentsize, ProgramHeader::size(context))?;
    let headers = ProgramHeader::parse(data, offset, count, context)
        .map_err(|error| ElfError::Table { table, message: error.to_string() })?;
    let segments = headers.into_iter().enumerate().map(|(index, raw)| {
        check_content(data, tail, "segment", index, raw.p_offset, raw.p_filesz)?;
        Ok(Segment {
            kind: raw.p_type,
            flags: raw.p_flags,
            offset: raw.p_offset,
            address: raw.p_vaddr,
            file_size: raw.p_filesz,
            memory_size: raw.p_memsz,
        })
    });
    segments.collect()
}

fn sections(data: &[u8], tail: usize, raw: &header::Header, context: Ctx) -> Result<Vec<Section>, ElfError> {
    let table = "section headers";
    match (raw.e_shoff, raw.e_shnum) {
        (0, _) => return Ok(Vec::new()),
        (_, 0) => return Err(ElfError::ExtendedNumbering { table }),
        _ => {}
    }
    let count = usize::from(raw.e_shnum);
    let offset = check_table(data, table, raw.e_shoff, count, raw.e_shentsize, SectionHeader::size(context))?;
    let headers = SectionHeader::parse(data, offset, count, context)
        .map_err(|error| ElfError::Table { table, message: error.to_string() })?;
    let sections = headers.into_iter().enumerate().map(|(index, raw)| {
        let section = Section {
            name: raw.sh_name,
            kind: raw.sh_type,
            flags: raw.sh_flags,
            address: raw.sh_addr,
            offset: raw.sh_offset,
            size: raw.sh_size,
        };
        if section.has_bytes() {
            check_content(data, tail, "section", index, raw.sh_offset, raw.sh_size)?;
        }
        Ok(section)
    });
    sections.collect()
}

/// Checks a table before its reader sees it; gives its offset.
fn check_table(
    data: &[u8],
    table: &'static str,
    offset: u64,
    count: usize,
    got: u16,
    size: usize,
) -> Result<usize, ElfError> {
    let expected = size as u16;
    if got != expected {
        return Err(ElfError::EntrySize { table, expected, got });
    }
    check_range(data.len(), table, 0, offset, (count * size) as u64)?;
    // It is inside the file, so it fits.
    Ok(offset as usize)
}

/// Bytes of a segment or section lie in `data` or in the tail behind it.
fn check_content(
    data: &[u8],
    tail: usize,
    what: &'static str,
    index: usize,
    start: u64,
    size: u64,
) -> Result<(), ElfError> {
    let file = if start >= data.len() as u64 { data.len() + tail } else { data.len() };
    check_range(file, what, index, start, size)
}

fn check_range(file: usize, what: &'static str, index: usize, start: u64, size: u64) -> Result<(), ElfError> {
    let file = file as u64;
    match start.checked_add(size) {
        Some(end) if end <= file => Ok(()),
        end => Err(ElfError::OutsideFile { what, index, start, end: end.unwrap_or(u64::MAX), file }),
    }
}
