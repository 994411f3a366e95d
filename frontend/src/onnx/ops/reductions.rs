//! Sums, means, extremes and what else goes along axes.

use opml_kernels::{ArgOp, BinaryOp, ReduceOp, UnaryOp};

use super::{Call, Family};
use crate::builder::{Built, Value};

pub(super) const OPERATORS: Family = &[
    ("ArgMax", arg),
    ("ArgMin", arg),
    ("CumSum", cumulative_sum),
    ("Hardmax", hardmax),
    ("LogSoftmax", log_softmax),
    ("ReduceL1", reduce),
    ("ReduceL2", reduce),
    ("ReduceLogSum", reduce),
    ("ReduceLogSumExp", reduce),
    ("ReduceMax", reduce),
    ("ReduceMean", reduce),
    ("ReduceMin", reduce),
    ("ReduceProd", reduce),
    ("ReduceSum", reduce),
    ("ReduceSumSquare", reduce),
    ("Softmax", softmax),
    ("TopK", top_k),
];

/// The axes to reduce: an attribute or, for sums since operator set 13 and for all since 18, an operand.
fn axes(call: &Call<'_>, x: &Value) -> Built<Vec<usize>> {
    let operand = call.opset() >= if call.op_type() == "ReduceSum" { 13 } else { 18 };
    let stated = if operand { call.known_or_absent(1, "axes")? } else { call.ints("axes") };
    let stated = stated.unwrap_or_default();
    if stated.is_empty() {
        let none = call.flag("noop_with_empty_axes", false);
        return Ok(if none { Vec::new() } else { (0..x.rank()).collect() });
    }
    let mut axes = stated.iter().map(|&axis| x.axis(axis)).collect::<Built<Vec<_>>>()?;
    axes.sort_unstable();
    if axes.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(format!("the axes {stated:?} name one twice"));
    }
    Ok(axes)
}

fn reduce(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let axes = axes(call, &x)?;
    let kept = reduced(call, &x, &axes)?;
    if call.flag("keepdims", true) {
        return Ok(vec![kept]);
    }
    let others: Vec<usize> = (0..x.rank()).filter(|axis| !axes.contains(axis)).collect();
    Ok(vec![call.b.transpose(&kept, &others)])
}

/// The reduction with its axes kept at length 1.
fn reduced(call: &mut Call<'_>, x: &Value, axes: &[usize]) -> Built {
    match call.op_type() {
        "ReduceMax" => call.b.reduce(ReduceOp::Max, x, axes),
        "ReduceMin" => call.b.reduce(ReduceOp::Min, x, axes),
        "ReduceProd" => call.b.reduce(ReduceOp::Product, x, axes),
        "ReduceMean" => mean(call, x, axes),
        "ReduceL1" => {
            let size = call.b.unary(UnaryOp::Abs, x)?;
            call.b.reduce(ReduceOp::Sum, &size, axes)
        }
        "ReduceL2" => {
            let sum = sum_of_squares(call, x, axes)?;
            call.b.unary(UnaryOp::Sqrt, &sum)
        }
        "ReduceSumSquare" => sum_of_squares(call, x, axes),
        "ReduceLogSum" => {
            let sum = call.b.reduce(ReduceOp::Sum, x, axes)?;
            call.b.unary(UnaryOp::Log, &sum)
        }
        "ReduceLogSumExp" => {
            let (log, largest) = log_sum_exp(call, x, axes)?;
            call.b.binary(BinaryOp::Add, &log, &largest)
        }
        _ => call.b.reduce(ReduceOp::Sum, x, axes),
    }
}

/// The exact sum, rounded, by the number of elements.
pub(super) fn mean(call: &mut Call<'_>, x: &Value, axes: &[usize]) -> Built {
    let count: usize = axes.iter().map(|&axis| x.shape[axis]).product();
    let sum = call.b.reduce(ReduceOp::Sum, x, axes)?;
    let count = call.b.scalar(x.dtype, count as f32);
    call.b.binary(BinaryOp::Div, &sum, &count)
}

