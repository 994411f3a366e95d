//! `build-model`: from a model to a checked program, its memory root and a manifest.

mod given;
mod package;
mod summary;

use std::path::{Path, PathBuf};
use std::time::Instant;

use opml_frontend::graph::Port;
use opml_frontend::{ImportOptions, Model, ModelFile};
use opml_toolchain::manifest::{MemoryPlan, ModelFormat, ModelInfo};
use opml_toolchain::statements::Statement;
use opml_toolchain::{BuildError, CFolder, GuestProgram, Options, Package, Request, Weight, Words, build};

pub(crate) use self::given::Given;
use super::conform;
use crate::outcome::{Outcome, Result, Stop};
use crate::program::Program;
use crate::ui::{self, Format};

/// Compile a model or a guest into a checked program, the root of its initial memory, and a manifest
///
/// A guest is the folder of a cargo package (docs/guests.md) or of C files with opml.toml (docs/guests-in-c.md), as `cargo xtask new` makes one.
///
/// Sets up the pinned compilers at the first call. Writes program.elf, program.debug.elf,
/// prestate.bin.gz, meta.json, sbom.cdx.json, provenance.json and manifest.json. Nothing is written if
/// any stage fails.
#[derive(clap::Args)]
pub struct Args {
    /// The program: an .onnx or .tflite file, or the folder of a guest
    #[arg(value_name = "PROGRAM")]
    program: PathBuf,
    /// The on-chain VM to build for
    #[arg(long, default_value = "cannon32", value_parser = clap::builder::PossibleValuesParser::new(opml_targets::names()))]
    target: String,
    /// Folder for the files [default: target/opml/MODEL/TARGET in the checkout]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Number for an open dimension of the model, as in --dim batch=1; may be repeated
    #[arg(long = "dim", value_name = "NAME=N", value_parser = given::dimension)]
    dims: Vec<(String, u32)>,
    /// Make an input of the model a constant: a tensor file as `run` takes them, or numbers as in `--constant 'sizes=[1,3]'`; may be
    /// repeated. Shapes inside the model may depend on it
    #[arg(long = "constant", value_name = "NAME=VALUE", value_parser = given::constant)]
    constants: Vec<(String, String)>,
    #[command(flatten)]
    selection: package::Selected,
    /// Execute every kind of instruction of the program on the real contract, as `conform` does
    #[arg(long)]
    conform: bool,
    /// How to print the result; json prints the manifest alone on standard output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Never use the network
    #[arg(long)]
    offline: bool,
    /// Name of the program in its manifest [default: the file's name]
    #[arg(long, value_parser = program_name)]
    name: Option<String>,
    /// Build with the toolchain of another lock, as `verify` does for programs that were built with an older one
    #[arg(long, value_name = "FILE")]
    toolchain_lock: Option<PathBuf>,
}

/// Found before anything is compiled, and not when it is to be written.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{} is no folder", .0.display())]
#[diagnostic(help("give --out a folder; it is made if it is not there"))]
struct NoFolder(PathBuf);

/// Names end up in paths and on command lines: none may lead out of a folder, hide in it or look like an option.
pub(super) fn program_name(name: &str) -> std::result::Result<String, String> {
    let safe = !name.is_empty() && !name.starts_with(['.', '-']) && name.chars().all(safe_in_name);
    if safe {
        Ok(name.to_owned())
    } else {
        Err("use letters, digits, '-', '_' and '.', and neither '.' nor '-' in front".into())
    }
}

fn safe_in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

/// A program of a kind that cannot be built.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{} is no .onnx or .tflite file and no folder of a guest", .0.display())]
#[diagnostic(help(
    "`cargo xtask convert` makes a file of a PyTorch, Keras, TensorFlow or scikit-learn model; a guest has a Cargo.toml: `cargo xtask new` makes one"
))]
struct UnknownKind(PathBuf);

pub fn run(args: &Args) -> Result {
    let started = Instant::now();
    if let Some(out) = args.out.as_ref().filter(|out| out.exists() && !out.is_dir()) {
        return Err(Stop::unable(NoFolder(out.clone())));
    }
    let progress = ui::reporter();
    let target = super::target(&args.target)?;
    let checkout = super::checkout()?;
    let given = Given {
        dims: args.dims.iter().cloned().collect(),
        constants: args.constants.iter().cloned().collect(),
    };
    let name = args.name.as_deref();
    let Imported { kernel_calls, request } = if CFolder::is_in(&args.program) {
        package::import_c(&args.program, &checkout, args.offline, name, target.name())?
    } else if Package::is_in(&args.program) {
        let selection = args.selection.clone().into();
        package::import(&args.program, selection, &checkout, args.offline, name, target.name())?
    } else {
        import(&args.program, given, name, target.name())?
    };
    let imported = started.elapsed();
    let mut provision = super::provision_options(args.offline)?;
    if let Some(path) = &args.toolchain_lock {
        provision.lock = Some(super::lock(path)?);
    }
    let default_out = || checkout.root().join("target/opml").join(&request.name).join(target.name());
    let out = args.out.clone().unwrap_or_else(default_out);
    let options = Options { provision, checkout, out, work: None };
    let built = match build(request, &target, &options, &*progress) {
        Ok(built) => built,
        // Judged, and not acceptable; all other errors kept it from being judged.
        Err(BuildError::Audit(failure)) => {
            eprint!("{}", failure.text());
            return Ok(Outcome::Failed);
        }
        Err(error @ (BuildError::Guest { .. } | BuildError::NoEntry)) => {
            if let BuildError::Guest { output } = &error {
                // As cargo printed it.
                eprintln!("{output}");
            }
            return Err(Stop::rejected(error));
        }
        Err(other) => return Err(Stop::unable(other)),
    };
    // As cargo printed it.
    if !built.warnings.is_empty() {
        eprintln!("{}", built.warnings);
    }
    if let Some(reason) = &built.fallback {
        eprintln!(
            "warning: the pinned toolchain cannot be used here, so this is no reference build: {reason}"
        );
    }
    let compare = || conform::image(&Program::open(&built.out)?, args.offline, &*progress);
    let conformity = args.conform.then(compare).transpose()?;
    match (args.format, &conformity) {
        (Format::Json, None) => print!("{}", built.manifest.to_json()),
        (Format::Json, Some(conformity)) => {
            println!("{:#}", serde_json::json!({ "manifest": built.manifest, "conformity": conformity }));
        }
        (Format::Text, _) => {
            print!(
                "{}",
                summary::text(kernel_calls, &built, conformity.as_ref(), imported, started.elapsed())
            );
        }
    }
    Ok(Outcome::Done)
}

