//! Changes to a program that was built elsewhere, so that it can start on the VM: only for who asks, and each one named.
//!
//! The result is an ELF file like any other. The audit judges it, its root is computed from it, and it is what is written as
//! `program.elf`, so nothing behind this stage knows of patches. What is changed follows from the file alone.
//!
//! A file may be hostile: a function is looked up by its name among all symbols, and it is refused if there are two of that name, if it is
//! not whole in the bytes of an executable segment, if it is too small, or if it shares bytes with another that is changed.

mod error;
mod go;
mod header;
mod words;

pub use error::PatchError;

use std::collections::BTreeMap;
use std::fmt;

use opml_targets::{ByteOrder, Class};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::elf::{Elf, Symbol};
use go::Function;
use words::{V0, V1, ZERO};

/// A set of patches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PatchSet {
    /// What the start of a Go program needs.
    Go,
}

impl fmt::Display for PatchSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Go => f.write_str("go"),
        }
    }
}

/// What was changed in a file, and in which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patches {
    /// The set that was asked for.
    pub set: PatchSet,
    /// SHA-256 of the file as it came, hexadecimal.
    pub source_sha256: String,
    /// The changes: headers first, then code by its address.
    pub changes: Vec<Change>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The function, or the part of the file's headers.
    pub place: String,
    /// Where that is: an address of memory for a function, else an offset in the file; `0x` and eight digits.
    pub at: String,
    /// The bytes there before, hexadecimal.
    pub from: String,
    /// The bytes there now, as many.
    pub to: String,
    /// Why.
    pub why: String,
}

/// Whether a file looks like a Go program: its linker leaves a table of functions, also without symbols.
pub fn is_go(elf: &Elf) -> bool {
    elf.sections().iter().any(|section| elf.section_name(section) == ".gopclntab")
}

/// A program with patches in it.
#[derive(Clone, Debug)]
pub struct Patched {
    /// The file.
    pub elf: Elf,
    /// What was changed in it.
    pub patches: Patches,
    /// Whether it is known that nothing in the program jumps through a table.
    pub no_jump_tables: bool,
}

/// The file with the patches of `set`, and what they are.
///
/// # Errors
/// [`PatchError`]: it is no program for the processor, or a function is missing, ambiguous, misplaced or too small.
pub fn patch(elf: &Elf, set: PatchSet) -> Result<Patched, PatchError> {
    let PatchSet::Go = set;
    let header = elf.header();
    let is_mips = header.machine == goblin::elf::header::EM_MIPS;
    if (header.class, header.byte_order, is_mips) != (Class::Elf32, ByteOrder::Big, true) {
        return Err(PatchError::OtherMachine);
    }
    let mut bytes = Vec::new();
    elf.write(&mut bytes).expect("a vector can be written to");
    let source_sha256 = hex::encode(Sha256::digest(&bytes));
    // First, while the bytes of the headers are those that were read: a hostile file may call them a function.
    let mut all = header::patch(elf, &mut bytes);
    let mut patcher = Patcher { elf, functions: functions(elf), bytes, changes: BTreeMap::new() };
    go::NEEDED.iter().try_for_each(|function| patcher.replace(function, true))?;
    go::OTHERS.iter().try_for_each(|function| patcher.replace(function, false))?;
    patcher.store_start()?;
    go::REWRITTEN.iter().try_for_each(|name| patcher.rewrite(name))?;
    patcher.check_system_calls()?;
    let no_jump_tables = patcher.knows_jumps();
    let Patcher { bytes, changes, .. } = patcher;
    all.extend(changes.into_values().map(|(_, change)| change).filter(|change| change.from != change.to));
    let patched = Elf::parse(bytes).map_err(PatchError::Elf)?;
    Ok(Patched { elf: patched, patches: Patches { set, source_sha256, changes: all }, no_jump_tables })
}

