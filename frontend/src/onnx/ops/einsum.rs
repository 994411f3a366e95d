//! Einstein's summation: products of elements whose indices agree, summed over the indices that the result has not.

use std::collections::BTreeMap;

use opml_abi::DataType;
use opml_kernels::{BinaryOp, ReduceOp};

use super::{Call, Family};
use crate::builder::{Builder, Built, Value};

pub(super) const OPERATORS: Family = &[("Einsum", einsum)];

/// An index: a letter, or an axis of `...`, counted from the end, so that operands of several ranks agree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Label {
    Ellipsis(usize),
    Letter(char),
}

/// A value whose axes have labels, each at most once.
#[derive(Clone)]
struct Labelled {
    labels: Vec<Label>,
    value: Value,
}

/// How long the axis of each label is.
type Lengths = BTreeMap<Label, usize>;

fn einsum(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let equation: String = call.text("equation", "").chars().filter(|c| !c.is_whitespace()).collect();
    let values = call.all_inputs()?;
    let (left, right) =
        equation.split_once("->").map_or((&*equation, None), |(left, right)| (left, Some(right)));
    let terms: Vec<&str> = left.split(',').collect();
    if terms.len() != values.len() {
        return Err(format!("the equation {equation} for {} operands", values.len()));
    }
    let mut operands = Vec::new();
    for (term, value) in terms.iter().zip(&values) {
        operands.push(diagonal(term, value)?);
    }
    let lengths = lengths(&operands)?;
    let result = match right {
        Some(term) => {
            labels(term, lengths.keys().filter(|label| matches!(label, Label::Ellipsis(_))).count())?
        }
        None => implied(&terms, &lengths),
    };
    let known = |(at, label): (usize, &Label)| lengths.contains_key(label) && !result[..at].contains(label);
    if !result.iter().enumerate().all(known) {
        return Err(format!("the result of the equation {equation}"));
    }
    let mut rest = operands.into_iter();
    let mut sum = rest.next().expect("a node has operands");
    while let Some(next) = rest.next() {
        // What neither the result nor a later operand has is summed now.
        let later: Vec<Label> =
            rest.clone().flat_map(|operand| operand.labels).chain(result.clone()).collect();
        sum = contract(call.b, &sum, &next, &later, &lengths)?;
    }
    let gone: Vec<usize> =
        (0..sum.labels.len()).filter(|&axis| !result.contains(&sum.labels[axis])).collect();
    let value = call.b.reduce_away(&sum.value, &gone)?;
    sum.labels.retain(|label| result.contains(label));
    Ok(vec![Labelled { value, ..sum }.arranged(&result, &lengths)])
}

/// The labels of a term; its `...` stands for `ellipsis` axes.
fn labels(term: &str, ellipsis: usize) -> Built<Vec<Label>> {
    let letters = |part: &str| {
        let known = |c: char| c.is_ascii_alphabetic().then_some(Label::Letter(c));
        part.chars()
            .map(|c| known(c).ok_or_else(|| format!("{c:?} in its equation")))
            .collect::<Built<Vec<_>>>()
    };
    match term.split_once("...") {
        Some((before, after)) => {
            let between = (0..ellipsis).rev().map(Label::Ellipsis).collect();
            Ok([letters(before)?, between, letters(after)?].concat())
        }
        None => letters(term),
    }
}

/// An operand with a label for each axis; of axes with the same label, the diagonal.
fn diagonal(term: &str, value: &Value) -> Built<Labelled> {
    let named = term.replace("...", "").chars().count();
    let open = value.rank().checked_sub(named).filter(|&n| n == 0 || term.contains("..."));
    let open = open.ok_or_else(|| format!("the indices {term} for the shape {:?}", value.shape))?;
    let mut out = Labelled { labels: vec![], value: value.with(vec![], vec![]) };
    for (label, (&len, &stride)) in
        labels(term, open)?.into_iter().zip(value.shape.iter().zip(&value.strides))
    {
        match out.labels.iter().position(|&other| other == label) {
            Some(axis) if out.value.shape[axis] == len => out.value.strides[axis] += stride,
            Some(_) => return Err(format!("the indices {term} for the shape {:?}", value.shape)),
            None => {
                out.labels.push(label);
                out.value.shape.push(len);
                out.value.strides.push(stride);
            }
        }
    }
    Ok(out)
}

