//! From the bytes of an ONNX file to a graph of kernel calls: parsed, checked, with numbers for all dimensions.
//!
//! tract's types hold the parsed file. The nodes are lowered here, one function for each operator (`ops/`): shapes and types come out
//! of the calls that a node becomes, and what follows from constants alone is computed at once.

mod call;
mod dims;
pub mod ops;
mod payload;
mod scope;
mod structure;
mod tensors;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use opml_abi::DataType;
use prost::Message;
use tract_onnx::pb::{GraphProto, ModelProto, ValueInfoProto, tensor_proto, tensor_shape_proto, type_proto};

use self::payload::Payloads;
use self::scope::Scope;
use crate::builder::{Builder, Value};
use crate::error::ImportError;
use crate::graph::{Graph, Port};

/// Version of the default operator set.
fn opset(model: &ModelProto) -> i64 {
    let own = |domain: &str| domain.is_empty() || domain == "ai.onnx";
    model.opset_import.iter().find(|import| own(&import.domain)).map_or(1, |import| import.version)
}

/// Imports the model in `bytes`, with the numbers `given` for its open dimensions. Weights of at least `large` bytes stay in `bytes`.
///
/// # Errors
/// Anything but a well-formed model of supported operators, static after `given`.
pub fn import(bytes: &Bytes, given: &BTreeMap<String, u32>, large: usize) -> Result<Graph, ImportError> {
    let (slim, payloads) = payload::take(bytes, large);
    let mut proto = ModelProto::decode(slim).map_err(|e| ImportError::NotOnnx { reason: e.to_string() })?;
    let opset = opset(&proto);
    let graph = proto.graph.as_mut().ok_or_else(|| ImportError::NotOnnx {
        reason: if bytes.is_empty() { "the file is empty".into() } else { "it holds no graph".into() },
    })?;
    ops::check(graph)?;
    let order = structure::check(graph, &payloads)?;
    dims::fix(graph, given)?;
    // A kernel's own check that none of ours foresaw is the model's fault, not a bug to crash on.
    match quietly(|| catch_unwind(AssertUnwindSafe(|| lower(graph, &order, payloads, opset)))) {
        Ok(result) => result,
        Err(panic) => {
            let reason = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
                .unwrap_or_else(|| "the importer gave up".into());
            Err(ImportError::Inconsistent { reason })
        }
    }
}

fn lower(
    graph: &GraphProto,
    order: &[usize],
    mut payloads: Payloads,
    opset: i64,
) -> Result<Graph, ImportError> {
    let mut builder = Builder::default();
    let mut scope = Scope::new(graph, opset);
    for (index, tensor) in graph.initializer.iter().enumerate() {
        let constant = tensors::constant(&mut builder, tensor, payloads.remove(&index))
            .map_err(|problem| ImportError::Malformed { problem: format!("`{}`: {problem}", tensor.name) })?;
        scope.bind(&tensor.name, constant);
    }
    let mut inputs = Vec::new();
    for input in &graph.input {
        if scope.get(&input.name).is_none() {
            let (dtype, shape) = declared(input)?;
            let value = builder.input(dtype, &shape);
            inputs.push(port(&input.name, &value));
            scope.bind(&input.name, value);
        }
    }
    scope.run(&mut builder, graph, order)?;
    let outputs = outputs(&mut builder, &scope, graph)?;
    let (tensors, nodes) = builder.finish();
    Ok(Graph { tensors, nodes, inputs, outputs }.without_unused())
}

/// An output lies in the arena, dense and for itself; a weight, an input or a part of something is copied there.
fn outputs(builder: &mut Builder, scope: &Scope<'_>, graph: &GraphProto) -> Result<Vec<Port>, ImportError> {
    let mut outputs: Vec<Port> = Vec::new();
    for output in &graph.output {
        let inconsistent = |reason: String| ImportError::Inconsistent {
            reason: format!("output `{}`: {reason}", output.name),
        };
        let missing = || inconsistent("nothing makes it".into());
        let value = scope.get(&output.name).cloned().ok_or_else(missing)?;
        let own = builder.is_whole_result(&value) && outputs.iter().all(|port| port.tensor != value.tensor);
        let value = if own {
            value
        } else {
            let copy = builder.computed(value.dtype, &value.shape).map_err(inconsistent)?;
            builder.copy_into(&value, &copy).map_err(inconsistent)?;
            copy
        };
        outputs.push(port(&output.name, &value));
    }
    Ok(outputs)
}

fn port(name: &str, value: &Value) -> Port {
    Port {
        name: name.to_owned(),
        dtype: value.dtype,
        shape: value.shape.iter().map(|&d| d as u32).collect(),
        tensor: value.tensor,
    }
}

/// Type and shape that an input says it has; the dimensions have been checked.
fn declared(input: &ValueInfoProto) -> Result<(DataType, Vec<usize>), ImportError> {
    let kind = input.r#type.as_ref().and_then(|t| t.value.as_ref());
    let Some(type_proto::Value::TensorType(tensor)) = kind else {
        return Err(ImportError::Malformed { problem: format!("input `{}` is no tensor", input.name) });
    };
    let dtype = tensors::dtype(tensor.elem_type)
        .map_err(|dtype| ImportError::ElementType { tensor: input.name.clone(), dtype })?;
    let dims = tensor.shape.iter().flat_map(|shape| &shape.dim);
    let shape = dims.map(|dim| match dim.value {
        Some(tensor_shape_proto::dimension::Value::DimValue(value)) => value as usize,
        _ => 1,
    });
    Ok((dtype, shape.collect()))
}

/// ONNX's name of an element type.
fn type_name(code: i32) -> String {
    tensor_proto::DataType::try_from(code)
        .map_or_else(|_| format!("number {code}"), |dtype| dtype.as_str_name().to_lowercase())
}

/// Runs `f` with panics of this thread kept off standard error: they come back as errors.
fn quietly<T>(f: impl FnOnce() -> T) -> T {
    use std::sync::Once;
    thread_local!(static QUIET: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                previous(info);
            }
        }));
    });
    QUIET.set(true);
    let result = f();
    QUIET.set(false);
    result
}
