//! Windows that move over images: pools, and convolutions of more than two dimensions.

use opml_abi::DataType;
use opml_kernels::{ArgOp, BinaryOp, ReduceOp, UnaryOp, spatial::Window};

use super::{Call, Family};
use crate::builder::{Built, Quantised, Value, Window2d};
use crate::elements::Elements;

pub(super) const OPERATORS: Family = &[
    ("AveragePool", average_pool),
    ("GlobalAveragePool", global_average_pool),
    ("GlobalLpPool", global_lp_pool),
    ("GlobalMaxPool", global_max_pool),
    ("LpPool", lp_pool),
    ("MaxPool", max_pool),
];

/// Largest side, step or border of a window that is believed: far above any image, and no sum of them overflows.
const LARGEST: i64 = 1 << 20;

/// How a window moves along the spatial dimensions, by the attributes that convolutions and pools share.
#[derive(Clone, Default, Debug)]
pub(super) struct Windows {
    /// Elements of the window along each axis.
    pub sizes: Vec<usize>,
    pub strides: Vec<usize>,
    pub dilations: Vec<usize>,
    /// Elements that are added in front.
    pub before: Vec<usize>,
    /// Elements that are added behind.
    pub after: Vec<usize>,
    /// How many of those are there only because the number of windows is rounded up.
    pub ceiled: Vec<usize>,
    /// Windows along each axis.
    pub output: Vec<usize>,
}

impl Windows {
    /// For an image of the shape `shape`, [N, C, ...]; `filters` is the shape of the weights of a convolution.
    pub fn new(call: &Call<'_>, shape: &[usize], filters: Option<&[usize]>) -> Built<Self> {
        let Some(spatial) = shape.get(2..).filter(|spatial| !spatial.is_empty()) else {
            return Err(format!("an operand of the shape {shape:?} has no spatial dimensions"));
        };
        let axes = spatial.len();
        let list = |name: &str, smallest: i64, count: usize, default: usize| -> Built<Vec<usize>> {
            let Some(values) = call.ints(name).filter(|values| !values.is_empty()) else {
                return Ok(vec![default; count]);
            };
            let valid = |value: &i64| (smallest..=LARGEST).contains(value);
            if let Some(value) = values.iter().find(|value| !valid(value)) {
                return Err(format!("{value} in {name} {values:?} is not between {smallest} and {LARGEST}"));
            }
            if values.len() != count {
                return Err(format!("{name} {values:?} is not for {axes} spatial dimensions"));
            }
            Ok(values.iter().map(|&value| value as usize).collect())
        };
        let sizes = match filters {
            Some(filters) if filters.len() != shape.len() => {
                return Err(format!("filters of the shape {filters:?} for an image {shape:?}"));
            }
            Some(filters) => filters[2..].to_vec(),
            None => list("kernel_shape", 1, axes, 0)?,
        };
        let stated = list("kernel_shape", 1, axes, 0)?;
        if sizes.contains(&0) || (stated != sizes && stated != vec![0; axes]) {
            return Err(format!("a window of {stated:?} over {sizes:?}"));
        }
        let (strides, dilations) = (list("strides", 1, axes, 1)?, list("dilations", 1, axes, 1)?);
        let pads = list("pads", 0, 2 * axes, 0)?;
        let mut windows = Self {
            sizes,
            strides,
            dilations,
            before: pads[..axes].to_vec(),
            after: pads[axes..].to_vec(),
            ceiled: vec![0; axes],
            output: Vec::new(),
        };
        windows.place(spatial, &call.text("auto_pad", "NOTSET"), call.flag("ceil_mode", false))?;
        Ok(windows)
    }

    /// Finds where windows are, and the padding that follows from that.
    fn place(&mut self, spatial: &[usize], auto_pad: &str, ceil: bool) -> Built<()> {
        for (axis, &len) in spatial.iter().enumerate() {
            let (span, stride) = (self.span(axis), self.strides[axis]);
            match auto_pad {
                "SAME_UPPER" | "SAME_LOWER" => {
                    let count = len.div_ceil(stride);
                    let total = ((count.max(1) - 1) * stride + span).saturating_sub(len);
                    let (small, large) = (total / 2, total - total / 2);
                    let upper = auto_pad == "SAME_UPPER";
                    (self.before[axis], self.after[axis]) =
                        if upper { (small, large) } else { (large, small) };
                }
                "VALID" => (self.before[axis], self.after[axis]) = (0, 0),
                "NOTSET" | "" => {}
                other => return Err(format!("the padding {other}")),
            }
            let padded = len + self.before[axis] + self.after[axis];
            let Some(room) = padded.checked_sub(span) else {
                return Err(format!(
                    "its window {:?} is larger than the image {spatial:?} with its border",
                    self.sizes
                ));
            };
            let mut count = room / stride + 1;
            // One more window if it begins inside the image or the border before it.
            if ceil && !room.is_multiple_of(stride) && count * stride < len + self.before[axis] {
                count += 1;
                self.ceiled[axis] = (count - 1) * stride - room;
                self.after[axis] += self.ceiled[axis];
            }
            self.output.push(count);
        }
        Ok(())
    }

