//! Parts of tensors.

use tract_onnx::pb::tensor_proto::DataType;

use super::Family;
use super::shapes::store_moved;
use crate::tflite::attributes::int;
use crate::tflite::net::{Made, Name, Net};
use crate::tflite::op::Op;

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
    let (begin, size) = (net.integers(op.input(1)?)?, net.integers(op.input(2)?)?);
    let (all, last) = (net.vector(&[-1]), net.vector(&[i64::MAX]));
    let end = net.node("Add", &[begin.clone(), size.clone()], Vec::new());
    let is_all = net.node("Equal", &[size, all], Vec::new());
    let end = net.node("Where", &[is_all, last, end], Vec::new());
    let steps = vec![1; net.rank(op.input(0)?)];
    let y = net.sliced(x, begin, end, &steps);
    store_moved(net, op, y)
}

/// Bit n of a mask is for axis n: without a begin, without an end, or a single element whose axis goes.
fn strided_slice(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op.options.builtin_options_as_strided_slice_options().ok_or("its options are missing")?;
    if o.ellipsis_mask() != 0 || o.new_axis_mask() != 0 {
        return Err("an ellipsis or a new axis".into());
    }
    let x = net.stored(op.input(0)?)?;
    let mut steps = net.known(op.input(3)?, "strides")?;
    if steps.len() > 32 {
        return Err(format!("steps of {steps:?}"));
    }
    let set = |mask: i32, axis: usize| mask >> axis & 1 == 1;
    let gone: Vec<i64> =
        (0..steps.len()).filter(|&axis| set(o.shrink_axis_mask(), axis)).map(|axis| axis as i64).collect();
    gone.iter().for_each(|&axis| steps[axis as usize] = 1);
    let (mut begin, mut end) = (net.integers(op.input(1)?)?, net.integers(op.input(2)?)?);
    if !gone.is_empty() {
        // One element: the end is the one behind it, and behind the last one there is none.
        let (one, last, all) = (net.vector(&[1]), net.vector(&[-1]), net.vector(&[i64::MAX]));
        let behind = net.node("Add", &[begin.clone(), one], Vec::new());
        let is_last = net.node("Equal", &[begin.clone(), last], Vec::new());
        let single = net.node("Where", &[is_last, all, behind], Vec::new());
        end = net.chosen(&steps, |axis| gone.contains(&(axis as i64)), single, end);
    }
    let (first, behind): (Vec<i64>, Vec<i64>) =
        steps.iter().map(|&step| if step > 0 { (0, i64::MAX) } else { (i64::MAX, i64::MIN) }).unzip();
    let (first, behind) = (net.vector(&first), net.vector(&behind));
    let shrinks = |axis: usize| gone.contains(&(axis as i64));
    begin = net.chosen(&steps, |axis| set(o.begin_mask(), axis) && !shrinks(axis), first, begin);
    end = net.chosen(&steps, |axis| set(o.end_mask(), axis) && !shrinks(axis), behind, end);
    let mut y = net.sliced(x, begin, end, &steps);
    if !gone.is_empty() {
        let gone = net.vector(&gone);
        y = net.node("Squeeze", &[y, gone], Vec::new());
    }
    store_moved(net, op, y)
}

fn split(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (x, axis) = (net.stored(op.input(1)?)?, net.known_number(op.input(0)?, "axis")?);
    let parts = equal_parts(net, op, x, axis);
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
    let (x, axis) = (net.stored(op.input(0)?)?, i64::from(o.axis()));
    let parts = equal_parts(net, op, x, axis);
    let axes = net.vector(&[axis]);
    let parts =
        parts.into_iter().map(|part| net.node("Squeeze", &[part, axes.clone()], Vec::new())).collect();
    bind_all(net, op, parts)
}

/// As many parts of the same size as there are results.
fn equal_parts(net: &mut Net<'_>, op: &Op<'_>, x: Name, axis: i64) -> Vec<Name> {
    let count = op.outputs().len();
    net.nodes("Split", &[x], vec![int("axis", axis), int("num_outputs", count as i64)], count)
}

fn bind_all(net: &mut Net<'_>, op: &Op<'_>, parts: Vec<Name>) -> Made {
    op.outputs().iter().zip(parts).for_each(|(&out, part)| net.bind(out, part));
    Ok(())
}

impl Net<'_> {
    /// The part from `begin` to before `end`, along the first axes.
    pub fn sliced(&mut self, x: Name, begin: Name, end: Name, steps: &[i64]) -> Name {
        let axes: Vec<i64> = (0..steps.len() as i64).collect();
        let operands = [x, begin, end, self.vector(&axes), self.vector(steps)];
        self.node("Slice", &operands, Vec::new())
    }

    /// A vector of one number for each of `steps`: of `a` where `choose` says so, else of `b`.
    fn chosen(&mut self, steps: &[i64], choose: impl Fn(usize) -> bool, a: Name, b: Name) -> Name {
        let chosen: Vec<i64> = (0..steps.len()).map(|axis| choose(axis).into()).collect();
        if chosen.iter().all(|&chosen| chosen == 0) {
            return b;
        }
        let chosen = self.vector(&chosen);
        let chosen = self.cast(chosen, DataType::Bool);
        self.node("Where", &[chosen, a, b], Vec::new())
    }
}
