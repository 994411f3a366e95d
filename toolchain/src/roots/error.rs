use std::io;
use std::path::PathBuf;

/// Why there are no roots to compare.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum RootsError {
    /// Not TOML, or a field that is missing, unknown or of another type.
    #[error("roots.toml can't be read{}: {message}", .line.map(|n| format!(" (line {n})")).unwrap_or_default())]
    #[diagnostic(help(
        "restore the file from the repository; `cargo xtask roots --update` writes it where there is none"
    ))]
    Syntax {
        /// Where, if it is known.
        line: Option<usize>,
        /// What is wrong.
        message: String,
    },
    /// Longer than any list of roots.
    #[error("roots.toml has {got} bytes; at most {most} are read")]
    #[diagnostic(help("restore the file from the repository"))]
    TooLong {
        /// Its length, or more than `most` if that is all that is known.
        got: u64,
        /// The most that are read.
        most: u64,
    },
    /// Written by another version of this tool.
    #[error("roots.toml has schema {got}, expected {expected}")]
    #[diagnostic(help("use the version of the tool that belongs to the file"))]
    Schema {
        /// What it says.
        got: u32,
        /// What it has to say.
        expected: u32,
    },
    /// A value that is not of its field's form.
    #[error("in roots.toml `{value}` is not {expected} ({field})")]
    #[diagnostic(help("restore the file from the repository"))]
    Value {
        /// Name of the field.
        field: &'static str,
        /// What stands there.
        value: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// Two pins, or two models, where one has to be.
    #[error("there are two of {0}")]
    #[diagnostic(help(
        "models go by the names of their files, which have to differ; a pin is the only one of its target and lock"
    ))]
    Twice(String),
    /// Not built with a pinned toolchain, or no model.
    #[error("the build of {model} is no reference build of a model, so its root is nobody else's")]
    #[diagnostic(help("build with the pinned toolchain: unset OPML_TOOLCHAIN"))]
    NotReference {
        /// Name of the program.
        model: String,
    },
    /// The checkout changed between two builds.
    #[error("{model} was made from other sources than the models before it")]
    #[diagnostic(help("something in the checkout changed meanwhile: run the command again"))]
    Unlike {
        /// Name of the program.
        model: String,
    },
    /// The file or the models can't be read.
    #[error("can't {doing} {}: {source}", .path.display())]
    #[diagnostic(help("run the command in a whole checkout, and check that the file is yours"))]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
