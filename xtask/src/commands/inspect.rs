//! `inspect`: what a program is made of.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use opml_targets::AddressRange;
use opml_toolchain::elf::{Elf, ElfError};
use opml_toolchain::file;
use opml_toolchain::inspect::{
    Area, Class, Inspection, Instructions, Listed, Question, Use, have_same_code, inspect,
};
use thiserror::Error;

use crate::outcome::{Outcome, Result, Stop};
use crate::program::Program;
use crate::ui::{self, Format, table};

/// Show what a program is made of: segments, sections, memory, the largest symbols, the instructions
///
/// Takes a folder that build-model or image wrote, or any ELF file, also one that the audit refuses. Symbols of a folder
/// come from its program.debug.elf, if there is one. Counts the instructions that stand in the program, not those
/// that run.
///
/// Exits with 0, or with 2 if the program could not be read.
#[derive(clap::Args)]
pub struct Args {
    /// Folder of a program, or an ELF file
    #[arg(value_name = "DIR|FILE")]
    program: PathBuf,
    /// The on-chain VM whose memory map and instructions an ELF file is held against
    #[arg(long, default_value = "cannon32", value_parser = clap::builder::PossibleValuesParser::new(opml_targets::names()))]
    target: String,
    /// How many symbols to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    /// How to print the result; the keys of json are in docs/formats.md
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// A file that is not what it should be.
#[derive(Debug, Error, Diagnostic)]
enum Damaged {
    #[error("cannot inspect {}", path.display())]
    Elf {
        path: PathBuf,
        #[source]
        #[diagnostic_source]
        source: ElfError,
    },
    #[error("{} has other code than the {} beside it", path.display(), file::PROGRAM)]
    #[diagnostic(help(
        "a file of the folder was changed: build it again, or give one of the two files instead"
    ))]
    Foreign { path: PathBuf },
}

pub fn run(args: &Args) -> Result {
    let (inspection, name) = if args.program.is_dir() {
        let manifest = Program::open(&args.program)?.manifest;
        let program = elf(&args.program.join(file::PROGRAM))?;
        let debug = args.program.join(file::DEBUG);
        let names = if debug.is_file() { elf(&debug)? } else { program.clone() };
        if !have_same_code(&program, &names) {
            return Err(Stop::unable(Damaged::Foreign { path: debug }));
        }
        let target = super::target(&manifest.target)?;
        let arena = manifest.memory_plan.map(|plan| plan.arena);
        let question = Question { program: &program, names: &names, target: &target, arena, top: args.top };
        (inspect(&question), manifest.name)
    } else {
        let program = elf(&args.program)?;
        let target = super::target(&args.target)?;
        let question =
            Question { program: &program, names: &program, target: &target, arena: None, top: args.top };
        (inspect(&question), args.program.display().to_string())
    };
    match args.format {
        Format::Json => {
            println!("{}", serde_json::to_string_pretty(&inspection).expect("it is strings and numbers"));
        }
        Format::Text => print!("{}", text(&inspection, &name)),
    }
    Ok(Outcome::Done)
}

fn elf(path: &Path) -> std::result::Result<Elf, Stop> {
    Elf::parse(super::read(path)?)
        .map_err(|source| Stop::unable(Damaged::Elf { path: path.to_owned(), source }))
}

fn text(inspection: &Inspection, name: &str) -> String {
    let mut text = format!("{name} for {}, entry {:#010x}\n", inspection.target, inspection.entry);
    let parts = [
        segments(inspection),
        sections(inspection),
        memory(&inspection.memory),
        symbols(inspection),
        inspection.instructions.as_ref().map_or_else(
            || " no instructions: the file is for another processor\n".to_owned(),
            |instructions| self::instructions(instructions, &inspection.target),
        ),
    ];
    for part in parts {
        text += "\n";
        text += &part;
    }
    text
}

fn segments(inspection: &Inspection) -> String {
    let rows = inspection.segments.listed.iter().map(|segment| {
        vec![
            segment.kind.clone(),
            segment.holds.map_or("", Use::name).to_owned(),
            segment.addresses.to_string(),
            ui::count(segment.memory_bytes),
            ui::count(segment.file_bytes),
            segment.access.clone(),
        ]
    });
    list(
        "segments",
        &["segment", "holds", "addresses", "bytes", "in the file", "access"],
        rows,
        &[3, 4],
        &inspection.segments,
    )
}

