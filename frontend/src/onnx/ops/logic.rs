//! Comparisons, truth values and choices.

use opml_abi::DataType;
use opml_kernels::{BinaryOp, CompareOp};

use super::elementwise::operands;
use super::{Call, Family};
use crate::builder::{Built, Value};

pub(super) const OPERATORS: Family = &[
    ("And", logical),
    ("BitwiseAnd", bitwise),
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
    let op = match call.op_type() {
        "And" => BinaryOp::And,
        "Or" => BinaryOp::Or,
        _ => BinaryOp::Xor,
    };
    Ok(vec![call.b.binary(op, &a, &b)?])
}

fn bitwise(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (a, b) = (call.input(0)?, call.input(1)?);
    if matches!(a.dtype, DataType::Bool | DataType::Float32) {
        return Err(format!("its operands are {}, and no integers", a.dtype));
    }
    let op = match call.op_type() {
        "BitwiseAnd" => BinaryOp::And,
        "BitwiseOr" => BinaryOp::Or,
        _ => BinaryOp::Xor,
    };
    Ok(vec![call.b.binary(op, &a, &b)?])
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
