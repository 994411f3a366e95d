//! Arithmetic and functions of each element.

use opml_abi::DataType;
use opml_kernels::{BinaryOp, CompareOp, UnaryOp};

use super::{Call, Family};
use crate::builder::{Built, Value};
use crate::graph::Op;

pub(super) const OPERATORS: Family = &[
    ("Abs", unary),
    ("Acos", unary),
    ("Acosh", unary),
    ("Add", add),
    ("Asin", unary),
    ("Asinh", unary),
    ("Atan", unary),
    ("Atanh", unary),
    ("Ceil", unary),
    ("Clip", clip),
    ("Cos", unary),
    ("Cosh", unary),
    ("Div", binary),
    ("Erf", unary),
    ("Exp", unary),
    ("Floor", unary),
    ("IsInf", is_inf),
    ("IsNaN", is_nan),
    ("Log", unary),
    ("Max", variadic),
    ("Mean", mean),
    ("Min", variadic),
    ("Mod", modulo),
    ("Mul", binary),
    ("Neg", unary),
    ("Pow", pow),
    ("Reciprocal", unary),
    ("Round", unary),
    ("Sigmoid", unary),
    ("Sign", unary),
    ("Sin", unary),
    ("Sinh", unary),
    ("Sqrt", unary),
    ("Sub", binary),
    ("Sum", variadic),
    ("Tan", unary),
    ("Tanh", unary),
];

fn unary(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let op = match call.op_type() {
        "Abs" => UnaryOp::Abs,
        "Acos" => UnaryOp::Acos,
        "Acosh" => UnaryOp::Acosh,
        "Asin" => UnaryOp::Asin,
        "Asinh" => UnaryOp::Asinh,
        "Atan" => UnaryOp::Atan,
        "Atanh" => UnaryOp::Atanh,
        "Ceil" => UnaryOp::Ceil,
        "Cos" => UnaryOp::Cos,
        "Cosh" => UnaryOp::Cosh,
        "Erf" => UnaryOp::Erf,
        "Exp" => UnaryOp::Exp,
        "Floor" => UnaryOp::Floor,
        "Log" => UnaryOp::Log,
        "Neg" => UnaryOp::Neg,
        "Reciprocal" => UnaryOp::Reciprocal,
        "Round" => UnaryOp::Round,
        "Sigmoid" => UnaryOp::Sigmoid,
        "Sign" => UnaryOp::Sign,
        "Sin" => UnaryOp::Sin,
        "Sinh" => UnaryOp::Sinh,
        "Sqrt" => UnaryOp::Sqrt,
        "Tan" => UnaryOp::Tan,
        _ => UnaryOp::Tanh,
    };
    Ok(vec![call.b.unary(op, &x)?])
}

/// The operator's two operands with the shapes that they have for broadcasting: before operator set 7 the second one could begin
/// at an axis of the first (`axis`, `broadcast`).
pub(super) fn operands(call: &Call<'_>) -> Built<[Value; 2]> {
    let (a, mut b) = (call.input(0)?, call.input(1)?);
    if call.opset() < 7 && call.flag("broadcast", false) && call.attribute("axis").is_some() {
        let behind = a.rank().checked_sub(a.axis(call.int("axis", 0))? + b.rank());
        for _ in 0..behind.ok_or("its second operand reaches behind the first")? {
            b = call.b.unsqueeze(&b, b.rank());
        }
    }
    Ok([a, b])
}

fn binary(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let [a, b] = operands(call)?;
    let op = match call.op_type() {
        "Div" => BinaryOp::Div,
        "Mul" => BinaryOp::Mul,
        _ => BinaryOp::Sub,
    };
    Ok(vec![call.b.binary(op, &a, &b)?])
}

fn add(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let [a, b] = operands(call)?;
    if call.fusible_at(0)
        && let Some(fused) = call.b.fuse_bias(&a, &b)
    {
        return Ok(vec![fused]);
    }
    if call.fusible_at(1)
        && let Some(fused) = call.b.fuse_bias(&b, &a)
    {
        return Ok(vec![fused]);
    }
    Ok(vec![call.b.binary(BinaryOp::Add, &a, &b)?])
}

/// Operators of any number of operands.
fn variadic(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let op = match call.op_type() {
        "Max" => BinaryOp::Max,
        "Min" => BinaryOp::Min,
        _ => BinaryOp::Add,
    };
    Ok(vec![folded(call, op)?])
}

fn folded(call: &mut Call<'_>, op: BinaryOp) -> Built {
    let inputs = call.all_inputs()?;
    let mut result = inputs[0].clone();
    for input in &inputs[1..] {
        result = call.b.binary(op, &result, input)?;
    }
    Ok(result)
}

fn mean(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let sum = folded(call, BinaryOp::Add)?;
    let count = call.b.scalar(DataType::Float32, call.input_count() as f32);
    Ok(vec![call.b.binary(BinaryOp::Div, &sum, &count)?])
}

fn modulo(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let [a, b] = operands(call)?;
    let op = if call.flag("fmod", false) { BinaryOp::Fmod } else { BinaryOp::Mod };
    Ok(vec![call.b.binary(op, &a, &b)?])
}

/// The exponent may be of another type: it takes that of the base, but for an integer base with a float exponent.
fn pow(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let [a, b] = operands(call)?;
    if a.dtype != DataType::Float32 && b.dtype == DataType::Float32 {
        let base = call.b.cast(&a, DataType::Float32)?;
        let power = call.b.binary(BinaryOp::Pow, &base, &b)?;
        return Ok(vec![call.b.cast(&power, a.dtype)?]);
    }
    let b = call.b.cast(&b, a.dtype)?;
    Ok(vec![call.b.binary(BinaryOp::Pow, &a, &b)?])
}

fn clip(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    if call.opset() < 11 {
        let (low, high) = (call.float("min", f32::MIN), call.float("max", f32::MAX));
        return Ok(vec![call.b.clip(&x, low, high)?]);
    }
    let (low, high) = (call.optional(1), call.optional(2));
    let known = |bound: &Option<Value>, absent: f32| match bound {
        None => Some(absent),
        Some(bound) => call.b.as_uniform(bound).filter(|bound| !bound.is_nan()),
    };
    if x.dtype == DataType::Float32
        && let (Some(low), Some(high)) = (known(&low, f32::NEG_INFINITY), known(&high, f32::INFINITY))
        && low <= high
    {
        return Ok(vec![call.b.clip(&x, low, high)?]);
    }
    // min(max(x, low), high), as the specification says of bounds that cross.
    let mut result = x;
    if let Some(low) = low {
        result = call.b.binary(BinaryOp::Max, &result, &low)?;
    }
    if let Some(high) = high {
        result = call.b.binary(BinaryOp::Min, &result, &high)?;
    }
    Ok(vec![result])
}

fn is_nan(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    Ok(vec![call.b.test(Op::IsNan, &x, DataType::Float32)?])
}

fn is_inf(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let op = Op::IsInf(call.flag("detect_positive", true), call.flag("detect_negative", true));
    Ok(vec![call.b.test(op, &x, DataType::Float32)?])
}

/// `x` compared with a number of its type.
pub(super) fn less_than(call: &mut Call<'_>, x: &Value, bound: f32) -> Built {
    let bound = call.b.scalar(x.dtype, bound);
    call.b.compare(CompareOp::Less, x, &bound)
}