    /// Elements that a window reaches over along an axis.
    pub fn span(&self, axis: usize) -> usize {
        (self.sizes[axis] - 1) * self.dilations[axis] + 1
    }

    /// Whether an image with its border is not much larger than the image.
    pub fn border_is_small(&self, shape: &[usize]) -> bool {
        let whole = |axis: usize| (self.output[axis] - 1) * self.strides[axis] + self.span(axis);
        shape[2..].iter().enumerate().all(|(axis, &len)| whole(axis) <= 4 * len + 64)
    }

    /// Spatial dimensions.
    pub fn axes(&self) -> usize {
        self.sizes.len()
    }

    /// As a window over images of two dimensions, or of one row.
    pub fn plane(&self) -> Window2d {
        let window = |axis: usize| Window {
            size: self.sizes[axis],
            stride: self.strides[axis],
            dilation: self.dilations[axis],
            pad_before: self.before[axis],
            pad_after: self.after[axis],
        };
        match self.axes() {
            1 => Window2d { vertical: Window::new(1, 1), horizontal: window(0), output: [1, self.output[0]] },
            _ => Window2d {
                vertical: window(0),
                horizontal: window(1),
                output: [self.output[0], self.output[1]],
            },
        }
    }

    /// What [`plane`](Self::plane) moves over: one dimension is an image of one row.
    pub fn image(&self, call: &Call<'_>, value: &Value) -> Value {
        if self.axes() == 1 { call.b.unsqueeze(value, 2) } else { value.clone() }
    }

    /// The result of such an image, in as many dimensions as there were.
    pub fn of_image(&self, call: &mut Call<'_>, out: Value) -> Built {
        if self.axes() == 1 {
            return call.b.reshape(&out, &[out.shape[0], out.shape[1], out.shape[3]]);
        }
        Ok(out)
    }

    /// All windows of an image whose border holds `border`: axes of the places, then axes inside a window.
    pub fn cut(&self, call: &mut Call<'_>, x: &Value, border: &Value) -> Built {
        let ends = |pads: &[usize]| [&vec![0; x.rank() - self.axes()][..], pads].concat();
        let padded = call.b.pad(x, &ends(&self.before), &ends(&self.after), border)?;
        let windows = call.b.windows(&padded, &self.sizes, &self.strides, &self.dilations);
        debug_assert_eq!(windows.shape[x.rank() - self.axes()..x.rank()], self.output);
        Ok(windows)
    }

    /// The axes inside a window of [`cut`](Self::cut), of an image of rank `rank`.
    fn inside(&self, rank: usize) -> Vec<usize> {
        (rank..rank + self.axes()).collect()
    }
}