fn sections(inspection: &Inspection) -> String {
    let rows = inspection.sections.listed.iter().map(|section| {
        let loaded = if section.loaded { section.addresses.to_string() } else { "not loaded".to_owned() };
        let zero = if section.in_file { "" } else { "zeros" };
        vec![section.name.clone(), loaded, ui::count(section.bytes), zero.to_owned()]
    });
    list("sections", &["section", "addresses", "bytes", ""], rows, &[2], &inspection.sections)
}

fn symbols(inspection: &Inspection) -> String {
    // The names come last, as some are long.
    let rows = inspection.symbols.listed.iter().map(|symbol| {
        let address = format!("{:#010x}", symbol.address);
        vec![address, ui::count(symbol.bytes), symbol.kind.name().to_owned(), symbol.name.clone()]
    });
    list("symbols", &["symbol at", "bytes", "", "name"], rows, &[1], &inspection.symbols)
}

/// Cells of the picture of the whole address space.
const CELLS: u64 = 64;

/// The address space twice: to scale, and with bars that grow by one sign where a size doubles.
fn memory(areas: &Listed<Area>) -> String {
    let end = areas.listed.last().map_or(0, |area| area.addresses.end);
    let cell = (end / CELLS).max(1);
    let mut text = String::new();
    if areas.listed.len() == areas.count {
        let picture: String = (0..CELLS).map(|index| letter(&areas.listed, index * cell, cell)).collect();
        _ = writeln!(text, " {:#010x} [{picture}] {end:#010x}, {} each\n", 0, ui::bytes(cell));
    }
    let rows = areas.listed.iter().map(|area| {
        let bar = "#".repeat(area.bytes.checked_ilog2().map_or(0, |power| power as usize));
        vec![
            sign(area.of).to_string(),
            area.of.name().to_owned(),
            area.addresses.to_string(),
            ui::count(area.bytes),
            if area.of == Use::Free { bar.replace('#', ".") } else { bar },
        ]
    });
    text + &list(
        "memory",
        &["", "memory", "addresses", "bytes", "a sign more is twice as much"],
        rows,
        &[3],
        areas,
    )
}

/// What takes most of a cell of the picture, free memory aside.
fn letter(areas: &[Area], start: u64, bytes: u64) -> char {
    let cell = AddressRange { start, end: start + bytes };
    let shared =
        |area: &Area| area.addresses.end.min(cell.end).saturating_sub(area.addresses.start.max(cell.start));
    let taken = |of: Use| areas.iter().filter(|area| area.of == of).map(shared).sum::<u64>();
    let most = Use::ALL
        .into_iter()
        .filter(|of| *of != Use::Free)
        .max_by_key(|of| (taken(*of), std::cmp::Reverse(*of)));
    sign(most.filter(|of| taken(*of) > 0).unwrap_or(Use::Free))
}

/// Its letter in the picture.
fn sign(of: Use) -> char {
    match of {
        Use::Code => 'c',
        Use::Constants => 'k',
        Use::Variables => 'v',
        Use::Arena => 'a',
        Use::Weights => 'w',
        Use::Heap => 'h',
        Use::Stack => 's',
        Use::Free => '.',
    }
}

fn instructions(instructions: &Instructions, target: &str) -> String {
    let words = instructions.words;
    let of_class = |class: Class| {
        let count = instructions.of_class(class);
        vec![class.name().to_owned(), ui::count(count), percent(count, words)]
    };
    let title = format!("for {target}");
    let mut text = table::figures(&[&title, "words", "share"], &Class::ALL.map(of_class));
    let row = |one: &opml_toolchain::inspect::MnemonicCount| {
        let share = percent(one.words, words);
        vec![one.mnemonic.to_owned(), ui::count(one.words), share, one.class.name().to_owned()]
    };
    let rows: Vec<_> = instructions.by_mnemonic.iter().map(row).collect();
    text += "\n";
    text += &table::columns(&["instruction", "words", "share", ""], &rows, |column| [1, 2].contains(&column));
    text
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { String::new() } else { format!("{:.1} %", part as f64 * 100.0 / whole as f64) }
}

/// A table of what is listed, and how much is not.
fn list<T>(
    what: &str,
    header: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
    numbers: &[usize],
    of: &Listed<T>,
) -> String {
    let rows: Vec<_> = rows.collect();
    if of.count == 0 {
        return format!(" no {what}\n");
    }
    let mut text = table::columns(header, &rows, |column| numbers.contains(&column));
    if of.count > rows.len() {
        _ = writeln!(text, " and {} more", ui::count((of.count - rows.len()) as u64));
    }
    text
}
