//! Elements by indices that the program computes.

use opml_abi::DataType;
use opml_kernels::{Along, Scatter, Sequences, Slices};

use super::{Call, Family};
use crate::builder::{Built, Value};
use crate::graph::{Op, strides};

pub(super) const OPERATORS: Family = &[
    ("GatherElements", gather_elements),
    ("GatherND", gather_nd),
    ("ReverseSequence", reverse_sequence),
    ("Scatter", scatter_elements),
    ("ScatterElements", scatter_elements),
    ("ScatterND", scatter_nd),
];

/// Indices as kernels take them.
fn indices(call: &mut Call<'_>, index: usize) -> Built {
    let indices = call.input(index)?;
    match indices.dtype {
        DataType::Int64 | DataType::Int32 => call.b.dense(&indices),
        dtype => Err(format!("indices of type {dtype}")),
    }
}

/// How `x` lies along an axis, and its strides with 0 there. `dims` is the shape of the indices.
fn along(x: &Value, axis: usize, dims: &[usize]) -> Built<(Along, Vec<usize>)> {
    let inside = x.rank() == dims.len() && (0..dims.len()).all(|d| d == axis || dims[d] <= x.shape[d]);
    if !inside {
        return Err(format!("indices of the shape {dims:?} for data of the shape {:?}", x.shape));
    }
    let mut steps = strides(&x.shape);
    let stride = std::mem::take(&mut steps[axis]);
    Ok((Along { len: x.shape[axis], stride }, steps))
}

fn gather_elements(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let indices = indices(call, 1)?;
    let axis = x.axis(call.int("axis", 0))?;
    let (along, steps) = along(&x, axis, &indices.shape)?;
    let x = call.b.dense(&x)?;
    let op = Op::GatherElements(along, indices.shape.clone(), steps);
    Ok(vec![call.b.call(op, &[&x, &indices], x.dtype, &indices.shape)?])
}

fn scatter_elements(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (x, updates) = (call.input(0)?, call.input(2)?);
    let indices = indices(call, 1)?;
    let axis = x.axis(call.int("axis", 0))?;
    if updates.shape != indices.shape || updates.dtype != x.dtype {
        return Err(format!("updates {} {:?} for indices {:?}", updates.dtype, updates.shape, indices.shape));
    }
    let (along, steps) = along(&x, axis, &indices.shape)?;
    let (x, updates) = (call.b.dense(&x)?, call.b.dense(&updates)?);
    let op = Op::ScatterElements(reduction(call)?, along, indices.shape.clone(), steps);
    Ok(vec![call.b.call(op, &[&x, &indices, &updates], x.dtype, &x.shape)?])
}

fn reduction(call: &Call<'_>) -> Built<Scatter> {
    match call.text("reduction", "none").as_str() {
        "none" => Ok(Scatter::Replace),
        "add" => Ok(Scatter::Add),
        "mul" => Ok(Scatter::Mul),
        "min" => Ok(Scatter::Min),
        "max" => Ok(Scatter::Max),
        other => Err(format!("the reduction {other}")),
    }
}

/// The slices of `x` that indices choose behind `batch` dimensions: how many, and the dimensions that are indexed.
fn slices(x: &Value, indices: &Value, batch: usize) -> Built<(Slices, Vec<usize>)> {
    let (&depth, outer) = indices.shape.split_last().ok_or("indices without dimensions")?;
    let fits =
        batch < indices.rank() && x.rank() >= batch + depth && x.shape[..batch] == indices.shape[..batch];
    if !fits {
        return Err(format!("indices of the shape {:?} for data of the shape {:?}", indices.shape, x.shape));
    }
    let slices = Slices {
        batch: x.shape[..batch].iter().product(),
        count: outer[batch..].iter().product(),
        inner: x.shape[batch + depth..].iter().product(),
    };
    Ok((slices, x.shape[batch..batch + depth].to_vec()))
}

fn gather_nd(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let indices = indices(call, 1)?;
    let batch = usize::try_from(call.int("batch_dims", 0)).map_err(|_| "negative batch_dims")?;
    let (shape, dims) = slices(&x, &indices, batch)?;
    let out = [&indices.shape[..indices.rank() - 1], &x.shape[batch + dims.len()..]].concat();
    let x = call.b.dense(&x)?;
    Ok(vec![call.b.call(Op::GatherNd(shape, dims), &[&x, &indices], x.dtype, &out)?])
}

fn scatter_nd(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (x, updates) = (call.input(0)?, call.input(2)?);
    let indices = indices(call, 1)?;
    let (shape, dims) = slices(&x, &indices, 0)?;
    if updates.len() != shape.count * shape.inner || updates.dtype != x.dtype {
        return Err(format!("updates {} {:?} for indices {:?}", updates.dtype, updates.shape, indices.shape));
    }
    let (x, updates) = (call.b.dense(&x)?, call.b.dense(&updates)?);
    let op = Op::ScatterNd(reduction(call)?, shape, dims);
    Ok(vec![call.b.call(op, &[&x, &indices, &updates], x.dtype, &x.shape)?])
}

fn reverse_sequence(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let lens = indices(call, 1)?;
    let time_first = match (call.int("time_axis", 0), call.int("batch_axis", 1)) {
        (0, 1) => true,
        (1, 0) => false,
        axes => return Err(format!("the axes of time and batch {axes:?}")),
    };
    let [first, second, inner @ ..] = &x.shape[..] else {
        return Err(format!("an operand of the shape {:?}", x.shape));
    };
    let (time, batch) = if time_first { (*first, *second) } else { (*second, *first) };
    if lens.len() != batch {
        return Err(format!("{} lengths of {batch} sequences", lens.len()));
    }
    let op = Op::ReverseSequence(Sequences { batch, time, inner: inner.iter().product(), time_first });
    let x = call.b.dense(&x)?;
    Ok(vec![call.b.call(op, &[&x, &lens], x.dtype, &x.shape)?])
}
