//! `roots`: the roots of the shipped models, against `roots.toml`.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use opml_toolchain::compare::Cause;
use opml_toolchain::roots::{self, Comparison, Roots, RootsError, Row, Verdict};
use opml_toolchain::{Built, write_atomically};

use super::diff;
use crate::outcome::{Outcome, Result, Stop};
use crate::shipped::{Builder, Shipped};
use crate::ui::{self, Format, table};

/// Build the shipped models and compare their roots with those that roots.toml pins
///
/// Exits with 0 if every model has its pinned roots, 1 if one has not, has no pin, or a pin has no model,
/// and 2 if that could not be found out. Differences are explained by what has changed since the pin.
#[derive(clap::Args)]
pub struct Args {
    /// Write the roots of this checkout to roots.toml, and say why each changed
    #[arg(long)]
    update: bool,
    /// Another file of pins, such as that of a release [default: roots.toml of the checkout]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Never use the network
    #[arg(long)]
    offline: bool,
}

pub fn run(args: &Args) -> Result {
    let checkout = super::checkout()?;
    let path = args.file.clone().unwrap_or_else(|| checkout.root().join(roots::FILE));
    // First, as the builds take longer.
    let pinned = read(&path)?;
    let progress = ui::reporter();
    let scratch = super::scratch()?;
    let builder = Builder {
        checkout: &checkout,
        provision: super::provision_options(args.offline)?,
        scratch: scratch.path(),
        progress: &*progress,
    };
    let Some(Compared { got, comparison, .. }) = build_and_compare(&builder, &pinned)? else {
        return Ok(Outcome::Failed);
    };
    if args.update {
        write_atomically(&path, got.to_text().as_bytes()).map_err(Stop::unable)?;
    }
    match args.format {
        Format::Json => println!("{:#}", json(&comparison, args.update)),
        Format::Text => print!("{}", text(&comparison, args.update)),
    }
    let accepted = args.update || comparison.is_as_pinned();
    Ok(if accepted { Outcome::Done } else { Outcome::Failed })
}

/// The shipped models, built and held against pins.
pub(super) struct Compared {
    /// Each with the path of its model.
    pub built: Vec<(PathBuf, Built)>,
    got: Roots,
    pub comparison: Comparison,
}

/// Builds every shipped model for every target, and compares. Nothing if the audit refuses one, which is then told.
pub(super) fn build_and_compare(
    builder: &Builder,
    pinned: &Roots,
) -> std::result::Result<Option<Compared>, Stop> {
    let mut built = Vec::new();
    for name in opml_targets::names() {
        let target = super::target(name)?;
        for shipped in Shipped::all(builder.checkout)? {
            match builder.build(&shipped, &target)? {
                Ok(one) => built.push((shipped.path, one)),
                Err(refused) => {
                    eprint!("{}", refused.text());
                    return Ok(None);
                }
            }
        }
    }
    let got = Roots::of(built.iter().map(|(_, one)| &one.manifest)).map_err(Stop::unable)?;
    let comparison = pinned.compare(&got);
    Ok(Some(Compared { built, got, comparison }))
}

/// The pins of the file; none if there is no file, so that every model then lacks one.
pub(super) fn read(path: &Path) -> std::result::Result<Roots, Stop> {
    let most = roots::MAX_TEXT as u64;
    let mut text = String::new();
    match File::open(path).and_then(|file| file.take(most + 1).read_to_string(&mut text)) {
        Ok(_) => Roots::parse(&text).map_err(Stop::unable),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Roots::default()),
        Err(source) => Err(Stop::unable(RootsError::Io { doing: "read", path: path.to_owned(), source })),
    }
}

pub(super) fn json(comparison: &Comparison, updated: bool) -> serde_json::Value {
    serde_json::json!({
        "as_pinned": comparison.is_as_pinned(),
        "updated": updated,
        "models": comparison.rows,
    })
}

pub(super) fn text(comparison: &Comparison, updated: bool) -> String {
    let header = ["model", "target", "", "pinned", "got"];
    let rows: Vec<_> = comparison.rows.iter().flat_map(lines).collect();
    let mut text = table::columns(&header, &rows, |_| false);
    // Models that changed for the same reasons have them told once.
    let mut told: Vec<(&[Cause], Vec<&str>)> = Vec::new();
    let differing = comparison.rows.iter().filter(|row| row.verdict == Verdict::Differs);
    for row in differing {
        match told.iter_mut().find(|(causes, _)| *causes == row.causes) {
            Some((_, models)) => models.push(&row.model),
            None => told.push((&row.causes, vec![&row.model])),
        }
    }
    for (causes, models) in told {
        text += &format!("\n {}: {}\n", models.join(", "), reason(causes));
        text += &diff::causes_table(causes, ["pinned", "got"]);
    }
    text + "\n " + conclusion(comparison, updated) + "\n"
}

/// The root and the hash of a model, each with its pin; only one of them is shown where the two agree.
fn lines(row: &Row) -> Vec<Vec<String>> {
    let shown = |of: fn(&roots::Pair) -> opml_state::Hash| {
        let (pinned, got) = (row.pinned.as_ref().map(of), row.got.as_ref().map(of));
        let got = match (pinned, got) {
            _ if row.verdict == Verdict::AsPinned => "as pinned".into(),
            (Some(pinned), Some(got)) if pinned == got => "the same".into(),
            (_, got) => got.map_or("no such model".into(), |hash| hash.to_string()),
        };
        [pinned.map_or("not pinned".into(), |hash| hash.to_string()), got]
    };
    let line = |head: [&str; 3], [pinned, got]: [String; 2]| {
        head.iter().map(|text| (*text).to_owned()).chain([pinned, got]).collect()
    };
    vec![
        line([&row.model, &row.target, "memory root"], shown(|pair| pair.memory_root)),
        line(["", "", "prestate hash"], shown(|pair| pair.prestate_hash)),
    ]
}

fn reason(causes: &[Cause]) -> &'static str {
    match causes {
        [] => "nothing that it is made from has changed since the pin, so the build is not reproducible",
        _ => "what has changed since the pin, likeliest cause first",
    }
}

fn conclusion(comparison: &Comparison, updated: bool) -> &'static str {
    match (comparison.is_as_pinned(), updated) {
        (true, false) => "all roots are as pinned",
        (true, true) => "no root has changed; roots.toml has the digests of today",
        (false, true) => {
            "roots.toml has the new roots; they come with a change of this version, which says why"
        }
        (false, false) => {
            "roots.toml is not what this checkout gives: if the change is meant, `cargo xtask roots --update` writes it"
        }
    }
}
