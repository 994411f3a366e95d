//! Reading ELF files: headers, segments, sections, symbols, and source lines, inlined functions and stack frames from DWARF.
//!
//! A file may be hostile. Every size and offset is checked against the file when it is parsed, nothing is allocated in
//! excess of a small multiple of the file, names are read when they are asked for and only up to [`MAX_NAME`] bytes (a
//! file can make every symbol's name end in the same long string), and each lookup is a binary search.
//!
//! What a file must be to run on a VM is not decided here; see [`crate::audit`].

mod error;
mod frames;
mod headers;
mod lines;
mod scopes;
mod strings;
mod symbols;
mod unwind;

pub use error::ElfError;
pub use frames::{Frame, Frames, Place};
pub use lines::SourceLines;
pub use symbols::{Located, Symbol};
pub use unwind::{Caller, Unwinder};

use std::io::{self, Write};

use bytes::Bytes;
use gimli::{EndianSlice, RunTimeEndian};
use goblin::elf::{program_header, section_header};
use opml_targets::{AddressRange, ByteOrder, Class};

/// Longest name that is read, in bytes; the rest of a longer one is left out.
pub const MAX_NAME: usize = 1024;

/// The section of the weights, which linker scripts give a segment of its own.
pub(crate) const WEIGHTS: &str = ".opml.weights";

/// What the readers of debug information read.
type Slice<'a> = EndianSlice<'a, RunTimeEndian>;

/// A well-formed ELF file.
#[derive(Clone, Debug)]
pub struct Elf {
    /// The file but for its tail: headers, tables, names.
    data: Bytes,
    /// Its end, which may lie elsewhere: bytes of segments and sections alone.
    tail: Bytes,
    header: Header,
    segments: Vec<Segment>,
    sections: Vec<Section>,
    section_names: Option<usize>,
    symbols: symbols::Symbols,
}

/// The file header, as far as something depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Width of addresses.
    pub class: Class,
    /// Order of the bytes of a word.
    pub byte_order: ByteOrder,
    /// `e_type`
    pub kind: u16,
    /// `e_machine`
    pub machine: u16,
    /// `e_entry`
    pub entry: u64,
    /// `e_flags`
    pub flags: u32,
}

/// A program header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// `p_type`
    pub kind: u32,
    /// `p_flags`
    pub flags: u32,
    /// Where its bytes start in the file.
    pub offset: u64,
    /// Where they start in memory.
    pub address: u64,
    /// How many bytes of it the file has; they are inside the file.
    pub file_size: u64,
    /// How many bytes it has in memory.
    pub memory_size: u64,
}

impl Segment {
    /// Whether it is loaded and not empty.
    pub fn is_loaded(&self) -> bool {
        self.kind == program_header::PT_LOAD && self.file_size.max(self.memory_size) > 0
    }

    /// Whether it asks for memory that can be executed.
    pub fn is_executable(&self) -> bool {
        self.flags & program_header::PF_X != 0
    }

    /// Whether it asks for memory that can be written.
    pub fn is_writable(&self) -> bool {
        self.flags & program_header::PF_W != 0
    }

    /// The addresses of its bytes that the file has. Ends early if they wrap around.
    pub fn file_range(&self) -> AddressRange {
        AddressRange { start: self.address, end: self.address.saturating_add(self.file_size) }
    }

    /// All its addresses. Ends early if they wrap around.
    pub fn range(&self) -> AddressRange {
        let size = self.file_size.max(self.memory_size);
        AddressRange { start: self.address, end: self.address.saturating_add(size) }
    }
}

/// A section header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Section {
    name: usize,
    /// `sh_type`
    pub kind: u32,
    /// `sh_flags`
    pub flags: u64,
    /// Where it starts in memory, if it is loaded.
    pub address: u64,
    /// Where its bytes start in the file.
    pub offset: u64,
    /// How many bytes it has.
    pub size: u64,
}

impl Section {
    /// Whether it is part of the memory image.
    pub fn is_loaded(&self) -> bool {
        self.flags & u64::from(section_header::SHF_ALLOC) != 0
    }

    /// Whether it holds instructions.
    pub fn is_executable(&self) -> bool {
        self.flags & u64::from(section_header::SHF_EXECINSTR) != 0
    }

    /// Whether its bytes are in the file.
    pub fn has_bytes(&self) -> bool {
        !matches!(self.kind, section_header::SHT_NULL | section_header::SHT_NOBITS)
    }

    /// Its addresses. Ends early if they wrap around.
    pub fn range(&self) -> AddressRange {
        AddressRange { start: self.address, end: self.address.saturating_add(self.size) }
    }
}

impl Elf {
    /// Reads a file's bytes.
    ///
    /// # Errors
    /// The bytes are no ELF file, a table or the bytes of a segment or section are not inside the file, or the symbol
    /// table is damaged.
    pub fn parse(data: impl Into<Bytes>) -> Result<Self, ElfError> {
        Self::with_tail(data, Bytes::new())
    }

    /// Reads a file whose bytes are `data` and behind them `tail`, without putting them together.
    ///
    /// # Errors
    /// Those of [`parse`](Self::parse), also for a table that is not in `data` and for bytes that begin in `data` and end in `tail`.
    pub fn with_tail(data: impl Into<Bytes>, tail: Bytes) -> Result<Self, ElfError> {
        let data = data.into();
        let tables = headers::read(&data, tail.len())?;
        let symbols = symbols::read(&data, tables.header.class, &tables.sections)?;
        Ok(Self {
            header: tables.header,
            segments: tables.segments,
            section_names: tables.section_names,
            sections: tables.sections,
            symbols,
            data,
            tail,
        })
    }

