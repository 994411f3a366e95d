//! Operators that move elements.

use opml_abi::DataType;
use opml_kernels::CompareOp;

use super::shapes::dimensions;
use super::{Call, Family};
use crate::builder::{Built, Value};
use crate::elements::Elements;

pub(super) const OPERATORS: Family = &[
    ("Concat", concat),
    ("DepthToSpace", depth_to_space),
    ("EyeLike", eye_like),
    ("Gather", gather),
    ("OneHot", one_hot),
    ("Pad", pad),
    ("Slice", slice),
    ("SpaceToDepth", space_to_depth),
    ("Split", split),
    ("Tile", tile),
    ("Trilu", trilu),
];

fn concat(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let parts = call.all_inputs()?;
    let default = if call.opset() < 4 { 1 } else { 0 };
    let axis = parts[0].axis(call.int("axis", default))?;
    Ok(vec![call.b.concat(&parts, axis)?])
}

fn split(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let axis = x.axis(call.int("axis", 0))?;
    let len = x.shape[axis];
    let stated = if call.opset() < 13 { call.ints("split") } else { call.known_or_absent(1, "split")? };
    let parts = match stated {
        Some(parts) => dimensions(&parts)?,
        None => {
            let count = call.int("num_outputs", call.output_count() as i64).max(1) as usize;
            call.b.reserve_table(count)?;
            // The last part is smaller if they cannot be equal.
            let part = len.div_ceil(count);
            (0..count).map(|i| part.min(len.saturating_sub(i * part))).collect()
        }
    };
    if parts.iter().try_fold(0usize, |sum, &part| sum.checked_add(part)) != Some(len) {
        return Err(format!("parts {parts:?} of an axis of length {len}"));
    }
    Ok(call.b.split(&x, axis, &parts))
}

fn slice(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let mut x = call.input(0)?;
    let attributes = call.opset() < 10;
    let list = |call: &Call<'_>, index: usize, name: &str| {
        if attributes { Ok(call.ints(name)) } else { call.known_or_absent(index, name) }
    };
    let starts = list(call, 1, "starts")?.ok_or("it has no starts")?;
    let ends = list(call, 2, "ends")?.ok_or("it has no ends")?;
    let axes = list(call, 3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = if attributes { None } else { call.known_or_absent(4, "steps")? };
    let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err("its starts, ends, axes and steps are not equally many".into());
    }
    for (i, &axis) in axes.iter().enumerate() {
        let axis = x.axis(axis)?;
        let len = x.shape[axis] as i64;
        let from_start = |bound: i64| if bound < 0 { bound.saturating_add(len) } else { bound };
        let (start, end) = (from_start(starts[i]), from_start(ends[i]));
        match steps[i] {
            0 => return Err("a step of 0".into()),
            step @ 1.. => {
                let (start, end) = (start.clamp(0, len), end.clamp(0, len));
                let count = (end - start).max(0).unsigned_abs().div_ceil(step.unsigned_abs()) as usize;
                x = call.b.slice(&x, axis, start as usize, count, step as usize);
            }
            step => {
                let (start, end) = (start.clamp(-1, len - 1), end.clamp(-1, len - 1));
                let count = (start - end).max(0).unsigned_abs().div_ceil(step.unsigned_abs()) as usize;
                let step = step.unsigned_abs() as usize;
                x = match count {
                    0 => call.b.slice(&x, axis, 0, 0, 1),
                    _ => call.b.slice_down(&x, axis, start as usize, count, step)?,
                };
            }
        }
    }
    Ok(vec![x])
}

fn tile(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let repeats = dimensions(&call.known(1, "repeats")?)?;
    if repeats.len() != x.rank() {
        return Err(format!("repeats {repeats:?} of a tensor of rank {}", x.rank()));
    }
    // Each axis gets one before it, along which the element is the same.
    let mut spread = x.clone();
    let mut shape = Vec::new();
    for (axis, &repeat) in repeats.iter().enumerate() {
        if repeat != 1 {
            spread = call.b.unsqueeze(&spread, shape.len());
            shape.push(repeat);
        }
        shape.push(x.shape[axis]);
    }
    let spread = spread.broadcast(&shape)?;
    let tiled: Vec<usize> = x.shape.iter().zip(&repeats).map(|(d, r)| d.saturating_mul(*r)).collect();
    Ok(vec![call.b.reshape(&spread, &tiled)?])
}

