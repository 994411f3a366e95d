//! Between floats and bytes, and with bytes.

use opml_abi::DataType;
use opml_kernels::{BinaryOp, Byte, IntegerMatMul};

use super::pools::Windows;
use super::{Call, Family};
use crate::builder::{Builder, Built, Quantised, Value, merged};
use crate::graph::{Op, Results};

pub(super) const OPERATORS: Family = &[
    ("ConvInteger", conv_integer),
    ("DequantizeLinear", dequantize),
    ("DynamicQuantizeLinear", dynamic_quantize),
    ("MatMulInteger", matmul_integer),
    ("QLinearConv", qlinear_conv),
    ("QLinearMatMul", qlinear_matmul),
    ("QuantizeLinear", quantize),
];

/// Scale or zero point as a tensor of the shape of `x`: one for all, one for each index of the axis, or one for each block of
/// elements along it.
fn spread(call: &mut Call<'_>, value: &Value, x: &Value) -> Built {
    if value.len() == 1 {
        return value.with(Vec::new(), Vec::new()).broadcast(&x.shape);
    }
    let axis = x.axis(call.int("axis", 1))?;
    let block = usize::try_from(call.int("block_size", 0)).map_err(|_| "a negative block size")?;
    if block == 0 {
        if value.shape != [x.shape[axis]] {
            return Err(format!("parameters {:?} along axis {axis} of {:?}", value.shape, x.shape));
        }
        let mut value = value.clone();
        for _ in axis + 1..x.rank() {
            value = call.b.unsqueeze(&value, value.rank());
        }
        return value.broadcast(&x.shape);
    }
    let mut blocks = x.shape.clone();
    blocks[axis] = x.shape[axis].div_ceil(block);
    if value.shape != blocks {
        return Err(format!(
            "parameters {:?} for blocks of {block} along axis {axis} of {:?}",
            value.shape, x.shape
        ));
    }
    let repeated = call.b.unsqueeze(value, axis + 1);
    blocks.insert(axis + 1, block);
    let repeated = repeated.broadcast(&blocks)?;
    let mut whole = x.shape.clone();
    whole[axis] = blocks[axis] * block;
    let whole = call.b.reshape(&repeated, &whole)?;
    Ok(call.b.slice(&whole, axis, 0, x.shape[axis], 1))
}

/// Whether there is one scale and one zero point for all.
fn are_single(scale: &Value, zero: Option<&Value>) -> bool {
    scale.len() == 1 && zero.is_none_or(|zero| zero.len() == 1)
}

/// A call of `op` on `x`, a scale and perhaps a zero point, wherever they lie.
fn with_parameters(
    call: &mut Call<'_>,
    x: &Value,
    scale: &Value,
    zero: Option<&Value>,
    dtype: DataType,
    op: fn(Vec<usize>, [Vec<usize>; 3]) -> Op,
) -> Built {
    let scale = spread(call, scale, x)?;
    let zero = zero.map(|zero| spread(call, zero, x)).transpose()?;
    let zero_strides = zero.as_ref().map_or_else(|| scale.strides.clone(), |zero| zero.strides.clone());
    let (dims, strides) = merged(&x.shape, [&x.strides, &scale.strides, &zero_strides]);
    let operands: Vec<&Value> = [x, &scale].into_iter().chain(&zero).collect();
    call.b.call(op(dims, strides), &operands, dtype, &x.shape)
}

