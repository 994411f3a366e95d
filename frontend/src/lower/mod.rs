//! From tract's typed model to [`Graph`]: one file per family of operators.

mod conv;
mod einsum;
mod elementwise;
mod layout;
mod pool;
mod reduce;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use opml_abi::blob::MAX_RANK;
use tract_onnx::prelude::{DatumType, OutletId, TractError, TypedModel, TypedNode};
use tract_onnx::tract_hir::internal::DimLike;
use tract_onnx::tract_hir::tract_core::ops::{konst::Const, source::TypedSource};

use crate::error::{ImportError, Unsupported};
use crate::graph::{Graph, Node, Op, Port, Source, Tensor, TensorId, View, strides};
use crate::onnx::Imported;
use crate::values::Values;

/// Why a node was not lowered; the caller adds where.
type Refusal = String;

/// A value of tract's model: a tensor under some shape. A reshape is another shape over the same
/// tensor and costs nothing.
#[derive(Clone, Debug)]
struct Value {
    tensor: TensorId,
    shape: Vec<usize>,
}

impl Value {
    fn len(&self) -> usize {
        self.shape.iter().product()
    }
}

/// One family's attempt: nothing if the node is not of the family.
type Lowering = fn(&mut Lowerer, &TypedNode, &[Value]) -> Option<Result<Value, Refusal>>;

const FAMILIES: &[Lowering] =
    &[einsum::lower, conv::lower, pool::lower, elementwise::lower, reduce::lower, layout::lower];

/// Lowers `imported`.
///
/// # Errors
/// All nodes without a lowering at once.
pub fn lower(imported: &Imported) -> Result<Graph, ImportError> {
    let model = &imported.model;
    let mut lowerer = Lowerer::default();
    let inconsistent = |e: TractError| ImportError::Inconsistent { reason: e.to_string() };
    let sources = model.input_outlets().map_err(inconsistent)?.iter().skip(imported.inputs.len());
    lowerer.weights = sources.copied().zip(imported.weights.iter().cloned()).collect();
    let outputs = model.output_outlets().map_err(|e| ImportError::Inconsistent { reason: e.to_string() })?;
    for outlet in model.nodes().iter().flat_map(|n| &n.inputs).chain(outputs) {
        *lowerer.readers.entry(*outlet).or_default() += 1;
    }
    let mut refused = Vec::new();
    let order = model.eval_order().map_err(|e| ImportError::Inconsistent { reason: e.to_string() })?;
    for id in order {
        let node = &model.nodes()[id];
        if node.outputs.is_empty() {
            continue;
        }
        let value = match lowerer.lower_node(model, node) {
            Ok(value) => value,
            Err(reason) => {
                let operator = node.op.name().into_owned();
                refused.push(Unsupported { operator, node: node.name.clone(), reason });
                // The other nodes still have to be looked at: all of them are named at once.
                let shape = shape_of(model, OutletId::new(id, 0)).unwrap_or_default();
                lowerer.computed(shape)
            }
        };
        lowerer.values.insert(OutletId::new(id, 0), value);
    }
    if !refused.is_empty() {
        return Err(ImportError::Unsupported(refused));
    }
    lowerer.finish(imported)
}

/// The graph while it is made.
#[derive(Default)]
struct Lowerer {
    tensors: Vec<Tensor>,
    nodes: Vec<Node>,
    values: BTreeMap<OutletId, Value>,
    /// How many nodes and outputs read each value.
    readers: BTreeMap<OutletId, usize>,
    /// Elements of the inputs that are none of the model's.
    weights: BTreeMap<OutletId, Bytes>,
}