fn gather(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (x, indices) = (call.input(0)?, call.input(1)?);
    let axis = x.axis(call.int("axis", 0))?;
    Ok(vec![call.b.gather(&x, &indices, axis)?])
}

fn pad(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let (pads, value, axes) = if call.opset() < 11 {
        let pads = call.ints("pads").or_else(|| call.ints("paddings")).ok_or("it has no pads")?;
        let value = call.float("value", 0.0);
        (pads, call.number(value), None)
    } else {
        let value = match call.optional(2) {
            Some(value) => value,
            None => call.b.scalar(x.dtype, 0.0),
        };
        (call.known(1, "pads")?, value, call.known_or_absent(3, "axes")?)
    };
    let axes = axes.unwrap_or_else(|| (0..x.rank() as i64).collect());
    if pads.len() != 2 * axes.len() {
        return Err(format!("pads {pads:?} for {} axes", axes.len()));
    }
    let mode = call.text("mode", "constant");
    let mut out = x;
    // Negative numbers cut off, and so they do before anything is added.
    let mut sizes = vec![[0usize; 2]; out.rank()];
    for (i, &axis) in axes.iter().enumerate() {
        let axis = out.axis(axis)?;
        let ends = [pads[i], pads[i + axes.len()]];
        let cut = ends.map(|n| n.min(0).unsigned_abs() as usize);
        let len = out.shape[axis].checked_sub(cut[0].saturating_add(cut[1]));
        let len = len.ok_or_else(|| format!("pads {pads:?} cut off more than there is"))?;
        out = call.b.slice(&out, axis, cut[0], len, 1);
        sizes[axis] = ends.map(|n| n.max(0) as usize);
    }
    if mode == "constant" {
        let (before, after) =
            (sizes.iter().map(|s| s[0]).collect::<Vec<_>>(), sizes.iter().map(|s| s[1]).collect::<Vec<_>>());
        return Ok(vec![call.b.pad(&out, &before, &after, &value)?]);
    }
    for (axis, [before, after]) in sizes.into_iter().enumerate().filter(|(_, s)| *s != [0, 0]) {
        let len = out.shape[axis] as i64;
        let span = before.checked_add(after).filter(|&n| n <= 1 << 24).ok_or("pads without end")?;
        if len == 0 {
            return Err("it repeats elements of an empty axis".into());
        }
        call.b.reserve_table(len as usize + span)?;
        let place = |i: i64| match mode.as_str() {
            "edge" => Ok(i.clamp(0, len - 1)),
            "wrap" => Ok(i.rem_euclid(len)),
            "reflect" if len == 1 => Ok(0),
            "reflect" => {
                let at = i.rem_euclid(2 * (len - 1));
                Ok(if at < len { at } else { 2 * (len - 1) - at })
            }
            other => Err(format!("the mode {other}")),
        };
        let places = (0..len as usize + span).map(|i| place(i as i64 - before as i64));
        let places = places.collect::<Built<Vec<i64>>>()?;
        let indices = call.b.integers(&places);
        out = call.b.gather(&out, &indices, axis)?;
    }
    Ok(vec![out])
}

/// [N, C, H, W] as dimensions, and the size of a block.
fn blocks(call: &Call<'_>) -> Built<(Value, [usize; 4], usize)> {
    let x = call.input(0)?;
    let [n, c, h, w] = x.shape[..] else { return Err(format!("an operand of the shape {:?}", x.shape)) };
    let block = usize::try_from(call.int("blocksize", 0)).ok().filter(|b| (1..=1 << 12).contains(b));
    Ok((x, [n, c, h, w], block.ok_or("its block size is out of range")?))
}

