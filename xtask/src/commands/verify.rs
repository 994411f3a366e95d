//! `verify`: builds a program again from its sources, somewhere else, and compares.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use miette::Diagnostic;
use opml_state::Hash;
use opml_toolchain::compare::{Artifacts, Comparison, compare};
use opml_toolchain::manifest::Manifest;
use opml_toolchain::{Checkout, FreshPlace, file, same_tool};
use serde_json::json;
use sha2::{Digest, Sha256};
use thiserror::Error;
use walkdir::WalkDir;

use super::{build_model, diff};
use crate::outcome::{Outcome, Result, Stop};
use crate::ui::{self, Format, table};

/// Build a program again from source, in a fresh place, and compare every file
///
/// Copies the source to another path and builds there with another home, an empty cargo home and a cold cache: `core`,
/// `alloc`, and every crate of the guest are compiled anew. Then compares every file with what was given, and explains a difference as
/// `diff` does. Of a program made by `image`, everything behind its ELF file is done again.
///
/// Exits with 0 if all is identical, 1 if anything differs, 2 if it could not be told.
#[derive(clap::Args)]
pub struct Args {
    /// What to verify: the folder of a build, or its manifest.json alone
    #[arg(value_name = "DIR|MANIFEST")]
    build: PathBuf,
    /// The checkout to build from; another version is compiled with its own tool first [default: this one]
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
    /// The model's file [default: the one with the manifest's SHA-256 in the source's models/ or beside the manifest]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// A memory root or prestate hash from elsewhere, as from a chain, that the program has to have
    #[arg(long, value_name = "0xROOT")]
    against: Option<Hash>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Never use the network
    #[arg(long)]
    offline: bool,
}

/// Why it cannot be told.
#[derive(Debug, Error, Diagnostic)]
enum VerifyError {
    #[error("no file with the manifest's SHA-256 of the model, {sha256}, was found in {}", places.join(", "))]
    #[diagnostic(help("name the model's file with --model"))]
    NoModel { sha256: String, places: Vec<String> },

    #[error("{} is not the model of the manifest\n  expected {expected}\n  got      {got}", path.display())]
    #[diagnostic(help(
        "the file was changed, or it is another model: leave --model away to have it looked for"
    ))]
    OtherModel { path: PathBuf, expected: String, got: String },

    #[error("the manifest's {what} `{value}` is none that a build writes")]
    #[diagnostic(help("it was not made by `build-model` or `image`"))]
    Unusual { what: &'static str, value: String },

    #[error("the program cannot be made again without its ELF file")]
    #[diagnostic(help(
        "it was made by `image` from a file that was built elsewhere: give the folder with its program.elf"
    ))]
    NoElf,

    #[error("cannot prepare {}", path.display())]
    #[diagnostic(help("check the permissions and the free space there"))]
    Prepare { path: PathBuf, source: std::io::Error },

    #[error("the build from source could not be done")]
    #[diagnostic(help("its own message stands above"))]
    NotBuilt,
}

pub fn run(args: &Args) -> Result {
    let progress = ui::reporter();
    let given = Artifacts::read(&args.build).map_err(Stop::unable)?;
    check(&given.manifest)?;
    let own = super::checkout()?;
    let source = match &args.source {
        Some(dir) => {
            Checkout::new(&std::path::absolute(dir).unwrap_or_else(|_| dir.clone())).map_err(Stop::unable)?
        }
        None => own.clone(),
    };
    let model =
        given.manifest.model.as_ref().map(|_| model_file(args, &given.manifest, &source)).transpose()?;
    let task = progress.start("copy the source to a fresh place", 0, opml_toolchain::progress::Unit::Items);
    let options = super::provision_options(args.offline)?;
    let place = FreshPlace::new(source.root(), &options).map_err(Stop::unable)?;
    drop(task);
    let program = bring(&given, model.as_deref(), args, &place)?;
    let own_tool = same_tool(&own, &source).map_err(Stop::unable)?;
    if !rebuild(&given.manifest, &program, &place, own_tool, args.offline)? {
        eprintln!("the source does not give a program that passes: see above");
        return Ok(Outcome::Failed);
    }
    let rebuilt = Artifacts::read(&place.root().join(OUT)).map_err(Stop::unable)?;
    let report = Report {
        comparison: compare(&given, &rebuilt),
        against: args.against,
        given: &given.manifest,
        rebuilt: &rebuilt.manifest,
    };
    match args.format {
        Format::Json => println!("{:#}", report.json()),
        Format::Text => print!("{}", report.text()),
    }
    Ok(if report.passes() { Outcome::Done } else { Outcome::Failed })
}

/// Name of the folder, in the fresh place, that is built into.
const OUT: &str = "rebuilt";

/// What becomes an argument of a command or a part of a path has to be what a build could have written.
fn check(manifest: &Manifest) -> std::result::Result<(), Stop> {
    let unusual =
        |what, value: &str| Err(Stop::unable(VerifyError::Unusual { what, value: value.to_owned() }));
    if build_model::program_name(&manifest.name).is_err() {
        return unusual("name", &manifest.name);
    }
    if !opml_targets::names().any(|name| name == manifest.target) {
        return unusual("target", &manifest.target);
    }
    Ok(())
}

