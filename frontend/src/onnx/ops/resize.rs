//! Images in another size: ONNX `Resize` and `Upsample`.
//!
//! An axis at a time: each element of the result is a sum of a few elements of the input, and which they are and with what weights follows
//! from the sizes alone.

use opml_abi::DataType;
use opml_kernels::{BinaryOp, ReduceOp};

use super::shapes::dimensions;
use super::{Call, Family};
use crate::builder::{Built, Value};
use crate::elements::Elements;

pub(super) const OPERATORS: Family = &[("Resize", resize), ("Upsample", upsample)];

/// Largest factor that is believed.
const MAX_SCALE: f64 = 65_536.0;

/// How coordinates of the result become those of the input.
#[derive(Clone, Copy, PartialEq)]
enum Transform {
    HalfPixel,
    HalfPixelSymmetric,
    PytorchHalfPixel,
    AlignCorners,
    Asymmetric,
    /// By a part of the image, from and to in its own size.
    Crop(f64, f64),
}

/// What of the neighbours of a coordinate makes an element.
#[derive(Clone, Copy, PartialEq)]
enum Filter {
    Nearest(Nearest),
    Linear,
    /// With this coefficient.
    Cubic(f64),
}

#[derive(Clone, Copy, PartialEq)]
enum Nearest {
    RoundPreferFloor,
    RoundPreferCeil,
    Floor,
    Ceil,
}

/// An axis that gets another size.
struct Axis {
    input: usize,
    output: usize,
    scale: f64,
    transform: Transform,
    filter: Filter,
    antialias: bool,
    exclude_outside: bool,
}

/// The elements that make one of the result, and their weights; nothing for one outside the image.
type Taps = Option<Vec<(i64, f64)>>;

impl Axis {
    /// Where in the input an element of the result is.
    fn coordinate(&self, x: usize) -> f64 {
        let (x, input, output) = (x as f64, self.input as f64, self.scale * self.input as f64);
        match self.transform {
            Transform::HalfPixel => (x + 0.5) / self.scale - 0.5,
            Transform::HalfPixelSymmetric => {
                let adjustment = self.output as f64 / output;
                input / 2.0 * (1.0 - adjustment) + (x + 0.5) / self.scale - 0.5
            }
            Transform::PytorchHalfPixel if self.output == 1 => -0.5,
            Transform::PytorchHalfPixel => (x + 0.5) / self.scale - 0.5,
            Transform::AlignCorners if output == 1.0 => 0.0,
            Transform::AlignCorners => x * (input - 1.0) / (output - 1.0),
            Transform::Asymmetric => x / self.scale,
            Transform::Crop(start, end) if self.output == 1 => (start + end) * (input - 1.0) / 2.0,
            Transform::Crop(start, end) => {
                start * (input - 1.0) + x * (end - start) * (input - 1.0) / (self.output as f64 - 1.0)
            }
        }
    }

    fn taps(&self, x: usize) -> Taps {
        let at = self.coordinate(x);
        let last = self.input as f64 - 1.0;
        if matches!(self.transform, Transform::Crop(..)) && !(0.0..=last).contains(&at) {
            return None;
        }
        // An element that is met is the right one of its two neighbours.
        let base = at.ceil() - 1.0;
        let ratio = at - base;
        let (first, mut weights) = self.weights(ratio);
        let place = |i: usize| base as i64 + first + i as i64;
        if self.exclude_outside {
            for (i, weight) in weights.iter_mut().enumerate() {
                if !(0..self.input as i64).contains(&place(i)) {
                    *weight = 0.0;
                }
            }
            let sum: f64 = weights.iter().sum();
            weights.iter_mut().for_each(|weight| *weight /= sum);
        }
        let inside = |i: usize| place(i).clamp(0, self.input as i64 - 1);
        Some(weights.iter().enumerate().map(|(i, &weight)| (inside(i), weight)).collect())
    }

    /// How much wider filters are in the image than in the result, at most 1.
    fn narrow(&self) -> f64 {
        if self.antialias { self.scale.min(1.0) } else { 1.0 }
    }

    /// Weights of neighbours, and the first of them, counted from the left one of the coordinate.
    fn weights(&self, ratio: f64) -> (i64, Vec<f64>) {
        let narrow = self.narrow();
        match self.filter {
            Filter::Nearest(nearest) => {
                let left = match nearest {
                    Nearest::RoundPreferFloor => ratio <= 0.5,
                    Nearest::RoundPreferCeil => ratio < 0.5,
                    Nearest::Floor => ratio < 1.0,
                    Nearest::Ceil => false,
                };
                (i64::from(!left), vec![1.0])
            }
            Filter::Linear => filtered(1.0, narrow, ratio, |x| (1.0 - x.abs()).clamp(0.0, 1.0)),
            Filter::Cubic(a) => filtered(2.0, narrow, ratio, |x| cubic(a, x.abs())),
        }
    }
}

