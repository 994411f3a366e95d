use miette::Diagnostic;
use thiserror::Error;

use crate::AddressRange;

/// Why a target description cannot be used.
#[derive(Debug, Error, Diagnostic)]
pub enum TargetError {
    /// No target has this name.
    #[error("there is no target named `{name}`")]
    #[diagnostic(help("{}the targets are: {known}", did_you_mean(nearest.as_deref())))]
    UnknownTarget {
        /// The name that was asked for.
        name: String,
        /// A known name that looks like it.
        nearest: Option<String>,
        /// Every known name, separated by commas.
        known: String,
    },
    /// The file is not TOML, or a value has the wrong type.
    #[error("the description of target `{target}` cannot be read: {message}")]
    #[diagnostic(help("correct targets/{target}/target.toml at that place"))]
    Syntax {
        /// Name of the target.
        target: String,
        /// What the TOML reader says, with line and column.
        message: String,
    },
    /// A field nobody reads, most likely misspelt.
    #[error("the description of target `{target}` has the unknown field `{field}`")]
    #[diagnostic(help("{}the fields here are: {known}", did_you_mean(nearest.as_deref())))]
    UnknownField {
        /// Name of the target.
        target: String,
        /// The field with the tables it is in, separated by dots.
        field: String,
        /// A known field that looks like it.
        nearest: Option<String>,
        /// The fields of this table, separated by commas.
        known: String,
    },
    /// A name that should be one of a fixed set.
    #[error("target `{target}`: {what} `{name}` is not known")]
    #[diagnostic(help("{}", did_you_mean_or(nearest.as_deref(), "correct it in the target's target.toml")))]
    UnknownName {
        /// Name of the target.
        target: String,
        /// What it should be the name of.
        what: &'static str,
        /// The name as it stands.
        name: String,
        /// A known name that looks like it.
        nearest: Option<String>,
    },
    /// Something that may be there once is there twice.
    #[error("target `{target}`: {what} `{name}` is listed twice")]
    #[diagnostic(help("keep one of the two entries in targets/{target}/target.toml"))]
    Duplicate {
        /// Name of the target.
        target: String,
        /// What is listed.
        what: &'static str,
        /// Its name or number.
        name: String,
    },
    /// The name inside the file is not the folder's.
    #[error("the description in folder `{expected}` says its name is `{got}`")]
    #[diagnostic(help("the field `name` has to be the folder's name"))]
    WrongName {
        /// The folder.
        expected: String,
        /// The name in the file.
        got: String,
    },
    /// A range of the memory map is empty, backwards, outside the address space or not made of whole pages.
    #[error(
        "target `{target}`: the memory range `{which}` ({range}) is not a range of whole 4096-byte pages inside the address space"
    )]
    #[diagnostic(help("start below end, both multiples of 4096, the end at most 2^32 for class 32"))]
    BadRange {
        /// Name of the target.
        target: String,
        /// Which range.
        which: &'static str,
        /// The range as it stands.
        range: AddressRange,
    },
    /// Two ranges of the memory map overlap.
    #[error(
        "target `{target}`: the memory ranges `{first}` ({first_range}) and `{second}` ({second_range}) overlap"
    )]
    #[diagnostic(help("image, heap and stack have to be apart"))]
    Overlap {
        /// Name of the target.
        target: String,
        /// The one range.
        first: &'static str,
        /// Where it is.
        first_range: AddressRange,
        /// The other range.
        second: &'static str,
        /// Where it is.
        second_range: AddressRange,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default()
}

fn did_you_mean_or(nearest: Option<&str>, otherwise: &str) -> String {
    nearest.map_or_else(|| otherwise.to_owned(), |name| format!("did you mean `{name}`?"))
}