/// The functions of a file that are looked for, by their names. Others are not kept: a file can have many, with long names.
fn functions(elf: &Elf) -> BTreeMap<&'static str, Vec<Symbol>> {
    let replaced = go::NEEDED.iter().chain(&go::OTHERS).map(|function| function.name);
    let wanted = replaced.chain(go::REWRITTEN).chain([go::START]);
    let mut functions: BTreeMap<_, Vec<_>> = wanted.map(|name| (name, Vec::new())).collect();
    for symbol in elf.symbols().iter().filter(|symbol| symbol.is_function) {
        if let Some(found) = functions.get_mut(elf.symbol_name(symbol).as_str()) {
            found.push(*symbol);
        }
    }
    functions
}

struct Patcher<'a> {
    elf: &'a Elf,
    functions: BTreeMap<&'static str, Vec<Symbol>>,
    bytes: Vec<u8>,
    /// By their start, with their end.
    changes: BTreeMap<u64, (u64, Change)>,
}

impl Patcher<'_> {
    /// The function `name`, if there is one.
    fn find(&self, name: &str) -> Result<Option<Symbol>, PatchError> {
        match self.functions.get(name).map(Vec::as_slice) {
            None | Some([]) => Ok(None),
            Some([one]) => Ok(Some(*one)),
            Some([first, second, ..]) => Err(PatchError::Ambiguous {
                name: name.to_owned(),
                addresses: [first.address, second.address],
            }),
        }
    }

    fn needed(&self, name: &str) -> Result<Symbol, PatchError> {
        self.find(name)?.ok_or_else(|| PatchError::Missing { name: name.to_owned() })
    }

    fn replace(&mut self, function: &Function, is_needed: bool) -> Result<(), PatchError> {
        let found = if is_needed { Some(self.needed(function.name)?) } else { self.find(function.name)? };
        found.map_or(Ok(()), |symbol| {
            self.put(function.name, symbol, &go::words(&function.body), function.why)
        })
    }

    /// Gives the function that would look at what Linux hands over one that knows it.
    fn store_start(&mut self) -> Result<(), PatchError> {
        let function = self.needed(go::START)?;
        let mut body = Vec::new();
        for (name, value) in go::START_VALUES {
            let (high, low) = words::halves(self.variable(name)?);
            body.extend([words::lui(V0, high), words::addiu(V1, ZERO, value), words::sw(V1, low, V0)]);
        }
        body.extend([words::RETURN, words::NOP]);
        self.put(go::START, function, &body, go::START_WHY)
    }

    /// The address of a variable of one word.
    fn variable(&self, name: &str) -> Result<u32, PatchError> {
        let missing = || PatchError::Missing { name: name.to_owned() };
        let is_it = |symbol: &&Symbol| symbol.is_object && self.elf.symbol_name(symbol) == name;
        let Symbol { address, size, .. } = *self.elf.symbols().iter().find(is_it).ok_or_else(missing)?;
        let holds = |segment: &crate::elf::Segment| {
            let range = segment.range();
            let is_inside = range.start <= address && address.saturating_add(4) <= range.end;
            segment.is_loaded() && segment.is_writable() && is_inside
        };
        let found = u32::try_from(address).ok().filter(|address| address.is_multiple_of(4));
        let found = found.filter(|_| self.elf.segments().iter().any(holds));
        found.ok_or_else(|| PatchError::Misplaced { name: name.to_owned(), address, size })
    }

    /// Writes the wrapping forms of what traps on overflow, and jumps to the end for traps, if there is any in the function.
    fn rewrite(&mut self, name: &str) -> Result<(), PatchError> {
        let Some(symbol) = self.find(name)? else { return Ok(()) };
        let end = self.needed(go::END)?.address as u32;
        let old = &self.bytes[self.place(name, symbol)?];
        let old: Vec<u32> = old.as_chunks().0.iter().map(|word| u32::from_be_bytes(*word)).collect();
        let rewritten = |(&word, at): (&u32, u32)| match word {
            words::TRAP => words::jump(at, end),
            word => words::wrapping(word),
        };
        let addresses = (symbol.address as u32..).step_by(4);
        let new: Vec<u32> = old.iter().zip(addresses).map(|of| rewritten(of).unwrap_or(*of.0)).collect();
        if new == old { Ok(()) } else { self.put(name, symbol, &new, go::REWRITTEN_WHY) }
    }

    /// Refuses a system call in a function that is not known: its number may be computed, and of a call that the contract has
    /// not it says that all went well.
    fn check_system_calls(&self) -> Result<(), PatchError> {
        for (address, _) in self.words().filter(|(_, word)| *word == words::SYSCALL) {
            let changed = self.changes.range(..=address).next_back();
            let is_changed = changed.is_some_and(|(_, (end, _))| address < *end);
            if is_changed {
                continue;
            }
            let name = self.function_at(address);
            if !go::UNCHANGED.contains(&name.as_str()) {
                return Err(PatchError::SystemCall { name, address });
            }
        }
        Ok(())
    }

    /// Whether every jump to a register, returns aside, is in a function that is known to jump to none of its own labels. Then
    /// there are no jump tables: Go's compiler makes none for MIPS.
    fn knows_jumps(&self) -> bool {
        let mut jumps = self.words().filter(|(_, word)| words::is_jump_to_register(*word));
        jumps.all(|(address, _)| go::JUMPS.contains(&self.function_at(address).as_str()))
    }

    /// The words of the code as they are now. What is loaded in front of it, the file's headers, is none.
    fn words(&self) -> impl Iterator<Item = (u64, u32)> {
        let sections = self.elf.sections().iter().filter(|section| section.is_executable());
        let start = sections.map(|section| section.address).min().unwrap_or_default();
        let code =
            self.elf.segments().iter().filter(|segment| segment.is_loaded() && segment.is_executable());
        let words = code.flat_map(|segment| {
            // It is inside the file, which was checked when it was read.
            let bytes = &self.bytes[segment.offset as usize..][..segment.file_size as usize];
            (segment.address..).step_by(4).zip(bytes.as_chunks::<4>().0)
        });
        words.map(|(at, word)| (at, u32::from_be_bytes(*word))).filter(move |(at, _)| *at >= start)
    }

    fn function_at(&self, address: u64) -> String {
        self.elf.symbol_at(address).map(|symbol| symbol.name).unwrap_or_default()
    }

    /// Where the bytes of a function are in the file.
    fn place(&self, name: &str, symbol: Symbol) -> Result<std::ops::Range<usize>, PatchError> {
        let Symbol { address, size, .. } = symbol;
        let misplaced = || PatchError::Misplaced { name: name.to_owned(), address, size };
        let end = address.checked_add(size).ok_or_else(misplaced)?;
        let holds = |segment: &&crate::elf::Segment| {
            let range = segment.file_range();
            segment.is_loaded() && segment.is_executable() && range.start <= address && end <= range.end
        };
        let whole = address.is_multiple_of(4) && size.is_multiple_of(4) && size > 0;
        let segment = self.elf.segments().iter().find(holds).filter(|_| whole).ok_or_else(misplaced)?;
        // Both are inside the file, which was checked when it was read.
        let start = (segment.offset + (address - segment.address)) as usize;
        Ok(start..start + size as usize)
    }

    /// Puts `words` at the start of a function, and `nop` into what is left of it: what stood there is unreachable, and the audit
    /// would judge it all the same.
    fn put(&mut self, name: &str, symbol: Symbol, words: &[u32], why: &str) -> Result<(), PatchError> {
        let place = self.place(name, symbol)?;
        let mut body: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        if body.len() > place.len() {
            let (expected, got) = (body.len(), place.len());
            return Err(PatchError::TooSmall { name: name.to_owned(), expected, got });
        }
        body.resize(place.len(), 0);
        let (start, end) = (symbol.address, symbol.address + symbol.size);
        let before = self.changes.range(..end).next_back().filter(|(_, (other_end, _))| *other_end > start);
        if let Some((_, (_, other))) = before {
            return Err(PatchError::Overlap { names: [other.place.clone(), name.to_owned()] });
        }
        let change = Change {
            place: name.to_owned(),
            at: format!("0x{start:08x}"),
            from: hex::encode(&self.bytes[place.clone()]),
            to: hex::encode(&body),
            why: why.to_owned(),
        };
        self.bytes[place].copy_from_slice(&body);
        self.changes.insert(start, (end, change));
        Ok(())
    }
}