fn quantize(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (x, scale, zero) = (call.input(0)?, call.input(1)?, call.optional(2));
    let stated = call.dtype("output_dtype", DataType::Uint8)?;
    let dtype = zero.as_ref().map_or(stated, |zero| zero.dtype);
    if x.dtype != DataType::Float32 || !matches!(dtype, DataType::Uint8 | DataType::Int8 | DataType::Int32) {
        return Err(format!("{dtype} of {}", x.dtype));
    }
    if let Some(bytes) = unchanged(call, &x, &scale, zero.as_ref(), dtype) {
        return Ok(vec![bytes]);
    }
    if let Some(bytes) = of_sums(call, &x, &scale, zero.as_ref(), dtype)? {
        return Ok(vec![bytes]);
    }
    if let Some(bytes) = by_table(call, &x, &scale, zero.as_ref(), dtype)? {
        return Ok(vec![bytes]);
    }
    Ok(vec![with_parameters(call, &x, &scale, zero.as_ref(), dtype, Op::Quantize)?])
}

/// Bytes of scaled sums: both scales are one multiplier, as onnxruntime has it, and a pass over the elements is left of four.
fn of_sums(
    call: &mut Call<'_>,
    x: &Value,
    scale: &Value,
    zero: Option<&Value>,
    dtype: DataType,
) -> Built<Option<Value>> {
    let Some(from) = call.b.scaled(x) else { return Ok(None) };
    if !are_single(scale, zero)
        || !call.b.is_constant(scale)
        || !matches!(dtype, DataType::Int8 | DataType::Uint8)
    {
        return Ok(None);
    }
    let zero = match zero {
        Some(zero) => zero.clone(),
        None => call.b.scalar(dtype, 0.0),
    };
    let divisor = scale.with(Vec::new(), Vec::new());
    let multiplier = call.b.binary(BinaryOp::Div, &from.scale, &divisor)?;
    requantised(call, &from.sums, [&from.bias, &multiplier, &zero], from.rectified).map(Some)
}

/// Floats of integers: of bytes with one scale for all by a table.
fn floats(call: &mut Call<'_>, x: &Value, scale: &Value, zero: Option<&Value>) -> Built {
    let single = are_single(scale, zero) && !call.b.is_constant(x);
    if let Some(bytes) = call.b.all_bytes(x.dtype).filter(|_| single) {
        let table = with_parameters(call, &bytes, scale, zero, DataType::Float32, Op::Dequantize)?;
        if let Some(floats) = call.b.lookup_known(x, &table)? {
            return Ok(floats);
        }
    }
    with_parameters(call, x, scale, zero, DataType::Float32, Op::Dequantize)
}

/// Integers of floats that are a function of bytes: by a table, too.
fn by_table(
    call: &mut Call<'_>,
    x: &Value,
    scale: &Value,
    zero: Option<&Value>,
    dtype: DataType,
) -> Built<Option<Value>> {
    let Some(from) = call.b.tabulated(x).filter(|_| are_single(scale, zero)) else { return Ok(None) };
    let table = with_parameters(call, &from.table, scale, zero, dtype, Op::Quantize)?;
    call.b.lookup_known(&from.x, &table)
}

/// Floats of integers with one scale and perhaps one zero point for all, noted as such.
pub(super) fn dequantised(call: &mut Call<'_>, from: Quantised) -> Built {
    let x = call.b.dense(&from.x)?;
    let out = floats(call, &x, &from.scale, from.zero.as_ref())?;
    call.b.remember(&out, Quantised { x, ..from });
    Ok(out)
}

/// What `x` was before it was dequantised, if it is quantised with the same parameters: nothing has happened to it in between but moves.
fn unchanged(
    call: &Call<'_>,
    x: &Value,
    scale: &Value,
    zero: Option<&Value>,
    dtype: DataType,
) -> Option<Value> {
    let from = call.b.quantised_view(x)?;
    let same = |a: &Value, b: &Value| {
        a.len() == 1 && call.b.as_constant(a).is_some_and(|v| Some(v) == call.b.as_constant(b))
    };
    let zeros = match (&from.zero, zero) {
        (None, None) => true,
        (Some(a), Some(b)) => same(a, b),
        _ => false,
    };
    (from.x.dtype == dtype && zeros && same(&from.scale, scale)).then_some(from.x)
}

