//! `manifest.json`: what a build made, from what, and how to check it.

use std::collections::BTreeMap;

use opml_abi::{ABI_VERSION, DataType, TensorInfo};
use opml_state::Hash;
use serde::{Deserialize, Serialize};

use crate::provision::Identity;

/// Version of the manifest's own layout.
pub const MANIFEST_VERSION: u32 = 1;

/// The rule that a manifest carries with it.
const RULE: &str = "Every figure in this file follows from the program's sources, the model and the toolchain lock: \
    the command in `rebuild` recomputes all of it, \
    with the model's file (`model.sha256`) under the name in it, and `cargo xtask audit` judges program.elf alone.";

/// A build's manifest. No path, no time and no machine is in it.
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
    /// What the program takes, in order.
    pub inputs: Vec<Port>,
    /// What it gives, in order.
    pub outputs: Vec<Port>,
    /// What was compiled.
    pub model: ModelInfo,
    /// SHA-256 of the output files, hexadecimal, by name.
    pub sha256: BTreeMap<String, String>,
    /// Root of the initial memory's Merkle tree.
    pub memory_root: Hash,
    /// Hash of the initial state: what goes on chain.
    pub prestate_hash: Hash,
    /// What compiled it.
    pub toolchain: Identity,
    /// Whether everybody who builds it gets the same bytes: the toolchain is the pinned one.
    pub reference: bool,
    /// Bytes of the parts of the program.
    pub sizes: Sizes,
    /// The static memory plan.
    pub memory_plan: MemoryPlan,
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

/// The model a program was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelInfo {
    /// SHA-256 of the model's file, hexadecimal.
    pub sha256: String,
    /// The numbers that were given for open dimensions.
    pub dims: BTreeMap<String, u32>,
    /// Multiply-accumulates of one inference.
    pub multiply_accumulates: u64,
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
    /// Weights alone.
    pub weights: u64,
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

    /// The parts of a manifest that are the same for all builds of a version.
    pub(crate) fn constants() -> (u32, u32, String) {
        (MANIFEST_VERSION, ABI_VERSION, RULE.to_owned())
    }
}
