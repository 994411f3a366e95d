//! What moves elements.

use tract_tflite::tflite::MirrorPadMode;

use super::Family;
use super::shapes::store_moved;
use crate::tflite::net::{Id, Made, Name, Net, Op, int, text};

pub(super) const OPERATORS: Family = &[
    ("BATCH_TO_SPACE_ND", batch_to_space),
    ("CONCATENATION", concatenation),
    ("GATHER", gather),
    ("GATHER_ND", gather_nd),
    ("MIRROR_PAD", mirror_pad),
    ("PACK", pack),
    ("PAD", pad),
    ("PADV2", padv2),
    ("REVERSE_SEQUENCE", reverse_sequence),
    ("REVERSE_V2", reverse),
    ("SCATTER_ND", scatter_nd),
    ("SPACE_TO_BATCH_ND", space_to_batch),
    ("TILE", tile),
    ("TRANSPOSE", transpose),
];

fn transpose(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let x = net.stored(op.input(0)?)?;
    let order = net.known(op.input(1)?, "perm")?;
    let y = net.transposed(x, &order);
    store_moved(net, op, y)
}

fn tile(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (x, counts) = (net.stored(op.input(0)?)?, net.integers(op.input(1)?)?);
    let y = net.node("Tile", &[x, counts], Vec::new());
    store_moved(net, op, y)
}

/// The elements for a result that joins operands: integers if all have its parameters, else floats.
fn joined(net: &mut Net<'_>, op: &Op<'_>) -> Made<(Vec<Name>, bool)> {
    let (parts, to) = (op.inputs()?, net.quantisation(op.output(0)?)?);
    let mut same = true;
    for &part in &parts {
        same &= net.quantisation(part)? == to;
    }
    let read = |id: Id| if same { net.stored(id) } else { net.value(id) };
    Ok((parts.into_iter().map(read).collect::<Made<_>>()?, same))
}

fn store_joined(net: &mut Net<'_>, out: Id, value: Name, stored: bool) -> Made {
    if stored {
        net.bind(out, value);
        return Ok(());
    }
    net.store(out, value)
}

fn concatenation(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op.options.builtin_options_as_concatenation_options().ok_or("its options are missing")?;
    let (parts, stored) = joined(net, op)?;
    let y = net.node("Concat", &parts, vec![int("axis", o.axis().into())]);
    if o.fused_activation_function() == tract_tflite::tflite::ActivationFunctionType::NONE {
        return store_joined(net, op.output(0)?, y, stored);
    }
    if stored && net.quantisation(op.output(0)?)?.is_some() {
        return Err("a fused activation of integers".into());
    }
    let y = net.activated(y, o.fused_activation_function(), op.output(0)?)?;
    net.store(op.output(0)?, y)
}

fn pack(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op.options.builtin_options_as_pack_options().ok_or("its options are missing")?;
    let (parts, stored) = joined(net, op)?;
    let axis = i64::from(o.axis());
    let axes = net.vector(&[axis]);
    let parts: Vec<Name> =
        parts.into_iter().map(|part| net.node("Unsqueeze", &[part, axes.clone()], Vec::new())).collect();
    let y = net.node("Concat", &parts, vec![int("axis", axis)]);
    store_joined(net, op.output(0)?, y, stored)
}

fn gather(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let options = op.options.builtin_options_as_gather_options();
    let (axis, batch) = options.map_or((0, 0), |o| (o.axis(), o.batch_dims()));
    if batch != 0 {
        return Err(format!("{batch} axes of batches"));
    }
    let (x, indices) = (net.stored(op.input(0)?)?, net.stored(op.input(1)?)?);
    let y = net.node("Gather", &[x, indices], vec![int("axis", axis.into())]);
    store_moved(net, op, y)
}

fn gather_nd(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (x, indices) = (net.stored(op.input(0)?)?, net.integers(op.input(1)?)?);
    let y = net.node("GatherND", &[x, indices], Vec::new());
    store_moved(net, op, y)
}

