//! Normalisations, as the specification's function bodies have them: means are exact sums, rounded, by the count.

use opml_abi::DataType;
use opml_kernels::{BinaryOp, CompareOp, ReduceOp, UnaryOp};

use super::reductions::{mean, sum_of_squares};
use super::{Call, Family};
use crate::builder::{Built, Value};

pub(super) const OPERATORS: Family = &[
    ("GroupNormalization", group),
    ("InstanceNormalization", instance),
    ("LRN", local_response),
    ("LayerNormalization", layer),
    ("LpNormalization", lp),
    ("MeanVarianceNormalization", mean_variance),
    ("RMSNormalization", root_mean_square),
];

/// What a normalisation over some axes makes: the result, the mean, and one by the standard deviation.
struct Normalised {
    y: Value,
    mean: Value,
    inverse: Value,
}

/// (x - mean) / sqrt(variance + epsilon).
fn normalise(call: &mut Call<'_>, x: &Value, axes: &[usize], epsilon: f32) -> Built<Normalised> {
    if x.dtype != DataType::Float32 {
        return Err(format!("its operand is {}, and not float32", x.dtype));
    }
    let mean_of = mean(call, x, axes)?;
    let apart = call.b.binary(BinaryOp::Sub, x, &mean_of)?;
    let inverse = inverse_root(call, &apart, axes, epsilon)?;
    let y = call.b.binary(BinaryOp::Mul, &apart, &inverse)?;
    Ok(Normalised { y, mean: mean_of, inverse })
}

/// 1 / sqrt(mean of squares + epsilon).
fn inverse_root(call: &mut Call<'_>, x: &Value, axes: &[usize], epsilon: f32) -> Built {
    let squares = call.b.binary(BinaryOp::Mul, x, x)?;
    let variance = mean(call, &squares, axes)?;
    let more = call.plus(&variance, epsilon)?;
    let root = call.b.unary(UnaryOp::Sqrt, &more)?;
    call.b.unary(UnaryOp::Reciprocal, &root)
}

/// `y` times a scale and perhaps plus a bias.
fn scaled(call: &mut Call<'_>, y: &Value, scale: &Value, bias: Option<&Value>) -> Built {
    let y = call.b.binary(BinaryOp::Mul, y, scale)?;
    bias.map_or(Ok(y.clone()), |bias| call.b.binary(BinaryOp::Add, &y, bias))
}

/// The axes from the attribute `axis` on.
fn from_axis(call: &Call<'_>, x: &Value) -> Built<Vec<usize>> {
    Ok((x.axis(call.int("axis", -1))?..x.rank()).collect())
}

fn layer(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (x, scale, bias) = (call.input(0)?, call.input(1)?, call.optional(2));
    let axes = from_axis(call, &x)?;
    let epsilon = call.float("epsilon", 1e-5);
    let Normalised { y, mean, inverse } = normalise(call, &x, &axes, epsilon)?;
    Ok(vec![scaled(call, &y, &scale, bias.as_ref())?, mean, inverse])
}

fn root_mean_square(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (x, scale) = (call.input(0)?, call.input(1)?);
    let axes = from_axis(call, &x)?;
    let epsilon = call.float("epsilon", 1e-5);
    let inverse = inverse_root(call, &x, &axes, epsilon)?;
    let y = call.b.binary(BinaryOp::Mul, &x, &inverse)?;
    Ok(vec![scaled(call, &y, &scale, None)?])
}

/// A vector for the channels of a tensor of rank `rank`.
fn per_channel(call: &Call<'_>, value: &Value, rank: usize) -> Value {
    (2..rank).fold(value.clone(), |value, _| call.b.unsqueeze(&value, value.rank()))
}

fn instance(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (x, scale, bias) = (call.input(0)?, call.input(1)?, call.input(2)?);
    let axes: Vec<usize> = (2..x.rank()).collect();
    let epsilon = call.float("epsilon", 1e-5);
    let y = normalise(call, &x, &axes, epsilon)?.y;
    let (scale, bias) = (per_channel(call, &scale, x.rank()), per_channel(call, &bias, x.rank()));
    Ok(vec![scaled(call, &y, &scale, Some(&bias))?])
}

