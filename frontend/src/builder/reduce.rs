//! What goes along axes.

use opml_abi::DataType;
use opml_kernels::{ArgOp, Axis, ReduceOp, TopK};

use super::{Builder, Built, Value};
use crate::graph::Op;

impl Builder {
    /// Reduces the axes `axes`, each named once, to length 1. A float32 sum is the exact sum, rounded once.
    ///
    /// # Errors
    /// A result that is too large.
    pub fn reduce(&mut self, op: ReduceOp, x: &Value, axes: &[usize]) -> Built {
        let kept: Vec<usize> = (0..x.rank()).filter(|axis| !axes.contains(axis)).collect();
        let mut sorted = axes.to_vec();
        sorted.sort_unstable();
        let mut shape = x.shape.clone();
        sorted.iter().for_each(|&axis| shape[axis] = 1);
        // Neighbouring axes are one; others are moved behind those that stay.
        let neighbours = sorted.windows(2).all(|pair| pair[1] == pair[0] + 1);
        let (x, axis) = match sorted.first() {
            Some(&first) if neighbours => {
                let len = x.shape[first..first + sorted.len()].iter().product();
                let outer = x.shape[..first].iter().product();
                let inner = x.shape[first + sorted.len()..].iter().product();
                (self.dense(x)?, Axis { outer, len, inner })
            }
            _ => {
                let len = sorted.iter().map(|&axis| x.shape[axis]).product();
                let outer = kept.iter().map(|&axis| x.shape[axis]).product();
                let order = [kept, sorted].concat();
                let moved = self.transpose(x, &order);
                (self.dense(&moved)?, Axis { outer, len, inner: 1 })
            }
        };
        let kernel = match (op, x.dtype) {
            (ReduceOp::Sum, DataType::Float32) => Op::ReduceSum(axis),
            _ => Op::Reduce(op, axis),
        };
        self.call(kernel, &[&x], x.dtype, &shape)
    }

    /// The axis of a dense value as kernels see it.
    fn axis_of(x: &Value, axis: usize) -> Axis {
        let product = |dims: &[usize]| dims.iter().product();
        Axis { outer: product(&x.shape[..axis]), len: x.shape[axis], inner: product(&x.shape[axis + 1..]) }
    }

    /// The index of the largest or smallest element along an axis, which gets length 1.
    ///
    /// # Errors
    /// No elements along it, or a result that is too large.
    pub fn arg_reduce(&mut self, op: ArgOp, last: bool, x: &Value, axis: usize) -> Built {
        if x.shape[axis] == 0 {
            return Err(format!("it looks for a largest or smallest of no elements: {:?}", x.shape));
        }
        let x = self.dense(x)?;
        let mut shape = x.shape.clone();
        shape[axis] = 1;
        let op = Op::ArgReduce(op, last, Self::axis_of(&x, axis));
        self.call(op, &[&x], DataType::Int64, &shape)
    }

    /// Sums of the elements up to each, along an axis.
    ///
    /// # Errors
    /// A result that is too large.
    pub fn cumulative_sum(&mut self, x: &Value, axis: usize, exclusive: bool, reverse: bool) -> Built {
        let x = self.dense(x)?;
        let op = Op::CumulativeSum(Self::axis_of(&x, axis), exclusive, reverse);
        self.call(op, &[&x], x.dtype, &x.shape)
    }

    /// The `k` largest or smallest elements along an axis, in order, and their indices.
    ///
    /// # Errors
    /// More elements than there are.
    pub fn top_k(&mut self, x: &Value, axis: usize, k: usize, largest: bool) -> Built<[Value; 2]> {
        let x = self.dense(x)?;
        let Axis { outer, len, inner } = Self::axis_of(&x, axis);
        if k > len {
            return Err(format!("it asks for {k} elements of {len}"));
        }
        let mut shape = x.shape.clone();
        shape[axis] = k;
        let op = Op::TopK(TopK { outer, len, inner, k, largest });
        let results = self.calls(op, &[&x], &[(x.dtype, &shape), (DataType::Int64, &shape)])?;
        results.try_into().map_err(|_| "it has two results".into())
    }

    /// exp(x) by the sum of exp(x) along an axis, in float32.
    ///
    /// # Errors
    /// A result that is too large.
    pub fn softmax(&mut self, x: &Value, axis: usize) -> Built {
        let x = self.dense(x)?;
        self.call(Op::Softmax(Self::axis_of(&x, axis)), &[&x], x.dtype, &x.shape)
    }
}
