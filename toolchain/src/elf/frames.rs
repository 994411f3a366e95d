//! From addresses to the functions and lines they come from, inlined ones included.

use std::collections::BTreeMap;

use super::scopes::{Call, Scopes};
use super::{Elf, SourceLines};

/// A function in the stack of functions that an instruction belongs to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Frame {
    /// Its name, demangled.
    pub function: String,
    /// The place in it: of the instruction, or of the call that was inlined.
    pub place: Option<Place>,
}

/// A line of a source file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// Path of the file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// The functions and lines of a file: from its DWARF, and where that says nothing from its symbols.
#[derive(Debug)]
pub struct Frames<'a> {
    elf: &'a Elf,
    scopes: Scopes<'a>,
    lines: SourceLines<'a>,
    /// Paths that were put together, by line program and file.
    files: BTreeMap<(usize, u64), Option<String>>,
}

impl<'a> Frames<'a> {
    pub(super) fn new(elf: &'a Elf) -> Self {
        Self { elf, scopes: Scopes::new(elf), lines: elf.source_lines(), files: BTreeMap::new() }
    }

    /// The function that the instruction at `address` is in, then those it was inlined from: the innermost comes last.
    /// Empty if nothing is known of the address.
    pub fn at(&mut self, address: u64) -> Vec<Frame> {
        let scopes = self.scopes.at(address);
        let mut frames: Vec<Frame> = Vec::with_capacity(scopes.len() + 1);
        if scopes.first().is_none_or(|outermost| outermost.call.is_some()) {
            // A symbol without a size reaches up to the next one, wherever that is.
            let covering = self.elf.symbol_at(address).filter(|_| self.is_code(address));
            frames.extend(covering.map(|symbol| Frame { function: symbol.name, place: None }));
        }
        for scope in &scopes {
            if let Some((call, outer)) = scope.call.zip(frames.last_mut()) {
                outer.place = self.called_at(call);
            }
            let symbol = || self.elf.symbol_at(address).filter(|_| scope.call.is_none()).map(|s| s.name);
            let function = self.scopes.name(scope).or_else(symbol);
            frames.push(Frame { function: function.unwrap_or_else(|| "(no name)".into()), place: None });
        }
        if let Some(innermost) = frames.last_mut() {
            // What the compiler made of no line in particular has line 0.
            let row = self.lines.row(address).filter(|&(.., line)| line > 0);
            innermost.place = row.and_then(|(program, file, line)| {
                let file = self.path(program, file)?;
                Some(Place { file, line })
            });
        }
        frames
    }

    fn is_code(&self, address: u64) -> bool {
        let sections = self.elf.sections();
        let code = |section: &&super::Section| section.is_loaded() && section.is_executable();
        sections.is_empty() || sections.iter().filter(code).any(|section| section.range().contains(address))
    }

    fn called_at(&mut self, call: Call) -> Option<Place> {
        let line = u32::try_from(call.line).ok().filter(|&line| line > 0)?;
        Some(Place { file: self.path(call.program?, call.file)?, line })
    }

    /// The path of a file of a line program.
    fn path(&mut self, program: usize, file: u64) -> Option<String> {
        if let Some(path) = self.files.get(&(program, file)) {
            return path.clone();
        }
        let name = self.lines.file(program, file);
        let path = name.map(|name| match self.scopes.directory(program) {
            Some(directory) if !name.starts_with('/') => format!("{directory}/{name}"),
            _ => name,
        });
        self.files.insert((program, file), path.clone());
        path
    }
}
