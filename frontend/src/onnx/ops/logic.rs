//! Comparisons, truth values and choices.

use opml_abi::DataType;
use opml_kernels::{BitOp, CompareOp, IntegerOp};

use super::elementwise::operands;
use super::{Call, Family};
use crate::builder::{Built, Value};
use crate::graph::Op;

pub(super) const OPERATORS: Family = &[
    ("And", logical),
    ("BitShift", shift),
    ("BitwiseAnd", bitwise),
    ("BitwiseNot", bitwise_not),
    ("BitwiseOr", bitwise),
    ("BitwiseXor", bitwise),
    ("Equal", compare),
    ("Greater", compare),
    ("GreaterOrEqual", compare),
    ("Less", compare),
    ("LessOrEqual", compare),
    ("Not", not),
    ("Or", logical),
    ("Where", choose),
    ("Xor", logical),
];

fn logical(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let [a, b] = operands(call)?;
    if a.dtype != DataType::Bool {
        return Err(format!("its operands are {}, and not bool", a.dtype));
    }
    Ok(vec![call.b.bitwise(bit_op(call), &a, &b)?])
}

fn bitwise(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (a, b) = (call.input(0)?, call.input(1)?);
    if matches!(a.dtype, DataType::Bool | DataType::Float32) {
        return Err(format!("its operands are {}, and no integers", a.dtype));
    }
    Ok(vec![call.b.bitwise(bit_op(call), &a, &b)?])
}

fn bit_op(call: &Call<'_>) -> BitOp {
    match call.op_type() {
        "And" | "BitwiseAnd" => BitOp::And,
        "Or" | "BitwiseOr" => BitOp::Or,
        _ => BitOp::Xor,
    }
}

fn shift(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (a, b) = (call.input(0)?, call.input(1)?);
    let op = match call.text("direction", "").as_str() {
        "LEFT" => BitOp::ShiftLeft,
        "RIGHT" => BitOp::ShiftRight,
        other => return Err(format!("the direction {other:?}")),
    };
    Ok(vec![call.b.bitwise(op, &a, &b)?])
}

fn bitwise_not(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    if matches!(x.dtype, DataType::Bool | DataType::Float32) {
        return Err(format!("its operand is {}, and no integer", x.dtype));
    }
    let x = call.b.dense(&x)?;
    Ok(vec![call.b.call(Op::UnaryInteger(IntegerOp::Not), &[&x], x.dtype, &x.shape)?])
}

fn compare(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let [a, b] = operands(call)?;
    let result = match call.op_type() {
        "Equal" => call.b.compare(CompareOp::Equal, &a, &b),
        "Less" => call.b.compare(CompareOp::Less, &a, &b),
        "LessOrEqual" => call.b.compare(CompareOp::LessOrEqual, &a, &b),
        "Greater" => call.b.compare(CompareOp::Less, &b, &a),
        _ => call.b.compare(CompareOp::LessOrEqual, &b, &a),
    };
    Ok(vec![result?])
}

fn not(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    Ok(vec![call.b.not(&x)?])
}

fn choose(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (condition, a, b) = (call.input(0)?, call.input(1)?, call.input(2)?);
    Ok(vec![call.b.select(&condition, &a, &b)?])
}