/// Scale and bias are for each group before operator set 21, and for each channel since.
fn group(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (x, scale, bias) = (call.input(0)?, call.input(1)?, call.input(2)?);
    let groups = usize::try_from(call.int("num_groups", 0)).unwrap_or(0);
    let channels = *x.shape.get(1).ok_or("an operand without channels")?;
    if groups == 0 || !channels.is_multiple_of(groups) {
        return Err(format!("{groups} groups of {channels} channels"));
    }
    let apart = [&[x.shape[0], groups, channels / groups], &x.shape[2..]].concat();
    let grouped = call.b.reshape(&x, &apart)?;
    let axes: Vec<usize> = (2..grouped.rank()).collect();
    let epsilon = call.float("epsilon", 1e-5);
    let y = normalise(call, &grouped, &axes, epsilon)?.y;
    if scale.shape == [groups] && groups != channels {
        let (scale, bias) = (per_channel(call, &scale, apart.len()), per_channel(call, &bias, apart.len()));
        let y = scaled(call, &y, &scale, Some(&bias))?;
        return Ok(vec![call.b.reshape(&y, &x.shape)?]);
    }
    let y = call.b.reshape(&y, &x.shape)?;
    let (scale, bias) = (per_channel(call, &scale, x.rank()), per_channel(call, &bias, x.rank()));
    Ok(vec![scaled(call, &y, &scale, Some(&bias))?])
}

/// (x - mean) / (sqrt(mean of x^2 - mean^2) + 1e-9).
fn mean_variance(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let axes = call.ints("axes").unwrap_or_else(|| vec![0, 2, 3]);
    let axes = axes.iter().map(|&axis| x.axis(axis)).collect::<Built<Vec<_>>>()?;
    let mean_of = mean(call, &x, &axes)?;
    let apart = call.b.binary(BinaryOp::Sub, &x, &mean_of)?;
    let squares = call.b.binary(BinaryOp::Mul, &x, &x)?;
    let mean_square = mean(call, &squares, &axes)?;
    let square_mean = call.b.binary(BinaryOp::Mul, &mean_of, &mean_of)?;
    let variance = call.b.binary(BinaryOp::Sub, &mean_square, &square_mean)?;
    let root = call.b.unary(UnaryOp::Sqrt, &variance)?;
    let divisor = call.plus(&root, 1e-9)?;
    Ok(vec![call.b.binary(BinaryOp::Div, &apart, &divisor)?])
}

/// x by its norm along an axis.
fn lp(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let axis = x.axis(call.int("axis", -1))?;
    let norm = match call.int("p", 2) {
        1 => {
            let sizes = call.b.unary(UnaryOp::Abs, &x)?;
            call.b.reduce(ReduceOp::Sum, &sizes, &[axis])?
        }
        2 => {
            let sum = sum_of_squares(call, &x, &[axis])?;
            call.b.unary(UnaryOp::Sqrt, &sum)?
        }
        p => return Err(format!("the norm of order {p}")),
    };
    Ok(vec![by_norm(call, &x, &norm)?])
}

/// `x` by its norm; what has the norm 0 stays what it is.
pub(super) fn by_norm(call: &mut Call<'_>, x: &Value, norm: &Value) -> Built {
    let (zero, one) = (call.number(0.0), call.number(1.0));
    let nothing = call.b.compare(CompareOp::Equal, norm, &zero)?;
    let divisor = call.b.select(&nothing, &one, norm)?;
    call.b.binary(BinaryOp::Div, x, &divisor)
}

/// x / (bias + alpha / size * sum of the squares of neighbouring channels)^beta.
fn local_response(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let size = usize::try_from(call.int("size", 0)).ok().filter(|size| (1..=1 << 12).contains(size));
    let size = size.ok_or("its size is out of range")?;
    let (alpha, beta, bias) = (call.float("alpha", 1e-4), call.float("beta", 0.75), call.float("bias", 1.0));
    if x.rank() < 2 {
        return Err(format!("an operand of the shape {:?}", x.shape));
    }
    let squares = call.b.binary(BinaryOp::Mul, &x, &x)?;
    let zero = call.number(0.0);
    let ends = |n: usize| {
        let mut ends = vec![0; x.rank()];
        ends[1] = n;
        ends
    };
    let padded = call.b.pad(&squares, &ends((size - 1) / 2), &ends(size - 1 - (size - 1) / 2), &zero)?;
    let last = call.b.move_axis(&padded, 1, x.rank() - 1);
    let windows = call.b.windows(&last, &[size], &[1], &[1]);
    let sums = call.b.reduce(ReduceOp::Sum, &windows, &[x.rank()])?;
    let sums = call.b.index(&sums, x.rank(), 0);
    let sums = call.b.move_axis(&sums, x.rank() - 1, 1);
    let scaled = call.times(&sums, alpha / size as f32)?;
    let base = call.plus(&scaled, bias)?;
    let exponent = call.number(beta);
    let divisor = call.b.binary(BinaryOp::Pow, &base, &exponent)?;
    Ok(vec![call.b.binary(BinaryOp::Div, &x, &divisor)?])
}