/// A model on its way into the pipeline.
pub(crate) struct Imported {
    /// How many calls one inference makes.
    pub kernel_calls: usize,
    pub request: Request,
}

/// Imports the model in the file `program`.
pub(crate) fn import(
    program: &Path,
    given: Given,
    name: Option<&str>,
    target: &str,
) -> std::result::Result<Imported, Stop> {
    let (model, info) = model(program, given)?;
    let name = name.map_or_else(|| file_stem(program), str::to_owned);
    let (plan, (source, calls)) = (model.plan(), model.source_with_calls());
    let request = Request {
        program: GuestProgram::generated(source, model.constants().into_iter().map(weight).collect()),
        inputs: model.graph().inputs.iter().map(Port::info).collect(),
        outputs: model.graph().outputs.iter().map(Port::info).collect(),
        statements: calls.into_iter().map(statement).collect(),
        memory_plan: Some(MemoryPlan { arena: plan.bytes as u64, lower_bound: plan.lower_bound as u64 }),
        rebuild: rebuild(&info.file_name(&name), &name, target, &given::flags(&info.dims, &info.constants)),
        model: Some(info),
        name,
    };
    Ok(Imported { kernel_calls: model.graph().nodes.len(), request })
}

/// Imports the model in the file `program`, and says what a manifest does of it.
pub(super) fn model(program: &Path, given: Given) -> std::result::Result<(Model, ModelInfo), Stop> {
    if !ModelFormat::names(program) {
        return Err(Stop::unable(UnknownKind(program.to_owned())));
    }
    let file = ModelFile::read(program).map_err(Stop::unable)?;
    let constants = given.constants(&file)?;
    let options =
        ImportOptions { dims: given.dims, constants: constants.tensors, ..ImportOptions::default() };
    let model = Model::from_file(&file, &options).map_err(Stop::rejected)?;
    let info = ModelInfo {
        format: if file.is_tflite() { ModelFormat::Tflite } else { ModelFormat::Onnx },
        external: file.external_sha256(),
        sha256: file.sha256,
        dims: options.dims,
        constants: constants.texts,
        multiply_accumulates: model.multiply_accumulates(),
    };
    Ok((model, info))
}

/// A constant as data of the program.
fn weight(constant: opml_frontend::Constant) -> Weight {
    let symbol = constant.symbol.clone();
    Weight { symbol, words: Words::made(move |put| constant.write(put)) }
}

/// A call of the generated source, as the build takes it.
fn statement(call: opml_frontend::SourceCall) -> Statement {
    let opml_frontend::SourceCall { line, operator, name, multiply_accumulates } = call;
    Statement { line, operator, name, multiply_accumulates }
}

/// The name of a file without its ending, made a [`program_name`].
pub(super) fn file_stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name: String = stem.chars().map(|c| if safe_in_name(c) { c } else { '_' }).collect();
    match name.strip_prefix(['.', '-']) {
        Some(rest) => format!("_{rest}"),
        None if name.is_empty() => "_".into(),
        None => name,
    }
}

/// The command without the paths of this machine.
fn rebuild(file: &str, name: &str, target: &str, given: &[String]) -> String {
    let given: String = given.iter().map(|flag| format!(" {flag}")).collect();
    format!("cargo xtask build-model {file} --target {target}{given} --name {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name with a folder in it would write outside the output folder.
    #[test]
    fn names_stay_in_their_folder() {
        assert_eq!(file_stem(Path::new("models/mnist/mlp.onnx")), "mlp");
        assert_eq!(file_stem(Path::new("a/my model (2).onnx")), "my_model__2_");
        assert_eq!(file_stem(Path::new("...onnx")), "_.");
        assert!(program_name("mlp-2.1").is_ok());
        assert_eq!(file_stem(Path::new("-x.onnx")), "_x");
        for name in ["", "..", ".x", "-x", "--out", "a/b", "a\\b", "ü"] {
            assert!(program_name(name).is_err(), "{name}");
        }
    }
}
