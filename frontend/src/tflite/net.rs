//! The graph of ONNX's nodes while operators become some.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};
use tract_tflite::tflite::{ActivationFunctionType, Model, Operator, SubGraph, Tensor, TensorType};

use super::attributes::{int, ints};
use super::tensors::{self, Quantisation};
use crate::error::ImportError;
use crate::onnx::Payloads;

/// What comes of an operator; the caller adds where.
pub type Made<T = ()> = Result<T, String>;

/// Name of a value in ONNX's graph.
pub type Name = String;

/// Number of a tensor in the file's subgraph.
pub type Id = usize;

/// What the graph may take: so many bytes, and so many for each byte of the file. Tables of a file may be named again and again, which is
/// how a small one can stand for more than any machine holds.
const BUDGET: u64 = 1 << 26;
const BUDGET_PER_BYTE: u64 = 16;

/// What scales and zero points of a tensor count for, besides 16 bytes of each.
const PARAMETERS_COST: u64 = 1 << 8;

/// Bytes of a name that are kept.
const LONGEST_NAME: usize = 256;

/// Orders of the axes of images.
const CHANNELS_FIRST: [i64; 4] = [0, 3, 1, 2];
const CHANNELS_LAST: [i64; 4] = [0, 2, 3, 1];

/// The nodes so far, and the names that tensors of the file have among them.
pub struct Net<'a> {
    /// The graph.
    pub graph: GraphProto,
    /// Elements of constants that stay in the file.
    pub payloads: Payloads,
    pub(super) tensors: Vec<Tensor<'a>>,
    /// Bytes of the constant that a tensor is.
    data: Vec<Option<&'a [u8]>>,
    file: &'a Bytes,
    large: usize,
    /// The value that each tensor is.
    values: Vec<Option<Name>>,
    /// The float form of those that are quantised.
    floats: BTreeMap<Id, Name>,
    /// What operators that were refused would have made.
    refused: BTreeSet<Id>,
    /// How often each name was wished for.
    names: BTreeMap<Name, usize>,
    /// Bytes that the graph may still take.
    budget: u64,
    is_exhausted: bool,
    pub(super) node_name: String,
}

impl<'a> Net<'a> {
    /// Nothing yet of `subgraph`.
    ///
    /// # Errors
    /// A tensor with a buffer that the file does not have.
    pub fn new(
        model: &Model<'a>,
        subgraph: &SubGraph<'a>,
        file: &'a Bytes,
        large: usize,
    ) -> Result<Self, ImportError> {
        let buffers = model.buffers();
        let mut data = Vec::new();
        for tensor in subgraph.tensors().iter().flatten() {
            let index = tensor.buffer() as usize;
            // Buffer 0 is that of tensors that are computed; old files leave it out.
            let buffer = buffers.filter(|all| index < all.len()).map(|all| all.get(index));
            if buffer.is_none() && index != 0 {
                let problem = format!("a tensor is in buffer {index}, which is not there");
                return Err(ImportError::Malformed { problem });
            }
            data.push(buffer.filter(|_| index != 0).and_then(|b| b.data()).map(|bytes| bytes.bytes()));
        }
        let tensors: Vec<_> = subgraph.tensors().iter().flatten().collect();
        Ok(Self {
            graph: GraphProto::default(),
            payloads: Payloads::new(),
            values: vec![None; tensors.len()],
            tensors,
            data,
            file,
            large,
            floats: BTreeMap::new(),
            refused: BTreeSet::new(),
            names: BTreeMap::new(),
            budget: BUDGET + BUDGET_PER_BYTE * file.len() as u64,
            is_exhausted: false,
            node_name: String::new(),
        })
    }

    /// Marks the results of an operator that was refused, or that reads what one would have made.
    pub fn refuse(&mut self, operator: &Operator<'_>) {
        self.refused.extend(operator.outputs().iter().flatten().filter_map(|id| Id::try_from(id).ok()));
    }

    /// Whether an operator reads what one that was refused would have made.
    pub fn hangs_on_refused(&self, operator: &Operator<'_>) -> bool {
        let inputs = operator.inputs();
        let mut inputs = inputs.iter().flatten().filter_map(|id| Id::try_from(id).ok());
        inputs.any(|id| self.refused.contains(&id))
    }

    /// How the operator that is being translated is called.
    pub fn node_name(&self) -> &str {
        &self.node_name
    }

