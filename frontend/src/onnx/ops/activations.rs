//! Activation functions, each as the specification's formula says.

use opml_abi::DataType;
use opml_kernels::{BinaryOp, CompareOp, UnaryOp};

use super::elementwise::less_than;
use super::{Call, Family};
use crate::builder::{Built, Value};

pub(super) const OPERATORS: Family = &[
    ("Celu", celu),
    ("Dropout", dropout),
    ("Elu", elu),
    ("Gelu", gelu),
    ("HardSigmoid", hard_sigmoid),
    ("HardSwish", hard_swish),
    ("LeakyRelu", leaky_relu),
    ("Mish", mish),
    ("PRelu", prelu),
    ("Relu", relu),
    ("Selu", selu),
    ("Shrink", shrink),
    ("Softplus", softplus),
    ("Softsign", softsign),
    ("Swish", swish),
    ("ThresholdedRelu", thresholded_relu),
];

/// Arithmetic with numbers, on float32.
impl Call<'_> {
    pub(super) fn number(&mut self, value: f32) -> Value {
        self.b.scalar(DataType::Float32, value)
    }

    pub(super) fn times(&mut self, x: &Value, factor: f32) -> Built {
        let factor = self.number(factor);
        self.b.binary(BinaryOp::Mul, x, &factor)
    }

    pub(super) fn plus(&mut self, x: &Value, term: f32) -> Built {
        let term = self.number(term);
        self.b.binary(BinaryOp::Add, x, &term)
    }
}

fn relu(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    if x.dtype != DataType::Float32 {
        let zero = call.b.scalar(x.dtype, 0.0);
        return Ok(vec![call.b.binary(BinaryOp::Max, &x, &zero)?]);
    }
    Ok(vec![call.b.clip(&x, 0.0, f32::INFINITY)?])
}

/// In inference the operand, and a mask of ones.
fn dropout(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let ratio = call.known_floats(1, "ratio")?.and_then(|r| r.first().copied()).unwrap_or(0.5);
    let training = call.known_or_absent(2, "training_mode")?.is_some_and(|t| t.first() == Some(&1));
    if training && ratio != 0.0 {
        return Err("it is in training mode: its result would be random".into());
    }
    let kind = if call.opset() < 10 { x.dtype } else { DataType::Bool };
    let one = call.b.scalar(kind, 1.0);
    let mask = if call.wants(1) { call.b.filled(&one, &x.shape)? } else { x.clone() };
    Ok(vec![x, mask])
}

/// alpha * (exp(x) - 1) for negative x, else x.
pub(super) fn elu_of(call: &mut Call<'_>, x: &Value, alpha: f32) -> Built {
    let exp = call.b.unary(UnaryOp::Exp, x)?;
    let less = call.plus(&exp, -1.0)?;
    let scaled = call.times(&less, alpha)?;
    let negative = less_than(call, x, 0.0)?;
    call.b.select(&negative, &scaled, x)
}

fn elu(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let alpha = call.float("alpha", 1.0);
    Ok(vec![elu_of(call, &x, alpha)?])
}

fn selu(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let (alpha, gamma) = if call.opset() < 6 { (1.6732, 1.0507) } else { (1.673_263_2, 1.050_701) };
    let (alpha, gamma) = (call.float("alpha", alpha), call.float("gamma", gamma));
    let elu = elu_of(call, &x, alpha)?;
    Ok(vec![call.times(&elu, gamma)?])
}

/// max(0, x) + min(0, alpha * (exp(x / alpha) - 1)).
fn celu(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let alpha = call.float("alpha", 1.0);
    let divisor = call.number(alpha);
    let scaled = call.b.binary(BinaryOp::Div, &x, &divisor)?;
    let exp = call.b.unary(UnaryOp::Exp, &scaled)?;
    let less = call.plus(&exp, -1.0)?;
    let low = call.times(&less, alpha)?;
    let low = call.b.clip(&low, f32::NEG_INFINITY, 0.0)?;
    let high = call.b.clip(&x, 0.0, f32::INFINITY)?;
    Ok(vec![call.b.binary(BinaryOp::Add, &high, &low)?])
}

fn leaky_relu(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let alpha = call.float("alpha", 0.01);
    let scaled = call.times(&x, alpha)?;
    let negative = less_than(call, &x, 0.0)?;
    Ok(vec![call.b.select(&negative, &scaled, &x)?])
}

