//! Operators that treat each element alone, and the biases that join the sum before them.

use opml_kernels::{BinaryOp, UnaryOp};
use tract_onnx::prelude::{DatumType, TypedNode};
use tract_onnx::tract_hir::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_hir::tract_core::ops::cast::Cast;
use tract_onnx::tract_hir::tract_core::ops::element_wise::ElementWiseOp;

use super::{Lowerer, Refusal, Value};
use crate::graph::{Op, strides};

pub(super) fn lower(
    lowerer: &mut Lowerer,
    node: &TypedNode,
    inputs: &[Value],
) -> Option<Result<Value, Refusal>> {
    if let Some(op) = node.op_as::<ElementWiseOp>() {
        return Some(unary(lowerer, node, op, &inputs[0]));
    }
    if let Some(op) = node.op_as::<TypedBinOp>() {
        return Some(binary(lowerer, node, op.0.name(), &inputs[0], &inputs[1]));
    }
    let cast = node.op_as::<Cast>()?;
    Some(match cast.to {
        DatumType::F32 => Ok(inputs[0].clone()),
        other => Err(format!("a conversion from float32 to {other:?}")),
    })
}

fn unary(lowerer: &mut Lowerer, node: &TypedNode, op: &ElementWiseOp, x: &Value) -> Result<Value, Refusal> {
    let kernel = match op.0.name().as_str() {
        "Neg" => UnaryOp::Neg,
        "Abs" => UnaryOp::Abs,
        "Recip" => UnaryOp::Reciprocal,
        "Sqrt" => UnaryOp::Sqrt,
        "Exp" => UnaryOp::Exp,
        "Ln" => UnaryOp::Log,
        "Tanh" => UnaryOp::Tanh,
        "Sigmoid" => UnaryOp::Sigmoid,
        "Erf" => UnaryOp::Erf,
        "Square" => {
            let (shape, step) = (x.shape.clone(), strides(&x.shape));
            let op = Op::Binary(BinaryOp::Mul, shape.clone(), step.clone(), step);
            return Ok(lowerer.call(&node.name, op, &[x, x], shape));
        }
        other => return Err(format!("the function {other} has no kernel")),
    };
    Ok(lowerer.call(&node.name, Op::Unary(kernel), &[x], x.shape.clone()))
}

fn binary(
    lowerer: &mut Lowerer,
    node: &TypedNode,
    name: &str,
    a: &Value,
    b: &Value,
) -> Result<Value, Refusal> {
    let op = match name {
        "Add" => BinaryOp::Add,
        "Sub" => BinaryOp::Sub,
        "Mul" => BinaryOp::Mul,
        "Div" => BinaryOp::Div,
        "Min" => BinaryOp::Min,
        "Max" => BinaryOp::Max,
        // tract's names for the operation with its operands swapped.
        "SubF" => return binary(lowerer, node, "Sub", b, a),
        other => return Err(format!("the function {other} has no kernel")),
    };
    let shape = broadcast_shape(&a.shape, &b.shape)?;
    if op == BinaryOp::Add
        && let Some(fused) = fuse_bias(lowerer, a, b).or_else(|| fuse_bias(lowerer, b, a))
    {
        return Ok(Value { tensor: fused, shape });
    }
    if let Some(op) = bounded(lowerer, op, b).filter(|_| a.shape == shape) {
        return Ok(lowerer.call(&node.name, op, &[a], shape));
    }
    if let Some(op) = bounded(lowerer, op, a).filter(|_| b.shape == shape) {
        return Ok(lowerer.call(&node.name, op, &[b], shape));
    }
    let (a_strides, b_strides) = (broadcast_strides(a, &shape), broadcast_strides(b, &shape));
    Ok(lowerer.call(&node.name, Op::Binary(op, shape.clone(), a_strides, b_strides), &[a, b], shape))
}

/// A maximum or minimum with one number for all elements: a bound, and for zero a ReLU.
fn bounded(lowerer: &Lowerer, op: BinaryOp, bound: &Value) -> Option<Op> {
    let bound = lowerer.as_uniform(bound)?;
    match op {
        // A maximum with -0 would keep it; a ReLU does not.
        BinaryOp::Max if bound.to_bits() == 0 => Some(Op::Relu),
        BinaryOp::Max => Some(Op::Clip(bound, f32::INFINITY)),
        BinaryOp::Min => Some(Op::Clip(f32::NEG_INFINITY, bound)),
        _ => None,
    }
}

/// Adds `bias` inside the product of matrices that makes `sum`, so that both are rounded once
/// together. That is allowed if nothing else reads the bare product, and bias and product have shapes
/// that the kernel knows.
fn fuse_bias(lowerer: &mut Lowerer, sum: &Value, bias: &Value) -> Option<super::TensorId> {
    let bias_len = lowerer.as_constant(bias)?.len();
    if lowerer.readers(sum) != 1 {
        return None;
    }
    let mut makers = lowerer.nodes.iter().enumerate().filter(|(_, n)| n.output.tensor == sum.tensor);
    let (index, maker) = makers.next().filter(|_| makers.next().is_none())?;
    let Op::MatMul(shape) = maker.op else { return None };
    if maker.inputs.len() != 2 {
        return None;
    }
    let rest = bias.shape.iter().skip_while(|&&d| d == 1).copied().collect::<Vec<_>>();
    if !sum.shape.ends_with(&rest) {
        return None;
    }
    let (bias_row, bias_column) = match bias_len {
        1 => (0, 0),
        len if len == shape.n => (0, 1),
        len if len == shape.m * shape.n => (shape.n, 1),
        _ => return None,
    };
    let view = lowerer.view(bias);
    let node = &mut lowerer.nodes[index];
    node.inputs.push(view);
    node.op = Op::MatMul(opml_kernels::MatMul { bias_row, bias_column, ..shape });
    Some(sum.tensor)
}

/// The shape of two broadcast operands of the same rank, which tract gives to those of a node.
pub(super) fn broadcast_shape(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Refusal> {
    let fits = a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| a == b || a == 1 || b == 1);
    if !fits {
        return Err(format!("shapes {a:?} and {b:?} do not broadcast"));
    }
    Ok(a.iter().zip(b).map(|(&a, &b)| if a == 1 { b } else { a }).collect())
}

/// Strides of `value` seen as `shape`: 0 along the axes it is repeated on.
pub(super) fn broadcast_strides(value: &Value, shape: &[usize]) -> Vec<usize> {
    let own = strides(&value.shape);
    own.iter().zip(&value.shape).zip(shape).map(|((&s, &d), &to)| if d == to { s } else { 0 }).collect()
}
