//! Builds a [`Graph`] call by call. What follows from constants alone is computed at once, by the same kernels.

mod elementwise;
mod layout;
mod linear;
mod loops;
mod notes;
mod reduce;
mod tables;
mod types;
mod value;

use std::sync::Arc;

use opml_abi::DataType;
use opml_abi::blob::MAX_RANK;

pub use self::linear::Window2d;
use self::notes::Notes;
pub use self::notes::{Quantised, Scaled, Tabulated};
pub use self::value::{Value, axis_of, broadcast_shape, merged};
use crate::elements::{Elements, Slice};
use crate::eval::execute;
use crate::graph::{Node, Op, Source, Tensor, TensorId, View, strides};
use crate::guard::guarded;
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

/// What all tables together may take that operators make up, such as the places along an axis: elements.
const MAX_TABLES: usize = 1 << 25;

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
    tables: usize,
    quantised: Notes<Quantised>,
    scaled: Notes<Scaled>,
    tabulated: Notes<Tabulated>,
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

    /// Looks whether there is room for a table of `len` elements that an operator makes up, before it does: a model of a few bytes
    /// can ask for any number of them.
    ///
    /// # Errors
    /// More than [`MAX_TABLES`] in all.
    pub fn reserve_table(&mut self, len: usize) -> Built<()> {
        self.tables = self.tables.saturating_add(len);
        if self.tables <= MAX_TABLES {
            return Ok(());
        }
        Err(format!("a table of {len} elements; all tables that operators ask for have {MAX_TABLES} at most"))
    }

    /// The integers from 0 on, `len` of them: the places along an axis.
    ///
    /// # Errors
    /// Those of [`reserve_table`](Self::reserve_table).
    pub fn places(&mut self, len: usize) -> Built {
        self.reserve_table(len)?;
        Ok(self.constant(&[len], Elements::I64((0..len as i64).collect())))
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
        let all = self.elements_of(value)?;
        if value.is_dense() {
            return Some(all);
        }
        let mut out = Slice::zeros(value.dtype, value.len());
        let op = Op::Copy(value.shape.clone(), value.strides.clone(), strides(&value.shape));
        execute(&op, &[all], std::slice::from_mut(&mut out));
        Some(out)
    }

    /// From the first element of a constant to its last, in the order of its tensor.
    fn elements_of(&self, value: &Value) -> Option<Slice<'_>> {
        let Source::Constant(elements) = &self.tensors[value.tensor.0].source else { return None };
        Some(elements.slice(value.offset..value.offset + value.extent()))
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
        let operands: Vec<DataType> = inputs.iter().map(|value| value.dtype).collect();
        types::check(&op, &operands, &results.iter().map(|result| result.0).collect::<Vec<_>>())?;
        if let Some(folded) = self.fold(&op, inputs, results)? {
            return Ok(folded);
        }
        self.in_program(op, inputs, results)
    }

    /// Appends a call that stays one, also if the operands are constants.
    fn in_program(
        &mut self,
        op: Op,
        inputs: &[&Value],
        results: &[(DataType, &[usize])],
    ) -> Built<Vec<Value>> {
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
        let operand = |value: &&Value| self.elements_of(value).expect("all are constants");
        let operands: Vec<Slice<'_>> = inputs.iter().map(operand).collect();
        let mut outputs: Vec<_> =
            results.iter().map(|(dtype, shape)| Slice::zeros(*dtype, shape.iter().product())).collect();
        let mut run = || execute(op, &operands, &mut outputs);
        if op.takes_indices() {
            // Only the kernel sees that one of them is out of range.
            guarded(run).map_err(|panic| format!("its operands are constants that it ends with: {panic}"))?;
        } else {
            run();
        }
        drop(operands);
        let constants = results.iter().zip(outputs);
        Ok(Some(constants.map(|((_, shape), values)| self.constant(shape, values.into_elements())).collect()))
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
/// More than [`MAX_ELEMENTS`], also where a dimension of 0 leaves none of them: strides are products too.
pub fn elements(shape: &[usize]) -> Built<usize> {
    let most = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d.max(1))).filter(|&n| n <= MAX_ELEMENTS);
    most.ok_or_else(|| format!("its result of shape {shape:?} does not fit the VM's memory"))?;
    Ok(shape.iter().product())
}