pub(super) fn sum_of_squares(call: &mut Call<'_>, x: &Value, axes: &[usize]) -> Built {
    let squares = call.b.binary(BinaryOp::Mul, x, x)?;
    call.b.reduce(ReduceOp::Sum, &squares, axes)
}

/// log(sum(exp(x - m))) and m, the largest of `x`.
fn log_sum_exp(call: &mut Call<'_>, x: &Value, axes: &[usize]) -> Built<(Value, Value)> {
    let largest = call.b.reduce(ReduceOp::Max, x, axes)?;
    // Of infinities there is no difference.
    let bounded = call.b.clip(&largest, f32::MIN, f32::MAX)?;
    let below = call.b.binary(BinaryOp::Sub, x, &bounded)?;
    let exp = call.b.unary(UnaryOp::Exp, &below)?;
    let sum = call.b.reduce(ReduceOp::Sum, &exp, axes)?;
    Ok((call.b.unary(UnaryOp::Log, &sum)?, bounded))
}

/// Before operator set 13 an axis stands for itself and all behind it.
fn over_axis(
    call: &mut Call<'_>,
    then: impl FnOnce(&mut Call<'_>, &Value, usize) -> Built,
) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let old = call.opset() < 13;
    let axis = x.axis(call.int("axis", if old { 1 } else { -1 }))?;
    if !old {
        return Ok(vec![then(call, &x, axis)?]);
    }
    let outer = x.shape[..axis].iter().product();
    let flat = call.b.reshape(&x, &[outer, x.len() / usize::max(outer, 1)])?;
    let out = then(call, &flat, 1)?;
    Ok(vec![call.b.reshape(&out, &x.shape)?])
}

fn softmax(call: &mut Call<'_>) -> Built<Vec<Value>> {
    over_axis(call, |call, x, axis| call.b.softmax(x, axis))
}

fn log_softmax(call: &mut Call<'_>) -> Built<Vec<Value>> {
    over_axis(call, |call, x, axis| {
        let (log, largest) = log_sum_exp(call, x, &[axis])?;
        let below = call.b.binary(BinaryOp::Sub, x, &largest)?;
        call.b.binary(BinaryOp::Sub, &below, &log)
    })
}

/// 1 at the first of the largest elements, else 0.
fn hardmax(call: &mut Call<'_>) -> Built<Vec<Value>> {
    over_axis(call, |call, x, axis| {
        let largest = call.b.arg_reduce(ArgOp::Max, false, x, axis)?;
        let mut places = call.b.places(x.shape[axis])?;
        for _ in axis + 1..x.rank() {
            places = call.b.unsqueeze(&places, places.rank());
        }
        let hot = call.b.compare(opml_kernels::CompareOp::Equal, &largest, &places)?;
        call.b.cast(&hot, x.dtype)
    })
}

fn arg(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let axis = x.axis(call.int("axis", 0))?;
    let op = if call.op_type() == "ArgMax" { ArgOp::Max } else { ArgOp::Min };
    let last = call.flag("select_last_index", false);
    let kept = call.b.arg_reduce(op, last, &x, axis)?;
    Ok(vec![if call.flag("keepdims", true) { kept } else { call.b.index(&kept, axis, 0) }])
}

fn cumulative_sum(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let axis = x.axis(*call.known(1, "axis")?.first().ok_or("it has no axis")?)?;
    let (exclusive, reverse) = (call.flag("exclusive", false), call.flag("reverse", false));
    Ok(vec![call.b.cumulative_sum(&x, axis, exclusive, reverse)?])
}

fn top_k(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let axis = x.axis(call.int("axis", -1))?;
    let k = if call.opset() < 10 { vec![call.int("k", 0)] } else { call.known(1, "k")? };
    let k = k.first().and_then(|&k| usize::try_from(k).ok()).ok_or("its k is out of range")?;
    let largest = call.flag("largest", true);
    Ok(call.b.top_k(&x, axis, k, largest)?.into())
}
