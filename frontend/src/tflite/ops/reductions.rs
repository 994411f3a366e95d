//! What goes along axes.

use tract_onnx::pb::tensor_proto::DataType;

use super::Family;
use crate::tflite::net::{Made, Net, Op, int};
use crate::tflite::tensors;

pub(super) const OPERATORS: Family = &[
    ("ARG_MAX", |net, op| arg(net, op, "ArgMax")),
    ("ARG_MIN", |net, op| arg(net, op, "ArgMin")),
    ("CUMSUM", cumsum),
    ("MEAN", |net, op| reduce(net, op, "ReduceMean")),
    ("REDUCE_ALL", |net, op| reduce(net, op, "ReduceMin")),
    ("REDUCE_ANY", |net, op| reduce(net, op, "ReduceMax")),
    ("REDUCE_MAX", |net, op| reduce(net, op, "ReduceMax")),
    ("REDUCE_MIN", |net, op| reduce(net, op, "ReduceMin")),
    ("REDUCE_PROD", |net, op| reduce(net, op, "ReduceProd")),
    ("SUM", |net, op| reduce(net, op, "ReduceSum")),
    ("TOPK_V2", top_k),
];

fn reduce(net: &mut Net<'_>, op: &Op<'_>, onnx: &str) -> Made {
    let keep = op.options.builtin_options_as_reducer_options().is_some_and(|o| o.keep_dims());
    let (x, out) = (net.value(op.input(0)?)?, op.output(0)?);
    let axes = net.integers(op.input(1)?)?;
    let one_axis = net.vector(&[-1]);
    // A single axis may be a number.
    let axes = net.node("Reshape", &[axes, one_axis], Vec::new());
    let attributes = vec![int("keepdims", keep.into()), int("noop_with_empty_axes", 1)];
    let y = net.node(onnx, &[x, axes], attributes);
    net.store(out, y)
}

fn arg(net: &mut Net<'_>, op: &Op<'_>, onnx: &str) -> Made {
    let (x, out) = (net.stored(op.input(0)?)?, op.output(0)?);
    let axis = net.known_number(op.input(1)?, "axis")?;
    let index = net.node(onnx, &[x], vec![int("axis", axis), int("keepdims", 0)]);
    let to = tensors::dtype(net.kind(out))?;
    let y = net.cast(index, to);
    net.bind(out, y);
    Ok(())
}

fn cumsum(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let options = op.options.builtin_options_as_cumsum_options();
    let (exclusive, reverse) = options.map_or((false, false), |o| (o.exclusive(), o.reverse()));
    let (x, axis) = (net.value(op.input(0)?)?, net.integers(op.input(1)?)?);
    let attributes = vec![int("exclusive", exclusive.into()), int("reverse", reverse.into())];
    let y = net.node("CumSum", &[x, axis], attributes);
    net.store(op.output(0)?, y)
}

fn top_k(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (x, k, one) = (net.stored(op.input(0)?)?, net.integers(op.input(1)?)?, net.vector(&[1]));
    let k = net.node("Reshape", &[k, one], Vec::new());
    let [values, indices] =
        net.nodes("TopK", &[x, k], vec![int("axis", -1)], 2).try_into().map_err(|_| "it has two results")?;
    net.bind(op.output(0)?, values);
    if let Ok(out) = op.output(1) {
        let indices = net.cast(indices, DataType::Int32);
        net.bind(out, indices);
    }
    Ok(())
}
