//! TFLite models, said in ONNX's operators: from there on there is one way.
//!
//! tract's types read the file (a flatbuffer of the schema of TensorFlow Lite, version 3). Each operator becomes a few nodes of ONNX
//! (`ops/`). Images have their channels last here and first there; the transpositions in between are strides and cost nothing. An
//! operator on quantised tensors is the one on floats between `DequantizeLinear` and `QuantizeLinear`, which is what the importer
//! makes integer kernels of.

mod net;
mod ops;
mod ports;
mod tensors;

use tract_onnx::pb::GraphProto;
use tract_tflite::tflite::{BuiltinOperator, Model, Operator, OperatorCode, SubGraph, root_as_model};

use self::net::Net;
use crate::error::{ImportError, Unsupported};
use crate::onnx::Payloads;

pub use self::ops::supported;

/// Version of ONNX's operators that the nodes are of.
pub const OPSET: i64 = 21;

/// What a file of this format has at its bytes 4 to 7.
const IDENTIFIER: &[u8] = b"TFL3";

/// Whether these are the bytes of a TFLite model.
pub fn is_tflite(file: &[u8]) -> bool {
    file.get(4..8) == Some(IDENTIFIER)
}

/// The model as a graph of ONNX's operators. Float32 constants of at least `large` bytes are left in the file.
///
/// # Errors
/// A file that is no well-formed model, and all operators at once that have no form in ONNX.
pub fn translate(file: &bytes::Bytes, large: usize) -> Result<(GraphProto, Payloads), ImportError> {
    let model = root_as_model(file).map_err(|e| ImportError::NotTflite { reason: e.to_string() })?;
    let malformed = |problem: &str| ImportError::Malformed { problem: problem.into() };
    let subgraph = model
        .subgraphs()
        .filter(|all| !all.is_empty())
        .ok_or_else(|| malformed("the file has no subgraph"))?
        .get(0);
    let mut net = Net::new(&model, &subgraph, file, large)?;
    let outputs = ports::begin(&mut net, &model, &subgraph)?;
    let mut refused = Vec::new();
    for operator in subgraph.operators().iter().flatten() {
        let code = model
            .operator_codes()
            .filter(|codes| (operator.opcode_index() as usize) < codes.len())
            .map(|codes| codes.get(operator.opcode_index() as usize))
            .ok_or_else(|| malformed("an operator has a code that the file does not list"))?;
        let builtin = builtin(&code);
        if net.hangs_on_refused(&operator) {
            net.refuse(&operator);
            continue;
        }
        if let Err(reason) = operate(&mut net, builtin, &operator) {
            net.refuse(&operator);
            let node = net.node_name().to_owned();
            refused.push(Unsupported { operator: operator_name(builtin, &code), node, reason });
            if net.is_exhausted() {
                break;
            }
        }
    }
    if refused.is_empty() { ports::finish(net, outputs) } else { Err(ImportError::Unsupported(refused)) }
}

fn operate(net: &mut Net<'_>, builtin: BuiltinOperator, operator: &Operator<'_>) -> Result<(), String> {
    let name = builtin.variant_name().unwrap_or("operator");
    let op = net::Op::new(net, name, operator)?;
    let translate = ops::find(name).ok_or_else(|| ops::why_not(builtin))?;
    translate(net, &op)
}

/// The number of an operator: files from before there were more than 127 have it in a field of one byte.
fn builtin(code: &OperatorCode<'_>) -> BuiltinOperator {
    let old = BuiltinOperator(code.deprecated_builtin_code().into());
    code.builtin_code().max(old)
}

fn operator_name(builtin: BuiltinOperator, code: &OperatorCode<'_>) -> String {
    match (builtin, code.custom_code()) {
        (BuiltinOperator::CUSTOM, Some(custom)) => format!("CUSTOM {custom}"),
        (builtin, _) => {
            builtin.variant_name().map_or_else(|| format!("operator number {}", builtin.0), ToOwned::to_owned)
        }
    }
}

/// How many tensors a subgraph has.
fn tensor_count(subgraph: &SubGraph<'_>) -> usize {
    subgraph.tensors().map_or(0, |tensors| tensors.len())
}

/// The signature of the subgraph that runs: how the model's author calls what goes in and out.
fn signature<'a>(model: &Model<'a>) -> Option<tract_tflite::tflite::SignatureDef<'a>> {
    let mut own = model.signature_defs()?.iter().filter(|signature| signature.subgraph_index() == 0);
    own.next().filter(|_| own.next().is_none())
}
