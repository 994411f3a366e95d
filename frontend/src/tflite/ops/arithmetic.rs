//! Functions of elements.

use tract_onnx::pb::AttributeProto;
use tract_tflite::tflite::{ActivationFunctionType, TensorType};

use super::Family;
use crate::tflite::attributes::{float, int, text};
use crate::tflite::net::{Made, Name, Net};
use crate::tflite::op::Op;
use crate::tflite::tensors;

pub(super) const OPERATORS: Family = &[
    ("ABS", |net, op| unary(net, op, "Abs", Vec::new())),
    ("ADD", |net, op| binary(net, op, "Add")),
    ("ADD_N", add_n),
    ("ATAN2", atan2),
    ("CAST", cast),
    ("CEIL", |net, op| unary(net, op, "Ceil", Vec::new())),
    ("COS", |net, op| unary(net, op, "Cos", Vec::new())),
    ("DEQUANTIZE", requantise),
    ("DIV", |net, op| binary(net, op, "Div")),
    ("ELU", |net, op| unary(net, op, "Elu", Vec::new())),
    ("EXP", |net, op| unary(net, op, "Exp", Vec::new())),
    ("FLOOR", |net, op| unary(net, op, "Floor", Vec::new())),
    ("FLOOR_DIV", floor_div),
    ("FLOOR_MOD", floor_mod),
    ("GELU", gelu),
    ("HARD_SWISH", |net, op| unary(net, op, "HardSwish", Vec::new())),
    ("L2_NORMALIZATION", l2_normalization),
    ("LEAKY_RELU", leaky_relu),
    ("LOG", |net, op| unary(net, op, "Log", Vec::new())),
    ("LOGISTIC", |net, op| unary(net, op, "Sigmoid", Vec::new())),
    ("LOG_SOFTMAX", |net, op| unary(net, op, "LogSoftmax", vec![int("axis", -1)])),
    ("MAXIMUM", |net, op| binary(net, op, "Max")),
    ("MINIMUM", |net, op| binary(net, op, "Min")),
    ("MUL", |net, op| binary(net, op, "Mul")),
    ("NEG", |net, op| unary(net, op, "Neg", Vec::new())),
    ("POW", |net, op| binary(net, op, "Pow")),
    ("PRELU", |net, op| binary(net, op, "PRelu")),
    ("QUANTIZE", requantise),
    ("RELU", |net, op| bounded(net, op, (0.0, f32::INFINITY))),
    ("RELU6", |net, op| bounded(net, op, (0.0, 6.0))),
    ("RELU_0_TO_1", |net, op| bounded(net, op, (0.0, 1.0))),
    ("RELU_N1_TO_1", |net, op| bounded(net, op, (-1.0, 1.0))),
    ("ROUND", |net, op| unary(net, op, "Round", Vec::new())),
    ("RSQRT", rsqrt),
    ("SIGN", |net, op| unary(net, op, "Sign", Vec::new())),
    ("SIN", |net, op| unary(net, op, "Sin", Vec::new())),
    ("SOFTMAX", softmax),
    ("SQRT", |net, op| unary(net, op, "Sqrt", Vec::new())),
    ("SQUARE", square),
    ("SQUARED_DIFFERENCE", squared_difference),
    ("SUB", |net, op| binary(net, op, "Sub")),
    ("TANH", |net, op| unary(net, op, "Tanh", Vec::new())),
];

fn unary(net: &mut Net<'_>, op: &Op<'_>, onnx: &str, attributes: Vec<AttributeProto>) -> Made {
    let x = net.value(op.input(0)?)?;
    let y = net.node(onnx, &[x], attributes);
    net.store(op.output(0)?, y)
}

fn binary(net: &mut Net<'_>, op: &Op<'_>, onnx: &str) -> Made {
    let (a, b) = (net.value(op.input(0)?)?, net.value(op.input(1)?)?);
    let y = net.node(onnx, &[a, b], Vec::new());
    let y = net.activated(y, fused(op), op.output(0)?)?;
    net.store(op.output(0)?, y)
}

/// What is fused into an operator of two operands: none but these four have options that say so.
fn fused(op: &Op<'_>) -> ActivationFunctionType {
    let options = &op.options;
    let add = || options.builtin_options_as_add_options().map(|o| o.fused_activation_function());
    let sub = || options.builtin_options_as_sub_options().map(|o| o.fused_activation_function());
    let mul = || options.builtin_options_as_mul_options().map(|o| o.fused_activation_function());
    let div = || options.builtin_options_as_div_options().map(|o| o.fused_activation_function());
    add().or_else(sub).or_else(mul).or_else(div).unwrap_or_default()
}

fn bounded(net: &mut Net<'_>, op: &Op<'_>, bounds: (f32, f32)) -> Made {
    let x = net.value(op.input(0)?)?;
    let y = net.clipped(x, bounds, op.output(0)?)?;
    net.store(op.output(0)?, y)
}

fn add_n(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let terms: Vec<Name> = op.inputs()?.into_iter().map(|id| net.value(id)).collect::<Made<_>>()?;
    let y = net.node("Sum", &terms, Vec::new());
    net.store(op.output(0)?, y)
}

