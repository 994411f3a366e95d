//! From the bytes of an ONNX file to a typed model: parsed, checked, with numbers for all dimensions.

mod attributes;
mod constants;
mod dims;
pub mod operators;
mod payload;
pub(crate) mod shapes;
mod structure;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use prost::Message;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::{InferenceModelExt, TractResult, TypedModel};

use crate::error::ImportError;

/// A model whose structure has been checked and whose shapes are inferred and static.
pub struct Imported {
    /// The folded graph.
    pub model: TypedModel,
    /// Names of the inputs, in order.
    pub inputs: Vec<String>,
    /// Names of the outputs, in order.
    pub outputs: Vec<String>,
    /// Elements of the weights that the folded graph has as inputs, behind those of the model.
    pub weights: Vec<Bytes>,
}

/// Imports the model in `bytes`, with the numbers `given` for its open dimensions. Weights of at least `large` bytes stay in `bytes` if
/// they are used in a product of matrices alone.
///
/// # Errors
/// Anything but a well-formed model of supported operators, static after `given`.
pub fn import(bytes: &Bytes, given: &BTreeMap<String, u32>, large: usize) -> Result<Imported, ImportError> {
    let (slim, payloads) = payload::take(bytes, large);
    let mut proto = ModelProto::decode(slim).map_err(|e| ImportError::NotOnnx { reason: e.to_string() })?;
    let graph = proto.graph.as_mut().ok_or_else(|| ImportError::NotOnnx {
        reason: if bytes.is_empty() { "the file is empty".into() } else { "it holds no graph".into() },
    })?;
    operators::check(graph)?;
    let order = structure::check(graph, &payloads)?;
    shapes::check(graph)?;
    attributes::check(graph)?;
    constants::check(graph, &order)?;
    dims::fix(graph, given)?;
    // What the model says of its intermediate values may be stale, above all after a dimension was
    // fixed; inference finds them from the inputs alone.
    graph.value_info.clear();
    structure::name_nodes(graph);
    let initializers: Vec<_> = graph.initializer.iter().map(|t| t.name.as_str()).collect();
    let names =
        |values: &[tract_onnx::pb::ValueInfoProto]| values.iter().map(|v| v.name.clone()).collect::<Vec<_>>();
    let mut inputs = names(&graph.input);
    inputs.retain(|name| !initializers.contains(&name.as_str()));
    let outputs = names(&graph.output);
    let weights = payload::as_inputs(graph, payloads);
    let model = typed(&proto)?;
    Ok(Imported { model, inputs, outputs, weights })
}

fn typed(proto: &ModelProto) -> Result<TypedModel, ImportError> {
    let run = || -> TractResult<TypedModel> {
        let parsed = tract_onnx::onnx().with_ignore_output_shapes(true).parse(proto, None)?;
        parsed.model.into_typed()?.into_decluttered()
    };
    // tract asserts on some inconsistent graphs; that is the model's fault, not a bug to crash on.
    let outcome = quietly(|| catch_unwind(AssertUnwindSafe(run)));
    let reason = match outcome {
        Ok(Ok(model)) => return Ok(model),
        Ok(Err(error)) => error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": "),
        Err(panic) => panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
            .unwrap_or_else(|| "tract gave up".into()),
    };
    Err(ImportError::Inconsistent { reason })
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