/// Reduces each window to one element.
fn over_windows(
    call: &mut Call<'_>,
    x: &Value,
    windows: &Windows,
    border: &Value,
    reduce: impl FnOnce(&mut Call<'_>, &Value, &[usize]) -> Built,
) -> Built {
    let cut = windows.cut(call, x, border)?;
    let inside = windows.inside(x.rank());
    let kept = reduce(call, &cut, &inside)?;
    let outside: Vec<usize> = (0..x.rank()).collect();
    Ok(call.b.transpose(&kept, &outside))
}

/// In two dimensions, or one, pools have a kernel, that of a mean for float32.
fn with_kernel(call: &mut Call<'_>, x: &Value, windows: &Windows, average: Option<bool>) -> Built {
    let image = windows.image(call, x);
    let out = call.b.pool2d(&image, &windows.plane(), average)?;
    windows.of_image(call, out)
}

fn max_pool(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let windows = Windows::new(call, &x.shape, None)?;
    if !call.wants(1)
        && let Some(out) = max_pool_of_bytes(call, &x, &windows)?
    {
        return Ok(vec![out]);
    }
    let largest = largest(call, &x, &windows)?;
    if !call.wants(1) {
        return Ok(vec![largest]);
    }
    let places = places_of_maxima(call, &x, &windows)?;
    Ok(vec![largest, places])
}

/// What no element is below: the border of an image whose maxima are wanted.
fn lowest(call: &mut Call<'_>, dtype: DataType) -> Value {
    let lowest = match dtype {
        DataType::Float32 => Elements::F32(vec![f32::NEG_INFINITY].into()),
        DataType::Int64 => Elements::I64(vec![i64::MIN]),
        DataType::Int32 => Elements::I32(vec![i32::MIN]),
        DataType::Int8 => Elements::I8(vec![i8::MIN]),
        DataType::Uint8 => Elements::U8(vec![0]),
        DataType::Bool => Elements::Bool(vec![0]),
    };
    call.b.constant(&[], lowest)
}

/// The largest element of each window.
fn largest(call: &mut Call<'_>, x: &Value, windows: &Windows) -> Built {
    if windows.axes() <= 2 {
        return with_kernel(call, x, windows, None);
    }
    let lowest = lowest(call, x.dtype);
    over_windows(call, x, windows, &lowest, |call, cut, inside| call.b.reduce(ReduceOp::Max, cut, inside))
}

/// Of numbers that were bytes the largest is that of the largest byte.
fn max_pool_of_bytes(call: &mut Call<'_>, x: &Value, windows: &Windows) -> Built<Option<Value>> {
    let Some(from) = call.b.quantised(x) else { return Ok(None) };
    // With a scale for all, that is: the order is the same.
    let positive =
        call.b.as_floats(&from.scale).is_some_and(|scale| matches!(scale[..], [scale] if scale > 0.0));
    if !positive || !matches!(from.x.dtype, DataType::Int8 | DataType::Uint8) {
        return Ok(None);
    }
    let largest = largest(call, &from.x, windows)?;
    super::quantised::dequantised(call, Quantised { x: largest, ..from }).map(Some)
}

/// The index of each maximum in the whole of `x`; the first of equals. With `storage_order` columns come first.
fn places_of_maxima(call: &mut Call<'_>, x: &Value, windows: &Windows) -> Built {
    let (rank, axes) = (x.rank(), windows.axes());
    let lowest = lowest(call, x.dtype);
    let cut = windows.cut(call, x, &lowest)?;
    let taps: usize = windows.sizes.iter().product();
    let flat = [&cut.shape[..rank], &[taps]].concat();
    let cut = call.b.reshape(&cut, &flat)?;
    let best = call.b.arg_reduce(ArgOp::Max, false, &cut, rank)?;
    // The same windows over the places themselves; a border is never the place of a maximum.
    let spatial = &x.shape[rank - axes..];
    let plane: usize = spatial.iter().product();
    call.b.reserve_table(plane)?;
    let mut steps = crate::graph::strides(spatial);
    if call.flag("storage_order", false) {
        steps = (0..axes).map(|axis| spatial[..axis].iter().product()).collect();
    }
    let row_major = crate::graph::strides(spatial);
    let place = |i: usize| -> i64 {
        (0..axes).map(|a| i / row_major[a] % spatial[a] * steps[a]).sum::<usize>() as i64
    };
    let all = call.b.constant(spatial, Elements::I64((0..plane).map(place).collect()));
    let nowhere = call.b.scalar(DataType::Int64, -1.0);
    let places = windows.cut(call, &all, &nowhere)?;
    let places = call.b.reshape(&places, &[&windows.output[..], &[taps]].concat())?;
    // Each window picks the tap it has found.
    let taps = call.b.places(taps)?;
    let hit = call.b.compare(opml_kernels::CompareOp::Equal, &best, &taps)?;
    let none = call.b.scalar(DataType::Int64, 0.0);
    let picked = call.b.select(&hit, &places, &none)?;
    let picked = call.b.reduce(ReduceOp::Sum, &picked, &[rank])?;
    let picked = call.b.index(&picked, rank, 0);
    // Places count on over channels and images.
    let images: usize = x.shape[..rank - axes].iter().product();
    call.b.reserve_table(images)?;
    let starts: Vec<i64> = (0..images).map(|image| (image * plane) as i64).collect();
    let mut starts = call.b.constant(&x.shape[..rank - axes], Elements::I64(starts));
    for _ in 0..axes {
        starts = call.b.unsqueeze(&starts, starts.rank());
    }
    call.b.binary(BinaryOp::Add, &picked, &starts)
}

fn average_pool(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let windows = Windows::new(call, &x.shape, None)?;
    let with_border = call.flag("count_include_pad", false);
    // What a ceiling adds behind the border is never counted, which the kernel does not know.
    let ceiling = call.flag("ceil_mode", false);
    if windows.axes() <= 2 && !(with_border && ceiling) {
        return Ok(vec![with_kernel(call, &x, &windows, Some(with_border))?]);
    }
    let zero = call.number(0.0);
    let sum = over_windows(call, &x, &windows, &zero, |call, cut, inside| {
        call.b.reduce(ReduceOp::Sum, cut, inside)
    })?;
    let counts = counts(call, &x, &windows, with_border)?;
    Ok(vec![call.b.binary(BinaryOp::Div, &sum, &counts)?])
}

/// How many elements each window counts: those of the image, and of the stated border if it counts.
fn counts(call: &mut Call<'_>, x: &Value, windows: &Windows, with_border: bool) -> Built {
    let along = |axis: usize, place: usize| -> usize {
        let len = x.shape[x.rank() - windows.axes() + axis];
        let (before, after) = (windows.before[axis], windows.after[axis] - windows.ceiled[axis]);
        let counted = if with_border { 0..before + len + after } else { before..before + len };
        let first = place * windows.strides[axis];
        (0..windows.sizes[axis])
            .filter(|tap| counted.contains(&(first + tap * windows.dilations[axis])))
            .count()
    };
    // Looked through once for each axis, and not for each window.
    let mut counted = Vec::new();
    for (axis, &places) in windows.output.iter().enumerate() {
        call.b.reserve_table(places.saturating_mul(windows.sizes[axis]))?;
        counted.push((0..places).map(|place| along(axis, place)).collect::<Vec<_>>());
    }
    let row_major = crate::graph::strides(&windows.output);
    let total = crate::builder::elements(&windows.output)?;
    call.b.reserve_table(total)?;
    let count = |i: usize| -> f32 {
        let places = counted.iter().zip(&row_major);
        places.map(|(counted, stride)| counted[i / stride % counted.len()]).product::<usize>() as f32
    };
    Ok(call.b.floats(&windows.output, (0..total).map(count).collect::<Vec<f32>>()))
}

/// The p-th root of the sum of the p-th powers of magnitudes.
fn norm(call: &mut Call<'_>, x: &Value, axes: &[usize]) -> Built {
    let p = match call.attribute("p") {
        Some(attribute) if attribute.i != 0 => attribute.i as f32,
        Some(attribute) if attribute.f != 0.0 => attribute.f,
        _ => 2.0,
    };
    if p == 1.0 {
        let sizes = call.b.unary(UnaryOp::Abs, x)?;
        return call.b.reduce(ReduceOp::Sum, &sizes, axes);
    }
    if p == 2.0 {
        let sum = super::reductions::sum_of_squares(call, x, axes)?;
        return call.b.unary(UnaryOp::Sqrt, &sum);
    }
    let (power, root) = (call.number(p), call.number(1.0 / p));
    let sizes = call.b.unary(UnaryOp::Abs, x)?;
    let powers = call.b.binary(BinaryOp::Pow, &sizes, &power)?;
    let sum = call.b.reduce(ReduceOp::Sum, &powers, axes)?;
    call.b.binary(BinaryOp::Pow, &sum, &root)
}

fn lp_pool(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let windows = Windows::new(call, &x.shape, None)?;
    let zero = call.number(0.0);
    Ok(vec![over_windows(call, &x, &windows, &zero, norm)?])
}

/// The spatial axes.
fn spatial(x: &Value) -> Vec<usize> {
    (2..x.rank()).collect()
}

fn global_average_pool(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    Ok(vec![super::reductions::mean(call, &x, &spatial(&x))?])
}

fn global_max_pool(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    Ok(vec![call.b.reduce(ReduceOp::Max, &x, &spatial(&x))?])
}

fn global_lp_pool(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    Ok(vec![norm(call, &x, &spatial(&x))?])
}

/// A convolution as a product of matrices, of weights and of all windows: for more than two dimensions.
pub(super) fn conv_by_windows(
    call: &mut Call<'_>,
    x: &Value,
    w: &Value,
    bias: Option<&Value>,
    windows: &Windows,
    groups: usize,
) -> Built {
    let (batch, channels, filters) = (x.shape[0], x.shape[1], w.shape[0]);
    if groups == 0 || w.shape[1].checked_mul(groups) != Some(channels) || !filters.is_multiple_of(groups) {
        return Err(format!("{channels} channels, weights {:?} and {groups} groups do not fit", w.shape));
    }
    let zero = call.number(0.0);
    let cut = windows.cut(call, x, &zero)?;
    let (axes, places): (usize, usize) = (windows.axes(), windows.output.iter().product());
    // Channels and taps in front of the places: the rows of a matrix.
    let order: Vec<usize> = [0, 1].into_iter().chain(2 + axes..2 + 2 * axes).chain(2..2 + axes).collect();
    let moved = call.b.transpose(&cut, &order);
    let taps = w.len() / filters.max(1);
    let columns = call.b.reshape(&moved, &[batch, groups, taps, places])?;
    let weights = call.b.reshape(w, &[groups, filters / groups, taps])?;
    let mut out = call.b.matmul(&weights, &columns)?;
    out = call.b.reshape(&out, &[&[batch, filters][..], &windows.output].concat())?;
    if let Some(bias) = bias {
        let mut bias = bias.clone();
        for _ in 0..axes {
            bias = call.b.unsqueeze(&bias, bias.rank());
        }
        out = call.b.binary(BinaryOp::Add, &out, &bias)?;
    }
    Ok(out)
}
