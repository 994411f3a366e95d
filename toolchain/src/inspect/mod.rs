//! What is in a program: its parts, where they lie in memory, its largest symbols, and which instructions it is made of.
//!
//! Any ELF file that can be read is looked at, also one that no VM would load: nothing here is a verdict (that is [`crate::audit`]'s).
//! So segments may overlap, lie outside of the memory map, or hold no code of the target. The work is in proportion to the file.

mod code;
mod memory;

pub use code::{Class, Instructions, MnemonicCount};
pub use memory::{Area, Use};

use goblin::elf::{program_header, section_header};
use object::elf::{PT_MIPS_ABIFLAGS, PT_MIPS_REGINFO, ProgramType};
use opml_targets::{AddressRange, Target};
use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

use crate::elf::{Elf, Section, Segment, Symbol};

/// Most segments, sections and areas of memory that are listed: a file can have 65,000 of each, with long names.
const MOST: usize = 256;

/// A program, described.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// Name of the target whose memory map and instructions it is held against.
    pub target: String,
    /// Where it starts.
    #[serde(serialize_with = "hex")]
    pub entry: u64,
    /// Its program headers, in the file's order.
    pub segments: Listed<SegmentFacts>,
    /// Its sections, in the file's order, without the null section.
    pub sections: Listed<SectionFacts>,
    /// The symbols that say their size, the largest first.
    pub symbols: Listed<SymbolFacts>,
    /// The whole address space, in rising order and without gaps.
    pub memory: Listed<Area>,
    /// The instructions; nothing if the file is for another kind of processor.
    pub instructions: Option<Instructions>,
}

/// The start of a list that may be long.
#[derive(Clone, Debug, Serialize)]
pub struct Listed<T> {
    /// How many entries there are in all.
    pub count: usize,
    /// Those that are listed.
    pub listed: Vec<T>,
}

impl<T> Listed<T> {
    fn new(all: impl ExactSizeIterator<Item = T>, most: usize) -> Self {
        Self { count: all.len(), listed: all.take(most).collect() }
    }
}

/// A program header.
#[derive(Clone, Debug, Serialize)]
pub struct SegmentFacts {
    /// `LOAD`, `NOTE` and so on; its number if it has no name.
    pub kind: String,
    /// What the program may do there: `r-x`.
    pub access: String,
    /// What it holds, if it is loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds: Option<Use>,
    /// Where it lies in memory.
    #[serde(serialize_with = "range")]
    pub addresses: AddressRange,
    /// How many bytes of it are in the file; the rest is zero.
    pub file_bytes: u64,
    /// How many bytes it has in memory.
    pub memory_bytes: u64,
}

/// A section.
#[derive(Clone, Debug, Serialize)]
pub struct SectionFacts {
    /// Its name, fit for a terminal.
    pub name: String,
    /// Whether it is part of the memory image.
    pub loaded: bool,
    /// Whether its bytes are in the file.
    pub in_file: bool,
    /// Where it lies in memory, if it is loaded.
    #[serde(serialize_with = "range")]
    pub addresses: AddressRange,
    /// How many bytes it has.
    pub bytes: u64,
}

/// A symbol.
#[derive(Clone, Debug, Serialize)]
pub struct SymbolFacts {
    /// Its name, demangled and fit for a terminal.
    pub name: String,
    /// What it is.
    pub kind: SymbolKind,
    /// Its address.
    #[serde(serialize_with = "hex")]
    pub address: u64,
    /// How many bytes it covers.
    pub bytes: u64,
}

/// What a symbol is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SymbolKind {
    /// Code.
    Function,
    /// A variable or a constant.
    Object,
    /// It does not say.
    Other,
}

impl SymbolKind {
    /// Its name: `function`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Object => "object",
            Self::Other => "other",
        }
    }
}

/// What to look at, and how much to list.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The program.
    pub program: &'a Elf,
    /// The file with its symbols, which may be the same.
    pub names: &'a Elf,
    /// The target.
    pub target: &'a Target,
    /// Bytes of the activations, from the manifest of a model.
    pub arena: Option<u64>,
    /// How many symbols to list.
    pub top: usize,
}

