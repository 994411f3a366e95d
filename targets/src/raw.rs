//! A description as it stands in the file, before anything is checked but its shape.

use serde::Deserialize;

use crate::target::{Commitment, Condition, Contract, Effect, ElfFacts, MemoryMap, Refusal, Syscall};
use crate::{TargetError, validate::nearest};

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RawTarget {
    pub name: String,
    pub description: String,
    pub linker_script: String,
    pub commitment: Commitment,
    pub contract: Contract,
    pub elf: ElfFacts,
    pub memory: MemoryMap,
    pub syscalls: Vec<Syscall>,
    pub instructions: RawInstructions,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawInstructions {
    pub allowed: Vec<String>,
    pub otherwise: Refusal,
    #[serde(default)]
    pub conditional: Vec<RawConditional>,
    #[serde(default)]
    pub refused: Vec<RawRefused>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawConditional {
    pub mnemonics: Vec<String>,
    pub condition: Condition,
    pub effect: Effect,
    pub contract: String,
    pub instead: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRefused {
    pub mnemonics: Vec<String>,
    pub effect: Effect,
    pub contract: String,
    pub instead: String,
}

/// The fields of every table, so that an unknown one is reported with its table and the nearest known name; serde
/// alone knows neither. A field that is in a struct and not here is refused, so the two cannot drift apart unseen.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "name",
            "description",
            "linker-script",
            "commitment",
            "contract",
            "elf",
            "memory",
            "syscalls",
            "instructions",
        ],
    ),
    ("contract", &["name", "version"]),
    ("elf", &["class", "byte-order", "abi", "float", "isa-level", "isa-revision"]),
    ("memory", &["image", "heap", "stack"]),
    ("memory.image", &["start", "end"]),
    ("memory.heap", &["start", "end"]),
    ("memory.stack", &["top", "size"]),
    ("syscalls", &["number", "name"]),
    ("instructions", &["allowed", "otherwise", "conditional", "refused"]),
    ("instructions.otherwise", &["effect", "contract", "instead"]),
    ("instructions.conditional", &["mnemonics", "condition", "effect", "contract", "instead"]),
    ("instructions.refused", &["mnemonics", "effect", "contract", "instead"]),
];

/// Reads the text of a `target.toml`.
pub(crate) fn parse(target: &str, text: &str) -> Result<RawTarget, TargetError> {
    let syntax = |error: toml::de::Error| TargetError::Syntax {
        target: target.to_owned(),
        message: error.to_string(),
    };
    let table: toml::Table = text.parse().map_err(syntax)?;
    check_fields(target, "", &table)?;
    // From the text again, not from the table: only so the messages have lines.
    toml::from_str(text).map_err(syntax)
}

fn check_fields(target: &str, path: &str, table: &toml::Table) -> Result<(), TargetError> {
    let Some((_, known)) = FIELDS.iter().find(|(name, _)| *name == path) else {
        // A table where a value belongs: serde names the type it wants.
        return Ok(());
    };
    for (name, value) in table {
        let field = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if !known.contains(&name.as_str()) {
            return Err(TargetError::UnknownField {
                target: target.to_owned(),
                field,
                nearest: nearest(name, known.iter().copied()),
                known: known.join(", "),
            });
        }
        let tables = match value {
            toml::Value::Table(table) => std::slice::from_ref(table).iter().collect(),
            toml::Value::Array(items) => items.iter().filter_map(toml::Value::as_table).collect(),
            _ => Vec::new(),
        };
        tables.into_iter().try_for_each(|table| check_fields(target, &field, table))?;
    }
    Ok(())
}