/// The angle of a point by the arc tangent of a quotient, turned where the point is on the left.
fn atan2(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (y, x) = (net.value(op.input(0)?)?, net.value(op.input(1)?)?);
    let zero = net.number(0.0);
    let quotient = net.node("Div", &[y.clone(), x.clone()], Vec::new());
    let angle = net.node("Atan", &[quotient], Vec::new());
    let (half, minus) = (net.number(std::f32::consts::PI), net.number(-std::f32::consts::PI));
    let below = net.node("Less", &[y.clone(), zero.clone()], Vec::new());
    let turn = net.node("Where", &[below, minus, half], Vec::new());
    let turned = net.node("Add", &[angle.clone(), turn], Vec::new());
    let left = net.node("Less", &[x.clone(), zero.clone()], Vec::new());
    let all = net.node("Where", &[left, turned, angle], Vec::new());
    // 0 by 0 is no number; the angle of the origin is 0.
    let at = |net: &mut Net<'_>, v: &Name| net.node("Equal", &[v.clone(), zero.clone()], Vec::new());
    let both = [at(net, &x), at(net, &y)];
    let origin = net.node("And", &both, Vec::new());
    let result = net.node("Where", &[origin, zero.clone(), all], Vec::new());
    net.store(op.output(0)?, result)
}

fn cast(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (x, out) = (net.stored(op.input(0)?)?, op.output(0)?);
    let to = tensors::dtype(net.kind(out))?;
    let y = net.cast(x, to);
    net.bind(out, y);
    Ok(())
}

/// The same numbers with other parameters, or as floats, or integers of floats.
fn requantise(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let x = net.value(op.input(0)?)?;
    net.store(op.output(0)?, x)
}

fn is_float(net: &Net<'_>, op: &Op<'_>) -> Made<bool> {
    Ok(net.kind(op.input(0)?) == TensorType::FLOAT32)
}

fn floor_div(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (a, b) = (net.value(op.input(0)?)?, net.value(op.input(1)?)?);
    let y = if is_float(net, op)? {
        let quotient = net.node("Div", &[a, b], Vec::new());
        net.node("Floor", &[quotient], Vec::new())
    } else {
        // ONNX cuts quotients of integers off; without the remainder there is nothing to cut.
        let remainder = net.node("Mod", &[a.clone(), b.clone()], Vec::new());
        let whole = net.node("Sub", &[a, remainder], Vec::new());
        net.node("Div", &[whole, b], Vec::new())
    };
    net.store(op.output(0)?, y)
}

/// The remainder that has the sign of the divisor.
fn floor_mod(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (a, b) = (net.value(op.input(0)?)?, net.value(op.input(1)?)?);
    let y = if is_float(net, op)? {
        let zero = net.number(0.0);
        let remainder = net.node("Mod", &[a, b.clone()], vec![int("fmod", 1)]);
        let moved = net.node("Add", &[remainder.clone(), b.clone()], Vec::new());
        let below = net.node("Less", &[remainder.clone(), zero.clone()], Vec::new());
        let above = net.node("Greater", &[remainder.clone(), zero.clone()], Vec::new());
        let (left, right) = (
            net.node("Less", &[b.clone(), zero.clone()], Vec::new()),
            net.node("Greater", &[b, zero], Vec::new()),
        );
        let apart =
            [net.node("And", &[below, right], Vec::new()), net.node("And", &[above, left], Vec::new())];
        let apart = net.node("Or", &apart, Vec::new());
        net.node("Where", &[apart, moved, remainder], Vec::new())
    } else {
        net.node("Mod", &[a, b], Vec::new())
    };
    net.store(op.output(0)?, y)
}

fn gelu(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let approximate = op.options.builtin_options_as_gelu_options().is_some_and(|o| o.approximate());
    unary(net, op, "Gelu", vec![text("approximate", if approximate { "tanh" } else { "none" })])
}

fn leaky_relu(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let alpha = op.options.builtin_options_as_leaky_relu_options().map_or(0.0, |o| o.alpha());
    unary(net, op, "LeakyRelu", vec![float("alpha", alpha)])
}

/// Divided by the length of the vector along the last axis.
fn l2_normalization(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let options = op.options.builtin_options_as_l2_norm_options();
    let x = net.value(op.input(0)?)?;
    let y = net.node("LpNormalization", &[x], vec![int("axis", -1), int("p", 2)]);
    let activation = options.map(|o| o.fused_activation_function()).unwrap_or_default();
    let y = net.activated(y, activation, op.output(0)?)?;
    net.store(op.output(0)?, y)
}

fn rsqrt(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let x = net.value(op.input(0)?)?;
    let root = net.node("Sqrt", &[x], Vec::new());
    let y = net.node("Reciprocal", &[root], Vec::new());
    net.store(op.output(0)?, y)
}

fn softmax(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let beta = op.options.builtin_options_as_softmax_options().map_or(1.0, |o| o.beta());
    let mut x = net.value(op.input(0)?)?;
    if beta != 1.0 {
        let beta = net.number(beta);
        x = net.node("Mul", &[x, beta], Vec::new());
    }
    let y = net.node("Softmax", &[x], vec![int("axis", -1)]);
    net.store(op.output(0)?, y)
}

fn square(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let x = net.value(op.input(0)?)?;
    let y = net.node("Mul", &[x.clone(), x], Vec::new());
    net.store(op.output(0)?, y)
}

fn squared_difference(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (a, b) = (net.value(op.input(0)?)?, net.value(op.input(1)?)?);
    let difference = net.node("Sub", &[a, b], Vec::new());
    let y = net.node("Mul", &[difference.clone(), difference], Vec::new());
    net.store(op.output(0)?, y)
}