/// A filter that reaches to `reach` on both sides, widened by `narrow`.
fn filtered(reach: f64, narrow: f64, ratio: f64, weight: impl Fn(f64) -> f64) -> (i64, Vec<f64>) {
    let first = (-reach / narrow).floor() as i64 + 1;
    let mut weights: Vec<f64> = (first..2 - first).map(|i| weight((i as f64 - ratio) * narrow)).collect();
    if narrow < 1.0 {
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
    }
    (first, weights)
}

/// Cubic convolution (Keys, "Cubic convolution interpolation for digital image processing", 1981).
fn cubic(a: f64, x: f64) -> f64 {
    match x {
        x if x <= 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
        x if x < 2.0 => ((x - 5.0) * x + 8.0) * x * a - 4.0 * a,
        _ => 0.0,
    }
}

/// An axis of `x` resized. What lies outside the image gets `outside`.
fn along(call: &mut Call<'_>, x: &Value, place: usize, axis: &Axis, outside: &Value) -> Built {
    // A filter that is widened reaches over as many elements more.
    let width = 4.0 / axis.scale.min(1.0) + 2.0;
    call.b.reserve_table(axis.output.saturating_mul(width as usize))?;
    let taps: Vec<Taps> = (0..axis.output).map(|i| axis.taps(i)).collect();
    let count = taps.iter().flatten().map(Vec::len).max().unwrap_or(1);
    let tap = |i: usize, t: usize| taps[i].as_ref().and_then(|taps| taps.get(t)).copied().unwrap_or((0, 0.0));
    let last = x.rank() - 1;
    let moved = call.b.move_axis(x, place, last);
    let each = |t: usize| (0..axis.output).map(move |i| (i, t));
    let indices = |t: usize| -> Vec<i64> { each(t).map(|(i, t)| tap(i, t).0).collect() };
    let mut out = if count == 1 {
        let indices = call.b.integers(&indices(0));
        call.b.gather(&moved, &indices, last)?
    } else {
        let all: Vec<i64> = (0..axis.output)
            .flat_map(|i| (0..count).map(move |t| (i, t)))
            .map(|(i, t)| tap(i, t).0)
            .collect();
        let indices = call.b.constant(&[axis.output, count], Elements::I64(all));
        let spread = call.b.gather(&moved, &indices, last)?;
        let weights: Vec<f32> = (0..axis.output)
            .flat_map(|i| (0..count).map(move |t| (i, t)))
            .map(|(i, t)| tap(i, t).1 as f32)
            .collect();
        let weights = call.b.floats(&[axis.output, count], weights);
        let products = call.b.binary(BinaryOp::Mul, &spread, &weights)?;
        let sums = call.b.reduce(ReduceOp::Sum, &products, &[last + 1])?;
        call.b.index(&sums, last + 1, 0)
    };
    if taps.contains(&None) {
        let inside = taps.iter().map(|taps| u8::from(taps.is_some())).collect();
        let inside = call.b.constant(&[axis.output], Elements::Bool(inside));
        out = call.b.select(&inside, &out, outside)?;
    }
    Ok(call.b.move_axis(&out, last, place))
}

fn upsample(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let scales = if call.opset() < 9 { call.floats("scales") } else { call.known_floats(1, "scales")? };
    let scales: Vec<f64> = scales.ok_or("it has no scales")?.iter().map(|&s| f64::from(s)).collect();
    let filter = old_filter(call)?;
    old(call, &x, &scales, filter)
}

/// The only ways there were before operator set 11.
fn old_filter(call: &Call<'_>) -> Built<Filter> {
    match call.text("mode", "nearest").as_str() {
        "nearest" => Ok(Filter::Nearest(Nearest::Floor)),
        "linear" | "bilinear" => Ok(Filter::Linear),
        other => Err(format!("the mode {other}")),
    }
}

fn old(call: &mut Call<'_>, x: &Value, scales: &[f64], filter: Filter) -> Built<Vec<Value>> {
    if scales.len() != x.rank() {
        return Err(format!("{} scales for the shape {:?}", scales.len(), x.shape));
    }
    let nothing = call.b.scalar(x.dtype, 0.0);
    let mut out = x.clone();
    for (place, &scale) in scales.iter().enumerate() {
        let output = scaled(x.shape[place], scale)?;
        let axis = Axis {
            input: x.shape[place],
            output,
            scale,
            transform: Transform::Asymmetric,
            filter,
            antialias: false,
            exclude_outside: false,
        };
        if scale != 1.0 {
            out = along(call, &out, place, &axis, &nothing)?;
        }
    }
    Ok(vec![out])
}

fn scaled(len: usize, scale: f64) -> Built<usize> {
    if !(scale > 0.0 && scale <= MAX_SCALE) {
        return Err(format!("a scale of {scale}"));
    }
    Ok((len as f64 * scale).floor() as usize)
}

