//! Transposed convolution: each element of the image puts the whole filter, times itself, into the result.
//!
//! Seen from the result that is a convolution of an image with zeros between its elements, by the filter turned around.

use opml_kernels::spatial::Window;

use super::pools::{Windows, conv_by_windows};
use super::{Call, Family};
use crate::builder::{Built, Value, Window2d};

pub(super) const OPERATORS: Family = &[("ConvTranspose", conv_transpose)];

/// Largest step, border or size that is believed.
const LARGEST: i64 = 1 << 20;

/// An axis of the result.
struct Axis {
    stride: usize,
    dilation: usize,
    /// Zeros before and behind the spread image; less than none are cut off.
    ends: [i64; 2],
    output: usize,
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
        let spread = strides[i] * (len - 1) + 1;
        let first = reach - before;
        let output = usize::try_from(output).ok().filter(|&n| n > 0 && n as i64 <= LARGEST);
        let output = output.ok_or_else(|| format!("a result of length {}", full - before - after))?;
        Ok(Axis {
            stride: strides[i] as usize,
            dilation: dilations[i] as usize,
            ends: [first, output as i64 + reach - spread - first],
            output,
        })
    };
    (0..count).map(axis).collect()
}

/// The image with zeros between its elements and around them.
fn spread(call: &mut Call<'_>, x: &Value, axes: &[Axis]) -> Built {
    let mut image = x.clone();
    let mut shape = x.shape.clone();
    for (i, axis) in axes.iter().enumerate() {
        let at = 2 + i;
        // What the ends cut off, in elements of the image, and zeros that are left in front of the first.
        let [before, after] = axis.ends;
        let skipped = before.min(0).unsigned_abs() as usize;
        let first = skipped.div_ceil(axis.stride);
        let span = (x.shape[at] as i64 - 1) * axis.stride as i64 + 1;
        shape[at] = usize::try_from(span + before + after).map_err(|_| "an empty result")?;
        let offset = (before + (first * axis.stride) as i64) as usize;
        let count =
            shape[at].saturating_sub(offset).div_ceil(axis.stride).min(x.shape[at].saturating_sub(first));
        image = call.b.slice(&image, at, first.min(x.shape[at]), count, 1);
    }
    let zero = call.number(0.0);
    let out = call.b.filled_now(&zero, &shape)?;
    let mut inside = out.clone();
    for (i, axis) in axes.iter().enumerate() {
        let at = 2 + i;
        let skipped = axis.ends[0].min(0).unsigned_abs() as usize;
        let offset = (axis.ends[0] + (skipped.div_ceil(axis.stride) * axis.stride) as i64) as usize;
        inside = call.b.slice(&inside, at, offset, image.shape[at], axis.stride);
    }
    call.b.copy_into(&image, &inside)?;
    Ok(out)
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
    let image = spread(call, &x, &axes)?;
    let weights = turned(call, &w, groups)?;
    let out = match &axes[..] {
        [one] => {
            let (image, weights) = (call.b.unsqueeze(&image, 2), call.b.unsqueeze(&weights, 2));
            let vertical = Window { size: 1, stride: 1, dilation: 1, pad_before: 0, pad_after: 0 };
            let horizontal = Window { size: w.shape[2], dilation: one.dilation, ..vertical };
            let window = Window2d { vertical, horizontal, output: [1, one.output] };
            let out = call.b.conv2d(&image, &weights, bias.as_ref(), &window, groups)?;
            call.b.reshape(&out, &[out.shape[0], out.shape[1], one.output])?
        }
        [tall, wide] => {
            let plain = Window { size: 1, stride: 1, dilation: 1, pad_before: 0, pad_after: 0 };
            let window = Window2d {
                vertical: Window { size: w.shape[2], dilation: tall.dilation, ..plain },
                horizontal: Window { size: w.shape[3], dilation: wide.dilation, ..plain },
                output: [tall.output, wide.output],
            };
            call.b.conv2d(&image, &weights, bias.as_ref(), &window, groups)?
        }
        more => {
            let windows = Windows {
                sizes: w.shape[2..].to_vec(),
                strides: vec![1; more.len()],
                dilations: more.iter().map(|axis| axis.dilation).collect(),
                before: vec![0; more.len()],
                after: vec![0; more.len()],
                ceiled: vec![0; more.len()],
                output: more.iter().map(|axis| axis.output).collect(),
            };
            conv_by_windows(call, &image, &weights, bias.as_ref(), &windows, groups)?
        }
    };
    Ok(vec![out])
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
