//! Builds a [`Graph`] call by call. What follows from constants alone is computed at once, by the same kernels.

mod elementwise;
mod layout;
mod linear;
mod loops;
mod reduce;
mod value;

use std::collections::BTreeMap;
use std::sync::Arc;

use opml_abi::DataType;
use opml_abi::blob::MAX_RANK;

pub use self::linear::Window2d;
pub use self::value::{Value, axis_of, broadcast_shape, merged};
use crate::elements::{Elements, Slice};
use crate::eval::execute;
use crate::graph::{Node, Op, Source, Tensor, TensorId, View, strides};
use crate::values::Values;

/// Why a node cannot be compiled; the caller adds where.
pub type Refusal = String;

/// What comes of a node.
pub type Built<T = Value> = Result<T, Refusal>;

/// Most elements of a tensor: as float32 they take half of the VM's memory that programs can use.
pub const MAX_ELEMENTS: usize = 1 << 28;

/// Most kernel calls of a program: each of them is code.
const MAX_CALLS: usize = 1 << 16;

/// What all constants that are computed here may take together: elements read and written, and products.
const MAX_FOLDED: u64 = 1 << 26;

/// Where floats come from that were integers: x, less its zero point, times a scale; of either one for all or one for each index
/// of an axis.
#[derive(Clone, PartialEq, Debug)]
pub struct Quantised {
    /// The integers.
    pub x: Value,
    /// A vector.
    pub scale: Value,
    /// A vector.
    pub zero: Option<Value>,
    /// The axis that scales and zero points are for.
    pub axis: usize,
}

/// Where floats come from that were sums of integers: the sums and a bias, times a scale, each broadcast to the shape of the result;
/// perhaps behind a ReLU.
#[derive(Clone, PartialEq, Debug)]
pub struct Scaled {
    /// Int32.
    pub sums: Value,
    /// Int32.
    pub bias: Value,
    /// Float32.
    pub scale: Value,
    /// Whether there is a ReLU.
    pub rectified: bool,
}

/// A graph while it is made.
#[derive(Default)]
pub struct Builder {
    tensors: Vec<Tensor>,
    nodes: Vec<Node>,
    /// What comes before the loops that are being made, the outermost first.
    outer: Vec<Vec<Node>>,
    /// Name of the model's node that is being lowered.
    name: String,
    calls: usize,
    folded: u64,
    quantised: BTreeMap<TensorId, Quantised>,
    scaled: BTreeMap<TensorId, Scaled>,
}

impl Builder {
    /// Says which node of the model the next calls are of.
    pub fn begin(&mut self, name: &str) {
        name.clone_into(&mut self.name);
    }

    /// The tensors and the calls.
    pub fn finish(self) -> (Vec<Tensor>, Vec<Node>) {
        debug_assert!(self.outer.is_empty(), "a loop is open");
        (self.tensors, self.nodes)
    }

    fn push_tensor(&mut self, dtype: DataType, len: usize, source: Source) -> TensorId {
        self.tensors.push(Tensor { dtype, len, source });
        TensorId(self.tensors.len() - 1)
    }

    /// An input of the model.
    pub fn input(&mut self, dtype: DataType, shape: &[usize]) -> Value {
        let tensor = self.push_tensor(dtype, shape.iter().product(), Source::Input);
        Value::dense(tensor, dtype, shape)
    }

    /// Notes where all of a tensor comes from.
    pub fn remember(&mut self, value: &Value, from: Quantised) {
        self.quantised.insert(value.tensor, from);
    }

    /// Notes where all of a tensor comes from.
    pub fn remember_scaled(&mut self, value: &Value, from: Scaled) {
        self.scaled.insert(value.tensor, from);
    }

    /// What was noted of a value, if it is all of the tensor in its order.
    pub fn scaled(&self, value: &Value) -> Option<Scaled> {
        let from = self.scaled.get(&value.tensor)?;
        (value.is_dense() && value.shape == from.sums.shape).then(|| from.clone())
    }

    /// What was noted of a value, if it is all of the tensor in its order.
    pub fn quantised(&self, value: &Value) -> Option<Quantised> {
        let from = self.quantised.get(&value.tensor)?;
        (value.is_dense() && value.shape == from.x.shape).then(|| from.clone())
    }

    /// The same of any part of the tensor, in any order: its integers lie as the value does.
    pub fn quantised_view(&self, value: &Value) -> Option<Quantised> {
        let from = self.quantised.get(&value.tensor)?;
        let x = Value {
            tensor: from.x.tensor,
            dtype: from.x.dtype,
            offset: from.x.offset + value.offset,
            ..value.clone()
        };
        from.x.is_dense().then(|| Quantised { x, ..from.clone() })
    }

