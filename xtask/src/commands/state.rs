//! `state`: a state of the VM in words, or what differs between two.

mod compare;
mod show;

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use opml_state::cannon::{self, MetaError, Metadata, ReadError};
use opml_state::{Field, Hash, State, Value, Witness, WitnessFields, hash_witness};
use opml_targets::MemoryMap;
use opml_toolchain::elf::{Elf, ElfError};
use opml_toolchain::{Places, file};
use thiserror::Error;

use crate::outcome::{Outcome, Result, Stop};
use crate::ui::Format;

/// Show a state of the VM, or what differs between two
///
/// Reads Cannon's state files: the prestate that build-model or image wrote, a snapshot, or a state that
/// Cannon's own tool saved. Shows registers, the instruction that comes next, which pages of memory are
/// there, the memory root and the state hash.
///
/// With two files it shows what differs: registers and other fields, then the pages, each with the address
/// of the first byte that differs. Exits with 0 if the states are equal, 1 if they differ, 2 if one could
/// not be read.
///
/// Names of symbols and sections come from the files given with --elf or --meta, else from the
/// program.debug.elf or program.elf and the meta.json beside FILE.
#[derive(clap::Args)]
pub struct Args {
    /// The state, a .bin.gz
    #[arg(value_name = "FILE")]
    state: PathBuf,
    /// Another one to compare it with
    #[arg(value_name = "FILE2")]
    other: Option<PathBuf>,
    /// The program that the state is of, for names of symbols and sections
    #[arg(long, value_name = "FILE")]
    elf: Option<PathBuf>,
    /// The program's symbols in Cannon's format
    #[arg(long, value_name = "meta.json")]
    meta: Option<PathBuf>,
    /// List everything, not just the first 32 runs of pages or pages that differ
    #[arg(long)]
    all: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// The VM of the state files.
const TARGET: &str = "cannon32";

/// Entries of a list that are shown without `--all`.
const LISTED: usize = 32;

/// A file that is not what it should be.
#[derive(Debug, Error, Diagnostic)]
enum Damaged {
    #[error("cannot read the state {}", path.display())]
    State {
        path: PathBuf,
        #[source]
        #[diagnostic_source]
        source: ReadError,
    },
    #[error("cannot take names from {}", path.display())]
    Elf {
        path: PathBuf,
        #[source]
        #[diagnostic_source]
        source: ElfError,
    },
    #[error("cannot take names from {}", path.display())]
    Meta {
        path: PathBuf,
        #[source]
        #[diagnostic_source]
        source: MetaError,
    },
}

/// A state with what takes a while to compute.
struct Loaded {
    path: PathBuf,
    state: State,
    witness: Witness,
}

impl Loaded {
    fn new(path: &Path) -> std::result::Result<Self, Stop> {
        super::ordinary(path)?;
        let state = cannon::load_state(path, cannon::Limits::default())
            .map_err(|source| Stop::unable(Damaged::State { path: path.to_owned(), source }))?;
        Ok(Self { path: path.to_owned(), witness: state.witness(), state })
    }

    fn memory_root(&self) -> Hash {
        WitnessFields::of(&self.witness).memory_root
    }

    fn state_hash(&self) -> Hash {
        hash_witness(&self.witness)
    }
}

/// What the output needs besides the states.
struct View {
    places: Places,
    map: MemoryMap,
    /// Most entries of a list.
    limit: usize,
}

impl View {
    /// A field's value, with the symbol if it is an address of code.
    fn value(&self, field: Field, value: Value<'_>) -> String {
        let symbol = match (field, value) {
            (Field::Pc | Field::NextPc, Value::Word(address)) => self.places.symbol(address),
            _ => None,
        };
        symbol.map_or_else(|| value.to_string(), |symbol| format!("{value}  {symbol}"))
    }

    /// The part of the memory map that `address` lies in.
    fn region(&self, address: u32) -> &'static str {
        let (address, stack) = (u64::from(address), self.map.stack.range());
        match address {
            _ if self.map.image.contains(address) => "image",
            _ if self.map.heap.contains(address) => "heap",
            _ if stack.contains(address) => "stack",
            _ if address >= stack.end => "above stack",
            _ => "below image",
        }
    }
}

pub fn run(args: &Args) -> Result {
    let left = Loaded::new(&args.state)?;
    let right = args.other.as_deref().map(Loaded::new).transpose()?;
    let places = places(args)?;
    if let Some(address) = places.foreign_code(&left.state.memory) {
        eprintln!(
            "warning: the code at {address:#010x} is another than in the ELF file: its names may be wrong"
        );
    }
    let map = *super::target(TARGET)?.memory();
    let view = View { places, map, limit: if args.all { usize::MAX } else { LISTED } };
    let Some(right) = right else {
        match args.format {
            Format::Json => println!("{:#}", show::json(&left, &view)),
            Format::Text => print!("{}", show::text(&left, &view)),
        }
        return Ok(Outcome::Done);
    };
    let diff = opml_state::diff(&left.state, &right.state);
    let sides = [&left, &right];
    match args.format {
        Format::Json => println!("{:#}", compare::json(sides, &diff, &view)),
        Format::Text => print!("{}", compare::text(sides, &diff, &view)),
    }
    Ok(if diff.is_empty() { Outcome::Done } else { Outcome::Failed })
}

/// The names that were asked for, else those beside the state.
fn places(args: &Args) -> std::result::Result<Places, Stop> {
    let given = args.elf.is_some() || args.meta.is_some();
    let beside = |names: &[&str]| {
        let folder = args.state.parent().filter(|_| !given);
        folder.and_then(|dir| names.iter().map(|name| dir.join(name)).find(|path| path.is_file()))
    };
    let elf = args.elf.clone().or_else(|| beside(&[file::DEBUG, file::PROGRAM]));
    let meta = args.meta.clone().or_else(|| beside(&[file::META]));
    let elf = elf.map(|path| {
        Elf::parse(super::read(&path)?).map_err(|source| Stop::unable(Damaged::Elf { path, source }))
    });
    let meta = meta.map(|path| {
        Metadata::from_json(&super::read(&path)?)
            .map_err(|source| Stop::unable(Damaged::Meta { path, source }))
    });
    Ok(Places::new(elf.transpose()?, meta.transpose()?))
}

/// Registers by their o32 names, the rest as it is called.
fn field_name(field: Field) -> String {
    let register = |number: u8| opml_isa::Register::all().nth(number.into());
    match field {
        Field::Register(number) => register(number).map_or_else(|| field.to_string(), |r| r.to_string()),
        _ => field.to_string(),
    }
}

/// The same as a key of JSON.
fn field_key(field: Field) -> String {
    field_name(field).replace(' ', "_")
}
