//! Operators that move elements or only name them differently.

use tract_onnx::prelude::TypedNode;
use tract_onnx::tract_hir::internal::{AxisOp, DimLike};
use tract_onnx::tract_hir::tract_core::ops::array::{MultiBroadcastTo, Slice, TypedConcat};
use tract_onnx::tract_hir::tract_core::ops::identity::Identity;

use super::elementwise::{broadcast_shape, broadcast_strides};
use super::{Lowerer, Refusal, Value};
use crate::graph::{Op, View, strides};

pub(super) fn lower(
    lowerer: &mut Lowerer,
    node: &TypedNode,
    inputs: &[Value],
) -> Option<Result<Value, Refusal>> {
    if node.op_is::<Identity>() {
        return Some(Ok(inputs[0].clone()));
    }
    if let Some(op) = node.op_as::<AxisOp>() {
        return Some(axis_op(lowerer, node, op, &inputs[0]));
    }
    if let Some(op) = node.op_as::<TypedConcat>() {
        return Some(Ok(concat(lowerer, node, op.axis, inputs)));
    }
    if let Some(op) = node.op_as::<Slice>() {
        return Some(slice(lowerer, node, op, &inputs[0]));
    }
    let op = node.op_as::<MultiBroadcastTo>()?;
    Some(expand(lowerer, node, op, &inputs[0]))
}

fn axis_op(lowerer: &mut Lowerer, node: &TypedNode, op: &AxisOp, x: &Value) -> Result<Value, Refusal> {
    if let AxisOp::Move(from, to) = op {
        let mut order: Vec<usize> = (0..x.shape.len()).collect();
        let axis = order.remove(*from);
        order.insert(*to, axis);
        return Ok(lowerer.permuted(&node.name, x, &order));
    }
    // The others change the shape alone.
    let mut shape = x.shape.iter().copied().collect();
    op.change_shape_array(&mut shape, false).map_err(|e| e.to_string())?;
    Ok(Value { tensor: x.tensor, shape: shape.to_vec() })
}

/// Joins `parts` along `axis`: each part's rows become columns of the result's.
fn concat(lowerer: &mut Lowerer, node: &TypedNode, axis: usize, parts: &[Value]) -> Value {
    let mut shape = parts[0].shape.clone();
    shape[axis] = parts.iter().map(|p| p.shape[axis]).sum();
    let rows: usize = shape[..axis].iter().product();
    let row: usize = shape[axis..].iter().product();
    let out = lowerer.computed(shape);
    let mut start = 0;
    for part in parts {
        let len: usize = part.shape[axis..].iter().product();
        if len > 0 && rows > 0 {
            let columns = View { tensor: out.tensor, offset: start, len: (rows - 1) * row + len };
            let op = Op::Copy(vec![rows, len], vec![len, 1], vec![row, 1]);
            let part = lowerer.view(part);
            lowerer.push(&node.name, op, vec![part], columns);
        }
        start += len;
    }
    out
}

fn slice(lowerer: &mut Lowerer, node: &TypedNode, op: &Slice, x: &Value) -> Result<Value, Refusal> {
    let bound = |dim: &tract_onnx::prelude::TDim| {
        dim.to_usize().map_err(|_| "its bounds depend on the data".to_owned())
    };
    let (start, end) = (bound(&op.start)?, bound(&op.end)?);
    let mut shape = x.shape.clone();
    shape[op.axis] = end - start;
    let from = strides(&x.shape);
    let out = lowerer.computed(shape.clone());
    let offset = start * from[op.axis];
    let input = View { tensor: x.tensor, offset, len: x.len() - offset };
    let to = strides(&shape);
    lowerer.push(&node.name, Op::Copy(shape, from, to), vec![input], lowerer.view(&out));
    Ok(out)
}

fn expand(
    lowerer: &mut Lowerer,
    node: &TypedNode,
    op: &MultiBroadcastTo,
    x: &Value,
) -> Result<Value, Refusal> {
    let target = op.shape.iter().map(|d| d.to_usize().map_err(|e| e.to_string()));
    let target: Vec<usize> = target.collect::<Result<_, _>>()?;
    // Both may be of lower rank than the result, and both may have axes of length 1 that the other fills.
    let rank = target.len().max(x.shape.len());
    let padded = |shape: &[usize]| [vec![1; rank - shape.len()], shape.to_vec()].concat();
    let x = Value { tensor: x.tensor, shape: padded(&x.shape) };
    let shape = broadcast_shape(&x.shape, &padded(&target))?;
    let from = broadcast_strides(&x, &shape);
    let to = strides(&shape);
    Ok(lowerer.call(&node.name, Op::Copy(shape.clone(), from, to), &[&x], shape))
}
