//! Pools over windows of an image.

use opml_kernels::Pool2d;
use tract_onnx::prelude::TypedNode;
use tract_onnx::tract_hir::tract_core::ops::cnn::{MaxPool, PoolSpec, SumPool};

use super::conv::Geometry;
use super::{Lowerer, Refusal, Value};
use crate::graph::Op;

pub(super) fn lower(
    lowerer: &mut Lowerer,
    node: &TypedNode,
    inputs: &[Value],
) -> Option<Result<Value, Refusal>> {
    if let Some(op) = node.op_as::<MaxPool>() {
        return Some(match op.with_index_outputs {
            Some(_) => Err("the indices of the maxima are asked for".into()),
            None => pool(lowerer, node, &op.pool_spec, false, Op::MaxPool2d, &inputs[0]),
        });
    }
    let op = node.op_as::<SumPool>()?;
    Some(if op.normalize {
        pool(lowerer, node, &op.pool_spec, op.count_include_pad, Op::AveragePool2d, &inputs[0])
    } else {
        Err("a sum over windows that is not divided by their size".into())
    })
}

fn pool(
    lowerer: &mut Lowerer,
    node: &TypedNode,
    spec: &PoolSpec,
    count_include_pad: bool,
    op: fn(Pool2d) -> Op,
    x: &Value,
) -> Result<Value, Refusal> {
    let geometry = Geometry::new(spec, &x.shape)?;
    let shape = Pool2d {
        input: geometry.input,
        output: geometry.output,
        vertical: geometry.vertical,
        horizontal: geometry.horizontal,
        count_include_pad,
    };
    lowerer.room_for(geometry.batch)?;
    let out = lowerer.computed(geometry.out_shape.clone());
    for item in 0..geometry.batch {
        lowerer.push(&node.name, op(shape), vec![geometry.item(x, item)], geometry.item(&out, item));
    }
    Ok(out)
}