/// Updates of the same place add up.
fn scatter_nd(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (indices, updates) = (net.integers(op.input(0)?)?, net.value(op.input(1)?)?);
    let (shape, out) = (net.integers(op.input(2)?)?, op.output(0)?);
    let zero = net.number(0.0);
    let zero = match net.quantisation(out)? {
        Some(_) => zero,
        None => net.cast(zero, crate::tflite::tensors::dtype(net.kind(out))?),
    };
    let zeros = net.node("Expand", &[zero, shape], Vec::new());
    let y = net.node("ScatterND", &[zeros, indices, updates], vec![text("reduction", "add")]);
    net.store(out, y)
}

/// Borders as ONNX has them, all in front and then all behind, of pairs for each axis.
fn borders(net: &Net<'_>, id: Id) -> Made<Vec<i64>> {
    let pairs = net.known(id, "paddings")?;
    let (pairs, odd) = pairs.as_chunks::<2>();
    if !odd.is_empty() {
        return Err("an odd number of paddings".into());
    }
    Ok(pairs.iter().map(|pair| pair[0]).chain(pairs.iter().map(|pair| pair[1])).collect())
}

/// A border of zeros: of zero points, where integers stand for them.
fn pad(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (x, pads) = (net.value(op.input(0)?)?, border_nodes(net, op.input(1)?)?);
    let y = net.node("Pad", &[x, pads], Vec::new());
    net.store(op.output(0)?, y)
}

/// The same of pairs that may be computed.
fn border_nodes(net: &mut Net<'_>, id: Id) -> Made<Name> {
    let (pairs, all) = (net.integers(id)?, net.vector(&[-1]));
    let sides = net.transposed(pairs, &[1, 0]);
    Ok(net.node("Reshape", &[sides, all], Vec::new()))
}

fn padv2(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (x, border) = (net.value(op.input(0)?)?, net.value(op.input(2)?)?);
    let pads = border_nodes(net, op.input(1)?)?;
    let number = net.vector(&[]);
    let border = net.node("Reshape", &[border, number], Vec::new());
    let y = net.node("Pad", &[x, pads, border], Vec::new());
    net.store(op.output(0)?, y)
}

/// A border that mirrors what is inside: with the outermost elements, or without.
fn mirror_pad(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op.options.builtin_options_as_mirror_pad_options().ok_or("its options are missing")?;
    let (mut y, id) = (net.stored(op.input(0)?)?, op.input(0)?);
    let (pads, shape) = (borders(net, op.input(1)?)?, net.shape(id)?);
    if pads.len() != 2 * shape.len() {
        return Err(format!("{} paddings for the shape {shape:?}", pads.len() / 2));
    }
    // The distance from an element outside to its image, at the edge.
    let edge = if o.mode() == MirrorPadMode::SYMMETRIC { 0 } else { 1 };
    for (axis, &len) in shape.iter().enumerate() {
        let (before, after, len) = (pads[axis], pads[axis + shape.len()], len as i64);
        let most = len - edge;
        if !(0..=most).contains(&before) || !(0..=most).contains(&after) {
            return Err(format!("a border of {before} and {after} that mirrors {len} elements"));
        }
        if (before, after) == (0, 0) {
            continue;
        }
        net.spend(8 * (before + len + after) as u64)?;
        let front = (edge..before + edge).rev();
        let back = (0..after).map(|index| len - 1 - edge - index);
        let indices = net.vector(&front.chain(0..len).chain(back).collect::<Vec<_>>());
        y = net.node("Gather", &[y, indices], vec![int("axis", axis as i64)]);
    }
    store_moved(net, op, y)
}

fn reverse(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (mut y, rank) = (net.stored(op.input(0)?)?, net.rank(op.input(0)?) as i64);
    for axis in net.known(op.input(1)?, "axis")? {
        let axis = if axis < 0 { axis + rank } else { axis };
        let bounds = [i64::MAX, i64::MIN, axis, -1].map(|value| net.vector(&[value]));
        let operands: Vec<Name> = std::iter::once(y).chain(bounds).collect();
        y = net.node("Slice", &operands, Vec::new());
    }
    store_moved(net, op, y)
}

fn reverse_sequence(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op.options.builtin_options_as_reverse_sequence_options().ok_or("its options are missing")?;
    let (x, lengths) = (net.stored(op.input(0)?)?, net.integers(op.input(1)?)?);
    let attributes = vec![int("time_axis", o.seq_dim().into()), int("batch_axis", o.batch_dim().into())];
    let y = net.node("ReverseSequence", &[x, lengths], attributes);
    store_moved(net, op, y)
}