impl Lowerer {
    fn lower_node(&mut self, model: &TypedModel, node: &TypedNode) -> Result<Value, Refusal> {
        let outlet = OutletId::new(node.id, 0);
        if node.outputs.len() != 1 {
            return Err(format!("it has {} outputs", node.outputs.len()));
        }
        let shape = shape_of(model, outlet)?;
        if let Some(constant) = node.op_as::<Const>() {
            if constant.val().datum_type() != DatumType::F32 {
                // Shapes and axes are folded into the nodes that use them; nothing reads this at run time.
                return Ok(Value { tensor: TensorId(usize::MAX), shape });
            }
            let values = constant.val().to_plain_array_view::<f32>().map_err(|e| e.to_string())?;
            return Ok(self.constant(shape, values.iter().copied().collect::<Vec<f32>>()));
        }
        if shape.contains(&0) {
            return Err(format!("its result of shape {shape:?} has no elements"));
        }
        if node.op_is::<TypedSource>() {
            return Ok(match self.weights.remove(&outlet) {
                Some(bytes) => self.constant(shape, Values::in_file(bytes)),
                None => self.input(shape),
            });
        }
        let inputs: Vec<_> = node.inputs.iter().map(|i| self.values[i].clone()).collect();
        if inputs.iter().any(|i| i.tensor.0 == usize::MAX) {
            return Err("an operand is no float32 tensor".into());
        }
        let lowered = FAMILIES.iter().find_map(|family| family(self, node, &inputs));
        let value = lowered.unwrap_or_else(|| Err("the operator has no lowering".into()))?;
        debug_assert_eq!(value.shape, shape, "{}", node.name);
        Ok(value)
    }

    fn input(&mut self, shape: Vec<usize>) -> Value {
        self.tensors.push(Tensor { len: shape.iter().product(), source: Source::Input });
        Value { tensor: TensorId(self.tensors.len() - 1), shape }
    }

    /// A tensor that nodes will write.
    fn computed(&mut self, shape: Vec<usize>) -> Value {
        self.tensors.push(Tensor { len: shape.iter().product(), source: Source::Computed });
        Value { tensor: TensorId(self.tensors.len() - 1), shape }
    }

    fn constant(&mut self, shape: Vec<usize>, values: impl Into<Values>) -> Value {
        let values = values.into();
        self.tensors.push(Tensor { len: values.len(), source: Source::Constant(Arc::new(values)) });
        Value { tensor: TensorId(self.tensors.len() - 1), shape }
    }

    /// How many nodes and outputs read `value`'s tensor, under whatever shape.
    fn readers(&self, value: &Value) -> usize {
        let shapes: Vec<_> =
            self.values.iter().filter(|(_, v)| v.tensor == value.tensor).map(|(o, _)| o).collect();
        let readers: usize =
            shapes.iter().map(|outlet| self.readers.get(*outlet).copied().unwrap_or(0)).sum();
        // Each shape but the first was made by a node that read another of them.
        readers + 1 - shapes.len()
    }

    /// The elements of a constant.
    fn as_constant(&self, value: &Value) -> Option<&Arc<Values>> {
        match &self.tensors[value.tensor.0].source {
            Source::Constant(values) => Some(values),
            _ => None,
        }
    }

    /// The number that all elements of a constant are.
    fn as_uniform(&self, value: &Value) -> Option<f32> {
        self.as_constant(value)?.uniform()
    }

    /// The whole of a value.
    fn view(&self, value: &Value) -> View {
        View { tensor: value.tensor, offset: 0, len: value.len() }
    }

    /// Refuses a node that needs `calls` more kernel calls than a program may have: each of them is code.
    fn room_for(&self, calls: usize) -> Result<(), Refusal> {
        const MAX_CALLS: usize = 1 << 16;
        if calls <= MAX_CALLS && self.nodes.len() + calls <= MAX_CALLS {
            return Ok(());
        }
        Err(format!(
            "it takes {calls} kernel calls, and a program has at most {MAX_CALLS}: make its batch smaller"
        ))
    }

    fn push(&mut self, name: &str, op: Op, inputs: Vec<View>, output: View) {
        self.nodes.push(Node { name: name.to_owned(), op, inputs, output, scratch: None });
    }

    /// Appends a call that reads all of `inputs` and writes a new value.
    fn call(&mut self, name: &str, op: Op, inputs: &[&Value], shape: Vec<usize>) -> Value {
        let output = self.computed(shape);
        let inputs = inputs.iter().map(|v| self.view(v)).collect();
        self.push(name, op, inputs, self.view(&output));
        output
    }

