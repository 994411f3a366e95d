//! `manifest.json`: what a build made, from what, and how to check it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use opml_abi::{ABI_VERSION, DataType, TensorInfo};
use opml_state::{Hash, State, Witness, WitnessFields, hash_witness};
use serde::{Deserialize, Serialize};

use crate::audit::AuditedElf;
use crate::elf::Segment;
use crate::output::Files;
use crate::package::PackageInfo;
use crate::provision::Identity;
use crate::sources::Sources;

/// Version of the manifest's own layout.
pub const MANIFEST_VERSION: u32 = 2;

/// How far to trust the manifest of a program that was built here.
pub(crate) const BUILD_RULE: &str = "Every figure in this file follows from the program's sources, the model and the toolchain lock: \
    the command in `rebuild` recomputes all of it, \
    with the model's file (`model.sha256`) under the name in it and those of `model.external` beside it, and `cargo xtask audit` judges program.elf alone.";

/// The same for a program that was built elsewhere.
const ADOPTED_RULE: &str = "Every figure in this file follows from program.elf: the command in `rebuild` recomputes all of it, \
    with that file (`sha256`) under the name in it. Who compiled it, and from what, is not known here.";

/// A program's manifest. No path, no time and no machine is in it. What is not known of a program that was built
/// elsewhere is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`MANIFEST_VERSION`].
    pub manifest_version: u32,
    /// Name of the program.
    pub name: String,
    /// Name of the target.
    pub target: String,
    /// Version of the guest ABI.
    pub abi_version: u32,
    /// What the program takes, in order; empty if nobody said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Port>,
    /// What it gives, in order; empty if nobody said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Port>,
    /// The model that was compiled, if it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelInfo>,
    /// The package that was compiled, if somebody wrote one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest: Option<PackageInfo>,
    /// SHA-256 of the output files, hexadecimal, by name.
    pub sha256: BTreeMap<String, String>,
    /// Root of the initial memory's Merkle tree.
    pub memory_root: Hash,
    /// Hash of the initial state: what goes on chain.
    pub prestate_hash: Hash,
    /// What compiled it, if it was built here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toolchain: Option<Identity>,
    /// Whether everybody who builds it is known to get the same bytes: the toolchain is the pinned one.
    pub reference: bool,
    /// Digests of everything it was made from, if it was built here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sources: Option<Sources>,
    /// Bytes of the parts of the program.
    pub sizes: Sizes,
    /// The static memory plan of a model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_plan: Option<MemoryPlan>,
    /// The command that makes this manifest again, in a checkout of the same version.
    pub rebuild: String,
    /// How far to trust the figures.
    pub rule: String,
}

/// An input or output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// The model's name for it.
    pub name: String,
    /// Element type: `float32` and so on.
    pub dtype: String,
    /// Dimensions, outermost first.
    pub shape: Vec<u32>,
}

impl From<&TensorInfo> for Port {
    fn from(info: &TensorInfo) -> Self {
        Self { name: info.name.clone(), dtype: info.dtype.name().to_owned(), shape: info.shape.clone() }
    }
}

impl Port {
    /// The same as the ABI has it; nothing if the element type is none of its.
    pub fn info(&self) -> Option<TensorInfo> {
        let dtype = DataType::from_name(&self.dtype)?;
        Some(TensorInfo { name: self.name.clone(), dtype, shape: self.shape.clone() })
    }
}

/// The format of a model's file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelFormat {
    /// ONNX.
    #[default]
    Onnx,
    /// TensorFlow Lite.
    Tflite,
}

impl ModelFormat {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Onnx, Self::Tflite];

    /// The ending of files.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Onnx => "onnx",
            Self::Tflite => "tflite",
        }
    }

    /// Whether a path has the ending of a format.
    pub fn names(path: &Path) -> bool {
        let ending = path.extension().and_then(OsStr::to_str);
        ending
            .is_some_and(|ending| Self::ALL.iter().any(|format| ending.eq_ignore_ascii_case(format.ending())))
    }

    fn is_onnx(&self) -> bool {
        *self == Self::Onnx
    }
}

/// The model a program was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelInfo {
    /// The format of the model's file.
    #[serde(default, skip_serializing_if = "ModelFormat::is_onnx")]
    pub format: ModelFormat,
    /// SHA-256 of the model's file, hexadecimal.
    pub sha256: String,
    /// SHA-256 of the files beside it that have weights of it, by their path below its folder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub external: BTreeMap<String, String>,
    /// The numbers that were given for open dimensions.
    pub dims: BTreeMap<String, u32>,
    /// The inputs that were made constants, as JSON text: numbers in arrays.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub constants: BTreeMap<String, String>,
    /// Multiply-accumulates of one inference.
    pub multiply_accumulates: u64,
}

impl ModelInfo {
    /// The name that the model's file has in commands and statements: that of the program, whatever path it came from.
    pub fn file_name(&self, program: &str) -> String {
        format!("{program}.{}", self.format.ending())
    }
}

/// Bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    /// Instructions.
    pub code: u64,
    /// Constants and weights.
    pub constants: u64,
    /// Variables, initialised or zero.
    pub variables: u64,
    /// Weights alone, if it is known which constants they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<u64>,
    /// Pages of the initial memory that are not zero, each of 4,096 bytes.
    pub non_zero_pages: u64,
}

/// Bytes that the activations take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryPlan {
    /// What the plan takes.
    pub arena: u64,
    /// The largest set of tensors alive at once: no plan takes less.
    pub lower_bound: u64,
}

impl Manifest {
    /// The text of the file: keys in a fixed order, a line feed at the end.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a manifest is strings and numbers");
        text.push('\n');
        text
    }

    /// What can be said of any program that passed the audit, whoever built it.
    pub(crate) fn of_program(
        name: &str,
        rebuild: &str,
        audited: &AuditedElf,
        state: &State,
        witness: &Witness,
        files: &Files,
    ) -> Self {
        Self {
            manifest_version: MANIFEST_VERSION,
            name: name.to_owned(),
            target: audited.target().to_owned(),
            abi_version: ABI_VERSION,
            inputs: Vec::new(),
            outputs: Vec::new(),
            model: None,
            guest: None,
            sha256: files.sha256(),
            memory_root: WitnessFields::of(witness).memory_root,
            prestate_hash: hash_witness(witness),
            toolchain: None,
            reference: false,
            sources: None,
            sizes: sizes(audited, state),
            memory_plan: None,
            rebuild: rebuild.to_owned(),
            rule: ADOPTED_RULE.to_owned(),
        }
    }
}

fn sizes(audited: &AuditedElf, state: &State) -> Sizes {
    let segments = || audited.elf().segments().iter().filter(|s| s.is_loaded());
    let bytes = |of: &dyn Fn(&Segment) -> bool| segments().filter(|s| of(s)).map(|s| s.memory_size).sum();
    Sizes {
        code: bytes(&|s| s.is_executable()),
        constants: bytes(&|s| !s.is_executable() && !s.is_writable()),
        variables: bytes(&|s| s.is_writable()),
        weights: None,
        non_zero_pages: state.memory.non_zero_page_count() as u64,
    }
}
