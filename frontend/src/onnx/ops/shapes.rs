//! Operators that make or change shapes; with static shapes nothing of them is left in the program.

use opml_abi::DataType;

use super::{Call, Family};
use crate::builder::{Built, Value, axis_of};
use crate::elements::Elements;

pub(super) const OPERATORS: Family = &[
    ("Cast", cast),
    ("CastLike", cast_like),
    ("Constant", constant),
    ("ConstantOfShape", constant_of_shape),
    ("Expand", expand),
    ("Flatten", flatten),
    ("Identity", identity),
    ("Range", range),
    ("Reshape", reshape),
    ("Shape", shape),
    ("Size", size),
    ("Squeeze", squeeze),
    ("Transpose", transpose),
    ("Unsqueeze", unsqueeze),
];

/// Most elements of a `Range`: it is known now, and lies in the image.
const MAX_RANGE: usize = 1 << 20;

fn identity(call: &mut Call<'_>) -> Built<Vec<Value>> {
    Ok(vec![call.input(0)?])
}

fn cast(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let to = call.dtype("to", DataType::Float32)?;
    Ok(vec![call.b.cast(&x, to)?])
}

fn cast_like(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (x, like) = (call.input(0)?, call.input(1)?);
    Ok(vec![call.b.cast(&x, like.dtype)?])
}

fn constant(call: &mut Call<'_>) -> Built<Vec<Value>> {
    if call.attribute("value").is_some() {
        return Ok(vec![call.constant("value")?]);
    }
    if let Some(values) = call.ints("value_ints") {
        return Ok(vec![call.b.integers(&values)]);
    }
    if let Some(values) = call.floats("value_floats") {
        return Ok(vec![call.b.floats(&[values.len()], values)]);
    }
    if call.attribute("value_int").is_some() {
        let value = call.int("value_int", 0);
        return Ok(vec![call.b.constant(&[], Elements::I64(vec![value]))]);
    }
    if call.attribute("value_float").is_some() {
        let value = call.float("value_float", 0.0);
        return Ok(vec![call.number(value)]);
    }
    Err("its value is of a kind that no kernel computes with".into())
}

/// Dimensions out of a tensor of the model.
pub(super) fn dimensions(values: &[i64]) -> Built<Vec<usize>> {
    let dim = |&d: &i64| usize::try_from(d).map_err(|_| format!("the shape {values:?}"));
    values.iter().map(dim).collect()
}

fn constant_of_shape(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let shape = dimensions(&call.known(0, "input")?)?;
    let value = if call.tensor("value").is_some() { call.constant("value")? } else { call.number(0.0) };
    Ok(vec![call.b.filled(&value, &shape)?])
}

fn shape(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let rank = x.rank() as i64;
    let bound = |value: i64| (if value < 0 { value + rank } else { value }).clamp(0, rank) as usize;
    let (start, end) = (bound(call.int("start", 0)), bound(call.int("end", rank)));
    let dims: Vec<i64> = x.shape[start..end.max(start)].iter().map(|&d| d as i64).collect();
    Ok(vec![call.b.integers(&dims)])
}

fn size(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let len = call.input(0)?.len();
    Ok(vec![call.b.constant(&[], Elements::I64(vec![len as i64]))])
}

fn reshape(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let asked =
        if call.opset() < 5 { call.ints("shape").unwrap_or_default() } else { call.known(1, "shape")? };
    let keep_zero = call.flag("allowzero", false);
    let mut shape = Vec::new();
    for (axis, &d) in asked.iter().enumerate() {
        shape.push(match d {
            0 if !keep_zero => *x.shape.get(axis).ok_or("it keeps a dimension that is not there")?,
            // Found below.
            -1 => 1,
            _ => usize::try_from(d).map_err(|_| format!("the shape {asked:?}"))?,
        });
    }
    let open: Vec<usize> = (0..asked.len()).filter(|&axis| asked[axis] == -1).collect();
    match open[..] {
        [] => {}
        [axis] => {
            let others = crate::builder::elements(&shape)?;
            let fits = others > 0 && x.len().is_multiple_of(others);
            shape[axis] = if fits { x.len() / others } else { 0 };
        }
        _ => return Err(format!("the shape {asked:?} leaves more than one dimension open")),
    }
    Ok(vec![call.b.reshape(&x, &shape)?])
}

fn flatten(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let axis = call.int("axis", 1);
    // One behind the last axis is allowed, too.
    let axis = if axis == x.rank() as i64 { x.rank() } else { x.axis(axis)? };
    let product = |dims: &[usize]| dims.iter().product();
    let shape = [product(&x.shape[..axis]), product(&x.shape[axis..])];
    Ok(vec![call.b.reshape(&x, &shape)?])
}