    /// A tensor that calls will write.
    ///
    /// # Errors
    /// Shapes that no program can hold.
    pub fn computed(&mut self, dtype: DataType, shape: &[usize]) -> Built {
        if shape.len() > MAX_RANK {
            return Err(format!("its result has {} dimensions; {MAX_RANK} are the most", shape.len()));
        }
        let len = elements(shape)?;
        let tensor = self.push_tensor(dtype, len, Source::Computed);
        Ok(Value::dense(tensor, dtype, shape))
    }

    /// A constant of the image.
    ///
    /// # Panics
    /// If the elements are not as many as the shape says.
    pub fn constant(&mut self, shape: &[usize], elements: Elements) -> Value {
        assert_eq!(shape.iter().product::<usize>(), elements.len(), "a constant of the shape {shape:?}");
        let (dtype, len) = (elements.dtype(), elements.len());
        let tensor = self.push_tensor(dtype, len, Source::Constant(Arc::new(elements)));
        Value::dense(tensor, dtype, shape)
    }

    /// A float32 constant.
    pub fn floats(&mut self, shape: &[usize], values: impl Into<Values>) -> Value {
        self.constant(shape, Elements::F32(values.into()))
    }

    /// A vector of int64.
    pub fn integers(&mut self, values: &[i64]) -> Value {
        self.constant(&[values.len()], Elements::I64(values.to_vec()))
    }

    /// A single number of the type `dtype`, of rank 0; an integer is cut off.
    pub fn scalar(&mut self, dtype: DataType, value: f32) -> Value {
        let elements = match dtype {
            DataType::Float32 => Elements::F32(vec![value].into()),
            DataType::Int64 => Elements::I64(vec![value as i64]),
            DataType::Int32 => Elements::I32(vec![value as i32]),
            DataType::Int8 => Elements::I8(vec![value as i8]),
            DataType::Uint8 => Elements::U8(vec![value as u8]),
            DataType::Bool => Elements::Bool(vec![u8::from(value != 0.0)]),
        };
        self.constant(&[], elements)
    }

