//! Truth values and choices.

use super::Family;
use crate::tflite::attributes::int;
use crate::tflite::net::{Made, Net};
use crate::tflite::op::Op;

pub(super) const OPERATORS: Family = &[
    ("BITWISE_XOR", |net, op| relation(net, op, "BitwiseXor")),
    ("EQUAL", |net, op| relation(net, op, "Equal")),
    ("GREATER", |net, op| relation(net, op, "Greater")),
    ("GREATER_EQUAL", |net, op| relation(net, op, "GreaterOrEqual")),
    ("LESS", |net, op| relation(net, op, "Less")),
    ("LESS_EQUAL", |net, op| relation(net, op, "LessOrEqual")),
    ("LOGICAL_AND", |net, op| relation(net, op, "And")),
    ("LOGICAL_NOT", logical_not),
    ("LOGICAL_OR", |net, op| relation(net, op, "Or")),
    ("NOT_EQUAL", not_equal),
    ("ONE_HOT", one_hot),
    ("SELECT", select),
    ("SELECT_V2", select_v2),
];

fn relation(net: &mut Net<'_>, op: &Op<'_>, onnx: &str) -> Made {
    let (a, b) = (net.value(op.input(0)?)?, net.value(op.input(1)?)?);
    let y = net.node(onnx, &[a, b], Vec::new());
    net.bind(op.output(0)?, y);
    Ok(())
}

fn not_equal(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (a, b) = (net.value(op.input(0)?)?, net.value(op.input(1)?)?);
    let equal = net.node("Equal", &[a, b], Vec::new());
    let y = net.node("Not", &[equal], Vec::new());
    net.bind(op.output(0)?, y);
    Ok(())
}

fn logical_not(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let x = net.value(op.input(0)?)?;
    let y = net.node("Not", &[x], Vec::new());
    net.bind(op.output(0)?, y);
    Ok(())
}

fn one_hot(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let options = op.options.builtin_options_as_one_hot_options();
    let (indices, depth) = (net.integers(op.input(0)?)?, net.integers(op.input(1)?)?);
    let (on, off) = (net.stored(op.input(2)?)?, net.stored(op.input(3)?)?);
    let one = net.vector(&[1]);
    let both = [off, on].map(|value| net.node("Reshape", &[value, one.clone()], Vec::new()));
    let values = net.node("Concat", &both, vec![int("axis", 0)]);
    let axis = options.map_or(-1, |o| o.axis());
    let y = net.node("OneHot", &[indices, depth, values], vec![int("axis", axis.into())]);
    net.bind(op.output(0)?, y);
    Ok(())
}

/// A condition that is a vector chooses whole parts along the first axis.
fn select(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (rank, of) = (net.rank(op.input(1)?), op.input(0)?);
    if net.rank(of) != 1 || rank < 2 {
        return select_v2(net, op);
    }
    let condition = net.stored(of)?;
    let inner = net.vector(&(1..rank as i64).collect::<Vec<_>>());
    let condition = net.node("Unsqueeze", &[condition, inner], Vec::new());
    choose(net, op, condition)
}

fn select_v2(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let condition = net.stored(op.input(0)?)?;
    choose(net, op, condition)
}

fn choose(net: &mut Net<'_>, op: &Op<'_>, condition: String) -> Made {
    let (a, b) = (net.value(op.input(1)?)?, net.value(op.input(2)?)?);
    let y = net.node("Where", &[condition, a, b], Vec::new());
    net.store(op.output(0)?, y)
}
