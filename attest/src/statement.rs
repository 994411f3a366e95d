//! The statement of in-toto, version 1: which files a predicate is about.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::envelope::MAX_ENVELOPE;
use crate::json::{self, JsonError, shown};
use crate::provenance::{Provenance, or_default};

/// The statement's own type.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The predicate's type.
pub const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";
/// Longest statement, in bytes: so that an envelope around it can be read, whoever signs it.
pub const MAX_STATEMENT: usize = MAX_ENVELOPE / 2;
/// Most files of a statement.
pub const MAX_SUBJECTS: usize = 64;

/// Name of SHA-256 in a set of digests.
const SHA256: &str = "sha256";

/// Why a statement is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[diagnostic(help(
    "a build writes such a statement beside its files; this one was made by something else, or changed"
))]
pub enum StatementError {
    /// No JSON of a statement's form.
    #[error("the statement cannot be read")]
    Json(#[source] JsonError),
    /// Another kind of document.
    #[error("the statement's type is `{got}`, expected {STATEMENT_TYPE}")]
    Type {
        /// The type that it names.
        got: String,
    },
    /// A statement about something else.
    #[error("the predicate's type is `{got}`, expected {PREDICATE_TYPE}")]
    PredicateType {
        /// The type that it names.
        got: String,
    },
    /// None of the ways to build that the reader knows, so its parameters mean nothing to it.
    #[error("the build's type is `{got}`, which is none of {known:?}")]
    BuildType {
        /// The type that it names.
        got: String,
        /// What the reader knows.
        known: Vec<String>,
    },
    /// About no file, or about more than any build writes.
    #[error("the statement is about {got} files; from 1 to {MAX_SUBJECTS} are allowed")]
    Count {
        /// How many files it names.
        got: usize,
    },
    /// A name that is not that of a file in a folder.
    #[error("`{0}` is no name of a file in a folder")]
    Name(String),
    /// The same name twice.
    #[error("the statement names the file `{0}` twice")]
    Twice(String),
    /// No SHA-256 to compare a file with.
    #[error("the statement has no SHA-256 of the file `{0}`")]
    NoDigest(String),
}

/// A file that a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// Its name: that of a file in a folder and nothing else.
    pub name: String,
    /// SHA-256, hexadecimal, of 64 lower-case digits.
    pub sha256: String,
}

/// in-toto's descriptor of anything that has a digest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// What it is called here.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it is called everywhere.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub uri: String,
    /// Digests by algorithm.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub digest: BTreeMap<String, String>,
    /// What else is known of it.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, serde_json::Value>,
}

impl Resource {
    /// Something called `name`, with its digest by the algorithm of that name.
    pub fn new(name: &str, algorithm: &str, digest: &str) -> Self {
        let digest = BTreeMap::from([(algorithm.to_owned(), digest.to_owned())]);
        Self { name: name.to_owned(), digest, ..Self::default() }
    }

    /// A file, with its SHA-256.
    pub fn file(name: &str, sha256: &str) -> Self {
        Self::new(name, SHA256, sha256)
    }
}

/// Files, and how they were made.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    subjects: Vec<Subject>,
    provenance: Provenance,
}

/// The form of the file. Unknown fields are ignored, as the specification asks.
#[derive(Serialize, Deserialize)]
struct Raw<P> {
    #[serde(rename = "_type")]
    statement_type: String,
    #[serde(default, deserialize_with = "or_default")]
    subject: Vec<Resource>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    #[serde(default)]
    predicate: P,
}

impl Statement {
    /// A statement that the files `subjects` were made as `provenance` says. They are put in the order of their names.
    ///
    /// # Errors
    /// [`StatementError::Count`], [`StatementError::Name`], [`StatementError::Twice`], [`StatementError::NoDigest`].
    pub fn new(mut subjects: Vec<Subject>, provenance: Provenance) -> Result<Self, StatementError> {
        subjects.sort();
        check(&subjects)?;
        Ok(Self { subjects, provenance })
    }

    /// Reads a statement of provenance whose way to build is one of `build_types`.
    ///
    /// # Errors
    /// All of [`StatementError`].
    pub fn parse(bytes: &[u8], build_types: &[&str]) -> Result<Self, StatementError> {
        let raw: Raw<serde_json::Value> = json::read(bytes, MAX_STATEMENT).map_err(StatementError::Json)?;
        if raw.statement_type != STATEMENT_TYPE {
            return Err(StatementError::Type { got: shown(&raw.statement_type) });
        }
        if raw.predicate_type != PREDICATE_TYPE {
            return Err(StatementError::PredicateType { got: shown(&raw.predicate_type) });
        }
        // It says what the other fields of the predicate mean, so it comes before them.
        let build_type = raw.predicate["buildDefinition"]["buildType"].as_str().unwrap_or_default();
        if !build_types.contains(&build_type) {
            let known = build_types.iter().map(ToString::to_string).collect();
            return Err(StatementError::BuildType { got: shown(build_type), known });
        }
        let provenance = serde_json::from_value(raw.predicate)
            .map_err(|error| StatementError::Json(JsonError::Shape(shown(&error.to_string()))))?;
        let subject = |resource: Resource| Subject {
            sha256: resource.digest.get(SHA256).cloned().unwrap_or_default(),
            name: resource.name,
        };
        Self::new(raw.subject.into_iter().map(subject).collect(), provenance)
    }

    /// The text of the file: keys in a fixed order, a line feed at the end.
    pub fn to_json(&self) -> String {
        let raw = Raw {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: self.subjects.iter().map(|s| Resource::file(&s.name, &s.sha256)).collect(),
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: &self.provenance,
        };
        let mut text = serde_json::to_string_pretty(&raw).expect("a statement is strings and numbers");
        text.push('\n');
        text
    }

    /// The files, in the order of their names.
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// How they were made.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }
}

fn check(subjects: &[Subject]) -> Result<(), StatementError> {
    if subjects.is_empty() || subjects.len() > MAX_SUBJECTS {
        return Err(StatementError::Count { got: subjects.len() });
    }
    let mut names = BTreeSet::new();
    for Subject { name, sha256 } in subjects {
        if !is_file_name(name) {
            return Err(StatementError::Name(shown(name)));
        }
        if !names.insert(name) {
            return Err(StatementError::Twice(shown(name)));
        }
        if sha256.len() != 64 || !sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(StatementError::NoDigest(shown(name)));
        }
    }
    Ok(())
}

/// Whether a name stays in its folder on every system, and does nothing to a terminal.
fn is_file_name(name: &str) -> bool {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && name.len() <= 255 && !name.starts_with('.') && name.chars().all(safe)
}