/// The model's file: the one that was named, or the first with its hash.
fn model_file(args: &Args, manifest: &Manifest, source: &Checkout) -> std::result::Result<PathBuf, Stop> {
    if let Some(path) = &args.model {
        return Ok(path.clone());
    }
    let sha256 = manifest.model.as_ref().map(|model| model.sha256.clone()).unwrap_or_default();
    let beside = if args.build.is_dir() { args.build.clone() } else { args.build.with_file_name("") };
    let places = [source.root().join("models"), beside];
    let files = places.iter().flat_map(|place| WalkDir::new(place).max_depth(4).sort_by_file_name());
    let files = files.filter_map(std::result::Result::ok).filter(|entry| entry.file_type().is_file());
    let models =
        files.map(walkdir::DirEntry::into_path).filter(|path| path.extension().is_some_and(|e| e == "onnx"));
    let digest = |path: &Path| std::fs::read(path).map(|bytes| hex::encode(Sha256::digest(bytes)));
    let mut found = models.filter(|path| digest(path).is_ok_and(|digest| digest == sha256));
    found.next().ok_or_else(|| {
        let places = places.iter().map(|place| place.display().to_string()).collect();
        Stop::unable(VerifyError::NoModel { sha256, places })
    })
}

/// Brings what is built to the fresh place: the model, or the ELF file. What is hashed is what is written there.
fn bring(
    given: &Artifacts,
    model: Option<&Path>,
    args: &Args,
    place: &FreshPlace,
) -> std::result::Result<PathBuf, Stop> {
    let manifest = &given.manifest;
    let (from, extension) = match model {
        Some(model) => (model.to_owned(), "onnx"),
        None if args.build.is_dir() => (args.build.join(file::PROGRAM), "elf"),
        None => return Err(Stop::unable(VerifyError::NoElf)),
    };
    let bytes = super::read(&from)?;
    let got = hex::encode(Sha256::digest(&bytes));
    if let Some(expected) =
        manifest.model.as_ref().map(|model| &model.sha256).filter(|expected| **expected != got)
    {
        let expected = expected.clone();
        return Err(Stop::unable(VerifyError::OtherModel { path: from, expected, got }));
    }
    let to = place.root().join(format!("{}.{extension}", manifest.name));
    std::fs::write(&to, bytes)
        .map_err(|source| Stop::unable(VerifyError::Prepare { path: to.clone(), source }))?;
    Ok(to)
}

/// Builds in the fresh place, with this tool or with the one of the source. Says whether there is a program.
fn rebuild(
    manifest: &Manifest,
    program: &Path,
    place: &FreshPlace,
    own_tool: bool,
    offline: bool,
) -> std::result::Result<bool, Stop> {
    let not_prepared = |path: &Path| {
        let path = path.to_owned();
        move |source| Stop::unable(VerifyError::Prepare { path, source })
    };
    let mut command = if own_tool {
        let program = std::env::current_exe().map_err(not_prepared(Path::new("this program")))?;
        Command::new(program)
    } else {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["run", "--quiet", "--release", "--locked", "--package", "xtask"]);
        cargo.args(offline.then_some("--offline")).arg("--");
        cargo
    };
    let adopted = manifest.model.is_none();
    command.arg(if adopted { "image" } else { "build-model" }).arg(program);
    command.arg("--out").arg(place.root().join(OUT)).args(["--format", "json"]);
    command.args(["--name", &manifest.name, "--target", &manifest.target]);
    if !adopted {
        command.args(offline.then_some("--offline"));
        let dims = manifest.model.iter().flat_map(|model| &model.dims);
        command.args(dims.map(|(name, n)| format!("--dim={name}={n}")));
    }
    command.env_clear().envs(place.environment()).current_dir(place.checkout());
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    match status.map_err(not_prepared(&place.checkout()))?.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(Stop::unable(VerifyError::NotBuilt)),
    }
}

/// What came out.
struct Report<'a> {
    comparison: Comparison,
    against: Option<Hash>,
    given: &'a Manifest,
    rebuilt: &'a Manifest,
}

impl Report<'_> {
    /// Whether the rebuilt program has the root that was given, if one was.
    fn has_root(&self) -> Option<bool> {
        self.against.map(|root| [self.rebuilt.memory_root, self.rebuilt.prestate_hash].contains(&root))
    }

    fn passes(&self) -> bool {
        self.comparison.is_identical() && self.has_root() != Some(false)
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "identical": self.comparison.is_identical(),
            "memory_root": self.rebuilt.memory_root,
            "prestate_hash": self.rebuilt.prestate_hash,
            "against": self.against,
            "has_root": self.has_root(),
            "comparison": self.comparison,
        })
    }

    fn text(&self) -> String {
        let mut rows = vec![
            ("rebuilt memory root", self.rebuilt.memory_root.to_string()),
            ("rebuilt prestate hash", self.rebuilt.prestate_hash.to_string()),
        ];
        if let (Some(root), Some(has)) = (self.against, self.has_root()) {
            rows.push((
                "given root",
                format!("{root}: {}", if has { "it is this one" } else { "it is none of these" }),
            ));
        }
        let files = self.given.sha256.len() + 1;
        if self.comparison.is_identical() {
            rows.push(("result", format!("all {files} files are identical")));
        } else {
            rows.push(("result", "different".into()));
        }
        let text = format!("{} for {}\n\n{}", self.given.name, self.given.target, table::pairs(rows));
        if self.comparison.is_identical() {
            return text;
        }
        text + "\n" + &diff::text(&self.comparison, ["given", "rebuilt"])
    }
}