fn resize(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    if call.opset() < 11 {
        let scales = call.known_floats(1, "scales")?.ok_or("it has no scales")?;
        let scales: Vec<f64> = scales.iter().map(|&s| f64::from(s)).collect();
        let filter = old_filter(call)?;
        return old(call, &x, &scales, filter);
    }
    let axes = match call.ints("axes") {
        Some(axes) => axes.iter().map(|&axis| x.axis(axis)).collect::<Built<Vec<_>>>()?,
        None => (0..x.rank()).collect(),
    };
    let roi = call.known_floats(1, "roi")?.filter(|roi| !roi.is_empty());
    let scales = call.known_floats(2, "scales")?.filter(|scales| !scales.is_empty());
    let targets = targets(call, &x, &axes, scales)?;
    let filter = filter(call)?;
    let outside = call.float("extrapolation_value", 0.0);
    let outside = call.b.scalar(x.dtype, outside);
    let mut out = x.clone();
    for (i, (&place, &(output, scale))) in axes.iter().zip(&targets).enumerate() {
        let transform = transform(call, roi.as_deref(), i, axes.len())?;
        let untouched = scale == 1.0 && output == x.shape[place] && !matches!(transform, Transform::Crop(..));
        if untouched {
            continue;
        }
        let axis = Axis {
            input: x.shape[place],
            output,
            scale,
            transform,
            filter,
            antialias: call.flag("antialias", false),
            exclude_outside: call.flag("exclude_outside", false),
        };
        if axis.input == 0 {
            return Err("it resizes an empty axis".into());
        }
        out = along(call, &out, place, &axis, &outside)?;
    }
    if out.dtype != DataType::Float32 && !matches!(filter, Filter::Nearest(_)) {
        return Err(format!("it interpolates {} elements", out.dtype));
    }
    Ok(vec![out])
}

/// New length and scale of each axis.
fn targets(call: &Call<'_>, x: &Value, axes: &[usize], scales: Option<Vec<f32>>) -> Built<Vec<(usize, f64)>> {
    let lens = || axes.iter().map(|&axis| x.shape[axis]);
    let count =
        |n: usize| if n == axes.len() { Ok(()) } else { Err(format!("{n} sizes for {} axes", axes.len())) };
    if let Some(scales) = scales {
        count(scales.len())?;
        return lens().zip(scales).map(|(len, s)| Ok((scaled(len, f64::from(s))?, f64::from(s)))).collect();
    }
    let sizes = dimensions(&call.known(3, "sizes")?)?;
    count(sizes.len())?;
    let ratios = lens().zip(&sizes).map(|(len, &size)| size as f64 / len as f64);
    let policy = call.text("keep_aspect_ratio_policy", "stretch");
    let common = match policy.as_str() {
        "stretch" => return Ok(sizes.iter().copied().zip(ratios).collect()),
        "not_larger" => ratios.fold(f64::INFINITY, f64::min),
        "not_smaller" => ratios.fold(0.0, f64::max),
        other => return Err(format!("the policy {other}")),
    };
    if !(common > 0.0 && common <= MAX_SCALE) {
        return Err(format!("a scale of {common}"));
    }
    Ok(lens().map(|len| ((len as f64 * common + 0.5).floor() as usize, common)).collect())
}

fn filter(call: &Call<'_>) -> Built<Filter> {
    match call.text("mode", "nearest").as_str() {
        "nearest" => Ok(Filter::Nearest(match call.text("nearest_mode", "round_prefer_floor").as_str() {
            "round_prefer_floor" => Nearest::RoundPreferFloor,
            "round_prefer_ceil" => Nearest::RoundPreferCeil,
            "floor" => Nearest::Floor,
            "ceil" => Nearest::Ceil,
            other => return Err(format!("the nearest_mode {other}")),
        })),
        "linear" => Ok(Filter::Linear),
        "cubic" => Ok(Filter::Cubic(f64::from(call.float("cubic_coeff_a", -0.75)))),
        other => Err(format!("the mode {other}")),
    }
}

fn transform(call: &Call<'_>, roi: Option<&[f32]>, index: usize, axes: usize) -> Built<Transform> {
    Ok(match call.text("coordinate_transformation_mode", "half_pixel").as_str() {
        "half_pixel" => Transform::HalfPixel,
        "half_pixel_symmetric" => Transform::HalfPixelSymmetric,
        "pytorch_half_pixel" => Transform::PytorchHalfPixel,
        "align_corners" => Transform::AlignCorners,
        "asymmetric" => Transform::Asymmetric,
        "tf_crop_and_resize" => {
            let roi = roi.filter(|roi| roi.len() == 2 * axes).ok_or("it has no part of the image (roi)")?;
            Transform::Crop(roi[index].into(), roi[index + axes].into())
        }
        other => return Err(format!("the coordinate_transformation_mode {other}")),
    })
}