    /// Writes the file's bytes.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        out.write_all(&self.data)?;
        out.write_all(&self.tail)
    }

    /// The file header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The program headers, in the file's order.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The section headers, in the file's order; empty if the file has none.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The named symbols that are defined, sorted by address; at the same address the larger one first.
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols.sorted
    }

    /// The bytes of a segment of this file.
    pub fn segment_data(&self, segment: &Segment) -> &[u8] {
        self.bytes(segment.offset, segment.file_size)
    }

    /// The same, to be kept without a copy.
    pub fn shared_segment_data(&self, segment: &Segment) -> Bytes {
        self.shared(self.segment_data(segment))
    }

    fn shared(&self, bytes: &[u8]) -> Bytes {
        let part =
            [&self.data, &self.tail].into_iter().find(|part| part.as_ptr_range().contains(&bytes.as_ptr()));
        part.filter(|_| !bytes.is_empty()).map_or_else(Bytes::new, |part| part.slice_ref(bytes))
    }

    /// The bytes of a section of this file; none if it has none in the file.
    pub fn section_data(&self, section: &Section) -> &[u8] {
        if section.has_bytes() { self.bytes(section.offset, section.size) } else { &[] }
    }

    /// The same, to be kept without a copy.
    pub(crate) fn shared_section_data(&self, section: &Section) -> Bytes {
        self.shared(self.section_data(section))
    }

    /// The section of the weights, if there is one.
    pub(crate) fn weights(&self) -> Option<&Section> {
        self.sections.iter().find(|section| self.section_name(section) == WEIGHTS)
    }

    /// The name of a section of this file.
    pub fn section_name(&self, section: &Section) -> String {
        let start = self.section_names.and_then(|table| self.sections.get(table));
        start.map(|table| name_in(self.section_data(table), section.name)).unwrap_or_default()
    }

    /// The name of a symbol of this file, demangled.
    pub fn symbol_name(&self, symbol: &Symbol) -> String {
        let strings = self.sections.get(self.symbols.strings);
        let name = strings.map(|table| name_in(self.section_data(table), symbol.name)).unwrap_or_default();
        // What a mangled name stands for can have more in it than the name.
        printable(symbols::demangled(&name).as_bytes())
    }

    /// The symbol that `address` belongs to, and how far into it.
    pub fn symbol_at(&self, address: u64) -> Option<Located> {
        let symbol = self.symbols.covering(address)?;
        Some(Located { name: self.symbol_name(symbol), offset: address - symbol.address })
    }

    /// The source lines in the file's DWARF; finds nothing if there is none, or if it is damaged.
    pub fn source_lines(&self) -> SourceLines<'_> {
        SourceLines::new(self)
    }

    /// The functions and source lines of the file's code, inlined functions included.
    pub fn frames(&self) -> Frames<'_> {
        Frames::new(self)
    }

    /// How the file's functions keep the registers of their callers.
    pub fn unwinder(&self) -> Unwinder<'_> {
        Unwinder::new(self)
    }

    /// A section of debug information, as its readers take it.
    fn dwarf(&self, name: &str) -> Slice<'_> {
        let endian = match self.header.byte_order {
            ByteOrder::Big => RunTimeEndian::Big,
            ByteOrder::Little => RunTimeEndian::Little,
        };
        EndianSlice::new(self.plain_section(name), endian)
    }

    /// The bytes of the first section with this name that is not compressed.
    pub(crate) fn plain_section(&self, name: &str) -> &[u8] {
        let compressed = |section: &&Section| section.flags & u64::from(section_header::SHF_COMPRESSED) != 0;
        let named = |section: &&Section| self.section_name(section) == name;
        let found = self.sections.iter().filter(|section| !compressed(section)).find(named);
        found.map_or(&[], |section| self.section_data(section))
    }

    /// Only for ranges that [`parse`](Self::parse) has checked; any other is empty.
    fn bytes(&self, offset: u64, size: u64) -> &[u8] {
        let Some((offset, size)) = usize::try_from(offset).ok().zip(usize::try_from(size).ok()) else {
            return &[];
        };
        let (part, offset) = match offset.checked_sub(self.data.len()) {
            Some(in_tail) => (&self.tail, in_tail),
            None => (&self.data, offset),
        };
        offset.checked_add(size).and_then(|end| part.get(offset..end)).unwrap_or_default()
    }
}

/// The string that starts at `offset` of a string table and ends before a zero byte, with what is not printable
/// replaced, so that it can be shown on a terminal.
fn name_in(table: &[u8], offset: usize) -> String {
    let bytes = table.get(offset..).unwrap_or_default();
    let bytes = &bytes[..bytes.len().min(MAX_NAME)];
    printable(bytes.split(|&byte| byte == 0).next().unwrap_or_default())
}

/// The start of a name as it can be shown on a terminal.
pub(crate) fn shown_name(bytes: &[u8]) -> String {
    printable(&bytes[..bytes.len().min(MAX_NAME)])
}

/// The bytes as text, with what is not printable replaced.
fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace(is_unprintable, "\u{fffd}")
}

/// Whether a terminal would do something with it, or show what stands around it in another order or line.
fn is_unprintable(c: char) -> bool {
    let moves_others =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || moves_others
}
