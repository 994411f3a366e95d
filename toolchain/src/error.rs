use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use crate::audit::AuditFailure;
use crate::elf::ElfError;
use crate::patch::PatchError;
use crate::provision::ProvisionError;

/// Why there is no checked program. The output folder is as it was before, or, if writing to it was what failed,
/// without a manifest.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum BuildError {
    /// The compilers could not be provided.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Provision(#[from] ProvisionError),

    /// The crates that every guest is built from are not where they should be.
    #[error("{} is no checkout of this project: {} is missing", root.display(), missing.display())]
    #[diagnostic(help("run `cargo xtask` inside a clone of the project"))]
    NoCheckout {
        /// Where the checkout was looked for.
        root: PathBuf,
        /// What is missing.
        missing: PathBuf,
    },

    /// cargo could not resolve the project's own dependencies.
    #[error("cargo cannot resolve the dependencies of the guest's crates")]
    #[diagnostic(help(
        "`cargo fetch --locked` in the checkout shows why; with `--offline` it has to have run before"
    ))]
    Metadata {
        /// What cargo said.
        source: cargo_metadata::Error,
    },

    /// cargo could not say what a guest's package is made of.
    #[error("cargo cannot resolve the package in {}", dir.display())]
    #[diagnostic(help(
        "`cargo metadata` in that folder shows why; with `--offline`, `cargo fetch` has to have run there"
    ))]
    PackageMetadata {
        /// The folder.
        dir: PathBuf,
        /// What cargo said.
        source: cargo_metadata::Error,
    },

    /// A folder is that of a workspace without a package.
    #[error("{} is a workspace and no package", dir.display())]
    #[diagnostic(help("give the folder of one of its members: {}", members.join(", ")))]
    Workspace {
        /// The folder.
        dir: PathBuf,
        /// What is in it.
        members: Vec<String>,
    },

    /// `[package.metadata.opml]` has something that nobody knows.
    #[error("[package.metadata.opml] of the guest: {problem}")]
    #[diagnostic(help("docs/guests.md lists its keys"))]
    PackageOptions {
        /// What.
        problem: String,
    },

    /// `opml.toml` of a guest in C cannot be taken.
    #[error("opml.toml of the guest: {problem}")]
    #[diagnostic(help("docs/guests-in-c.md lists its keys"))]
    COptions {
        /// What is wrong.
        problem: String,
    },

    /// It is not clear what of a package is the program.
    #[error("{package} has no binary {}", wanted.as_ref().map_or("that could be chosen".to_owned(), |name| format!("`{name}`")))]
    #[diagnostic(help(
        "{}",
        if there.is_empty() { "a guest has a src/main.rs".to_owned() } else { format!("choose one with --bin: {}", there.join(", ")) }
    ))]
    Binary {
        /// The package.
        package: String,
        /// What was asked for.
        wanted: Option<String>,
        /// What there is.
        there: Vec<String>,
    },

    /// No profile has this name, or it inherits from none.
    #[error("the guest's workspace has no profile `{name}`")]
    #[diagnostic(help("there are {}", there.join(", ")))]
    Profile {
        /// What was asked for.
        name: String,
        /// What there is.
        there: Vec<String>,
    },

    /// A package that somebody wrote does not compile.
    #[error("the guest does not compile")]
    #[diagnostic(help(
        "the compiler's messages stand above; a guest has neither std nor threads (docs/guests.md)"
    ))]
    Guest {
        /// What cargo printed.
        output: String,
    },

    /// A package has no function that is the program.
    #[error("the guest has no function that is the program")]
    #[diagnostic(help("put `#[opml_runtime::entry]` in front of `fn main`"))]
    NoEntry,

    /// A guest that calls a model without what models are made of.
    #[error("{package} calls a model, but has no kernels")]
    #[diagnostic(help("let it use opml-runtime with `features = [\"guest\", \"models\"]`"))]
    NoKernels {
        /// The package.
        package: String,
    },

    /// The lock does not name a crate that a guest is made of.
    #[error("Cargo.lock does not name {package}, which the guest's crates ask for")]
    #[diagnostic(help(
        "`cargo metadata` in the checkout brings the lock up to date; look at what it changed, and commit it"
    ))]
    NotLocked {
        /// Name and version.
        package: String,
    },

    /// Two crates of a guest have the same name and version.
    #[error("two crates of the guest are called {name}")]
    #[diagnostic(help(
        "they come from different places: take one of them, `cargo tree --duplicates` shows who asks for them"
    ))]
    SameCrate {
        /// Name and version.
        name: String,
    },

    /// A symbolic link among sources: what it stands for may lie anywhere, and be another thing on another machine.
    #[error("{} is a symbolic link", path.display())]
    #[diagnostic(help(
        "sources are hashed by their content: put the file itself there, or name it in .gitignore"
    ))]
    SourceLink {
        /// The link.
        path: PathBuf,
    },

    /// More sources than any crate has.
    #[error("{} holds more than {files} files or {mebibytes} MiB", dir.display())]
    #[diagnostic(help(
        "it is hashed as the source of a crate: move what is none elsewhere, or name it in .gitignore"
    ))]
    SourceSize {
        /// The crate's folder.
        dir: PathBuf,
        /// Most files.
        files: usize,
        /// Most bytes.
        mebibytes: u64,
    },

    /// A source file's name is no text.
    #[error("the name {} is not UTF-8", path.display())]
    #[diagnostic(help("rename the file"))]
    SourceName {
        /// The file.
        path: PathBuf,
    },

    /// A file could not be read or written.
    #[error("cannot {action} {}", path.display())]
    #[diagnostic(help("check the permissions and the free space there, then run the command again"))]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// A configuration of cargo that it would read whatever it is told.
    #[error("{} would change how guests are compiled", path.display())]
    #[diagnostic(help("move it to a folder of your own, such as $HOME/.cargo with a HOME that is not /"))]
    CargoConfiguration {
        /// The file.
        path: PathBuf,
    },

    /// A tool of the toolchain failed.
    #[error("{stage} failed:\n{output}")]
    #[diagnostic(help("{help}"))]
    Tool {
        /// What it was doing.
        stage: &'static str,
        /// What it printed.
        output: String,
        /// What to do.
        help: &'static str,
    },

    /// The target's own files contradict themselves.
    #[error("the description of the target {target} cannot be used: {reason}")]
    Target {
        /// Name of the target.
        target: String,
        /// What is wrong.
        reason: String,
    },

    /// The weights do not fit an object file.
    #[error("the weights do not fit an object file")]
    Weights(#[from] object::write::Error),

    /// The weights could not be made, or not be written.
    #[error("the weights `{symbol}` cannot be written")]
    #[diagnostic(help(
        "check the free space of the checkout's disk: weights are written there before they are linked"
    ))]
    Pack {
        /// Their symbol.
        symbol: String,
        /// What their maker or the system said.
        source: io::Error,
    },

    /// The linker did not leave the weights the room that the linker script asks for.
    #[error("the linked program has no place for the weights: {problem}")]
    #[diagnostic(help("this is a defect of the linker script; `.opml.weights` needs a segment of its own"))]
    WeightsPlace {
        /// What is wrong.
        problem: String,
    },

    /// The linker's output is no ELF file this project can read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Elf(#[from] ElfError),

    /// The program has instructions or properties that the contract cannot judge.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Audit(#[from] AuditFailure),

    /// The patches that were asked for do not fit the program.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Patch(#[from] PatchError),

    /// The files of an adopted program would go where it came from.
    #[error("{} lies in the folder {} that the files would be written to", source_file.display(), out.display())]
    #[diagnostic(help("name another folder with --out: nothing that lies beside the program is replaced"))]
    SourceInOutput {
        /// The program.
        source_file: PathBuf,
        /// The output folder.
        out: PathBuf,
    },

    /// The stripped program is not the audited one.
    #[error("stripping changed what is loaded: {what}")]
    #[diagnostic(help("this is a defect of the linker or of this tool; please report it with the model"))]
    StripChanged {
        /// Where they differ.
        what: String,
    },
}

impl BuildError {
    /// For `map_err` on file operations.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
