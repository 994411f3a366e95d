//! Models as built programs; those of `models/mnist/` are built once per process.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use opml_abi::Tensor;
use opml_frontend::Model;
use opml_frontend::graph::Port;
use opml_state::{State, cannon};
use opml_targets::Target;
use opml_toolchain::manifest::{Manifest, MemoryPlan, ModelInfo};
use opml_toolchain::progress::Silent;
use opml_toolchain::{Checkout, GuestProgram, Options, Request, Weight, Words, build, file, provision};
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
    /// `models/mnist/mlp.onnx`, built below `dir` at the first call.
    pub fn mlp(dir: &str) -> &'static Self {
        static BUILT: OnceLock<Program> = OnceLock::new();
        BUILT.get_or_init(|| Self::build("mlp", &onnx_bytes("mlp"), Path::new(dir)))
    }

    /// `models/mnist/mlp500.onnx`, built below `dir` at the first call.
    pub fn mlp500(dir: &str) -> &'static Self {
        static BUILT: OnceLock<Program> = OnceLock::new();
        BUILT.get_or_init(|| Self::build("mlp500", &onnx_bytes("mlp500"), Path::new(dir)))
    }

    /// `models/mnist/cnn.onnx`, built below `dir` at the first call.
    pub fn cnn(dir: &str) -> &'static Self {
        static BUILT: OnceLock<Program> = OnceLock::new();
        BUILT.get_or_init(|| Self::build("cnn", &onnx_bytes("cnn"), Path::new(dir)))
    }

    /// Builds the model `onnx` below `dir`.
    pub fn build(name: &'static str, onnx: &[u8], dir: &Path) -> Self {
        let model = Model::from_onnx(onnx, &BTreeMap::new()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let (out, prestate) = build_request(request(name, onnx, &model), dir);
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
    let program = GuestProgram { source: source.to_owned(), weights: Vec::new() };
    build_request(Request::bare(name, program), dir).1
}

/// Builds `request` in a folder of its name below `dir`, and returns the folder with the prestate as written.
pub fn build_request(request: Request, dir: &Path) -> (PathBuf, State) {
    let (target, provision) = (target(), provision_options());
    let found = provision::find(&provision).unwrap_or_else(|e| panic!("{e}"));
    assert!(found.is_some(), "{SET_UP}");
    let options = Options {
        provision,
        checkout: Checkout::new(crate::checkout()).expect("this is a checkout"),
        out: dir.join(&request.name).join(target.name()),
        work: None,
    };
    let built = build(request, &target, &options, &Silent).unwrap_or_else(|e| panic!("{e}"));
    let prestate = cannon::load_state(&built.out.join(file::PRESTATE), cannon::Limits::default());
    (built.out, prestate.expect("a prestate can be read back"))
}

/// The target that everything here is built for.
pub fn target() -> Target {
    Target::load("cannon32").expect("the target's own files are right")
}

/// The bytes of an example model.
pub fn onnx_bytes(name: &str) -> Vec<u8> {
    let path = crate::checkout().join(format!("models/mnist/{name}.onnx"));
    fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// How the tests provision: as the user's settings say.
pub fn provision_options() -> provision::Options {
    provision::Options::from_env().expect("OPML_TOOLCHAIN names a provider")
}

fn request(name: &str, onnx: &[u8], model: &Model) -> Request {
    let weight = |c: opml_frontend::Constant| {
        let symbol = c.symbol.clone();
        Weight { symbol, words: Words::made(move |put| c.write(put)) }
    };
    Request {
        name: name.to_owned(),
        program: GuestProgram {
            source: model.guest_source(),
            weights: model.constants().into_iter().map(weight).collect(),
        },
        inputs: model.graph().inputs.iter().map(Port::info).collect(),
        outputs: model.graph().outputs.iter().map(Port::info).collect(),
        model: Some(ModelInfo {
            sha256: hex::encode(Sha256::digest(onnx)),
            dims: BTreeMap::new(),
            multiply_accumulates: model.multiply_accumulates(),
            ..ModelInfo::default()
        }),
        memory_plan: Some(MemoryPlan {
            arena: model.plan().bytes as u64,
            lower_bound: model.plan().lower_bound as u64,
        }),
        rebuild: format!("cargo xtask build-model {name}.onnx"),
    }
}