/// Each block of neighbours is spread over images of its own: the place in a block becomes the outer part of the batch.
fn space_to_batch(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (x, id) = (net.value(op.input(0)?)?, op.input(0)?);
    let (blocks, pads) = (net.known(op.input(1)?, "block_shape")?, borders(net, op.input(2)?)?);
    let (shape, axes) = (net.shape(id)?, blocks.len());
    check_blocks(&shape, &blocks, &pads)?;
    let inner = vec![0; shape.len() - 1 - axes];
    let around = |side: &[i64]| [&[0], side, &inner].concat();
    let pads_value = net.vector(&[around(&pads[..axes]), around(&pads[axes..])].concat());
    let padded = net.node("Pad", &[x, pads_value], Vec::new());
    let mut apart = vec![shape[0] as i64];
    for (axis, block) in blocks.iter().enumerate() {
        let len = shape[axis + 1] as i64 + pads[axis] + pads[axis + axes];
        apart.extend([len / block, *block]);
    }
    apart.extend(shape[1 + axes..].iter().map(|&d| d as i64));
    let rank = apart.len() as i64;
    let places = (0..axes as i64).map(|axis| 2 * axis + 2);
    let kept = (0..axes as i64).map(|axis| 2 * axis + 1);
    let order: Vec<i64> = places.chain([0]).chain(kept).chain(1 + 2 * axes as i64..rank).collect();
    let mut joined = vec![-1];
    joined.extend((0..axes).map(|axis| apart[2 * axis + 1]));
    joined.extend(&apart[1 + 2 * axes..]);
    let (apart, joined) = (net.vector(&apart), net.vector(&joined));
    let y = net.node("Reshape", &[padded, apart], Vec::new());
    let y = net.transposed(y, &order);
    let y = net.node("Reshape", &[y, joined], Vec::new());
    net.store(op.output(0)?, y)
}

/// The way back; what borders were is cut off.
fn batch_to_space(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (x, id) = (net.value(op.input(0)?)?, op.input(0)?);
    let (blocks, crops) = (net.known(op.input(1)?, "block_shape")?, borders(net, op.input(2)?)?);
    let (shape, axes) = (net.shape(id)?, blocks.len());
    check_blocks(&shape, &blocks, &crops)?;
    let mut apart = blocks.clone();
    apart.push(-1);
    apart.extend(shape[1..].iter().map(|&d| d as i64));
    let axes_in = axes as i64;
    // The batch, then each axis with its place in a block behind it, then the rest.
    let pairs = (0..axes_in).flat_map(|axis| [axes_in + 1 + axis, axis]);
    let order: Vec<i64> =
        std::iter::once(axes_in).chain(pairs).chain(2 * axes_in + 1..apart.len() as i64).collect();
    let lens: Vec<i64> = blocks.iter().zip(&shape[1..]).map(|(block, &len)| block * len as i64).collect();
    let mut joined = vec![-1];
    joined.extend(&lens);
    joined.extend(shape[1 + axes..].iter().map(|&d| d as i64));
    let (apart, joined) = (net.vector(&apart), net.vector(&joined));
    let y = net.node("Reshape", &[x, apart], Vec::new());
    let y = net.transposed(y, &order);
    let y = net.node("Reshape", &[y, joined], Vec::new());
    let begin = [&[0], &crops[..axes]].concat();
    let ends = lens.iter().zip(&crops[axes..]).map(|(len, crop)| len - crop);
    let end: Vec<i64> = std::iter::once(i64::MAX).chain(ends).collect();
    let (begin, end) = (net.vector(&begin), net.vector(&end));
    let y = net.sliced(y, begin, end, &vec![1; axes + 1]);
    net.store(op.output(0)?, y)
}

fn check_blocks(shape: &[usize], blocks: &[i64], borders: &[i64]) -> Made {
    let sane = |values: &[i64], least: i64| values.iter().all(|value| (least..=1 << 20).contains(value));
    let fits = shape.len() > blocks.len() && borders.len() == 2 * blocks.len();
    if fits && sane(blocks, 1) && sane(borders, 0) && shape.iter().all(|&d| d <= 1 << 28) {
        return Ok(());
    }
    Err(format!("blocks of {blocks:?} with the borders {borders:?} of the shape {shape:?}"))
}
