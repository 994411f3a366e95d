//! Dimensions, and what is made of them.

use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::DataType;

use super::Family;
use crate::tflite::attributes::int;
use crate::tflite::net::{Made, Name, Net};
use crate::tflite::op::Op;
use crate::tflite::tensors;

pub(super) const OPERATORS: Family = &[
    ("BROADCAST_ARGS", broadcast_args),
    ("BROADCAST_TO", broadcast_to),
    ("EXPAND_DIMS", expand_dims),
    ("FILL", fill),
    ("RANGE", range),
    ("RANK", rank),
    ("RESHAPE", reshape),
    ("SHAPE", shape),
    ("SQUEEZE", squeeze),
    ("ZEROS_LIKE", zeros_like),
];

/// The same elements: integers of the same parameters, or other ones.
pub(super) fn store_moved(net: &mut Net<'_>, op: &Op<'_>, moved: Name) -> Made {
    let (x, out) = (op.input(0)?, op.output(0)?);
    let (from, to) = (net.quantisation(x)?, net.quantisation(out)?);
    match from.filter(|from| Some(from) != to.as_ref()) {
        Some(from) => {
            let floats = net.dequantised(moved, x, &from, from.axis)?;
            net.store(out, floats)
        }
        None => {
            net.bind(out, moved);
            Ok(())
        }
    }
}

fn reshape(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let x = net.stored(op.input(0)?)?;
    let options = op.options.builtin_options_as_reshape_options().and_then(|o| o.new_shape());
    let shape = match (op.optional(1), options) {
        (Some(shape), _) => net.integers(shape)?,
        (None, Some(dims)) => net.vector(&dims.iter().map(i64::from).collect::<Vec<_>>()),
        (None, None) => return Err("the new shape is missing".into()),
    };
    let y = net.node("Reshape", &[x, shape], vec![int("allowzero", 1)]);
    store_moved(net, op, y)
}

fn squeeze(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let x = net.stored(op.input(0)?)?;
    let dims = op.options.builtin_options_as_squeeze_options().and_then(|o| o.squeeze_dims());
    let dims: Vec<i64> = dims.iter().flatten().map(i64::from).collect();
    let mut operands = vec![x];
    // None are all axes of length 1.
    if !dims.is_empty() {
        operands.push(net.vector(&dims));
    }
    let y = net.node("Squeeze", &operands, Vec::new());
    store_moved(net, op, y)
}

fn expand_dims(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let x = net.stored(op.input(0)?)?;
    let axis = net.known_number(op.input(1)?, "axis")?;
    let axes = net.vector(&[axis]);
    let y = net.node("Unsqueeze", &[x, axes], Vec::new());
    store_moved(net, op, y)
}

fn shape(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (x, out) = (net.stored(op.input(0)?)?, op.output(0)?);
    let dims = net.node("Shape", &[x], Vec::new());
    let to = tensors::dtype(net.kind(out))?;
    let y = net.cast(dims, to);
    net.bind(out, y);
    Ok(())
}

fn rank(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (x, out) = (net.stored(op.input(0)?)?, op.output(0)?);
    let dims = net.node("Shape", &[x], Vec::new());
    let count = net.node("Size", &[dims], Vec::new());
    let y = net.cast(count, DataType::Int32);
    net.bind(out, y);
    Ok(())
}

fn broadcast_to(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (x, shape) = (net.stored(op.input(0)?)?, net.integers(op.input(1)?)?);
    let y = net.node("Expand", &[x, shape], Vec::new());
    store_moved(net, op, y)
}

/// The shape that two shapes broadcast to: each dimension is the larger one, from the back.
fn broadcast_args(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let out = op.output(0)?;
    let mut spread = Vec::new();
    for index in 0..2 {
        let dims = net.integers(op.input(index)?)?;
        let one = net.constant(TensorProto {
            dims: vec![1],
            data_type: DataType::Int32.into(),
            int32_data: vec![0],
            ..TensorProto::default()
        });
        spread.push(net.node("Expand", &[one, dims], Vec::new()));
    }
    let sum = net.node("Add", &spread, Vec::new());
    let dims = net.node("Shape", &[sum], Vec::new());
    let to = tensors::dtype(net.kind(out))?;
    let y = net.cast(dims, to);
    net.bind(out, y);
    Ok(())
}

fn fill(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (shape, value) = (net.integers(op.input(0)?)?, net.stored(op.input(1)?)?);
    let y = net.node("Expand", &[value, shape], Vec::new());
    net.bind(op.output(0)?, y);
    Ok(())
}

fn zeros_like(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (x, out) = (net.stored(op.input(0)?)?, op.output(0)?);
    let zero = net.number(0.0);
    let zero = net.cast(zero, tensors::dtype(net.kind(out))?);
    let dims = net.node("Shape", &[x], Vec::new());
    let y = net.node("Expand", &[zero, dims], Vec::new());
    net.bind(out, y);
    Ok(())
}

fn range(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let operands = [net.stored(op.input(0)?)?, net.stored(op.input(1)?)?, net.stored(op.input(2)?)?];
    let y = net.node("Range", &operands, Vec::new());
    net.bind(op.output(0)?, y);
    Ok(())
}
