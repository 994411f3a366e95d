//! From addresses to source lines, by the line programs in `.debug_line` alone.
//!
//! The line programs lie one behind the other, so one pass over the section finds them all, each byte once. Going by
//! the units in `.debug_info` instead would let a hostile file name the same long program from thousands of units.

use std::collections::BTreeMap;

use gimli::{DebugLine, DebugLineOffset, LineRow, Reader, Section as _};
use opml_targets::Class;

use super::strings::Strings;
use super::{Elf, Slice};

/// Most rows that are kept, at 24 bytes; a row takes a byte of a hostile file.
const MAX_ROWS: usize = 1 << 22;
/// Longest header of a line program in bytes: its file table takes up to a hundred times that while it is read.
const MAX_HEADER: u64 = 1 << 18;
/// Most file names that are looked up. Each lookup reads a header again, which keeps none of them in memory.
const MAX_FILES: usize = 4096;

/// The source lines of a file.
#[derive(Debug)]
pub struct SourceLines<'a> {
    lines: DebugLine<Slice<'a>>,
    strings: Strings<'a>,
    address_size: u8,
    /// Sorted by address.
    rows: Vec<Row>,
    /// Names that were looked up, by program and file number.
    files: BTreeMap<(usize, u64), Option<String>>,
}

/// From this address on, up to the next row.
#[derive(Clone, Copy, Debug)]
struct Row {
    address: u64,
    /// Number of the file in the program's table; nothing where the code ends.
    file: Option<u32>,
    line: u32,
    /// Offset of the program.
    program: u32,
}

impl<'a> SourceLines<'a> {
    pub(super) fn new(elf: &'a Elf) -> Self {
        let mut source = Self {
            lines: DebugLine::from(elf.dwarf(".debug_line")),
            strings: Strings::new(elf),
            address_size: if elf.header().class == Class::Elf32 { 4 } else { 8 },
            rows: Vec::new(),
            files: BTreeMap::new(),
        };
        source.read_programs();
        source
    }

    /// File and line of the code at `address`: `src/main.rs:12`.
    pub fn line(&mut self, address: u64) -> Option<String> {
        let (program, file, line) = self.row(address)?;
        Some(format!("{}:{line}", self.file(program, file)?))
    }

    /// Offset of the line program that has the code at `address`, and in it the number of the file and the line; 0 for code of
    /// no line.
    pub(super) fn row(&self, address: u64) -> Option<(usize, u64, u32)> {
        let end = self.rows.partition_point(|row| row.address <= address);
        let row = *self.rows[..end].last()?;
        Some((row.program as usize, u64::from(row.file?), row.line))
    }

    /// The name of a file of the line program at an offset.
    pub(super) fn file(&mut self, program: usize, file: u64) -> Option<String> {
        let key = (program, file);
        if !self.files.contains_key(&key) {
            if self.files.len() == MAX_FILES || program_size(*self.lines.reader(), program).is_none() {
                return None;
            }
            let name = self.file_name(program, file);
            self.files.insert(key, name);
        }
        self.files.get(&key)?.clone()
    }

    /// Runs every line program, up to the first that is damaged.
    fn read_programs(&mut self) {
        let section = *self.lines.reader();
        let mut offset = 0;
        while offset < section.len() && self.rows.len() < MAX_ROWS {
            let Some(size) = program_size(section, offset) else { break };
            // A program that cannot be read costs its own lines, not those of the others.
            let _unreadable = self.read_program(offset);
            offset += size;
        }
        // By address for the search. At the same address the end of one piece comes before the start of the next.
        self.rows.sort_by_key(|row| (row.address, row.file.is_some()));
    }

    fn read_program(&mut self, offset: usize) -> gimli::Result<()> {
        let program = self.lines.program(DebugLineOffset(offset), self.address_size, None, None)?;
        let mut rows = program.rows();
        while let Some((_, row)) = rows.next_row()? {
            if self.rows.len() == MAX_ROWS {
                break;
            }
            self.rows.push(compact(row, offset));
        }
        Ok(())
    }

    fn file_name(&self, program: usize, file: u64) -> Option<String> {
        let program = self.lines.program(DebugLineOffset(program), self.address_size, None, None).ok()?;
        let header = program.header();
        let file = header.file(file)?;
        let name = self.strings.text(file.path_name())?;
        let directory = file.directory(header).and_then(|directory| self.strings.text(directory));
        Some(match directory {
            Some(directory) if !directory.is_empty() && !name.starts_with('/') => {
                format!("{directory}/{name}")
            }
            _ => name,
        })
    }
}

fn compact(row: &LineRow, program: usize) -> Row {
    let line = row.line().map_or(0, |line| u32::try_from(line.get()).unwrap_or(u32::MAX));
    let file = (!row.end_sequence()).then(|| u32::try_from(row.file_index()).unwrap_or(u32::MAX));
    Row { address: row.address(), file, line, program: program as u32 }
}

/// Bytes of the line program at `offset`, its length field included; nothing if it does not end inside the section or
/// has a header that is too long to be one.
fn program_size(section: Slice<'_>, offset: usize) -> Option<usize> {
    let mut input = section.range_from(offset..);
    let before = input.len();
    let (length, format) = input.read_initial_length().ok()?;
    let prefix = before - input.len();
    let mut unit = input.split(length).ok()?;
    let version = unit.read_u16().ok()?;
    if version >= 5 {
        // Sizes of an address and of a segment selector.
        unit.skip(2).ok()?;
    }
    let header = unit.read_length(format).ok()? as u64;
    (header <= MAX_HEADER && prefix + length <= before && offset <= u32::MAX as usize)
        .then_some(prefix + length)
}
