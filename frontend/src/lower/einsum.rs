//! Products of matrices: ONNX `MatMul` and `Gemm`, which tract writes as an Einstein sum.

use opml_kernels::MatMul;
use tract_onnx::prelude::TypedNode;
use tract_onnx::tract_hir::internal::{Axis, InOut};
use tract_onnx::tract_hir::tract_core::ops::einsum::EinSum;

use super::{Lowerer, Refusal, Value};
use crate::graph::{Op, View};

/// The axes of a sum by their part in a product of matrices.
#[derive(Default)]
struct Roles<'a> {
    /// In A, B and the result.
    batch: Vec<&'a Axis>,
    /// In A and the result.
    rows: Vec<&'a Axis>,
    /// In B and the result.
    columns: Vec<&'a Axis>,
    /// In A and B: summed over.
    inner: Vec<&'a Axis>,
}

pub(super) fn lower(
    lowerer: &mut Lowerer,
    node: &TypedNode,
    inputs: &[Value],
) -> Option<Result<Value, Refusal>> {
    let op = node.op_as::<EinSum>()?;
    Some(match inputs {
        [a, b] if op.q_params.is_none() => product(lowerer, node, op, a, b),
        _ => Err(format!("a sum of products of {} operands", inputs.len())),
    })
}

fn product(
    lowerer: &mut Lowerer,
    node: &TypedNode,
    op: &EinSum,
    a: &Value,
    b: &Value,
) -> Result<Value, Refusal> {
    let roles = roles(op)?;
    // Axes go to the order batch, rows, inner; batch, columns, inner; batch, rows, columns. For the
    // usual products that is where they are, and the weights are moved here, not in the guest.
    let a_order = positions(&[&roles.batch, &roles.rows, &roles.inner], InOut::In(0));
    let b_order = positions(&[&roles.batch, &roles.columns, &roles.inner], InOut::In(1));
    let out_order = positions(&[&roles.batch, &roles.rows, &roles.columns], InOut::Out(0));
    let size = |axes: &[&Axis], io: InOut, shape: &[usize]| -> usize {
        axes.iter().map(|axis| shape[position(axis, io)]).product()
    };
    let batch = size(&roles.batch, InOut::In(0), &a.shape);
    let m = size(&roles.rows, InOut::In(0), &a.shape);
    let k = size(&roles.inner, InOut::In(0), &a.shape);
    let n = size(&roles.columns, InOut::In(1), &b.shape);
    let (a_len, b_len) = (a.len(), b.len());
    let (a, b) = (lowerer.permuted(&node.name, a, &a_order), lowerer.permuted(&node.name, b, &b_order));
    if (a_len, b_len) != (batch * m * k, batch * n * k) {
        return Err("it sums or repeats one operand alone".into());
    }
    let shape = MatMul { m, k, n, a_row: k, a_column: 1, b_row: 1, b_column: k, bias_row: 0, bias_column: 1 };
    let ordered = [
        a.shape[..roles.batch.len() + roles.rows.len()].to_vec(),
        b.shape[roles.batch.len()..][..roles.columns.len()].to_vec(),
    ]
    .concat();
    lowerer.room_for(batch)?;
    let out = lowerer.computed(ordered);
    for item in 0..batch {
        let part = |value: &Value, len: usize| View { tensor: value.tensor, offset: item * len, len };
        let inputs = vec![part(&a, m * k), part(&b, n * k)];
        lowerer.push(&node.name, Op::MatMul(shape), inputs, part(&out, m * n));
    }
    // `out_order[i]` is where axis i of the product stands in the result, which may have axes of length 1 besides.
    let mut back: Vec<usize> = (0..out_order.len()).collect();
    back.sort_by_key(|&i| out_order[i]);
    let product = lowerer.permuted(&node.name, &out, &back);
    let mut shape = vec![1; op.axes.rank(InOut::Out(0))];
    back.iter().zip(&product.shape).for_each(|(&i, &len)| shape[out_order[i]] = len);
    Ok(Value { tensor: product.tensor, shape })
}

fn roles(op: &EinSum) -> Result<Roles<'_>, Refusal> {
    let mut roles = Roles::default();
    for axis in op.axes.iter_all_axes() {
        let places = [&axis.inputs[0], &axis.inputs[1], &axis.outputs[0]].map(|p| p.len());
        match places {
            [1, 1, 1] => roles.batch.push(axis),
            [1, 0, 1] => roles.rows.push(axis),
            [0, 1, 1] => roles.columns.push(axis),
            [1, 1, 0] => roles.inner.push(axis),
            // In one operand or in the result alone. These have length 1, or the lengths will not fit below.
            [1, 0, 0] | [0, 1, 0] | [0, 0, 1] => {}
            _ => return Err(format!("the sum `{}` is no product of matrices", op.axes)),
        }
    }
    // Axes keep the order they have in memory, so that they need not be moved.
    roles.batch.sort_by_key(|axis| axis.inputs[0][0]);
    roles.rows.sort_by_key(|axis| axis.inputs[0][0]);
    roles.columns.sort_by_key(|axis| axis.inputs[1][0]);
    roles.inner.sort_by_key(|axis| axis.inputs[0][0]);
    Ok(roles)
}

fn position(axis: &Axis, io: InOut) -> usize {
    match io {
        InOut::In(slot) => axis.inputs[slot][0],
        InOut::Out(slot) => axis.outputs[slot][0],
    }
}

fn positions(groups: &[&[&Axis]], io: InOut) -> Vec<usize> {
    groups.iter().flat_map(|group| group.iter().map(|axis| position(axis, io))).collect()
}
