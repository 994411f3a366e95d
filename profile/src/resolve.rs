//! What an address stands for, in numbers that are quick to compare.

use std::collections::BTreeMap;

use opml_toolchain::elf::{Elf, Frames, Place};
use opml_toolchain::statements::Statements;

/// The addresses where the functions of a program begin, as far as its symbols say it.
pub fn function_starts(elf: &Elf) -> Vec<u32> {
    let functions = elf.symbols().iter().filter(|symbol| symbol.is_function);
    functions.filter_map(|symbol| u32::try_from(symbol.address).ok()).collect()
}

/// What an instruction belongs to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Resolved {
    /// Numbers of its functions, the innermost last; empty if none is known.
    pub functions: Vec<usize>,
    /// Number of its line, if one is known.
    pub line: Option<usize>,
    /// Index of the statement that it is a part of.
    pub statement: Option<usize>,
}

/// Numbers for things, in the order in which they came up.
pub(crate) struct Numbers<T>(BTreeMap<T, usize>);

impl<T: Ord + Clone> Numbers<T> {
    fn of(&mut self, thing: T) -> usize {
        let next = self.0.len();
        *self.0.entry(thing).or_insert(next)
    }

    /// The things by their numbers.
    pub fn into_list(self) -> Vec<T> {
        let mut list: Vec<(usize, T)> = self.0.into_iter().map(|(thing, number)| (number, thing)).collect();
        list.sort_by_key(|&(number, _)| number);
        list.into_iter().map(|(_, thing)| thing).collect()
    }
}

/// Looks addresses up, each once.
pub(crate) struct Resolver<'a> {
    frames: Frames<'a>,
    /// The file of the statements, and their indices by line.
    source: &'a str,
    statements: BTreeMap<u32, usize>,
    /// Names of functions.
    pub functions: Numbers<String>,
    /// Lines.
    pub lines: Numbers<Place>,
    found: BTreeMap<u32, usize>,
    all: Numbers<Resolved>,
    by_number: Vec<Resolved>,
}

impl<'a> Resolver<'a> {
    pub fn new(elf: &'a Elf, statements: Option<&'a Statements>) -> Self {
        let list = statements.map_or(&[][..], |table| &table.statements);
        Self {
            frames: elf.frames(),
            source: statements.map_or("", |table| &table.source),
            statements: list.iter().enumerate().map(|(index, one)| (one.line, index)).collect(),
            functions: Numbers(BTreeMap::new()),
            lines: Numbers(BTreeMap::new()),
            found: BTreeMap::new(),
            all: Numbers(BTreeMap::new()),
            by_number: Vec::new(),
        }
    }

    /// The number of what `address` belongs to, which many addresses share.
    pub fn find(&mut self, address: u32) -> usize {
        if let Some(&number) = self.found.get(&address) {
            return number;
        }
        let frames = self.frames.at(address.into());
        // A kernel that is inlined is in a frame further in, with lines of its own file.
        let in_source = frames.iter().filter_map(|frame| frame.place.as_ref());
        let statement = in_source
            .filter(|place| place.file == self.source)
            .find_map(|place| self.statements.get(&place.line).copied());
        let place = frames.last().and_then(|innermost| innermost.place.clone());
        let line = place.map(|place| self.lines.of(place));
        let functions = frames.into_iter().map(|frame| self.functions.of(frame.function)).collect();
        let resolved = Resolved { functions, line, statement };
        let number = self.all.of(resolved.clone());
        if number == self.by_number.len() {
            self.by_number.push(resolved);
        }
        self.found.insert(address, number);
        number
    }

    /// What a number stands for.
    pub fn get(&self, number: usize) -> &Resolved {
        &self.by_number[number]
    }

    /// The number of the function that begins at `entry`: its name, or its address if it has none.
    pub fn function(&mut self, entry: u32) -> usize {
        let known = self.find(entry);
        match self.get(known).functions.first() {
            Some(&function) => function,
            None => self.functions.of(format!("{entry:#010x}")),
        }
    }
}