    /// The elements of a constant, in the order of the value's shape.
    pub fn as_constant(&self, value: &Value) -> Option<Slice<'_>> {
        let Source::Constant(elements) = &self.tensors[value.tensor.0].source else { return None };
        if value.is_dense() {
            return Some(elements.slice(value.offset..value.offset + value.len()));
        }
        let mut out = Slice::zeros(value.dtype, value.len());
        let op = Op::Copy(value.shape.clone(), value.strides.clone(), strides(&value.shape));
        let all = elements.slice(value.offset..value.offset + value.extent());
        execute(&op, &[all], std::slice::from_mut(&mut out));
        Some(out)
    }

    /// Whether the elements are known now.
    pub fn is_constant(&self, value: &Value) -> bool {
        matches!(self.tensors[value.tensor.0].source, Source::Constant(_))
    }

    /// The elements of an integer constant.
    pub fn as_integers(&self, value: &Value) -> Option<Vec<i64>> {
        Some(match self.as_constant(value)? {
            Slice::I64(values) => values.to_vec(),
            Slice::I32(values) => values.iter().map(|&v| v.into()).collect(),
            Slice::I8(values) => values.iter().map(|&v| v.into()).collect(),
            Slice::U8(values) | Slice::Bool(values) => values.iter().map(|&v| v.into()).collect(),
            Slice::F32(_) | Slice::Words(_) => return None,
        })
    }

    /// The elements of a float32 constant.
    pub fn as_floats(&self, value: &Value) -> Option<Vec<f32>> {
        match self.as_constant(value)? {
            Slice::F32(values) => Some(values.into_owned()),
            _ => None,
        }
    }

    /// The number that all elements of a float32 constant are.
    pub fn as_uniform(&self, value: &Value) -> Option<f32> {
        match &self.tensors[value.tensor.0].source {
            Source::Constant(elements) if value.len() == elements.len() => elements.floats()?.uniform(),
            Source::Constant(_) => {
                let values = self.as_floats(value)?;
                let first = *values.first()?;
                values.iter().all(|v| v.to_bits() == first.to_bits()).then_some(first)
            }
            _ => None,
        }
    }

    /// Whether a value is all that calls wrote to a tensor.
    pub fn is_whole_result(&self, value: &Value) -> bool {
        let tensor = &self.tensors[value.tensor.0];
        tensor.source == Source::Computed && value.is_dense() && value.len() == tensor.len
    }

    /// What a call reads of a value: all from its first element to its last.
    fn view(&self, value: &Value) -> View {
        View::new(value.tensor, value.offset, value.extent())
    }

    /// The value with its elements one behind the other, copied if they are not.
    pub fn dense(&mut self, value: &Value) -> Built {
        if value.is_dense() {
            return Ok(value.clone());
        }
        if let Some(transposed) = self.transposed_in_file(value) {
            return Ok(transposed);
        }
        let out = strides(&value.shape);
        let (dims, [from, to]) = value::merged(&value.shape, [&value.strides, &out]);
        self.call(Op::Copy(dims, from, to), &[value], value.dtype, &value.shape)
    }

    /// A transposed matrix of weights that is still in the model's file stays there.
    fn transposed_in_file(&mut self, value: &Value) -> Option<Value> {
        let Source::Constant(elements) = &self.tensors[value.tensor.0].source else { return None };
        let moving: Vec<usize> = (0..value.shape.len()).filter(|&axis| value.shape[axis] != 1).collect();
        let [first, second] = moving[..] else { return None };
        let (rows, columns) = (value.shape[second], value.shape[first]);
        let is_transposed = value.offset == 0
            && value.len() == elements.len()
            && (value.strides[first], value.strides[second]) == (1, columns);
        let transposed = elements.floats().filter(|_| is_transposed)?.transposed(rows, columns)?;
        Some(self.floats(&value.shape.clone(), transposed))
    }

    /// Appends a call with one result.
    ///
    /// # Errors
    /// A result, or a program, that is too large.
    pub fn call(&mut self, op: Op, inputs: &[&Value], dtype: DataType, shape: &[usize]) -> Built {
        let mut results = self.calls(op, inputs, &[(dtype, shape)])?;
        Ok(results.remove(0))
    }

    /// Appends a call with a result of each of these types and shapes, or computes them now if the operands are constants.
    ///
    /// # Errors
    /// A result, or a program, that is too large.
    pub fn calls(
        &mut self,
        op: Op,
        inputs: &[&Value],
        results: &[(DataType, &[usize])],
    ) -> Built<Vec<Value>> {
        if let Some(folded) = self.fold(&op, inputs, results)? {
            return Ok(folded);
        }
        let outputs: Vec<Value> =
            results.iter().map(|(dtype, shape)| self.computed(*dtype, shape)).collect::<Result<_, _>>()?;
        let views = outputs.iter().map(|value| self.view(value)).collect();
        let inputs = inputs.iter().map(|value| self.view(value)).collect();
        self.push(op, inputs, views)?;
        Ok(outputs)
    }

    fn fold(
        &mut self,
        op: &Op,
        inputs: &[&Value],
        results: &[(DataType, &[usize])],
    ) -> Built<Option<Vec<Value>>> {
        if inputs.is_empty() || !inputs.iter().all(|value| self.is_constant(value)) {
            return Ok(None);
        }
        let mut cost = op.multiply_accumulates();
        cost += inputs.iter().map(|value| value.extent() as u64).sum::<u64>();
        for (_, shape) in results {
            cost += elements(shape)? as u64;
        }
        // What takes too long, or too much of the image, is left to the program.
        if self.folded + cost > MAX_FOLDED {
            return Ok(None);
        }
        self.folded += cost;
        let operands: Vec<Slice<'_>> = inputs.iter().map(|value| self.elements_of(value)).collect();
        let mut outputs: Vec<_> =
            results.iter().map(|(dtype, shape)| Slice::zeros(*dtype, shape.iter().product())).collect();
        execute(op, &operands, &mut outputs);
        drop(operands);
        let constants = results.iter().zip(outputs);
        Ok(Some(constants.map(|((_, shape), values)| self.constant(shape, values.into_elements())).collect()))
    }

    /// From the first element of a constant to its last.
    fn elements_of(&self, value: &Value) -> Slice<'_> {
        match &self.tensors[value.tensor.0].source {
            Source::Constant(elements) => elements.slice(value.offset..value.offset + value.extent()),
            _ => unreachable!("only constants are folded"),
        }
    }

    /// Appends a call.
    fn push(&mut self, op: Op, inputs: Vec<View>, outputs: Vec<View>) -> Built<()> {
        self.calls += 1;
        if self.calls > MAX_CALLS {
            return Err(format!("a program has at most {MAX_CALLS} kernel calls: make its batch smaller"));
        }
        self.nodes.push(Node { name: self.name.clone(), op, inputs, outputs, scratch: None });
        Ok(())
    }
}

/// Elements of a shape.
///
/// # Errors
/// More than [`MAX_ELEMENTS`].
pub fn elements(shape: &[usize]) -> Built<usize> {
    let len = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&n| n <= MAX_ELEMENTS);
    len.ok_or_else(|| format!("its result of shape {shape:?} does not fit the VM's memory"))
}