/// Axes of length 1 broadcast.
fn lengths(operands: &[Labelled]) -> Built<Lengths> {
    let mut lengths = Lengths::new();
    for (&label, &len) in operands.iter().flat_map(|operand| operand.labels.iter().zip(&operand.value.shape))
    {
        let known = lengths.entry(label).or_insert(len);
        match (*known, len) {
            (a, b) if a == b || b == 1 => {}
            (1, _) => *known = len,
            (a, b) => return Err(format!("an index of the lengths {a} and {b}")),
        }
    }
    Ok(lengths)
}

/// What a result has that the equation does not write down: the axes of `...`, then the letters that occur once.
fn implied(terms: &[&str], lengths: &Lengths) -> Vec<Label> {
    let times = |letter: char| terms.iter().map(|term| term.matches(letter).count()).sum::<usize>();
    let ellipsis = lengths.keys().filter(|label| matches!(label, Label::Ellipsis(_))).rev();
    let letters = lengths.keys().filter(|label| matches!(label, Label::Letter(c) if times(*c) == 1));
    ellipsis.chain(letters).copied().collect()
}

impl Labelled {
    /// The axes in the order of `order`, repeated along those that are missing or of length 1.
    fn arranged(&self, order: &[Label], lengths: &Lengths) -> Value {
        let stride = |label: &Label| {
            let axis = self.labels.iter().position(|own| own == label);
            axis.filter(|&axis| self.value.shape[axis] == lengths[label])
                .map_or(0, |axis| self.value.strides[axis])
        };
        self.value
            .with(order.iter().map(|label| lengths[label]).collect(), order.iter().map(stride).collect())
    }
}

/// The products of `a` and `b`, summed over what is not in `later`: of float32 one exact sum, rounded once.
fn contract(
    b: &mut Builder,
    left: &Labelled,
    right: &Labelled,
    later: &[Label],
    lengths: &Lengths,
) -> Built<Labelled> {
    let has = |operand: &Labelled, label: &Label| operand.labels.contains(label);
    let mut all = left.labels.clone();
    all.extend(right.labels.iter().filter(|label| !has(left, label)));
    let (kept, summed): (Vec<Label>, Vec<Label>) = all.into_iter().partition(|label| later.contains(label));
    let (both, one): (Vec<Label>, Vec<Label>) = kept.into_iter().partition(|l| has(left, l) && has(right, l));
    let (rows, columns): (Vec<Label>, Vec<Label>) = one.into_iter().partition(|label| has(left, label));
    let labels = [&both[..], &rows, &columns].concat();
    let shape = |labels: &[Label]| labels.iter().map(|label| lengths[label]).collect::<Vec<usize>>();
    let count = |labels: &[Label]| shape(labels).iter().product::<usize>();
    if left.value.dtype != DataType::Float32 {
        let order = [&labels[..], &summed].concat();
        let (x, y) = (left.arranged(&order, lengths), right.arranged(&order, lengths));
        let products = b.binary(BinaryOp::Mul, &x, &y)?;
        let axes: Vec<usize> = (labels.len()..order.len()).collect();
        return Ok(Labelled { value: b.reduce_away(&products, &axes)?, labels });
    }
    let x = left.arranged(&[&both[..], &rows, &summed].concat(), lengths);
    let y = right.arranged(&[&both[..], &summed, &columns].concat(), lengths);
    let x = b.reshape(&x, &[&shape(&both)[..], &[count(&rows), count(&summed)]].concat())?;
    let y = b.reshape(&y, &[&shape(&both)[..], &[count(&summed), count(&columns)]].concat())?;
    let product = b.matmul(&x, &y)?;
    Ok(Labelled { value: b.reshape(&product, &shape(&labels))?, labels })
}

impl Builder {
    /// The sums along `axes`, which go.
    fn reduce_away(&mut self, x: &Value, axes: &[usize]) -> Built {
        if axes.is_empty() {
            return Ok(x.clone());
        }
        let sums = self.reduce(ReduceOp::Sum, x, axes)?;
        let kept = (0..x.rank()).filter(|axis| !axes.contains(axis)).map(|axis| x.shape[axis]);
        self.reshape(&sums, &kept.collect::<Vec<_>>())
    }
}
