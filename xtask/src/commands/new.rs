//! `new`: the folder of a guest, to begin with.

use std::fs;
use std::path::{Component, Path, PathBuf};

use miette::Diagnostic;
use opml_frontend::Model;
use opml_frontend::graph::Port;
use thiserror::Error;

use super::build_model::{self, Given};
use crate::outcome::{Outcome, Result, Stop};

/// Make the folder of a guest, to begin with
///
/// Copies one of the examples and gives it the name of the folder. With --model, the guest calls that model, whose file is
/// copied into the folder. `cargo xtask build-model FOLDER` builds it.
#[derive(clap::Args)]
pub struct Args {
    /// The folder, which must not be there; its name becomes that of the package
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// The language
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    lang: Language,
    /// A model for the guest to call: an .onnx or .tflite file
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Language {
    Rust,
    C,
}

#[derive(Debug, Error, Diagnostic)]
enum NewError {
    #[error("`{name}` is no name of a package")]
    #[diagnostic(help(
        "use lower-case letters, digits, `-` and `_`, and a letter in front: the folder's name is the package's"
    ))]
    Name { name: String },

    #[error("a guest in C calls no models")]
    #[diagnostic(help("write the part that calls the model in Rust: leave --lang out"))]
    ModelInC,

    #[error("{} is there already", path.display())]
    #[diagnostic(help("name a folder that is not there"))]
    Exists { path: PathBuf },

    #[error("cannot write {}", path.display())]
    #[diagnostic(help("check the permissions and the free space there"))]
    Write { path: PathBuf, source: std::io::Error },
}

pub fn run(args: &Args) -> Result {
    let checkout = super::checkout()?;
    let folder = std::path::absolute(&args.folder).unwrap_or_else(|_| args.folder.clone());
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !is_package_name(&name) {
        return Err(Stop::unable(NewError::Name { name }));
    }
    if folder.exists() {
        return Err(Stop::unable(NewError::Exists { path: folder }));
    }
    let parent = folder.parent().unwrap_or(Path::new("/"));
    let runtime = relative(parent, checkout.root());
    let files = match args.lang {
        Language::Rust => rust(&name, &runtime, args.model.as_deref(), checkout.root())?,
        Language::C if args.model.is_some() => return Err(Stop::unable(NewError::ModelInC)),
        Language::C => c(&name, checkout.root())?,
    };
    write(&folder, parent, &files).map_err(Stop::unable)?;
    println!("made {}\n\n  cargo xtask build-model {}\n", args.folder.display(), args.folder.display());
    Ok(Outcome::Done)
}

/// cargo's rules, and lower case.
fn is_package_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(allowed)
}

/// A file of the new folder: its path there, and its content.
type File = (String, Vec<u8>);

/// Writes all of it, or nothing.
fn write(folder: &Path, parent: &Path, files: &[File]) -> std::result::Result<(), NewError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| NewError::Write { path, source }
    };
    fs::create_dir_all(parent).map_err(failed(parent))?;
    let dir = tempfile::Builder::new().prefix(".partial-").tempdir_in(parent).map_err(failed(parent))?;
    // Inside, as the temporary folder itself is private.
    let made = dir.path().join("guest");
    for (name, bytes) in files {
        let path = made.join(name);
        let within = path.parent().unwrap_or(&made);
        fs::create_dir_all(within).map_err(failed(within))?;
        fs::write(&path, bytes).map_err(failed(&path))?;
    }
    fs::rename(&made, folder).map_err(failed(folder))
}

/// A guest in C: the example under another name.
fn c(name: &str, root: &Path) -> std::result::Result<Vec<File>, Stop> {
    let example = root.join("examples/hello-c");
    let options = String::from_utf8_lossy(&super::read(&example.join("opml.toml"))?).into_owned();
    let options = options.replacen("name = \"hello-c\"", &format!("name = \"{name}\""), 1);
    let source = super::read(&example.join("hello.c"))?;
    Ok(vec![("opml.toml".to_owned(), options.into_bytes()), ("hello.c".to_owned(), source)])
}