fn prelu(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (x, mut slope) = (call.input(0)?, call.input(1)?);
    // Before operator set 7 a vector of slopes was one for each channel.
    if call.opset() < 7 && slope.rank() == 1 && x.rank() > 2 && slope.len() > 1 {
        for _ in 2..x.rank() {
            slope = call.b.unsqueeze(&slope, slope.rank());
        }
    }
    let scaled = call.b.binary(BinaryOp::Mul, &x, &slope)?;
    let negative = less_than(call, &x, 0.0)?;
    Ok(vec![call.b.select(&negative, &scaled, &x)?])
}

fn thresholded_relu(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let alpha = call.float("alpha", 1.0);
    let (bound, zero) = (call.number(alpha), call.number(0.0));
    let above = call.b.compare(CompareOp::Less, &bound, &x)?;
    Ok(vec![call.b.select(&above, &x, &zero)?])
}

/// max(0, min(1, alpha * x + beta)).
pub(super) fn hard_sigmoid_of(call: &mut Call<'_>, x: &Value, alpha: f32, beta: f32) -> Built {
    let scaled = call.times(x, alpha)?;
    let moved = call.plus(&scaled, beta)?;
    call.b.clip(&moved, 0.0, 1.0)
}

fn hard_sigmoid(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let (alpha, beta) = (call.float("alpha", 0.2), call.float("beta", 0.5));
    Ok(vec![hard_sigmoid_of(call, &x, alpha, beta)?])
}

fn hard_swish(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let gate = hard_sigmoid_of(call, &x, 1.0 / 6.0, 0.5)?;
    Ok(vec![call.b.binary(BinaryOp::Mul, &x, &gate)?])
}

/// log(1 + exp(x)), for positive x as x + log(1 + exp(-x)): the exponential does not overflow.
pub(super) fn softplus_of(call: &mut Call<'_>, x: &Value) -> Built {
    let size = call.b.unary(UnaryOp::Abs, x)?;
    let below = call.b.unary(UnaryOp::Neg, &size)?;
    let exp = call.b.unary(UnaryOp::Exp, &below)?;
    let more = call.plus(&exp, 1.0)?;
    let log = call.b.unary(UnaryOp::Log, &more)?;
    let positive = call.b.clip(x, 0.0, f32::INFINITY)?;
    call.b.binary(BinaryOp::Add, &positive, &log)
}

fn softplus(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    Ok(vec![softplus_of(call, &x)?])
}

fn mish(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let softplus = softplus_of(call, &x)?;
    let gate = call.b.unary(UnaryOp::Tanh, &softplus)?;
    Ok(vec![call.b.binary(BinaryOp::Mul, &x, &gate)?])
}

fn softsign(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let size = call.b.unary(UnaryOp::Abs, &x)?;
    let divisor = call.plus(&size, 1.0)?;
    Ok(vec![call.b.binary(BinaryOp::Div, &x, &divisor)?])
}

fn swish(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let alpha = call.float("alpha", 1.0);
    let scaled = if alpha == 1.0 { x.clone() } else { call.times(&x, alpha)? };
    let gate = call.b.unary(UnaryOp::Sigmoid, &scaled)?;
    Ok(vec![call.b.binary(BinaryOp::Mul, &x, &gate)?])
}

/// x / 2 * (1 + erf(x / sqrt 2)), or the approximation by a hyperbolic tangent.
fn gelu(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let inner = if call.text("approximate", "none") == "tanh" {
        let squared = call.b.binary(BinaryOp::Mul, &x, &x)?;
        let cubed = call.b.binary(BinaryOp::Mul, &squared, &x)?;
        let term = call.times(&cubed, 0.044_715)?;
        let sum = call.b.binary(BinaryOp::Add, &x, &term)?;
        let scaled = call.times(&sum, (2.0 / std::f64::consts::PI).sqrt() as f32)?;
        call.b.unary(UnaryOp::Tanh, &scaled)?
    } else {
        let scaled = call.times(&x, std::f32::consts::FRAC_1_SQRT_2)?;
        call.b.unary(UnaryOp::Erf, &scaled)?
    };
    let gate = call.plus(&inner, 1.0)?;
    let half = call.times(&x, 0.5)?;
    Ok(vec![call.b.binary(BinaryOp::Mul, &half, &gate)?])
}

/// x + bias below -lambd, x - bias above lambd, else 0.
fn shrink(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let (bias, lambd) = (call.float("bias", 0.0), call.float("lambd", 0.5));
    let (up, down) = (call.plus(&x, bias)?, call.plus(&x, -bias)?);
    let (bound, zero) = (call.number(lambd), call.number(0.0));
    let above = call.b.compare(CompareOp::Less, &bound, &x)?;
    let outside = call.b.select(&above, &down, &zero)?;
    let below = less_than(call, &x, -lambd)?;
    Ok(vec![call.b.select(&below, &up, &outside)?])
}