fn dequantize(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (x, scale, zero) = (call.input(0)?, call.input(1)?, call.optional(2));
    let fits = matches!(x.dtype, DataType::Uint8 | DataType::Int8 | DataType::Int32)
        && zero.as_ref().is_none_or(|zero| zero.dtype == x.dtype)
        && scale.dtype == DataType::Float32;
    if !fits {
        return Err(format!("its operands are {} and {}", x.dtype, scale.dtype));
    }
    let out = floats(call, &x, &scale, zero.as_ref())?;
    if call.int("block_size", 0) == 0 {
        let axis = if scale.len() == 1 { 0 } else { x.axis(call.int("axis", 1))? };
        let flat = |call: &mut Call<'_>, value: &Value| call.b.reshape(value, &[value.len()]);
        let zero = zero.map(|zero| flat(call, &zero)).transpose()?;
        let scale = flat(call, &scale)?;
        call.b.remember(&out, Quantised { x, scale, zero, axis });
    }
    Ok(vec![out])
}

fn dynamic_quantize(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let x = call.b.dense(&x)?;
    let results = [(DataType::Uint8, &x.shape[..]), (DataType::Float32, &[]), (DataType::Uint8, &[])];
    call.b.calls(Op::DynamicQuantize, &[&x], &results)
}

fn byte(value: &Value) -> Built<Byte> {
    match value.dtype {
        DataType::Uint8 => Ok(Byte::Unsigned),
        DataType::Int8 => Ok(Byte::Signed),
        dtype => Err(format!("a product with {dtype} elements")),
    }
}

/// A zero point of the type of `of`, 0 if it is absent, as a vector.
pub(super) fn zero_point(b: &mut Builder, zero: Option<Value>, of: &Value) -> Built {
    let zero = match zero {
        Some(zero) => zero,
        None => b.scalar(of.dtype, 0.0),
    };
    if zero.dtype != of.dtype {
        return Err(format!("a zero point of type {} for {}", zero.dtype, of.dtype));
    }
    let len = zero.len();
    b.reshape(&zero, &[len])
}

/// Sums of products of bytes: [.., m, k] by [.., k, n], less their zero points. The right one has one for all or one for each column.
pub(super) fn product(call: &mut Call<'_>, a: &Value, a_zero: &Value, b: &Value, b_zero: &Value) -> Built {
    let (&[.., m, k], &[.., rows, n]) = (&a.shape[..], &b.shape[..]) else {
        return Err(format!("operands of the shapes {:?} and {:?}", a.shape, b.shape));
    };
    if k != rows || ![1, n].contains(&b_zero.len()) || a_zero.len() != 1 {
        return Err(format!("operands of the shapes {:?} and {:?}", a.shape, b.shape));
    }
    let bytes = [byte(a)?, byte(b)?];
    let batch = crate::builder::broadcast_shape(&[&a.shape[..a.rank() - 2], &b.shape[..b.rank() - 2]])?;
    let shape = [&batch[..], &[m, n]].concat();
    let (a, b) =
        (a.broadcast(&[&batch[..], &[m, k]].concat())?, b.broadcast(&[&batch[..], &[k, n]].concat())?);
    let parts: usize = batch.iter().product();
    let (a, b) = (call.b.reshape(&a, &[parts, m, k])?, call.b.reshape(&b, &[parts, k, n])?);
    let mut sums = Vec::new();
    for part in 0..parts {
        let (a, b) = (call.b.index(&a, 0, part), call.b.index(&b, 0, part));
        let op = Op::IntegerMatMul(IntegerMatMul { m, k, n }, bytes, Results::Sums);
        let sum = call.b.call(op, &[&a, &b, a_zero, b_zero], DataType::Int32, &[m, n])?;
        sums.push(call.b.unsqueeze(&sum, 0));
    }
    let whole = call.b.concat(&sums, 0)?;
    call.b.reshape(&whole, &shape)
}