fn depth_to_space(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (x, [n, c, h, w], block) = blocks(call)?;
    let depth = c / (block * block);
    let columns_first = call.text("mode", "DCR") == "CRD";
    let (shape, order) = if columns_first {
        ([n, depth, block, block, h, w], [0, 1, 4, 2, 5, 3])
    } else {
        ([n, block, block, depth, h, w], [0, 3, 4, 1, 5, 2])
    };
    let apart = call.b.reshape(&x, &shape)?;
    let moved = call.b.transpose(&apart, &order);
    Ok(vec![call.b.reshape(&moved, &[n, depth, h * block, w * block])?])
}

fn space_to_depth(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (x, [n, c, h, w], block) = blocks(call)?;
    let apart = call.b.reshape(&x, &[n, c, h / block, block, w / block, block])?;
    let columns_first = call.text("mode", "DCR") == "CRD";
    let order = if columns_first { [0, 1, 3, 5, 2, 4] } else { [0, 3, 5, 1, 2, 4] };
    let moved = call.b.transpose(&apart, &order);
    Ok(vec![call.b.reshape(&moved, &[n, c * block * block, h / block, w / block])?])
}

/// A constant mask [rows, columns] of bools.
fn mask(call: &mut Call<'_>, rows: usize, columns: usize, inside: impl Fn(i64, i64) -> bool) -> Built {
    call.b.reserve_table(rows.saturating_mul(columns))?;
    let at = |i: usize| u8::from(inside((i / columns) as i64, (i % columns) as i64));
    let bits = (0..rows * columns).map(at).collect();
    Ok(call.b.constant(&[rows, columns], Elements::Bool(bits)))
}

fn eye_like(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let [rows, columns] = x.shape[..] else { return Err(format!("an operand of the shape {:?}", x.shape)) };
    let (dtype, k) = (call.dtype("dtype", x.dtype)?, call.int("k", 0));
    let diagonal = mask(call, rows, columns, |row, column| column.saturating_sub(row) == k)?;
    Ok(vec![call.b.cast(&diagonal, dtype)?])
}

fn trilu(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let [.., rows, columns] = x.shape[..] else {
        return Err(format!("an operand of the shape {:?}", x.shape));
    };
    let k = call.known_or_absent(1, "k")?.and_then(|k| k.first().copied()).unwrap_or(0);
    let upper = call.flag("upper", true);
    let kept = mask(call, rows, columns, |row, column| {
        let ahead = column - row;
        if upper { ahead >= k } else { ahead <= k }
    })?;
    let zero = call.b.scalar(x.dtype, 0.0);
    Ok(vec![call.b.select(&kept, &x, &zero)?])
}

fn one_hot(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (indices, values) = (call.input(0)?, call.input(2)?);
    values.check_shape(&[2])?;
    let depth = match call.known_floats(1, "depth") {
        Ok(Some(depth)) => depth.first().map(|&d| d as i64),
        _ => call.known(1, "depth")?.first().copied(),
    };
    let depth = depth.and_then(|depth| usize::try_from(depth).ok()).ok_or("its depth is out of range")?;
    let axis = crate::builder::axis_of(call.int("axis", -1), indices.rank() + 1)?;
    // Indices may be of any type; those that are out of range mark nothing.
    let indices = call.b.cast(&indices, DataType::Int64)?;
    let count = call.b.constant(&[], Elements::I64(vec![depth as i64]));
    let zero = call.b.scalar(DataType::Int64, 0.0);
    let negative = call.b.compare(CompareOp::Less, &indices, &zero)?;
    let wrapped = call.b.binary(opml_kernels::BinaryOp::Add, &indices, &count)?;
    let indices = call.b.select(&negative, &wrapped, &indices)?;
    let indices = call.b.unsqueeze(&indices, axis);
    let mut classes = call.b.places(depth)?;
    for _ in axis + 1..indices.rank() {
        classes = call.b.unsqueeze(&classes, classes.rank());
    }
    let hot = call.b.compare(CompareOp::Equal, &indices, &classes)?;
    let (off, on) = (call.b.index(&values, 0, 0), call.b.index(&values, 0, 1));
    Ok(vec![call.b.select(&hot, &on, &off)?])
}
