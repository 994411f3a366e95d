//! `diff`: where two builds differ, and why.

use std::path::PathBuf;

use opml_toolchain::compare::{Artifacts, Cause, CauseKind, Comparison, ImageDifference, compare};

use crate::outcome::{Outcome, Result, Stop};
use crate::ui::{self, Format, table};

/// Compare the files of two builds, and explain where and why they differ
///
/// Takes two folders that `build-model` or `image` wrote, or their manifest.json files alone, which say less. Names the files,
/// sections, symbols and pages that differ, and what the two were made from that is not the same, the likeliest reason first.
///
/// Exits with 0 if they are identical, 1 if they differ, 2 if it could not be told.
#[derive(clap::Args)]
pub struct Args {
    /// A build: its folder or its manifest.json
    a: PathBuf,
    /// The other one
    b: PathBuf,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub fn run(args: &Args) -> Result {
    let read = |path: &PathBuf| Artifacts::read(path).map_err(Stop::unable);
    let comparison = compare(&read(&args.a)?, &read(&args.b)?);
    match args.format {
        Format::Json => {
            println!(
                "{:#}",
                serde_json::json!({ "identical": comparison.is_identical(), "comparison": comparison })
            );
        }
        Format::Text => print!("{}", text(&comparison, ["A", "B"])),
    }
    Ok(if comparison.is_identical() { Outcome::Done } else { Outcome::Failed })
}

/// Names of symbols that are shown of a list.
const SHOWN: usize = 5;

/// The comparison of two builds that are called `sides`.
pub(super) fn text(comparison: &Comparison, sides: [&str; 2]) -> String {
    if comparison.is_identical() {
        return " identical\n".into();
    }
    let mut text = String::new();
    for (side, damaged) in sides.iter().zip(&comparison.damaged).filter(|(_, damaged)| !damaged.is_empty()) {
        text += &format!(
            " {side} was changed after it was built: its manifest says otherwise of {}\n\n",
            damaged.join(", ")
        );
    }
    let [a, b] = sides;
    if !comparison.files.is_empty() {
        let row = |file: &opml_toolchain::compare::FileDifference| {
            vec![file.name.clone(), short(file.a.as_deref()), short(file.b.as_deref())]
        };
        let rows: Vec<_> = comparison.files.iter().map(row).collect();
        text += &(table::columns(&["file", a, b], &rows, |_| false) + "\n");
    }
    if !comparison.fields.is_empty() {
        let row = |field: &opml_toolchain::compare::FieldDifference| {
            vec![field.field.clone(), shown(field.a.as_deref()), shown(field.b.as_deref())]
        };
        let rows: Vec<_> = comparison.fields.iter().map(row).collect();
        text += &(table::columns(&["manifest", a, b], &rows, |_| false) + "\n");
    }
    if let Some(image) = &comparison.image {
        text += &image_text(image, sides);
    }
    text + &causes_text(comparison, sides)
}

fn image_text(image: &ImageDifference, [a, b]: [&str; 2]) -> String {
    let size = |size: Option<u64>| size.map_or_else(|| "absent".into(), ui::count);
    let row = |section: &opml_toolchain::compare::SectionDifference| {
        let [left, right] = section.sizes.map(size);
        vec![section.name.clone(), left, right, ui::count(section.bytes)]
    };
    let (loaded, beside): (Vec<_>, Vec<_>) = image.sections.iter().partition(|section| section.loaded);
    let mut rows: Vec<_> = loaded.into_iter().map(row).collect();
    // A dozen sections of debug information say no more than that it differs.
    let sum = |of: &dyn Fn(&&opml_toolchain::compare::SectionDifference) -> u64| beside.iter().map(of).sum();
    if !beside.is_empty() {
        let [left, right] = [0, 1].map(|side| ui::count(sum(&|section| section.sizes[side].unwrap_or(0))));
        rows.push(vec!["not loaded".into(), left, right, ui::count(sum(&|section| section.bytes))]);
    }
    let header = ["section", &format!("size in {a}"), &format!("in {b}"), "bytes that differ"];
    let mut text = table::figures(&header, &rows) + "\n";
    let mut pairs = Vec::new();
    match image.first_address {
        None => pairs.push(("memory", "the same: what differs is not loaded".to_owned())),
        Some(address) => {
            pairs.push(("memory", format!("{} pages differ", ui::count(image.pages))));
            let [left, right] =
                image.first_symbols.each_ref().map(|name| name.as_deref().unwrap_or("no symbol").to_owned());
            let place = if left == right { left } else { format!("{left} in {a}, {right} in {b}") };
            pairs.push(("first", format!("{address:#010x}: {place}")));
        }
    }
    let only = [format!("only in {a}"), format!("only in {b}")];
    let lists = [
        (only[0].as_str(), &image.symbols_removed),
        (only[1].as_str(), &image.symbols_added),
        ("of other size", &image.symbols_resized),
        ("of other content", &image.symbols_changed),
    ];
    for (what, names) in lists.into_iter().filter(|(_, names)| !names.is_empty()) {
        let more = names.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {} more", ui::count(more as u64)) } else { String::new() };
        pairs.push((what, names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ") + &more));
    }
    text += &table::pairs(pairs);
    text + "\n"
}

fn causes_text(comparison: &Comparison, [a, b]: [&str; 2]) -> String {
    if comparison.causes.is_empty() {
        return " Everything that the manifests name as a source is the same in both: a file was changed afterwards, or one of the \
                two machines did not do what its toolchain says.\n"
            .into();
    }
    " made from, likeliest reason first\n".to_owned() + &causes_table(&comparison.causes, [a, b])
}

/// Inputs that two sides do not share.
pub(super) fn causes_table(causes: &[Cause], [a, b]: [&str; 2]) -> String {
    let row = |cause: &Cause| {
        vec![kind(cause.kind).to_owned(), cause.what.clone(), shown(Some(&cause.a)), shown(Some(&cause.b))]
    };
    let rows: Vec<_> = causes.iter().map(row).collect();
    table::columns(&["", "", a, b], &rows, |_| false)
}

fn kind(kind: CauseKind) -> &'static str {
    match kind {
        CauseKind::Target => "target",
        CauseKind::Toolchain => "toolchain",
        CauseKind::Flags => "flags",
        CauseKind::Model => "model",
        CauseKind::Dimensions => "dimensions",
        CauseKind::CrateVersion => "guest crate",
        CauseKind::Feature => "feature",
        CauseKind::CrateSource => "guest source",
        CauseKind::Layout => "layout",
        CauseKind::Tool => "tool's source",
        CauseKind::Generated => "generated",
        CauseKind::Workspace => "workspace",
    }
}

/// The start of a hash.
fn short(hash: Option<&str>) -> String {
    hash.map_or_else(|| "absent".into(), |hash| hash.chars().take(16).collect())
}

/// A value in a table: long ones, hashes among them, are cut.
fn shown(value: Option<&str>) -> String {
    const LONGEST: usize = 48;
    match value {
        None => "absent".into(),
        Some(hash) if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => short(value),
        Some(text) if text.chars().count() > LONGEST => text.chars().take(LONGEST).collect::<String>() + "…",
        Some("") => "none".into(),
        Some(text) => text.to_owned(),
    }
}
