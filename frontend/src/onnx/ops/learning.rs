//! The domain `ai.onnx.ml`: what classical learning exports.

use opml_abi::DataType;
use opml_kernels::{ArgOp, BinaryOp, CompareOp, ReduceOp, UnaryOp};

use super::{Call, Family, trees};
use crate::builder::{Built, Value};

pub(super) const OPERATORS: Family = &[
    ("ArrayFeatureExtractor", extract),
    ("Binarizer", binarize),
    ("LinearClassifier", linear_classifier),
    ("LinearRegressor", linear_regressor),
    ("Normalizer", normalize),
    ("Scaler", scale),
    ("TreeEnsemble", trees::ensemble),
    ("TreeEnsembleClassifier", trees::classifier),
    ("TreeEnsembleRegressor", trees::regressor),
];

/// Columns by their indices.
fn extract(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (x, indices) = (call.input(0)?, call.input(1)?);
    let indices = call.b.reshape(&indices, &[indices.len()])?;
    let last = x.rank().checked_sub(1).ok_or("an operand without dimensions")?;
    let out = call.b.gather(&x, &indices, last)?;
    // The result has at least two dimensions.
    Ok(vec![if out.rank() == 1 { call.b.unsqueeze(&out, 0) } else { out }])
}

/// 1 above a threshold, else 0.
fn binarize(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = call.input(0)?;
    let threshold = call.float("threshold", 0.0);
    let bound = call.b.scalar(x.dtype, threshold);
    let above = call.b.compare(CompareOp::Less, &bound, &x)?;
    Ok(vec![call.b.cast(&above, x.dtype)?])
}

/// The operand as rows of float32.
pub(super) fn rows(call: &mut Call<'_>) -> Built {
    let x = call.input(0)?;
    let x = call.b.cast(&x, DataType::Float32)?;
    match x.rank() {
        1 => Ok(call.b.unsqueeze(&x, 0)),
        2 => Ok(x),
        _ => Err(format!("an operand of the shape {:?}", x.shape)),
    }
}

/// (x - offset) * scale, one of each for all features or one for each.
fn scale(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = rows(call)?;
    let parameter = |call: &mut Call<'_>, name: &str, op: BinaryOp, x: &Value| -> Built {
        let Some(values) = call.floats(name).filter(|values| !values.is_empty()) else {
            return Ok(x.clone());
        };
        let values = call.b.floats(&[values.len()], values);
        call.b.binary(op, x, &values)
    };
    let moved = parameter(call, "offset", BinaryOp::Sub, &x)?;
    Ok(vec![parameter(call, "scale", BinaryOp::Mul, &moved)?])
}

/// Each row by its norm.
fn normalize(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let x = rows(call)?;
    let sizes = call.b.unary(UnaryOp::Abs, &x)?;
    let norm = match call.text("norm", "MAX").as_str() {
        "MAX" => call.b.reduce(ReduceOp::Max, &x, &[1])?,
        "L1" => call.b.reduce(ReduceOp::Sum, &sizes, &[1])?,
        "L2" => {
            let sum = super::reductions::sum_of_squares(call, &x, &[1])?;
            call.b.unary(UnaryOp::Sqrt, &sum)?
        }
        other => return Err(format!("the norm {other}")),
    };
    Ok(vec![super::norms::by_norm(call, &x, &norm)?])
}

/// Rows of features times the coefficients of each target, plus its intercept.
fn linear(call: &mut Call<'_>, targets: usize) -> Built {
    let x = rows(call)?;
    let coefficients = call.floats("coefficients").unwrap_or_default();
    if coefficients.len() != targets * x.shape[1] {
        return Err(format!(
            "{} coefficients for {targets} targets of {} features",
            coefficients.len(),
            x.shape[1]
        ));
    }
    let weights = call.b.floats(&[targets, x.shape[1]], coefficients);
    let weights = call.b.transpose(&weights, &[1, 0]);
    let out = call.b.matmul(&x, &weights)?;
    let Some(intercepts) = call.floats("intercepts").filter(|values| !values.is_empty()) else {
        return Ok(out);
    };
    let intercepts = call.b.floats(&[intercepts.len()], intercepts);
    if let Some(fused) = call.b.fuse_bias(&out, &intercepts) {
        return Ok(fused);
    }
    call.b.binary(BinaryOp::Add, &out, &intercepts)
}

