//! Models as built programs; those of `models/` are built once per process.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use opml_abi::Tensor;
use opml_frontend::graph::Port;
use opml_frontend::{Constant, Model, SourceCall};
use opml_state::{State, cannon};
use opml_targets::Target;
use opml_toolchain::manifest::{Manifest, MemoryPlan, ModelFormat, ModelInfo};
use opml_toolchain::progress::Silent;
use opml_toolchain::statements::Statement;
use opml_toolchain::{
    BuildError, Checkout, GuestProgram, Options, Request, Weight, Words, build, file, provision,
};
use sha2::{Digest, Sha256};

use crate::SET_UP;

/// A built model. Everything but [`model`](Self::model) is what the files on the disk say.
pub struct Program {
    /// The model's name.
    pub name: &'static str,
    /// The imported model, which runs natively.
    pub model: Model,
    /// The folder with the files.
    pub dir: PathBuf,
    /// `manifest.json`.
    pub manifest: Manifest,
    /// `prestate.bin.gz`.
    pub prestate: State,
}

impl Program {
    /// `models/mnist/mlp.onnx`.
    pub fn mlp(dir: &str) -> &'static Self {
        Self::example("mnist/mlp", dir)
    }

    /// `models/mnist/mlp500.onnx`.
    pub fn mlp500(dir: &str) -> &'static Self {
        Self::example("mnist/mlp500", dir)
    }

    /// `models/mnist/cnn.onnx`.
    pub fn cnn(dir: &str) -> &'static Self {
        Self::example("mnist/cnn", dir)
    }

    /// The example model `path`, a file below `models/` without its ending, built below `dir` at the first call.
    pub fn example(path: &'static str, dir: &str) -> &'static Self {
        type Built = BTreeMap<&'static str, &'static Program>;
        static BUILT: Mutex<Built> = Mutex::new(BTreeMap::new());
        let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
        let name = path.rsplit('/').next().unwrap_or(path);
        built
            .entry(path)
            .or_insert_with(|| Box::leak(Box::new(Self::build(name, &model_bytes(path), Path::new(dir)))))
    }

    /// Builds the model in the bytes of a file below `dir`.
    pub fn build(name: &'static str, file: &[u8], dir: &Path) -> Self {
        let model = Model::from_bytes(file, &BTreeMap::new()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let (out, prestate) = build_request(request(name, file, &model), dir);
        let manifest = fs::read(out.join(file::MANIFEST)).expect("a build writes a manifest");
        Self {
            name,
            model,
            manifest: serde_json::from_slice(&manifest).expect("a manifest can be read back"),
            prestate,
            dir: out,
        }
    }

    /// The bytes of one of the program's files; the names are in [`opml_toolchain::file`].
    pub fn file(&self, name: &str) -> Vec<u8> {
        fs::read(self.dir.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Shape of the only input.
    pub fn input_shape(&self) -> &[u32] {
        &self.manifest.inputs[0].shape
    }

    /// The native twin's output.
    pub fn native(&self, input: &Tensor) -> Tensor {
        let mut outputs = self.model.run(std::slice::from_ref(input)).expect("the input fits the model");
        assert_eq!(outputs.len(), 1);
        outputs.remove(0)
    }
}

/// The prestate of a guest without weights, built from its source below `dir`.
pub fn bare(name: &str, source: &str, dir: &Path) -> State {
    let program = GuestProgram::generated(source.to_owned(), Vec::new());
    build_request(Request::bare(name, program), dir).1
}

/// Builds `request` in a folder of its name below `dir`, and returns the folder with the prestate as written.
pub fn build_request(request: Request, dir: &Path) -> (PathBuf, State) {
    build_in(request, dir, None).unwrap_or_else(|e| panic!("{e}"))
}

/// The same, with the compiler's files in the folder `work`: builds in the checkout's own place wait for each other.
///
/// # Errors
/// Those of [`build`].
pub fn build_in(request: Request, dir: &Path, work: Option<PathBuf>) -> Result<(PathBuf, State), BuildError> {
    let (target, provision) = (target(), provision_options());
    let found = provision::find(&provision).unwrap_or_else(|e| panic!("{e}"));
    assert!(found.is_some(), "{SET_UP}");
    let options = Options {
        provision,
        checkout: Checkout::new(crate::checkout()).expect("this is a checkout"),
        out: dir.join(&request.name).join(target.name()),
        work,
    };
    let built = build(request, &target, &options, &Silent)?;
    let prestate = cannon::load_state(&built.out.join(file::PRESTATE), cannon::Limits::default());
    Ok((built.out, prestate.expect("a prestate can be read back")))
}

/// The target that everything here is built for.
pub fn target() -> Target {
    Target::load("cannon32").expect("the target's own files are right")
}

/// The bytes of an example model, a file below `models/` without its ending.
pub fn model_bytes(path: &str) -> Vec<u8> {
    let paths =
        ModelFormat::ALL.map(|format| crate::checkout().join(format!("models/{path}.{}", format.ending())));
    let path = paths.iter().find(|path| path.is_file()).unwrap_or_else(|| panic!("there is no model {path}"));
    fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// How the tests provision: as the user's settings say.
pub fn provision_options() -> provision::Options {
    provision::Options::from_env().expect("OPML_TOOLCHAIN names a provider")
}

/// A weight as the linker takes it.
pub fn weight(constant: Constant) -> Weight {
    Weight { symbol: constant.symbol.clone(), words: Words::made(move |put| constant.write(put)) }
}

fn statement(call: SourceCall) -> Statement {
    let SourceCall { line, operator, name, multiply_accumulates } = call;
    Statement { line, operator, name, multiply_accumulates }
}

fn request(name: &str, file: &[u8], model: &Model) -> Request {
    let (source, calls) = model.source_with_calls();
    Request {
        name: name.to_owned(),
        program: GuestProgram::generated(source, model.constants().into_iter().map(weight).collect()),
        inputs: model.graph().inputs.iter().map(Port::info).collect(),
        outputs: model.graph().outputs.iter().map(Port::info).collect(),
        model: Some(ModelInfo {
            format: if opml_frontend::tflite::is_tflite(file) {
                ModelFormat::Tflite
            } else {
                ModelFormat::Onnx
            },
            sha256: hex::encode(Sha256::digest(file)),
            dims: BTreeMap::new(),
            multiply_accumulates: model.multiply_accumulates(),
            ..ModelInfo::default()
        }),
        memory_plan: Some(MemoryPlan {
            arena: model.plan().bytes as u64,
            lower_bound: model.plan().lower_bound as u64,
        }),
        statements: calls.into_iter().map(statement).collect(),
        rebuild: format!("cargo xtask build-model {name}.onnx"),
    }
}