/// A guest in Rust.
fn rust(
    name: &str,
    checkout: &Path,
    model: Option<&Path>,
    root: &Path,
) -> std::result::Result<Vec<File>, Stop> {
    // A string of JSON is one of TOML.
    let runtime = serde_json::json!(checkout.join("runtime").display().to_string());
    let feature = if model.is_some() { "models" } else { "guest" };
    let mut manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n\
        [dependencies]\nopml-runtime = {{ path = {runtime}, features = [\"{feature}\"] }}\n"
    );
    // The versions that this project is tested with; cargo takes out what the guest does not need.
    let lock = super::read(&root.join("Cargo.lock"))?;
    let mut files = vec![(".gitignore".to_owned(), b"/target\n".to_vec()), ("Cargo.lock".to_owned(), lock)];
    let main = match model {
        None => super::read(&root.join("examples/hello/src/main.rs"))?,
        Some(path) => {
            let bytes = super::read(path)?;
            let (model, info) = build_model::model(path, Given::default())?;
            let owner = build_model::file_stem(path).to_lowercase().replace(['-', '.'], "_");
            let owner = if owner.starts_with(|c: char| c.is_ascii_lowercase()) {
                owner
            } else {
                format!("model_{owner}")
            };
            let file = info.file_name(&owner);
            manifest += &format!("\n[package.metadata.opml.models]\n{owner} = \"{file}\"\n");
            files.push((file, bytes));
            calling(&owner, &model).into_bytes()
        }
    };
    // A package of its own, wherever it lies.
    manifest += "\n[workspace]\n";
    files.extend([("Cargo.toml".to_owned(), manifest.into_bytes()), ("src/main.rs".to_owned(), main)]);
    Ok(files)
}

/// A program that does nothing but call the model.
fn calling(owner: &str, model: &Model) -> String {
    let graph = model.graph();
    let element = |port: &Port| match port.dtype.name() {
        "float32" => "f32",
        "int64" => "i64",
        "int32" => "i32",
        "int8" => "i8",
        _ => "u8",
    };
    let names: Vec<_> = (0..graph.inputs.len()).map(|number| format!("input_{number}")).collect();
    let parameters: Vec<_> = names
        .iter()
        .zip(&graph.inputs)
        .map(|(name, port)| format!("{name}: Tensor<{}>", element(port)))
        .collect();
    let arrays = names.iter().zip(&graph.inputs).map(|(name, port)| {
        let count: u64 = port.shape.iter().map(|&d| u64::from(d)).product();
        format!("    let {name} = {name}.first_chunk().expect(\"{count} elements\");\n")
    });
    let calls: Vec<_> = names.iter().map(String::as_str).collect();
    let tensor = |port: &Port, value: &str| format!("Tensor::new(&{:?}, &{value}[..])", port.shape);
    let (result, output) = match &graph.outputs[..] {
        [one] => (format!("Tensor<{}>", element(one)), tensor(one, "output")),
        all => {
            let types: Vec<_> = all.iter().map(|port| format!("Tensor<{}>", element(port))).collect();
            let values: Vec<_> = all
                .iter()
                .enumerate()
                .map(|(number, port)| tensor(port, &format!("output.{number}")))
                .collect();
            (format!("({})", types.join(", ")), format!("({})", values.join(", ")))
        }
    };
    format!(
        "//! Calls the model `{owner}`.\n#![no_std]\n#![no_main]\n\nuse opml_runtime::Tensor;\n\n\
        #[opml_runtime::entry]\nfn main({}) -> {result} {{\n{}    let output = {owner}::infer({});\n    {output}\n}}\n",
        parameters.join(", "),
        arrays.collect::<String>(),
        calls.join(", "),
    )
}

/// The way from the folder `from` to `to`, up as far as they have nothing in common: a checkout and a guest beside it can be moved
/// together.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let canonical = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (from, to) = (canonical(from), canonical(to));
    let common = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    // From inside the guest's own folder.
    let up = from.components().count() - common + 1;
    let mut path: PathBuf = std::iter::repeat_n(Component::ParentDir, up).collect();
    path.extend(to.components().skip(common));
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_the_checkout_starts_in_the_guest() {
        let way = |from: &str, to: &str| relative(Path::new(from), Path::new(to)).display().to_string();
        assert_eq!(way("/nowhere/guests", "/nowhere/opml"), "../../opml");
        assert_eq!(way("/nowhere/opml/examples", "/nowhere/opml"), "../..");
        assert_eq!(way("/nowhere", "/nowhere/opml"), "../opml");
    }

    #[test]
    fn names_are_those_of_packages() {
        assert!(is_package_name("my-guest_2"));
        for name in ["", "2x", "-x", "My", "a b", "a/b", "a.b", "é"] {
            assert!(!is_package_name(name), "{name}");
        }
    }
}
