//! Parts of tensors.

use super::Family;
use super::shapes::store_moved;
use crate::tflite::net::{Made, Name, Net, Op, int};

pub(super) const OPERATORS: Family = &[
    ("SLICE", slice),
    ("SPLIT", split),
    ("SPLIT_V", split_v),
    ("STRIDED_SLICE", strided_slice),
    ("UNPACK", unpack),
];

/// From `begin` on as many elements as `size` says; -1 are all that follow.
fn slice(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let x = net.stored(op.input(0)?)?;
    let (begin, size) = (net.known(op.input(1)?, "begin")?, net.known(op.input(2)?, "size")?);
    if begin.len() != size.len() {
        return Err(format!("a part from {begin:?} of the size {size:?}"));
    }
    let end = |(&begin, &size): (&i64, &i64)| if size == -1 { i64::MAX } else { begin.saturating_add(size) };
    let ends: Vec<i64> = begin.iter().zip(&size).map(end).collect();
    let steps = vec![1; begin.len()];
    let y = net.sliced(x, &begin, &ends, &steps);
    store_moved(net, op, y)
}

/// Bit n of a mask is for axis n: without a begin, without an end, or a single element whose axis goes.
fn strided_slice(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op.options.builtin_options_as_strided_slice_options().ok_or("its options are missing")?;
    if o.ellipsis_mask() != 0 || o.new_axis_mask() != 0 {
        return Err("an ellipsis or a new axis".into());
    }
    let x = net.stored(op.input(0)?)?;
    let (mut begin, mut end, mut steps) = (
        net.known(op.input(1)?, "begin")?,
        net.known(op.input(2)?, "end")?,
        net.known(op.input(3)?, "strides")?,
    );
    if end.len() != begin.len() || steps.len() != begin.len() || begin.len() > 32 {
        return Err(format!("a part from {begin:?} to {end:?} in steps of {steps:?}"));
    }
    let mut gone = Vec::new();
    for axis in 0..begin.len() {
        let set = |mask: i32| mask >> axis & 1 == 1;
        if set(o.shrink_axis_mask()) {
            gone.push(axis as i64);
            end[axis] = if begin[axis] == -1 { i64::MAX } else { begin[axis].saturating_add(1) };
            steps[axis] = 1;
            continue;
        }
        let up = steps[axis] > 0;
        if set(o.begin_mask()) {
            begin[axis] = if up { 0 } else { i64::MAX };
        }
        if set(o.end_mask()) {
            end[axis] = if up { i64::MAX } else { i64::MIN };
        }
    }
    let mut y = net.sliced(x, &begin, &end, &steps);
    if !gone.is_empty() {
        let gone = net.vector(&gone);
        y = net.node("Squeeze", &[y, gone], Vec::new());
    }
    store_moved(net, op, y)
}

fn split(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (x, axis) = (net.stored(op.input(1)?)?, net.known_number(op.input(0)?, "axis")?);
    let count = op.outputs().len();
    let parts = net.nodes("Split", &[x], vec![int("axis", axis), int("num_outputs", count as i64)], count);
    bind_all(net, op, parts)
}

fn split_v(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (x, id) = (net.stored(op.input(0)?)?, op.input(0)?);
    let (sizes, axis) = (net.known(op.input(1)?, "size_splits")?, net.known_number(op.input(2)?, "axis")?);
    let shape = net.shape(id)?;
    let place = usize::try_from(if axis < 0 { axis + shape.len() as i64 } else { axis });
    let len = place.ok().and_then(|place| shape.get(place)).ok_or_else(|| format!("axis {axis}"))?;
    // One size may be what is left.
    let known: i64 = sizes.iter().filter(|&&size| size >= 0).sum();
    let size = |&size: &i64| if size == -1 { *len as i64 - known } else { size };
    let sizes = net.vector(&sizes.iter().map(size).collect::<Vec<_>>());
    let parts = net.nodes("Split", &[x, sizes], vec![int("axis", axis)], op.outputs().len());
    bind_all(net, op, parts)
}

fn unpack(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op.options.builtin_options_as_unpack_options().ok_or("its options are missing")?;
    let (x, axis, count) = (net.stored(op.input(0)?)?, i64::from(o.axis()), op.outputs().len());
    let parts = net.nodes("Split", &[x], vec![int("axis", axis), int("num_outputs", count as i64)], count);
    let axes = net.vector(&[axis]);
    let parts =
        parts.into_iter().map(|part| net.node("Squeeze", &[part, axes.clone()], Vec::new())).collect();
    bind_all(net, op, parts)
}

fn bind_all(net: &mut Net<'_>, op: &Op<'_>, parts: Vec<Name>) -> Made {
    op.outputs().iter().zip(parts).for_each(|(&out, part)| net.bind(out, part));
    Ok(())
}

impl Net<'_> {
    /// The part from `begin` to before `end`, along the first axes.
    pub fn sliced(&mut self, x: Name, begin: &[i64], end: &[i64], steps: &[i64]) -> Name {
        let axes: Vec<i64> = (0..begin.len() as i64).collect();
        let bounds = [begin, end, &axes, steps].map(|values| self.vector(values));
        let operands: Vec<Name> = std::iter::once(x).chain(bounds).collect();
        self.node("Slice", &operands, Vec::new())
    }
}
