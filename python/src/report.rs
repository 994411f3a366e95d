//! What is told about an ONNX file that was made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An ONNX file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Version of the operators by their domain.
    pub opset: BTreeMap<String, i64>,
    /// What has to be given.
    pub inputs: Vec<Port>,
    /// What is computed.
    pub outputs: Vec<Port>,
    /// How often each operator is used.
    pub operators: BTreeMap<String, u64>,
}

/// An input or an output.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// ONNX's name of its type, in lower case.
    #[serde(rename = "type")]
    pub dtype: String,
    /// Numbers, and names of dimensions that are not fixed.
    pub shape: Vec<Value>,
}
