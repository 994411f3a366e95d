//! Transposed convolution: each element of the image puts the whole filter, times itself, into the result.
//!
//! With a stride of s, an element of the result meets every s-th tap of the filter, and those a place further on meet others. So the result is
//! cut into s phases along each axis, and each of them is an ordinary convolution, by its taps turned around.

use opml_abi::DataType;

use super::pools::{Windows, conv_by_windows};
use super::{Call, Family};
use crate::builder::{Built, Value};

pub(super) const OPERATORS: Family = &[("ConvTranspose", conv_transpose)];

/// Largest step, border or size that is believed.
const LARGEST: i64 = 1 << 20;

/// An axis of the result.
struct Axis {
    stride: usize,
    dilation: usize,
    /// Taps of the filter.
    taps: usize,
    /// Elements that are cut off in front.
    before: i64,
    output: usize,
}

/// Every so-manieth element of the result along an axis, which is a convolution with every so-manieth tap.
struct Phase {
    /// The first of the elements, and their number.
    first: usize,
    count: usize,
    /// The first of the taps, the distance of the next, and their number.
    taps: [usize; 3],
    dilation: usize,
    /// Zeros in front of the image; less than none are cut off.
    before: i64,
}

impl Axis {
    /// The phases that have taps.
    ///
    /// Tap t puts element p of the image to p s + t d - before. Taps that are s / gcd(s, d) apart do so to elements of the same phase, from
    /// elements of the image that are d / gcd(s, d) apart.
    fn phases(&self) -> Vec<Phase> {
        let Self { stride, dilation, taps, before, output } = *self;
        let common = gcd(stride, dilation);
        let step = stride / common;
        let phase = |tap: usize| {
            let place = (tap * dilation) as i64 - before;
            let first = place.rem_euclid(stride as i64);
            let count = output.saturating_sub(first as usize).div_ceil(stride);
            let (number, dilation) = ((taps - tap).div_ceil(step), dilation / common);
            // The image's element that meets the phase's first with its first tap.
            let from = (first - place) / stride as i64;
            Phase {
                first: first as usize,
                count,
                taps: [tap, step, number],
                dilation,
                before: ((number - 1) * dilation) as i64 - from,
            }
        };
        (0..step.min(taps)).map(phase).filter(|phase| phase.count > 0).collect()
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn axes(call: &Call<'_>, x: &Value, w: &Value) -> Built<Vec<Axis>> {
    let count = x.rank() - 2;
    let list = |name: &str, len: usize, default: i64| -> Built<Vec<i64>> {
        let values =
            call.ints(name).filter(|values| !values.is_empty()).unwrap_or_else(|| vec![default; len]);
        let valid = values.len() == len && values.iter().all(|value| (0..=LARGEST).contains(value));
        if valid { Ok(values) } else { Err(format!("{name} {values:?} for {count} spatial dimensions")) }
    };
    let (strides, dilations) = (list("strides", count, 1)?, list("dilations", count, 1)?);
    let (pads, more) = (list("pads", 2 * count, 0)?, list("output_padding", count, 0)?);
    let sizes = call.ints("output_shape").filter(|sizes| !sizes.is_empty());
    if strides.contains(&0) || dilations.contains(&0) || sizes.as_ref().is_some_and(|s| s.len() < count) {
        return Err(format!("strides {strides:?}, dilations {dilations:?} and output_shape {sizes:?}"));
    }
    let auto = call.text("auto_pad", "NOTSET");
    let axis = |i: usize| -> Built<Axis> {
        let (len, taps) = (x.shape[2 + i] as i64, w.shape[2 + i] as i64);
        let reach = (taps - 1) * dilations[i];
        let full = strides[i] * (len - 1) + more[i] + reach + 1;
        let wanted = match (&sizes, auto.as_str()) {
            (Some(sizes), _) => Some(sizes[sizes.len() - count + i]),
            (None, "SAME_UPPER" | "SAME_LOWER") => Some(len * strides[i]),
            (None, _) => None,
        };
        let [before, after] = match wanted {
            Some(wanted) => {
                let total = (full - wanted).max(0);
                if auto == "SAME_UPPER" {
                    [total / 2, total - total / 2]
                } else {
                    [total - total / 2, total / 2]
                }
            }
            None if auto == "VALID" => [0, 0],
            None => [pads[i], pads[i + count]],
        };
        let output = wanted.unwrap_or(full - before - after);
        let output = usize::try_from(output).ok().filter(|&n| n > 0 && n as i64 <= LARGEST);
        let output = output.ok_or_else(|| format!("a result of length {}", full - before - after))?;
        Ok(Axis {
            stride: strides[i] as usize,
            dilation: dilations[i] as usize,
            taps: taps as usize,
            before,
            output,
        })
    };
    (0..count).map(axis).collect()
}

fn conv_transpose(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (x, w, bias) = (call.input(0)?, call.input(1)?, call.optional(2));
    let groups = usize::try_from(call.int("group", 1)).unwrap_or(0);
    let fits = x.rank() >= 3
        && w.rank() == x.rank()
        && groups > 0
        && w.shape[0] == x.shape[1]
        && x.shape[1].is_multiple_of(groups)
        && !x.shape.contains(&0)
        && !w.shape.contains(&0);
    if !fits {
        return Err(format!("an image {:?}, filters {:?} and {groups} groups do not fit", x.shape, w.shape));
    }
    let axes = axes(call, &x, &w)?;
    let shape: Vec<usize> =
        [x.shape[0], w.shape[1] * groups].into_iter().chain(axes.iter().map(|axis| axis.output)).collect();
    let phases: Vec<Vec<Phase>> = axes.iter().map(Axis::phases).collect();
    let out = call.b.computed(DataType::Float32, &shape)?;
    if axes.iter().zip(&phases).any(|(axis, phases)| phases.len() < axis.stride.min(axis.output)) {
        // What no tap reaches is the bias.
        let mut value = match &bias {
            Some(bias) => bias.clone(),
            None => call.number(0.0).broadcast(&shape[1..2])?,
        };
        (0..axes.len()).for_each(|_| value = call.b.unsqueeze(&value, value.rank()));
        call.b.copy_into(&value.broadcast(&shape)?, &out)?;
    }
    let total: usize = phases.iter().map(Vec::len).product();
    for number in 0..total {
        let mut rest = number;
        let mut chosen: Vec<&Phase> = Vec::new();
        for phases in &phases {
            chosen.push(&phases[rest % phases.len()]);
            rest /= phases.len();
        }
        put_phase(call, [&x, &w], bias.as_ref(), &axes, &chosen, groups, &out)?;
    }
    Ok(vec![out])
}

/// Writes a phase along each axis to its places in `out`.
fn put_phase(
    call: &mut Call<'_>,
    [x, w]: [&Value; 2],
    bias: Option<&Value>,
    axes: &[Axis],
    phases: &[&Phase],
    groups: usize,
    out: &Value,
) -> Built<()> {
    let (mut image, mut filters, mut place) = (x.clone(), w.clone(), out.clone());
    let mut windows = Windows::default();
    for (i, (axis, phase)) in axes.iter().zip(phases).enumerate() {
        let [first, step, taps] = phase.taps;
        filters = call.b.slice(&filters, 2 + i, first, taps, step);
        place = call.b.slice(&place, 2 + i, phase.first, phase.count, axis.stride);
        // What the windows reach over of the image, and zeros around it.
        let (len, reach) = (x.shape[2 + i] as i64, phase.count + (taps - 1) * phase.dilation);
        let inside = [-phase.before, reach as i64 - phase.before].map(|end| end.clamp(0, len));
        let used = (inside[1] - inside[0]) as usize;
        image = call.b.slice(&image, 2 + i, inside[0] as usize, used, 1);
        let before = (inside[0] + phase.before) as usize;
        windows.sizes.push(taps);
        windows.strides.push(1);
        windows.dilations.push(phase.dilation);
        windows.before.push(before);
        windows.after.push(reach - used - before);
        windows.ceiled.push(0);
        windows.output.push(phase.count);
    }
    let weights = turned(call, &filters, groups)?;
    if axes.len() > 2 {
        let part = conv_by_windows(call, &image, &weights, bias, &windows, groups)?;
        return call.b.copy_into(&part, &place);
    }
    // One dimension is an image of one row.
    let flat = |call: &Call<'_>, value: &Value| {
        if axes.len() == 1 { call.b.unsqueeze(value, 2) } else { value.clone() }
    };
    let (image, weights, place) = (flat(call, &image), flat(call, &weights), flat(call, &place));
    call.b.conv2d_into(&image, &weights, bias, &windows.plane(), groups, &place)
}

/// Filters [C, O / groups, ...] as those of a convolution, [O, C / groups, ...], each turned around.
fn turned(call: &mut Call<'_>, w: &Value, groups: usize) -> Built {
    let (channels, own) = (w.shape[0] / groups, w.shape[1]);
    let apart = [&[groups, channels, own], &w.shape[2..]].concat();
    let mut weights = call.b.reshape(w, &apart)?;
    let order: Vec<usize> = [0, 2, 1].into_iter().chain(3..apart.len()).collect();
    weights = call.b.transpose(&weights, &order);
    for (axis, &len) in apart.iter().enumerate().skip(3) {
        weights = call.b.slice_down(&weights, axis, len - 1, len, 1)?;
    }
    call.b.reshape(&weights, &[&[groups * own, channels], &w.shape[2..]].concat())
}
