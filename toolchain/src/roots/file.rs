//! The text of `roots.toml`: what it says is checked once, here.

use serde::{Deserialize, Serialize};

use super::{Built, Roots, RootsError};

/// Version of the format.
const SCHEMA: u32 = 1;
/// Longest file, in bytes; some fifty times today's.
pub const MAX_TEXT: usize = 512 << 10;
/// Longest name or flag, in bytes.
const MAX_WORD: usize = 512;

const HEADER: &str = "\
# The roots of the shipped models, for each target and toolchain: what goes on chain if this version is used. Digests of all
# that they were made from follow, so that a change can be explained. The format is in docs/formats.md.
# `cargo xtask roots` builds all of them and compares; `cargo xtask roots --update` writes this file and says what changed.

";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    schema: u32,
    #[serde(default)]
    built: Vec<Built>,
}

impl Roots {
    /// Reads and checks the text of the file.
    ///
    /// # Errors
    /// [`RootsError`], which says what stands there and what was expected.
    pub fn parse(text: &str) -> Result<Self, RootsError> {
        if text.len() > MAX_TEXT {
            return Err(RootsError::TooLong { got: text.len() as u64, most: MAX_TEXT as u64 });
        }
        let raw: Raw = toml::from_str(text).map_err(|error| RootsError::Syntax {
            line: error.span().map(|span| 1 + text[..span.start].matches('\n').count()),
            message: shown(error.message()),
        })?;
        if raw.schema != SCHEMA {
            return Err(RootsError::Schema { got: raw.schema, expected: SCHEMA });
        }
        raw.built.iter().try_for_each(check)?;
        let mut built = raw.built;
        built.sort_by(|a, b| (&a.target, &a.lock).cmp(&(&b.target, &b.lock)));
        let same = |pair: &[Built]| (&pair[0].target, &pair[0].lock) == (&pair[1].target, &pair[1].lock);
        if let Some(pair) = built.windows(2).find(|pair| same(pair)) {
            return Err(RootsError::Twice(format!(
                "the target {} with lock {}",
                pair[0].target, pair[0].lock
            )));
        }
        Ok(Self { built })
    }

    /// The text of the file. The same roots have the same text.
    pub fn to_text(&self) -> String {
        let raw = Raw { schema: SCHEMA, built: self.built.clone() };
        HEADER.to_owned() + &toml::to_string_pretty(&raw).expect("tables of words and numbers")
    }
}

/// Words reach a terminal and, as names of models, the command line.
fn check(built: &Built) -> Result<(), RootsError> {
    name("target", &built.target)?;
    sha256("lock", &built.lock)?;
    for (model, pin) in &built.models {
        name("models", model)?;
        sha256("model", &pin.model)?;
        sha256("generated", &pin.generated)?;
        pin.dims.keys().try_for_each(|dim| word("dims", dim))?;
    }
    let sources = &built.sources;
    for (field, digests) in [("files", &sources.files), ("tool", &sources.tool)] {
        for (of, digest) in digests {
            word(field, of)?;
            sha256(field, digest)?;
        }
    }
    for (tool, flags) in &sources.flags {
        [tool].into_iter().chain(flags).try_for_each(|flag| word("flags", flag))?;
    }
    for (of, one) in &sources.guest {
        sha256("guest", &one.sha256)?;
        [of].into_iter().chain(&one.features).try_for_each(|text| word("guest", text))?;
    }
    Ok(())
}

fn name(field: &'static str, text: &str) -> Result<(), RootsError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let ok = (1..=128).contains(&text.len()) && !text.starts_with('.') && text.chars().all(plain);
    if ok { Ok(()) } else { Err(value(field, text, "a name (letters, digits, - _ ., no . in front)")) }
}

fn word(field: &'static str, text: &str) -> Result<(), RootsError> {
    let ok = text.len() <= MAX_WORD && !text.contains(char::is_control);
    if ok { Ok(()) } else { Err(value(field, text, "at most 512 bytes without control characters")) }
}

fn sha256(field: &'static str, text: &str) -> Result<(), RootsError> {
    match crate::provision::lock::is_sha256(text) {
        true => Ok(()),
        false => Err(value(field, text, "64 small hexadecimal digits")),
    }
}

fn value(field: &'static str, value: &str, expected: &'static str) -> RootsError {
    RootsError::Value { field, value: shown(value), expected }
}

/// Fit for a terminal, which a hostile value could fill or command.
fn shown(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