fn linear_regressor(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let targets = usize::try_from(call.int("targets", 1)).unwrap_or(0);
    let out = linear(call, targets)?;
    Ok(vec![post_transform(call, &out)?])
}

fn linear_classifier(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let labels = labels(call, "classlabels_ints")?;
    let targets = call.floats("intercepts").map_or(labels.len(), |values| values.len());
    let scores = linear(call, targets)?;
    if targets == 1 && labels.len() == 2 {
        return two_classes(call, &scores, &labels, 0.0, false);
    }
    classes(call, &scores, &labels)
}

/// Class labels; texts cannot leave the program.
pub(super) fn labels(call: &Call<'_>, name: &str) -> Built<Vec<i64>> {
    call.ints(name).filter(|labels| !labels.is_empty()).ok_or_else(|| {
        "its labels are texts: export with integer labels, and name them outside the model".to_owned()
    })
}

/// What is made of scores at last.
pub(super) fn post_transform(call: &mut Call<'_>, scores: &Value) -> Built {
    match call.text("post_transform", "NONE").as_str() {
        "NONE" => Ok(scores.clone()),
        "LOGISTIC" => call.b.unary(UnaryOp::Sigmoid, scores),
        "SOFTMAX" => call.b.softmax(scores, 1),
        other => Err(format!("the post_transform {other}")),
    }
}

/// The label of the largest score of each row, and all scores.
pub(super) fn classes(call: &mut Call<'_>, scores: &Value, labels: &[i64]) -> Built<Vec<Value>> {
    if scores.shape[1] != labels.len() {
        return Err(format!("{} scores for {} labels", scores.shape[1], labels.len()));
    }
    let best = call.b.arg_reduce(ArgOp::Max, false, scores, 1)?;
    let best = call.b.index(&best, 1, 0);
    let label = if labels.iter().copied().eq(0..labels.len() as i64) {
        best
    } else {
        let labels = call.b.integers(labels);
        call.b.gather(&labels, &best, 0)?
    };
    Ok(vec![label, post_transform(call, scores)?])
}

/// Two classes of which only the second has a score, [rows, 1]: it is taken above `bound`. As onnxruntime has it, the score of the
/// first is one less it if it is a `share` of one, and else its opposite.
pub(super) fn two_classes(
    call: &mut Call<'_>,
    score: &Value,
    labels: &[i64],
    bound: f32,
    share: bool,
) -> Built<Vec<Value>> {
    let bound = call.number(bound);
    let second = call.b.compare(CompareOp::Less, &bound, score)?;
    let names = call.b.integers(labels);
    let (first_name, second_name) = (call.b.index(&names, 0, 0), call.b.index(&names, 0, 1));
    let label = call.b.select(&second, &second_name, &first_name)?;
    let label = call.b.index(&label, 1, 0);
    let logistic = call.text("post_transform", "NONE") == "LOGISTIC";
    let opposite = call.b.unary(UnaryOp::Neg, score)?;
    let pair = match (logistic, share) {
        (true, _) => [call.b.unary(UnaryOp::Sigmoid, &opposite)?, call.b.unary(UnaryOp::Sigmoid, score)?],
        (false, true) => {
            let one = call.number(1.0);
            [call.b.binary(BinaryOp::Sub, &one, score)?, score.clone()]
        }
        (false, false) => [opposite, score.clone()],
    };
    Ok(vec![label, call.b.concat(&pair, 1)?])
}
