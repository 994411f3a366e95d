//! `opml.toml` of a guest written in C.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use serde::Deserialize;

use crate::error::BuildError;

/// Standards of the language, as clang names them. Those of GNU have more words.
const STANDARDS: [&str; 8] = ["c89", "c99", "c11", "c17", "c23", "gnu99", "gnu11", "gnu17"];

/// Endings of C++, which needs constructors that run before `main` and a library that there is not.
const CPLUSPLUS: [&str; 6] = ["C", "cc", "cpp", "cxx", "hpp", "ipp"];

/// The file; other keys are refused, as a misspelt one would be an option that does nothing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct COptions {
    /// Name of the program.
    pub name: String,
    /// Its version.
    #[serde(default = "no_version")]
    pub version: String,
    /// The source files, below the folder.
    pub sources: Vec<String>,
    /// Folders of headers, below the folder.
    #[serde(default)]
    pub include: Vec<String>,
    /// Macros and what they stand for.
    #[serde(default)]
    pub define: BTreeMap<String, Definition>,
    /// The standard of the language.
    #[serde(default = "usual_standard")]
    pub standard: String,
}

/// What a macro stands for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Definition {
    /// 1, or for `false` nothing at all: the macro is not defined.
    Switch(bool),
    /// A number.
    Number(i64),
    /// Any text.
    Text(String),
}

fn no_version() -> String {
    "0.0.0".into()
}

fn usual_standard() -> String {
    "c17".into()
}

impl COptions {
    /// Reads and checks the file's text.
    ///
    /// # Errors
    /// [`BuildError::COptions`].
    pub(super) fn read(text: &str) -> Result<Self, BuildError> {
        let wrong = |problem: String| BuildError::COptions { problem };
        let options: Self = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        options.check().map_err(wrong)?;
        Ok(options)
    }

    fn check(&self) -> Result<(), String> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        for (key, value) in [("name", &self.name), ("version", &self.version)] {
            if !value.starts_with(|c: char| c.is_ascii_alphanumeric()) || !value.chars().all(is_word) {
                return Err(format!(
                    "{key}: `{value}` has other characters than letters, digits, `-`, `_` and `.`"
                ));
            }
        }
        if self.sources.is_empty() {
            return Err("sources: there is none".into());
        }
        for (place, source) in self.sources.iter().enumerate() {
            inside("sources", source)?;
            match Path::new(source).extension().and_then(|ending| ending.to_str()) {
                Some("c") => {}
                Some(ending) if CPLUSPLUS.contains(&ending) => {
                    return Err(format!(
                        "sources: {source} is C++, of which guests are not made: write C, or Rust"
                    ));
                }
                _ => return Err(format!("sources: {source} is no .c file")),
            }
            if self.sources[..place].contains(source) {
                return Err(format!("sources: {source} is there twice"));
            }
        }
        self.include.iter().try_for_each(|folder| inside("include", folder))?;
        let is_name = |name: &str| {
            !name.starts_with(|c: char| c.is_ascii_digit())
                && !name.is_empty()
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if let Some(name) = self.define.keys().find(|name| !is_name(name)) {
            return Err(format!("define: `{name}` is no name of a macro"));
        }
        if !STANDARDS.contains(&self.standard.as_str()) {
            return Err(format!("standard: `{}` is none of {}", self.standard, STANDARDS.join(", ")));
        }
        Ok(())
    }
}

impl Definition {
    /// What the compiler is told; none if the macro is not defined.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Switch(on) => on.then(|| "1".to_owned()),
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.clone()),
        }
    }
}

/// Whether a path stays below the folder, whatever it names there.
fn inside(key: &str, path: &str) -> Result<(), String> {
    let mut parts = Path::new(path).components();
    if path.is_empty() || !parts.all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(format!("{key}: `{path}` is no path below the folder"));
    }
    Ok(())
}