/// Describes a program.
pub fn inspect(question: &Question<'_>) -> Inspection {
    let Question { program, names, target, top, .. } = *question;
    let weights = program.weights().map(Section::range);
    let arena = question.arena.and_then(|bytes| arena(names, bytes));
    let sections = program.sections().get(1..).unwrap_or_default();
    let areas = memory::areas(program, target, weights, arena);
    Inspection {
        target: target.name().to_owned(),
        entry: program.header().entry,
        segments: Listed::new(program.segments().iter().map(|s| segment(s, weights)), MOST),
        sections: Listed::new(sections.iter().map(|s| section(program, s)), MOST),
        symbols: Listed::new(largest(names).into_iter().map(|s| symbol(names, s)), top),
        memory: Listed::new(areas.into_iter(), MOST),
        instructions: code::is_for(program, target).then(|| code::count(program, target)),
    }
}

/// Whether two files have the same code at the same addresses, so that the symbols of one are those of the other.
pub fn have_same_code(a: &Elf, b: &Elf) -> bool {
    let code = |elf: &Elf| {
        let segments = elf.segments().iter().filter(|s| s.is_loaded() && s.is_executable());
        segments.copied().collect::<Vec<_>>()
    };
    let (left, right) = (code(a), code(b));
    let same =
        |(l, r): (&Segment, &Segment)| l.range() == r.range() && a.segment_data(l) == b.segment_data(r);
    left.len() == right.len() && left.iter().zip(&right).all(same)
}

/// Where the activations lie: in the variable of their size that is called as in the generated source of a model. Of a file with many
/// variables of that size the first few are looked at, as each look demangles a name.
fn arena(names: &Elf, bytes: u64) -> Option<AddressRange> {
    let of_size = names.symbols().iter().filter(|symbol| symbol.is_object && symbol.size == bytes);
    let found = of_size.take(16).find(|symbol| names.symbol_name(symbol).ends_with("::ARENA"))?;
    Some(AddressRange { start: found.address, end: found.address.saturating_add(found.size) })
}

fn segment(segment: &Segment, weights: Option<AddressRange>) -> SegmentFacts {
    let bits = [(program_header::PF_R, 'r'), (program_header::PF_W, 'w'), (program_header::PF_X, 'x')];
    let name = match ProgramType(segment.kind) {
        PT_MIPS_REGINFO => Some("MIPS_REGINFO"),
        PT_MIPS_ABIFLAGS => Some("MIPS_ABIFLAGS"),
        ProgramType(kind) => program_header::pt_to_str(kind).strip_prefix("PT_"),
    };
    SegmentFacts {
        kind: name.map_or_else(|| format!("{:#x}", segment.kind), str::to_owned),
        access: bits
            .map(|(bit, letter)| if segment.flags & bit == 0 { '-' } else { letter })
            .iter()
            .collect(),
        holds: segment.is_loaded().then(|| memory::holds(segment, weights)),
        addresses: segment.range(),
        file_bytes: segment.file_size,
        memory_bytes: segment.memory_size,
    }
}

fn section(elf: &Elf, section: &Section) -> SectionFacts {
    SectionFacts {
        name: elf.section_name(section),
        loaded: section.is_loaded(),
        in_file: section.has_bytes() && section.kind != section_header::SHT_NULL,
        addresses: section.range(),
        bytes: section.size,
    }
}

fn symbol(elf: &Elf, symbol: &Symbol) -> SymbolFacts {
    let kind = match (symbol.is_function, symbol.is_object) {
        (true, _) => SymbolKind::Function,
        (_, true) => SymbolKind::Object,
        _ => SymbolKind::Other,
    };
    SymbolFacts { name: elf.symbol_name(symbol), kind, address: symbol.address, bytes: symbol.size }
}

fn largest(elf: &Elf) -> Vec<&Symbol> {
    let mut symbols: Vec<_> = elf.symbols().iter().filter(|symbol| symbol.size > 0).collect();
    // They come in one order; those of one size stay in it.
    symbols.sort_by_key(|symbol| std::cmp::Reverse(symbol.size));
    symbols
}

fn hex<S: Serializer>(address: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{address:#010x}"))
}

/// Start and end, as text: a number of JSON is a float for some readers.
fn range<S: Serializer>(range: &AddressRange, serializer: S) -> Result<S::Ok, S::Error> {
    let mut fields = serializer.serialize_struct("AddressRange", 2)?;
    fields.serialize_field("start", &format!("{:#010x}", range.start))?;
    fields.serialize_field("end", &format!("{:#010x}", range.end))?;
    fields.end()
}
