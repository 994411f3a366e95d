//! Reductions and softmax.

use opml_kernels::Axis;
use tract_onnx::prelude::TypedNode;
use tract_onnx::tract_hir::tract_core::ops::nn::{Reduce, Reducer, Softmax, SoftmaxKind};

use super::{Lowerer, Refusal, Value};
use crate::graph::Op;

pub(super) fn lower(
    lowerer: &mut Lowerer,
    node: &TypedNode,
    inputs: &[Value],
) -> Option<Result<Value, Refusal>> {
    if let Some(op) = node.op_as::<Reduce>() {
        let kernel = match op.reducer {
            Reducer::Sum => Op::ReduceSum,
            Reducer::Max => Op::ReduceMax,
            ref other => return Some(Err(format!("the reduction {other:?} has no kernel"))),
        };
        return Some(axis(&inputs[0].shape, &op.axes).map(|axis| {
            let mut shape = inputs[0].shape.clone();
            op.axes.iter().for_each(|&axis| shape[axis] = 1);
            lowerer.call(&node.name, kernel(axis), &[&inputs[0]], shape)
        }));
    }
    let op = node.op_as::<Softmax>()?;
    Some(match op.kind {
        SoftmaxKind::Softmax => axis(&inputs[0].shape, &op.axes)
            .map(|axis| lowerer.call(&node.name, Op::Softmax(axis), &[&inputs[0]], inputs[0].shape.clone())),
        SoftmaxKind::LogSoftmax => Err("LogSoftmax has no kernel".into()),
    })
}

/// `axes` of `shape` as one axis: they have to be neighbours but for axes of length 1.
fn axis(shape: &[usize], axes: &[usize]) -> Result<Axis, Refusal> {
    // tract passes on what the file says: a negative axis too many is a huge one here.
    if axes.iter().any(|&a| a >= shape.len()) {
        return Err(format!("one of its axes is not among the {} of its operand", shape.len()));
    }
    let mut long: Vec<usize> = axes.iter().copied().filter(|&a| shape[a] != 1).collect();
    long.sort_unstable();
    let (Some(&first), Some(&last)) = (long.first(), long.last()) else {
        return Ok(Axis { outer: shape.iter().product(), len: 1, inner: 1 });
    };
    if (first..=last).any(|a| shape[a] != 1 && !long.contains(&a)) {
        return Err(format!("axes {axes:?} of {shape:?} are not neighbours"));
    }
    Ok(Axis {
        outer: shape[..first].iter().product(),
        len: shape[first..=last].iter().product(),
        inner: shape[last + 1..].iter().product(),
    })
}
