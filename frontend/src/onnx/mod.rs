//! From the bytes of an ONNX file to a graph of kernel calls: parsed, checked, with numbers for all dimensions.
//!
//! tract's types hold the parsed file. The nodes are lowered here, one function for each operator (`ops/`): shapes and types come out
//! of the calls that a node becomes, and what follows from constants alone is computed at once.

mod call;
mod dims;
mod external;
pub mod ops;
mod payload;
mod scope;
mod structure;
mod tensors;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use opml_abi::{DataType, Tensor, TensorInfo};
use prost::Message;
use tract_onnx::pb::{GraphProto, ModelProto, ValueInfoProto, tensor_proto, tensor_shape_proto, type_proto};

pub(crate) use self::payload::Payloads;
use self::scope::Scope;
use crate::builder::{Builder, Value};
use crate::elements::Slice;
use crate::error::ImportError;
use crate::graph::{Graph, Port};
use crate::guard::guarded;
use crate::model::ImportOptions;
use crate::model_file::ModelFile;
use crate::tflite;

/// Version of the default operator set.
fn opset(model: &ModelProto) -> i64 {
    let own = |domain: &str| domain.is_empty() || domain == "ai.onnx";
    model.opset_import.iter().find(|import| own(&import.domain)).map_or(1, |import| import.version)
}

/// The graph of a file, float32 constants of at least `large` bytes beside it, and the version of the default operator set.
fn decode(file: &Bytes, large: usize) -> Result<(GraphProto, Payloads, i64), ImportError> {
    let (slim, payloads) = payload::take(file, large);
    let proto = ModelProto::decode(slim).map_err(|e| ImportError::NotOnnx { reason: e.to_string() })?;
    let opset = opset(&proto);
    let reason = if file.is_empty() { "the file is empty" } else { "it holds no graph" };
    let graph = proto.graph.ok_or_else(|| ImportError::NotOnnx { reason: reason.into() })?;
    Ok((graph, payloads, opset))
}

/// A parsed model: checked, and with numbers for all dimensions of its inputs.
struct Parsed {
    graph: GraphProto,
    /// An order in which the nodes can run.
    order: Vec<usize>,
    payloads: Payloads,
    /// Version of the default operator set.
    opset: i64,
}

impl Parsed {
    fn new(file: &ModelFile, options: &ImportOptions) -> Result<Self, ImportError> {
        let (mut graph, mut payloads, opset) = if tflite::is_tflite(&file.bytes) {
            let (graph, payloads) = tflite::translate(&file.bytes, options.large)?;
            (graph, payloads, tflite::OPSET)
        } else {
            decode(&file.bytes, options.large)?
        };
        ops::check(&graph)?;
        external::resolve(&mut graph, &file.external, options.large, &mut payloads)?;
        let order = structure::check(&graph, &payloads)?;
        dims::fix(&mut graph, &options.dims)?;
        Ok(Self { graph, order, payloads, opset })
    }

    /// The inputs that nobody made weights of: before IR version 4 each initializer stood among the inputs too.
    fn inputs(&self) -> Result<Vec<TensorInfo>, ImportError> {
        let initializers: BTreeSet<_> = self.graph.initializer.iter().map(|t| t.name.as_str()).collect();
        let inputs = self.graph.input.iter().filter(|input| !initializers.contains(input.name.as_str()));
        let info = |input: &ValueInfoProto| {
            let (dtype, shape) = declared(input)?;
            let shape = shape.iter().map(|&d| d as u32).collect();
            Ok(TensorInfo { name: input.name.clone(), dtype, shape })
        };
        inputs.map(info).collect()
    }
}

/// Files in which weights of `model` are, as the model names them.
pub(crate) fn external_files(model: &[u8]) -> BTreeSet<String> {
    external::locations(model)
}

/// The inputs of a model.
///
/// # Errors
/// Those of [`import`] that have nothing to do with operators.
pub fn inputs(file: &ModelFile, dims: &BTreeMap<String, u32>) -> Result<Vec<TensorInfo>, ImportError> {
    let options = ImportOptions { dims: dims.clone(), ..ImportOptions::default() };
    foreseen(|| Parsed::new(file, &options)?.inputs())
}

/// Imports the model in `file`. Large weights stay where they are.
///
/// # Errors
/// Anything but a well-formed model of supported operators, static after what is given.
pub fn import(file: &ModelFile, options: &ImportOptions) -> Result<Graph, ImportError> {
    foreseen(|| {
        let parsed = Parsed::new(file, options)?;
        check_constants(&parsed.inputs()?, &options.constants)?;
        lower(parsed, &options.constants)
    })
}

/// What `f` gives, or its panic as an error: that would end whatever program uses this one as a library. The readers of the formats are
/// others' work, so it can be theirs, too.
fn foreseen<T>(f: impl FnOnce() -> Result<T, ImportError>) -> Result<T, ImportError> {
    guarded(f).unwrap_or_else(|reason| Err(ImportError::Unforeseen { reason }))
}

/// Refuses constants for inputs that are not there, or of another type or shape.
fn check_constants(inputs: &[TensorInfo], constants: &BTreeMap<String, Tensor>) -> Result<(), ImportError> {
    for (name, tensor) in constants {
        let input = inputs.iter().find(|input| input.name == *name);
        let unknown = || ImportError::UnknownInput {
            name: name.clone(),
            known: inputs.iter().map(|input| input.name.clone()).collect(),
        };
        let input = input.ok_or_else(unknown)?;
        if (input.dtype, &input.shape) != (tensor.dtype, &tensor.shape) {
            return Err(ImportError::Constant {
                name: name.clone(),
                expected: format!("{} {:?}", input.dtype, input.shape),
                got: format!("{} {:?}", tensor.dtype, tensor.shape),
            });
        }
    }
    Ok(())
}

fn lower(parsed: Parsed, constants: &BTreeMap<String, Tensor>) -> Result<Graph, ImportError> {
    let Parsed { graph, order, mut payloads, opset } = parsed;
    let mut builder = Builder::default();
    let mut scope = Scope::new(&graph, opset);
    for (index, tensor) in graph.initializer.iter().enumerate() {
        let constant = tensors::constant(&mut builder, tensor, payloads.remove(&index))
            .map_err(|problem| ImportError::Malformed { problem: format!("`{}`: {problem}", tensor.name) })?;
        scope.bind(&tensor.name, constant);
    }
    let mut inputs = Vec::new();
    for input in &graph.input {
        if scope.get(&input.name).is_none() {
            let (dtype, shape) = declared(input)?;
            let value = if let Some(tensor) = constants.get(&input.name) {
                builder.constant(&shape, Slice::of_tensor(tensor).into_elements())
            } else {
                let value = builder.input(dtype, &shape);
                inputs.push(port(&input.name, &value));
                value
            };
            scope.bind(&input.name, value);
        }
    }
    scope.run(&mut builder, &graph, &order)?;
    let outputs = outputs(&mut builder, &scope, &graph)?;
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
        let value = if own { value } else { builder.copied(&value).map_err(inconsistent)? };
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
