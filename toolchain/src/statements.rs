//! What the statements of a generated source stand for: a table in the file with symbols, beside DWARF's lines.
//!
//! The pipeline only carries it. It is not loaded, so that names in a model have no say in a root.

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::elf::{self, Elf};
use crate::flags;

/// The section with the table, as JSON. Linkers drop what is called `.debug…` where they leave out debug information.
pub(crate) const SECTION: &str = ".debug_opml_statements";

/// A statement of the generated source that stands for a node of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Its line in the source, from 1.
    pub line: u32,
    /// What it does.
    pub operator: String,
    /// The model's name for it.
    pub name: String,
    /// Multiply-accumulates of one inference.
    pub multiply_accumulates: u64,
}

/// The statements of a program and the file that has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statements {
    /// Path of the source as debug information has it.
    pub source: String,
    /// In the order of their lines.
    pub statements: Vec<Statement>,
}

/// The table is there, and cannot be read.
#[derive(Debug, Error, Diagnostic)]
#[error("the section {SECTION} is no table of statements")]
#[diagnostic(help("the file is damaged or of another version: build the program again"))]
pub struct StatementsError(#[from] serde_json::Error);

impl Statements {
    /// The table in a file with symbols, names fit for a terminal; nothing if it has none.
    ///
    /// # Errors
    /// [`StatementsError`] if what is there is not one.
    pub fn of(elf: &Elf) -> Result<Option<Self>, StatementsError> {
        let bytes = elf.plain_section(SECTION);
        if bytes.is_empty() {
            return Ok(None);
        }
        let mut table: Self = serde_json::from_slice(bytes)?;
        for text in table.statements.iter_mut().flat_map(|one| [&mut one.operator, &mut one.name]) {
            *text = elf::shown_name(text.as_bytes());
        }
        Ok(Some(table))
    }

    /// The section's bytes.
    pub(crate) fn section(statements: &[Statement]) -> Vec<u8> {
        let source = format!("{}/{}", flags::SOURCES, flags::GENERATED);
        let table = Self { source, statements: statements.to_vec() };
        serde_json::to_vec(&table).expect("a table is strings and numbers")
    }
}
