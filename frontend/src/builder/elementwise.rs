//! Functions of each element alone.

use opml_abi::DataType;
use opml_kernels::{BinaryOp, BitOp, CompareOp, IntegerOp, UnaryOp};

use super::value::{broadcast_shape, merged};
use super::{Builder, Built, Scaled, Value};
use crate::graph::Op;

impl Builder {
    /// A function of one operand, float32 or an integer.
    ///
    /// # Errors
    /// A function that its type does not have.
    pub fn unary(&mut self, op: UnaryOp, x: &Value) -> Built {
        if let Some(done) = self.by_table(x, |b, table| b.unary(op, table))? {
            return Ok(done);
        }
        let kernel = match (x.dtype, op) {
            (DataType::Float32, _) => Op::Unary(op),
            (DataType::Bool, _) => return Err("an arithmetic function of truth values".into()),
            (_, UnaryOp::Neg) => Op::UnaryInteger(IntegerOp::Neg),
            (_, UnaryOp::Abs) => Op::UnaryInteger(IntegerOp::Abs),
            (_, UnaryOp::Sign) => Op::UnaryInteger(IntegerOp::Sign),
            // An integer is rounded already.
            (_, UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Round) => return Ok(x.clone()),
            (dtype, _) => return Err(format!("the function {op:?} of {dtype} elements")),
        };
        self.as_it_lies(x, |b, x| b.call(kernel, &[x], x.dtype, &x.shape))
    }

    /// A function of each element, in the order in which they lie in memory: the result lies alike, and nothing is moved.
    pub(super) fn as_it_lies(
        &mut self,
        x: &Value,
        function: impl FnOnce(&mut Self, &Value) -> Built,
    ) -> Built {
        match x.memory_order() {
            Some(order) => Ok(function(self, &x.ordered(&order))?.ordered_back(&order)),
            None => {
                let x = self.dense(x)?;
                function(self, &x)
            }
        }
    }

    /// A function of two operands of one type, which broadcast.
    ///
    /// # Errors
    /// Operands that do not fit.
    pub fn binary(&mut self, op: BinaryOp, a: &Value, b: &Value) -> Built {
        if a.dtype != b.dtype {
            return Err(format!("its operands are {} and {}", a.dtype, b.dtype));
        }
        if let Some(done) = self.binary_by_table(op, a, b)? {
            return Ok(done);
        }
        if let Some(done) = self.bounded(op, a, b)? {
            return Ok(done);
        }
        self.broadcast_call(a.dtype, &[a, b], |dims, [a, b]| Op::Binary(op, dims, a, b))
    }

    /// A function of the bits of two operands of one type, integers or bools.
    ///
    /// # Errors
    /// Operands that do not fit.
    pub fn bitwise(&mut self, op: BitOp, a: &Value, b: &Value) -> Built {
        if a.dtype != b.dtype || a.dtype == DataType::Float32 {
            return Err(format!("its operands are {} and {}", a.dtype, b.dtype));
        }
        self.broadcast_call(a.dtype, &[a, b], |dims, [a, b]| Op::Bitwise(op, dims, a, b))
    }

    /// A comparison of two operands of one type.
    ///
    /// # Errors
    /// Operands that do not fit.
    pub fn compare(&mut self, op: CompareOp, a: &Value, b: &Value) -> Built {
        if a.dtype != b.dtype {
            return Err(format!("its operands are {} and {}", a.dtype, b.dtype));
        }
        self.broadcast_call(DataType::Bool, &[a, b], |dims, [a, b]| Op::Compare(op, dims, a, b))
    }

    /// `a` where the condition is true, else `b`.
    ///
    /// # Errors
    /// Operands that do not fit.
    pub fn select(&mut self, condition: &Value, a: &Value, b: &Value) -> Built {
        if condition.dtype != DataType::Bool || a.dtype != b.dtype {
            return Err(format!("its operands are {}, {} and {}", condition.dtype, a.dtype, b.dtype));
        }
        self.broadcast_call(a.dtype, &[condition, a, b], Op::Select)
    }