fn matmul_integer(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (a, b) = (call.input(0)?, call.input(1)?);
    let (a_zero, b_zero) = (call.optional(2), call.optional(3));
    let (a_zero, b_zero) = (zero_point(call.b, a_zero, &a)?, zero_point(call.b, b_zero, &b)?);
    Ok(vec![product(call, &a, &a_zero, &b, &b_zero)?])
}

/// The operands that `QLinearConv` and `QLinearMatMul` share.
struct QLinear {
    /// Both factors.
    factors: [Value; 2],
    /// Their zero points.
    zeros: [Value; 2],
    /// (a b) / y, the scales of the factors and of the result, as onnxruntime computes it.
    multiplier: Value,
    /// The zero point of the result.
    zero: Value,
}

impl QLinear {
    fn new(call: &mut Call<'_>) -> Built<Self> {
        let factors = [call.input(0)?, call.input(3)?];
        let scales = [call.input(1)?, call.input(4)?, call.input(6)?];
        let zero = call.input(7)?;
        if zero.len() != 1 || !matches!(zero.dtype, DataType::Int8 | DataType::Uint8) {
            return Err(format!("a zero point {} {:?} of the result", zero.dtype, zero.shape));
        }
        let (a_zero, b_zero) = (call.optional(2), call.optional(5));
        let zeros = [zero_point(call.b, a_zero, &factors[0])?, zero_point(call.b, b_zero, &factors[1])?];
        let product = call.b.binary(BinaryOp::Mul, &scales[0], &scales[1])?;
        let multiplier = call.b.binary(BinaryOp::Div, &product, &scales[2])?;
        Ok(Self { factors, zeros, multiplier, zero })
    }
}

/// Bytes of sums: saturate(round((sum + bias) * multiplier) + zero point), no less than the zero point if they are rectified.
fn requantised(
    call: &mut Call<'_>,
    sums: &Value,
    [bias, multiplier, zero]: [&Value; 3],
    rectified: bool,
) -> Built {
    let (bias, multiplier) = (bias.broadcast(&sums.shape)?, multiplier.broadcast(&sums.shape)?);
    let (dims, strides) = merged(&sums.shape, [&sums.strides, &bias.strides, &multiplier.strides]);
    let op = Op::Requantize(rectified, dims, strides);
    let zero = zero.with(vec![1], vec![1]);
    call.b.call(op, &[sums, &bias, &multiplier, &zero], zero.dtype, &sums.shape)
}

fn qlinear_matmul(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let QLinear { factors: [a, b], zeros, multiplier, zero } = QLinear::new(call)?;
    let sums = product(call, &a, &zeros[0], &b, &zeros[1])?;
    let nothing = call.b.scalar(DataType::Int32, 0.0);
    Ok(vec![requantised(call, &sums, [&nothing, &multiplier, &zero], false)?])
}

/// Sums of a convolution of bytes, [N, O, ...]. The border is zero, so it has the zero point of the image.
pub(super) fn conv_sums(call: &mut Call<'_>, x: &Value, x_zero: &Value, w: &Value, w_zero: &Value) -> Built {
    let groups = usize::try_from(call.int("group", 1)).map_err(|_| "a negative number of groups")?;
    let windows = Windows::new(call, &x.shape, Some(&w.shape))?;
    let (channels, filters) = (x.shape[1], w.shape[0]);
    let fits = groups > 0
        && w.shape[1].checked_mul(groups) == Some(channels)
        && filters.is_multiple_of(groups)
        && x_zero.len() == 1
        && [1, filters].contains(&w_zero.len());
    if !fits {
        return Err(format!("{channels} channels, weights {:?} and {groups} groups do not fit", w.shape));
    }
    if windows.axes() > 2 || !windows.border_is_small(&x.shape) || product_pays(call, &windows, w, groups) {
        return conv_by_product(call, x, x_zero, w, w_zero, &windows, groups);
    }
    let (image, filters) = (windows.image(call, x), windows.image(call, w));
    let bytes = [byte(x)?, byte(w)?];
    let sums = call.b.integer_conv2d([&image, &filters, x_zero, w_zero], bytes, &windows.plane(), groups)?;
    windows.of_image(call, sums)
}

