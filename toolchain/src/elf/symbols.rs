//! The symbol table, sorted for lookups by address.

use std::fmt::{self, Write};

use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, Sym};
use object::{Endian, Endianness};
use opml_targets::Class;

use super::{ElfError, MAX_NAME, Section};

/// How many symbols in front of an address are looked at for one that covers it. More than one only matters where
/// symbols lie inside each other (labels in a function); a bound keeps a table of many such symbols from being slow.
const NESTING: usize = 16;

/// A named symbol that is defined in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Symbol {
    /// Its address.
    pub address: u64,
    /// How many bytes it covers; 0 if the file does not say.
    pub size: u64,
    /// Whether it is a function.
    pub is_function: bool,
    /// Whether it is a variable or a constant.
    pub is_object: bool,
    pub(super) name: usize,
}

/// An address in terms of a symbol.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Located {
    /// The symbol's name, demangled.
    pub name: String,
    /// How many bytes into the symbol.
    pub offset: u64,
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            0 => f.write_str(&self.name),
            offset => write!(f, "{}+0x{offset:x}", self.name),
        }
    }
}

/// The symbols of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Symbols {
    /// By address; at the same address functions first, then larger ones.
    pub sorted: Vec<Symbol>,
    /// Index of the section with their names.
    pub strings: usize,
}

impl Symbols {
    /// The innermost symbol that covers `address`, or the nearest one in front if that does not say its size.
    pub fn covering(&self, address: u64) -> Option<&Symbol> {
        let end = self.sorted.partition_point(|symbol| symbol.address <= address);
        let candidates = &self.sorted[end.saturating_sub(NESTING)..end];
        let covers = |symbol: &&Symbol| address - symbol.address < symbol.size;
        let unsized_one = || candidates.last().filter(|symbol| symbol.size == 0);
        candidates.iter().rev().find(covers).or_else(unsized_one)
    }
}

pub(super) fn read(data: &[u8], class: Class, sections: &[Section]) -> Result<Symbols, ElfError> {
    // Without sections there is no symbol table either; `object` would look for one all the same.
    if sections.is_empty() {
        return Ok(Symbols::default());
    }
    let symbols = match class {
        Class::Elf32 => collect::<FileHeader32<Endianness>>(data),
        Class::Elf64 => collect::<FileHeader64<Endianness>>(data),
    };
    symbols.map_err(|error| ElfError::Table { table: "symbol table", message: error.to_string() })
}

fn collect<H: FileHeader<Endian = Endianness>>(data: &[u8]) -> object::read::Result<Symbols> {
    let header = H::parse(data)?;
    let endian = header.endian()?;
    let table = header.sections(endian, data)?.symbols(endian, data, elf::SHT_SYMTAB)?;
    let defined = table.iter().filter(|symbol| is_wanted(*symbol, endian));
    let mut sorted: Vec<_> = defined
        .map(|symbol| Symbol {
            address: symbol.st_value(endian).into(),
            size: symbol.st_size(endian).into(),
            is_function: symbol.st_type() == elf::STT_FUNC,
            is_object: symbol.st_type() == elf::STT_OBJECT,
            name: symbol.st_name(endian) as usize,
        })
        .collect();
    // Labels and markers last at each address, so that a function's own name comes first.
    sorted.sort_by_key(|s| (s.address, !s.is_function, !s.is_object, std::cmp::Reverse(s.size), s.name));
    Ok(Symbols { sorted, strings: table.string_section().0 })
}

/// Leaves out what is undefined, nameless, or stands for a section or a source file.
fn is_wanted<S: Sym>(symbol: &S, endian: S::Endian) -> bool
where
    S::Endian: Endian,
{
    let kind = symbol.st_type();
    let placed = symbol.st_shndx(endian) != elf::SHN_UNDEF && symbol.st_shndx(endian) != elf::SHN_ABS;
    placed && symbol.st_name(endian) != 0 && matches!(kind, elf::STT_NOTYPE | elf::STT_FUNC | elf::STT_OBJECT)
}

/// The name without Rust's mangling. A mangled name can stand for one of exponential length; it ends at
/// [`MAX_NAME`] bytes.
pub(super) fn demangled(name: &str) -> String {
    let mut text = Bounded(String::new());
    // An error only says that the end was reached; what came before it is kept.
    let _cut = write!(text, "{:#}", rustc_demangle::demangle(name));
    text.0
}

/// Stops whoever writes to it at [`MAX_NAME`] bytes.
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > MAX_NAME {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}