    /// The elements as another type.
    ///
    /// # Errors
    /// A result that is too large.
    pub fn cast(&mut self, x: &Value, dtype: DataType) -> Built {
        if x.dtype == dtype {
            return Ok(x.clone());
        }
        let op = if dtype == DataType::Bool { Op::CastToBool } else { Op::Cast };
        self.as_it_lies(x, |b, x| b.call(op, &[x], dtype, &x.shape))
    }

    /// The opposite of truth values.
    ///
    /// # Errors
    /// Operands of another type.
    pub fn not(&mut self, x: &Value) -> Built {
        self.test(Op::Not, x, DataType::Bool)
    }

    /// A property of each element.
    ///
    /// # Errors
    /// Operands of another type than `of`.
    pub fn test(&mut self, op: Op, x: &Value, of: DataType) -> Built {
        if x.dtype != of {
            return Err(format!("its operand is {}, and not {of}", x.dtype));
        }
        self.as_it_lies(x, |b, x| b.call(op, &[x], DataType::Bool, &x.shape))
    }

    /// No less than `low` and no more than `high`, in float32.
    ///
    /// # Errors
    /// A result that is too large.
    pub fn clip(&mut self, x: &Value, low: f32, high: f32) -> Built {
        if let Some(done) = self.by_table(x, |b, table| b.clip(table, low, high))? {
            return Ok(done);
        }
        // A bound of -0 would be kept by a maximum; a ReLU has none.
        let relu = low.to_bits() == 0 && high == f32::INFINITY;
        let op = if relu { Op::Relu } else { Op::Clip(low, high) };
        self.as_it_lies(x, |b, x| {
            let out = b.call(op, &[x], DataType::Float32, &x.shape)?;
            if let Some(from) = b.scaled(x).filter(|_| relu) {
                b.remember_scaled(&out, Scaled { rectified: true, ..from });
            }
            Ok(out)
        })
    }

    /// A maximum or minimum with one number for all elements: a bound, and for zero a ReLU.
    fn bounded(&mut self, op: BinaryOp, a: &Value, b: &Value) -> Built<Option<Value>> {
        if !matches!(op, BinaryOp::Min | BinaryOp::Max) || a.dtype != DataType::Float32 {
            return Ok(None);
        }
        let shape = broadcast_shape(&[&a.shape, &b.shape])?;
        for (x, bound) in [(a, b), (b, a)] {
            if x.shape == shape
                && let Some(bound) = self.as_uniform(bound).filter(|bound| !bound.is_nan())
            {
                let (low, high) =
                    if op == BinaryOp::Max { (bound, f32::INFINITY) } else { (f32::NEG_INFINITY, bound) };
                return self.clip(x, low, high).map(Some);
            }
        }
        Ok(None)
    }

    /// A call on operands that broadcast to each other, wherever their elements lie.
    fn broadcast_call<const N: usize>(
        &mut self,
        dtype: DataType,
        operands: &[&Value; N],
        op: impl FnOnce(Vec<usize>, [Vec<usize>; N]) -> Op,
    ) -> Built {
        let shape = broadcast_shape(&operands.map(|value| value.shape.as_slice()))?;
        super::elements(&shape)?;
        // In the order of an operand that is as large as the result, if none lies in the result's own.
        let full = || operands.iter().filter(|value| value.shape == shape);
        let order =
            if full().any(|value| value.is_dense()) { None } else { full().find_map(|v| v.memory_order()) };
        let order = order.unwrap_or_else(|| (0..shape.len()).collect());
        let mut spread = Vec::with_capacity(N);
        for operand in operands {
            spread.push(operand.broadcast(&shape)?.ordered(&order));
        }
        let shape: Vec<usize> = order.iter().map(|&axis| shape[axis]).collect();
        let (dims, strides) = merged(&shape, std::array::from_fn(|i| spread[i].strides.as_slice()));
        // The result is walked in the same order, whatever is merged: it has no gaps.
        let operands: Vec<&Value> = spread.iter().collect();
        Ok(self.call(op(dims, strides), &operands, dtype, &shape)?.ordered_back(&order))
    }
}