    /// Counts `bytes` more of the graph.
    ///
    /// # Errors
    /// More than a file of this length can want.
    pub fn spend(&mut self, bytes: u64) -> Made {
        let Some(left) = self.budget.checked_sub(bytes) else {
            self.is_exhausted = true;
            return Err("with it the model takes more memory than a file of its length can want".into());
        };
        self.budget = left;
        Ok(())
    }

    /// Whether there was more to count than the graph may take.
    pub fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }

    /// The file's name of a tensor, cut off if it is very long; its number if it has none.
    pub fn label(&self, id: Id) -> String {
        match self.tensors[id].name() {
            None | Some("") => format!("tensor_{id}"),
            Some(name) => name[..name.floor_char_boundary(LONGEST_NAME)].to_owned(),
        }
    }

    /// The dimensions that the file says a tensor has.
    ///
    /// # Errors
    /// Negative ones.
    pub fn shape(&self, id: Id) -> Made<Vec<usize>> {
        tensors::shape(&self.tensors[id])
    }

    /// Number of dimensions.
    pub fn rank(&self, id: Id) -> usize {
        self.tensors[id].shape().map_or(0, |shape| shape.len())
    }

    /// Type of the elements.
    pub fn kind(&self, id: Id) -> TensorType {
        self.tensors[id].type_()
    }

    /// How a tensor is quantised, if it is.
    ///
    /// # Errors
    /// Parameters that do not fit.
    pub fn quantisation(&self, id: Id) -> Made<Option<Quantisation>> {
        tensors::quantisation(&self.tensors[id])
    }

    /// A name that no value has.
    pub fn fresh(&mut self, wish: &str) -> Name {
        let mut name = wish.to_owned();
        // Somebody may have wished for the name that a second one gets here.
        while self.names.contains_key(&name) {
            let count = self.names.get_mut(wish).expect("it was wished for");
            *count += 1;
            name = format!("{wish}#{count}");
        }
        self.names.insert(name.clone(), 0);
        name
    }

    /// Says which value a tensor is.
    pub fn bind(&mut self, id: Id, value: Name) {
        self.values[id] = Some(value);
    }

    /// The elements of a tensor as they are in the file: integers if it is quantised.
    ///
    /// # Errors
    /// A tensor that nothing has made yet, or of a type that no kernel computes with.
    pub fn stored(&mut self, id: Id) -> Made<Name> {
        if let Some(name) = &self.values[id] {
            return Ok(name.clone());
        }
        let tensor = self.tensors[id];
        let label = self.label(id);
        let data = self.data[id].ok_or_else(|| format!("it reads `{label}`, which nothing has made"))?;
        if tensor.sparsity().is_some() {
            return Err(format!("`{label}` is sparse"));
        }
        self.spend(data.len() as u64 * 2)?;
        let name = self.fresh(&label);
        let (constant, payload) = tensors::constant(&name, &tensor, data, self.file, self.large)?;
        self.payloads.extend(payload.map(|payload| (self.graph.initializer.len(), payload)));
        self.graph.initializer.push(constant);
        self.bind(id, name.clone());
        Ok(name)
    }

    /// The elements of a tensor as numbers: floats if it is quantised.
    ///
    /// # Errors
    /// Those of [`stored`](Self::stored).
    pub fn value(&mut self, id: Id) -> Made<Name> {
        let stored = self.stored(id)?;
        if let Some(name) = self.floats.get(&id) {
            return Ok(name.clone());
        }
        let Some(quantisation) = self.quantisation(id)? else { return Ok(stored) };
        let name = self.dequantised(stored, id, &quantisation, quantisation.axis)?;
        self.floats.insert(id, name.clone());
        Ok(name)
    }

    /// The elements of a tensor as numbers, its axes in another order.
    ///
    /// # Errors
    /// Those of [`stored`](Self::stored).
    pub fn ordered(&mut self, id: Id, order: &[i64]) -> Made<Name> {
        let stored = self.stored(id)?;
        let moved = self.transposed(stored, order);
        let Some(of) = self.quantisation(id)? else { return Ok(moved) };
        let axis = order.iter().position(|&from| from == of.axis as i64).unwrap_or(0);
        self.dequantised(moved, id, &of, axis)
    }

    /// Floats of the integers `stored`, which are those of a tensor in some order: their scales go along `axis`.
    ///
    /// # Errors
    /// More scales than there can be.
    pub fn dequantised(&mut self, stored: Name, id: Id, of: &Quantisation, axis: usize) -> Made<Name> {
        let [scale, zero] = self.parameters(id, of)?;
        Ok(self.node("DequantizeLinear", &[stored, scale, zero], vec![int("axis", axis as i64)]))
    }

    /// Integers of the tensor `id`, of the floats `value`, which are in some order.
    ///
    /// # Errors
    /// A result with several scales.
    pub fn quantised(&mut self, value: Name, id: Id) -> Made<Name> {
        let Some(quantisation) = self.quantisation(id)? else { return Ok(value) };
        if quantisation.scale.len() != 1 {
            return Err(format!("a result with {} scales", quantisation.scale.len()));
        }
        let [scale, zero] = self.parameters(id, &quantisation)?;
        Ok(self.node("QuantizeLinear", &[value, scale, zero], Vec::new()))
    }

    /// Scale and zero point: a number, or a vector of one for each index.
    fn parameters(&mut self, id: Id, of: &Quantisation) -> Made<[Name; 2]> {
        self.spend(PARAMETERS_COST + 16 * of.scale.len() as u64)?;
        let dims = if of.scale.len() == 1 { Vec::new() } else { vec![of.scale.len() as i64] };
        let scale = TensorProto {
            dims: dims.clone(),
            data_type: DataType::Float.into(),
            float_data: of.scale.clone(),
            ..TensorProto::default()
        };
        let zeros = if of.zero.is_empty() { vec![0; of.scale.len()] } else { of.zero.clone() };
        let zero = TensorProto {
            dims,
            data_type: tensors::dtype(self.kind(id)).unwrap_or(DataType::Undefined).into(),
            int32_data: zeros.iter().map(|&zero| zero as i32).collect(),
            ..TensorProto::default()
        };
        Ok([self.constant(scale), self.constant(zero)])
    }

    /// Makes a tensor of its numbers, quantised if it is.
    ///
    /// # Errors
    /// A result with several scales.
    pub fn store(&mut self, id: Id, value: Name) -> Made {
        let value = self.quantised(value, id)?;
        self.bind(id, value);
        Ok(())
    }

    /// An image with its channels first, [N, C, H, W] of [N, H, W, C].
    ///
    /// # Errors
    /// A tensor of another rank, and those of [`value`](Self::value).
    pub fn image(&mut self, id: Id) -> Made<Name> {
        self.require_image(id)?;
        self.ordered(id, &CHANNELS_FIRST)
    }

    /// The same of the elements as they are in the file.
    ///
    /// # Errors
    /// A tensor of another rank, and those of [`stored`](Self::stored).
    pub fn stored_image(&mut self, id: Id) -> Made<Name> {
        self.require_image(id)?;
        let stored = self.stored(id)?;
        Ok(self.transposed(stored, &CHANNELS_FIRST))
    }

    /// Makes a tensor of an image of numbers that has its channels first.
    ///
    /// # Errors
    /// A result with several scales.
    pub fn store_image(&mut self, id: Id, value: Name) -> Made {
        let value = self.quantised(value, id)?;
        self.bind_image(id, value);
        Ok(())
    }

    /// Says which image, with its channels first, a tensor is.
    pub fn bind_image(&mut self, id: Id, value: Name) {
        let last = self.transposed(value, &CHANNELS_LAST);
        self.bind(id, last);
    }

    fn require_image(&self, id: Id) -> Made {
        match self.rank(id) {
            4 => Ok(()),
            _ => Err(format!("an operand of the shape {:?}, which is no image", self.shape(id)?)),
        }
    }

    /// The axes of a value in another order.
    pub fn transposed(&mut self, value: Name, order: &[i64]) -> Name {
        self.node("Transpose", &[value], vec![ints("perm", order)])
    }

    /// Whether the file has the elements of a tensor.
    pub fn is_constant(&self, id: Id) -> bool {
        self.data[id].is_some()
    }

    /// The integers of a constant.
    ///
    /// # Errors
    /// One that is computed.
    pub fn known(&self, id: Id, what: &str) -> Made<Vec<i64>> {
        let from = |data: &[u8]| match self.kind(id) {
            TensorType::INT64 => {
                Some(data.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect())
            }
            TensorType::INT32 => {
                Some(data.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes).into()).collect())
            }
            _ => None,
        };
        self.data[id]
            .and_then(from)
            .ok_or_else(|| format!("its operand `{what}` has to be a constant of integers"))
    }

    /// The same of a single number.
    ///
    /// # Errors
    /// One that is computed, or more than one.
    pub fn known_number(&self, id: Id, what: &str) -> Made<i64> {
        match self.known(id, what)?[..] {
            [number] => Ok(number),
            ref more => Err(format!("its operand `{what}` has {} elements", more.len())),
        }
    }

    /// A tensor of integers as int64, which is what shapes and indices are in ONNX.
    ///
    /// # Errors
    /// Those of [`stored`](Self::stored).
    pub fn integers(&mut self, id: Id) -> Made<Name> {
        let stored = self.stored(id)?;
        Ok(if self.kind(id) == TensorType::INT64 { stored } else { self.cast(stored, DataType::Int64) })
    }

    /// The elements as another type.
    pub fn cast(&mut self, value: Name, to: DataType) -> Name {
        self.node("Cast", &[value], vec![int("to", i64::from(i32::from(to)))])
    }

    /// A vector of int64.
    pub fn vector(&mut self, values: &[i64]) -> Name {
        self.constant(TensorProto {
            dims: vec![values.len() as i64],
            data_type: DataType::Int64.into(),
            int64_data: values.to_vec(),
            ..TensorProto::default()
        })
    }

    /// A float32 number.
    pub fn number(&mut self, value: f32) -> Name {
        self.constant(TensorProto {
            data_type: DataType::Float.into(),
            float_data: vec![value],
            ..TensorProto::default()
        })
    }

    /// A constant of the graph.
    pub fn constant(&mut self, tensor: TensorProto) -> Name {
        let name = self.fresh("constant");
        self.graph.initializer.push(TensorProto { name: name.clone(), ..tensor });
        name
    }

    /// A node with one result.
    pub fn node(&mut self, op_type: &str, inputs: &[Name], attributes: Vec<AttributeProto>) -> Name {
        self.nodes(op_type, inputs, attributes, 1).remove(0)
    }

    /// A node with `count` results. An operand without a name is left out.
    pub fn nodes(
        &mut self,
        op_type: &str,
        inputs: &[Name],
        attributes: Vec<AttributeProto>,
        count: usize,
    ) -> Vec<Name> {
        let wish = format!("{}/{op_type}", self.node_name);
        let output: Vec<Name> = (0..count).map(|_| self.fresh(&wish)).collect();
        self.graph.node.push(NodeProto {
            name: self.node_name.clone(),
            op_type: op_type.to_owned(),
            input: inputs.to_vec(),
            output: output.clone(),
            attribute: attributes,
            ..NodeProto::default()
        });
        output
    }

    /// What the file has fused into an operator, whose result is `id`. Bounds that the integers of `id` have anyway are left out.
    ///
    /// # Errors
    /// A function that is none of elements alone.
    pub fn activated(&mut self, value: Name, of: ActivationFunctionType, id: Id) -> Made<Name> {
        let bounds = match of {
            ActivationFunctionType::NONE => return Ok(value),
            ActivationFunctionType::RELU => (0.0, f32::INFINITY),
            ActivationFunctionType::RELU_N1_TO_1 => (-1.0, 1.0),
            ActivationFunctionType::RELU6 => (0.0, 6.0),
            ActivationFunctionType::TANH => return Ok(self.node("Tanh", &[value], Vec::new())),
            other => {
                return Err(format!("the fused activation {}", other.variant_name().unwrap_or("unknown")));
            }
        };
        self.clipped(value, bounds, id)
    }

    /// No less than the first bound and no more than the second.
    ///
    /// # Errors
    /// Parameters that do not fit.
    pub fn clipped(&mut self, value: Name, bounds: (f32, f32), id: Id) -> Made<Name> {
        let (mut low, mut high) = bounds;
        if let Some(Quantisation { scale, zero, .. }) = self.quantisation(id)?
            && let [scale] = scale[..]
        {
            let zero = zero.first().copied().unwrap_or(0) as f32;
            let (least, most) =
                if self.kind(id) == TensorType::INT8 { (-128.0, 127.0) } else { (0.0, 255.0) };
            if (low / scale).round_ties_even() + zero <= least {
                low = f32::NEG_INFINITY;
            }
            if (high / scale).round_ties_even() + zero >= most {
                high = f32::INFINITY;
            }
        }
        Ok(match (low == f32::NEG_INFINITY, high == f32::INFINITY) {
            (true, true) => value,
            (false, true) if low == 0.0 => self.node("Relu", &[value], Vec::new()),
            (no_low, no_high) => {
                let low = if no_low { Name::new() } else { self.number(low) };
                let high = if no_high { Name::new() } else { self.number(high) };
                self.node("Clip", &[value, low, high], Vec::new())
            }
        })
    }
}