    /// `value` with its axes in the order `axes`: nothing if only axes of length 1 move, another
    /// constant for a constant, else a copy.
    fn permuted(&mut self, name: &str, value: &Value, axes: &[usize]) -> Value {
        let shape: Vec<_> = axes.iter().map(|&a| value.shape[a]).collect();
        let moving: Vec<_> = axes.iter().filter(|&&a| value.shape[a] != 1).collect();
        if moving.is_sorted() {
            return Value { tensor: value.tensor, shape };
        }
        let from = strides(&value.shape);
        let from: Vec<_> = axes.iter().map(|&a| from[a]).collect();
        if let Some(values) = self.as_constant(value).cloned() {
            // A matrix that is still in the file stays there.
            if let [&first, &second] = moving[..]
                && let Some(transposed) = values.transposed(value.shape[second], value.shape[first])
            {
                return self.constant(shape, transposed);
            }
            let mut permuted = vec![0.0; values.len()];
            opml_kernels::transpose(&shape, &from, &values.slice(0..values.len()), &mut permuted);
            return self.constant(shape, permuted);
        }
        let to = strides(&shape);
        self.call(name, Op::Copy(shape.clone(), from, to), &[value], shape)
    }

    fn finish(mut self, imported: &Imported) -> Result<Graph, ImportError> {
        let inconsistent = |reason: String| ImportError::Inconsistent { reason };
        let sources = imported.model.input_outlets().map_err(|e| inconsistent(e.to_string()))?;
        let sources = &sources[..sources.len().saturating_sub(imported.weights.len())];
        let targets = imported.model.output_outlets().map_err(|e| inconsistent(e.to_string()))?.to_vec();
        if sources.len() != imported.inputs.len() || targets.len() != imported.outputs.len() {
            return Err(inconsistent("inputs or outputs were lost on the way".into()));
        }
        let mut inputs = Vec::new();
        for (outlet, name) in sources.iter().zip(&imported.inputs) {
            // No output depends on an input that was not lowered; it is part of the input blob all the same.
            let value = match self.values.get(outlet) {
                Some(value) => value.clone(),
                None => self.input(shape_of(&imported.model, *outlet).map_err(inconsistent)?),
            };
            inputs.push(port(name, &value));
        }
        let mut outputs = Vec::new();
        for (outlet, name) in targets.iter().zip(&imported.outputs) {
            let value = self.values.get(outlet).cloned();
            let mut value =
                value.ok_or_else(|| inconsistent(format!("output `{name}` was lost on the way")))?;
            if value.tensor.0 == usize::MAX {
                return Err(ImportError::ElementType { tensor: name.clone(), dtype: "int64".into() });
            }
            if self.tensors[value.tensor.0].source != Source::Computed {
                // An output lies in the arena; a weight or an input that is passed on is copied there.
                let (dims, step) = (vec![value.len()], vec![1]);
                value = self.call(name, Op::Copy(dims, step.clone(), step), &[&value], value.shape.clone());
            }
            outputs.push(port(name, &value));
        }
        Ok(Graph { tensors: self.tensors, nodes: self.nodes, inputs, outputs }.without_unused())
    }
}

fn port(name: &str, value: &Value) -> Port {
    Port {
        name: name.to_owned(),
        shape: value.shape.iter().map(|&d| d as u32).collect(),
        tensor: value.tensor,
    }
}

/// The static shape of an outlet. Bounded: at most [`MAX_RANK`] dimensions, and their product fits the VM's memory.
fn shape_of(model: &TypedModel, outlet: OutletId) -> Result<Vec<usize>, Refusal> {
    const MAX_ELEMENTS: usize = crate::onnx::shapes::MAX_ELEMENTS as usize;
    let fact = model.outlet_fact(outlet).map_err(|e| e.to_string())?;
    let shape: Vec<usize> = fact
        .shape
        .iter()
        .map(|d| d.to_usize().map_err(|_| format!("its dimension {d} depends on the data")))
        .collect::<Result<_, _>>()?;
    // What blobs hold and kernels walk over.
    if shape.len() > MAX_RANK {
        return Err(format!("its result has {} dimensions; {MAX_RANK} are the most", shape.len()));
    }
    let elements = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&n| n <= MAX_ELEMENTS);
    elements.ok_or_else(|| format!("its result of shape {shape:?} does not fit the VM's memory"))?;
    Ok(shape)
}