/// The operator's axes: an attribute before operator set 13, an operand since.
fn axes(call: &Call<'_>) -> Built<Option<Vec<i64>>> {
    if call.opset() < 13 { Ok(call.ints("axes")) } else { call.known_or_absent(1, "axes") }
}

fn squeeze(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let axes = match axes(call)? {
        Some(axes) => axes.iter().map(|&axis| x.axis(axis)).collect::<Built<Vec<_>>>()?,
        None => (0..x.rank()).filter(|&axis| x.shape[axis] == 1).collect(),
    };
    if let Some(axis) = axes.iter().find(|&&axis| x.shape[axis] != 1) {
        return Err(format!("axis {axis} of the shape {:?} is not of length 1", x.shape));
    }
    let kept: Vec<usize> = (0..x.rank()).filter(|axis| !axes.contains(axis)).collect();
    Ok(vec![call.b.transpose(&x, &kept)])
}

fn unsqueeze(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let axes = axes(call)?.ok_or("it has no axes")?;
    let rank = x.rank() + axes.len();
    let mut places = axes.iter().map(|&axis| axis_of(axis, rank)).collect::<Built<Vec<_>>>()?;
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(format!("the axes {axes:?} name one twice"));
    }
    Ok(vec![places.iter().fold(x, |value, &axis| call.b.unsqueeze(&value, axis))])
}

fn transpose(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let order: Vec<usize> = match call.ints("perm") {
        None => (0..x.rank()).rev().collect(),
        Some(perm) => {
            let order = perm.iter().map(|&axis| x.axis(axis)).collect::<Built<Vec<_>>>()?;
            let mut sorted = order.clone();
            sorted.sort_unstable();
            if !sorted.into_iter().eq(0..x.rank()) {
                return Err(format!("perm {perm:?} does not name each axis once"));
            }
            order
        }
    };
    Ok(vec![call.b.transpose(&x, &order)])
}

fn expand(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let asked = dimensions(&call.known(1, "shape")?)?;
    let shape = crate::builder::broadcast_shape(&[&x.shape, &asked])?;
    crate::builder::elements(&shape)?;
    Ok(vec![x.broadcast(&shape)?])
}

fn range(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let bounds = [call.input(0)?, call.input(1)?, call.input(2)?];
    let dtype = bounds[0].dtype;
    if let Some(other) = bounds.iter().find(|bound| bound.dtype != dtype || bound.len() != 1) {
        return Err(format!("its bounds are {dtype} and {} {:?}", other.dtype, other.shape));
    }
    let unknown = || "its bounds have to be known when the model is compiled".to_owned();
    let elements = if dtype == DataType::Float32 {
        let known: Option<Vec<f32>> = bounds.iter().map(|bound| Some(call.b.as_floats(bound)?[0])).collect();
        let [first, end, step] = known.ok_or_else(unknown)?[..] else { unreachable!("three bounds") };
        let count = ((f64::from(end) - f64::from(first)) / f64::from(step)).ceil().max(0.0);
        if count > MAX_RANGE as f64 {
            return Err(too_long(count));
        }
        // As the specification says: start + i * delta, in float32.
        let value = |i: usize| first + i as f32 * step;
        Elements::F32((0..count as usize).map(value).collect::<Vec<f32>>().into())
    } else {
        let known: Option<Vec<i64>> =
            bounds.iter().map(|bound| Some(call.b.as_integers(bound)?[0])).collect();
        let [first, end, step] = known.ok_or_else(unknown)?[..] else { unreachable!("three bounds") };
        if step == 0 {
            return Err("its step is 0".into());
        }
        // Wide enough for the distance of any two.
        let [distance, step] = [i128::from(end) - i128::from(first), i128::from(step)];
        let rest = i128::from(distance % step != 0 && (distance < 0) == (step < 0));
        let count = (distance / step + rest).max(0);
        if count > MAX_RANGE as i128 {
            return Err(too_long(count));
        }
        let values = (0..count).map(|i| i128::from(first) + i * step);
        match dtype {
            DataType::Int64 => Elements::I64(values.map(|v| v as i64).collect()),
            DataType::Int32 => Elements::I32(values.map(|v| v as i32).collect()),
            other => return Err(format!("a range of {other}")),
        }
    };
    Ok(vec![call.b.constant(&[elements.len()], elements)])
}

fn too_long(count: impl std::fmt::Display) -> String {
    format!("it has {count} elements; {MAX_RANGE} are the most")
}