/// Whether a product of all windows takes fewer steps than a convolution in place, as measured: where there are few windows, packed weights
/// are cheaper than a list of the weights of each filter.
fn product_pays(call: &Call<'_>, windows: &Windows, w: &Value, groups: usize) -> bool {
    let (places, filters) = (windows.output.iter().product::<usize>(), w.shape[0] / groups);
    let is_narrow =
        windows.output.last().is_some_and(|&width| width < 4) && windows.span(windows.axes() - 1) > 1;
    let a_product = if is_narrow { 8 } else { 5 };
    call.b.is_constant(w) && places * (3 * filters + 35) < filters * (a_product * places / 2 + 33)
}

/// [`conv_sums`] as a product of all windows and the filters.
fn conv_by_product(
    call: &mut Call<'_>,
    x: &Value,
    x_zero: &Value,
    w: &Value,
    w_zero: &Value,
    windows: &Windows,
    groups: usize,
) -> Built {
    let (batch, filters) = (x.shape[0], w.shape[0]);
    let cut = windows.cut(call, x, x_zero)?;
    let (axes, places): (usize, usize) = (windows.axes(), windows.output.iter().product());
    // Places first, then channels and taps: the rows of a matrix.
    let order: Vec<usize> =
        std::iter::once(0).chain(2..2 + axes).chain([1]).chain(2 + axes..2 + 2 * axes).collect();
    let rows = call.b.transpose(&cut, &order);
    let (taps, own) = (w.len() / filters.max(1), filters / groups);
    let rows = call.b.reshape(&rows, &[batch * places, groups, taps])?;
    let weights = call.b.reshape(w, &[filters, taps])?;
    let mut sums = Vec::new();
    for group in 0..groups {
        let a = call.b.index(&rows, 1, group);
        let b = call.b.slice(&weights, 0, group * own, own, 1);
        let b = call.b.transpose(&b, &[1, 0]);
        let zero =
            if w_zero.len() == 1 { w_zero.clone() } else { call.b.slice(w_zero, 0, group * own, own, 1) };
        sums.push(product(call, &a, x_zero, &b, &zero)?);
    }
    let sums = call.b.concat(&sums, 1)?;
    let sums = call.b.reshape(&sums, &[&[batch][..], &windows.output, &[filters]].concat())?;
    Ok(call.b.move_axis(&sums, 1 + axes, 1))
}

fn conv_integer(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (x, w) = (call.input(0)?, call.input(1)?);
    let (x_zero, w_zero) = (call.optional(2), call.optional(3));
    let (x_zero, w_zero) = (zero_point(call.b, x_zero, &x)?, zero_point(call.b, w_zero, &w)?);
    Ok(vec![conv_sums(call, &x, &x_zero, &w, &w_zero)?])
}

fn qlinear_conv(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let QLinear { factors: [x, w], zeros, multiplier, zero } = QLinear::new(call)?;
    let sums = conv_sums(call, &x, &zeros[0], &w, &zeros[1])?;
    let per_channel = |call: &Call<'_>, value: &Value| {
        if value.len() == 1 {
            return value.with(Vec::new(), Vec::new());
        }
        (2..x.rank()).fold(value.clone(), |value, _| call.b.unsqueeze(&value, value.rank()))
    };
    let bias = match call.optional(8) {
        Some(bias) => bias,
        None => call.b.scalar(DataType::Int32, 0.0),
    };
    let (bias, multiplier) = (per_channel(call, &bias), per_channel(call, &multiplier));
    Ok(vec![requantised(call, &sums, [&bias, &multiplier, &zero], false)?])
}
