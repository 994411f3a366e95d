//! Recurrent layers: RNN, LSTM and GRU, as loops over time.
//!
//! What the input gives to all gates is one product before the loop; a round has the product with the state, and the gates.

use opml_abi::DataType;
use opml_kernels::{BinaryOp, CompareOp, Sequences, UnaryOp};

use super::activations::{elu_of, hard_sigmoid_of, softplus_of};
use super::elementwise::less_than;
use super::{Call, Family};
use crate::builder::{Built, Value};
use crate::graph::Op;

pub(super) const OPERATORS: Family = &[("GRU", recurrent), ("LSTM", recurrent), ("RNN", recurrent)];

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Rnn,
    Lstm,
    Gru,
}

impl Kind {
    /// Gates, each with rows of its own in the weights.
    fn gates(self) -> usize {
        match self {
            Self::Rnn => 1,
            Self::Lstm => 4,
            Self::Gru => 3,
        }
    }

    /// The activation functions of a direction, if none are named.
    fn functions(self) -> &'static [&'static str] {
        match self {
            Self::Rnn => &["Tanh"],
            Self::Lstm => &["Sigmoid", "Tanh", "Tanh"],
            Self::Gru => &["Sigmoid", "Tanh"],
        }
    }
}

/// An activation function with its parameters.
#[derive(Clone)]
struct Function {
    name: String,
    alpha: f32,
    beta: f32,
}

impl Function {
    fn apply(&self, call: &mut Call<'_>, x: &Value) -> Built {
        let Self { alpha, beta, .. } = *self;
        match self.name.as_str() {
            "Sigmoid" => call.b.unary(UnaryOp::Sigmoid, x),
            "Tanh" => call.b.unary(UnaryOp::Tanh, x),
            "Relu" => call.b.clip(x, 0.0, f32::INFINITY),
            "Affine" => {
                let scaled = call.times(x, alpha)?;
                call.plus(&scaled, beta)
            }
            "LeakyRelu" => {
                let scaled = call.times(x, alpha)?;
                let negative = less_than(call, x, 0.0)?;
                call.b.select(&negative, &scaled, x)
            }
            "ThresholdedRelu" => {
                let (bound, zero) = (call.number(alpha), call.number(0.0));
                let above = call.b.compare(CompareOp::LessOrEqual, &bound, x)?;
                call.b.select(&above, x, &zero)
            }
            "ScaledTanh" => {
                let scaled = call.times(x, beta)?;
                let tanh = call.b.unary(UnaryOp::Tanh, &scaled)?;
                call.times(&tanh, alpha)
            }
            "HardSigmoid" => hard_sigmoid_of(call, x, alpha, beta),
            "Elu" => elu_of(call, x, alpha),
            "Softsign" => {
                let size = call.b.unary(UnaryOp::Abs, x)?;
                let divisor = call.plus(&size, 1.0)?;
                call.b.binary(BinaryOp::Div, x, &divisor)
            }
            "Softplus" => softplus_of(call, x),
            other => Err(format!("the activation {other}")),
        }
    }
}

/// The functions of all directions, in order.
fn functions(call: &Call<'_>, kind: Kind, directions: usize) -> Built<Vec<Function>> {
    let names: Vec<String> = call.texts("activations").unwrap_or_else(|| {
        (0..directions).flat_map(|_| kind.functions()).map(|&name| name.to_owned()).collect()
    });
    if names.len() != directions * kind.functions().len() {
        return Err(format!("{} activations for {directions} directions", names.len()));
    }
    // Parameters are listed for those functions that have some.
    let mut alphas = call.floats("activation_alpha").unwrap_or_default().into_iter();
    let mut betas = call.floats("activation_beta").unwrap_or_default().into_iter();
    let function = |name: String| {
        let (alpha, beta) = match name.as_str() {
            "LeakyRelu" => (Some(0.01), None),
            "HardSigmoid" => (Some(0.2), Some(0.5)),
            "Elu" | "ThresholdedRelu" => (Some(1.0), None),
            "ScaledTanh" | "Affine" => (Some(1.0), Some(1.0)),
            _ => (None, None),
        };
        let alpha = alpha.map_or(0.0, |default| alphas.next().unwrap_or(default));
        let beta = beta.map_or(0.0, |default| betas.next().unwrap_or(default));
        Function { name, alpha, beta }
    };
    Ok(names.into_iter().map(function).collect())
}

/// A layer in one direction.
struct Layer {
    kind: Kind,
    reverse: bool,
    functions: Vec<Function>,
    clip: Option<f32>,
    /// [input, gates * hidden], as the right side of a product.
    w: Value,
    /// [hidden, gates * hidden].
    r: Value,
    /// What is added to both products: [gates * hidden] each.
    biases: Option<[Value; 2]>,
    /// Of an LSTM, [3 * hidden].
    peepholes: Option<Value>,
    hidden: usize,
    /// GRU: whether the reset gate takes the product with the state instead of the state.
    reset_after: bool,
    /// LSTM: whether what is forgotten follows from what is taken in.
    coupled: bool,
}

fn recurrent(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let kind = match call.op_type() {
        "LSTM" => Kind::Lstm,
        "GRU" => Kind::Gru,
        _ => Kind::Rnn,
    };
    let (mut x, w) = (call.input(0)?, call.input(1)?);
    let batch_first = call.int("layout", 0) == 1;
    if batch_first && x.rank() == 3 {
        x = call.b.transpose(&x, &[1, 0, 2]);
    }
    let (&[time, batch, _], &[directions, rows, _]) = (&x.shape[..], &w.shape[..]) else {
        return Err(format!("operands of the shapes {:?} and {:?}", x.shape, w.shape));
    };
    let hidden = rows / kind.gates();
    let reversed = match (call.text("direction", "forward").as_str(), directions) {
        ("forward", 1) => vec![false],
        ("reverse", 1) => vec![true],
        ("bidirectional", 2) => vec![false, true],
        (other, _) => return Err(format!("the direction {other} with weights for {directions}")),
    };
    let functions = functions(call, kind, directions)?;
    check_shapes(call, kind, directions, hidden, batch)?;
    let lens = call.optional(4).map(|lens| known_or_cast(call, &lens, time)).transpose()?.flatten();
    let mut results: Vec<[Value; 3]> = Vec::new();
    for (direction, &reverse) in reversed.iter().enumerate() {
        let count = kind.functions().len();
        let own = functions[direction * count..][..count].to_vec();
        let layer = Layer::new(call, kind, direction, reverse, own, hidden)?;
        let state = |call: &mut Call<'_>, index: usize| match call.optional(index) {
            // Of a batch-first layer also the state is.
            Some(state) if batch_first => Ok(call.b.index(&state, 1, direction)),
            Some(state) => Ok(call.b.index(&state, 0, direction)),
            None => {
                let zero = call.number(0.0);
                call.b.filled(&zero, &[batch, hidden])
            }
        };
        let mut initial = vec![state(call, 5)?];
        if kind == Kind::Lstm {
            initial.push(state(call, 6)?);
        }
        results.push(layer.run(call, &x, lens.as_ref(), &initial)?);
    }
    joined(call, &results, batch_first, kind)
}

/// Looks at all operands but the input and its weights.
fn check_shapes(call: &Call<'_>, kind: Kind, directions: usize, hidden: usize, batch: usize) -> Built<()> {
    let rows = kind.gates() * hidden;
    if hidden == 0 {
        return Err("a state without elements".into());
    }
    let state = match call.int("layout", 0) {
        1 => [batch, directions, hidden],
        _ => [directions, batch, hidden],
    };
    let expected: [(usize, &[usize]); 6] = [
        (2, &[directions, rows, hidden]),
        (3, &[directions, 2 * rows]),
        (4, &[batch]),
        (5, &state),
        (6, &state),
        (7, &[directions, 3 * hidden]),
    ];
    for (index, shape) in expected {
        call.optional(index).map_or(Ok(()), |value| value.check_shape(shape))?;
    }
    let input = call.input(1)?.shape[1];
    if input == rows { Ok(()) } else { Err(format!("weights for {input} gates of {hidden} elements")) }
}

/// Lengths of sequences, int64; nothing if all are whole.
fn known_or_cast(call: &mut Call<'_>, lens: &Value, time: usize) -> Built<Option<Value>> {
    if call.b.as_integers(lens).is_some_and(|lens| lens.iter().all(|&len| len == time as i64)) {
        return Ok(None);
    }
    call.b.cast(lens, DataType::Int64).map(Some)
}

/// All directions as the operator's results: all states, the last one and, of an LSTM, the last cell.
fn joined(call: &mut Call<'_>, results: &[[Value; 3]], batch_first: bool, kind: Kind) -> Built<Vec<Value>> {
    let mut outputs = Vec::new();
    let count = if kind == Kind::Lstm { 3 } else { 2 };
    for place in 0..count {
        // [time, batch, hidden] gets its directions behind the time, a state in front.
        let axis = usize::from(place == 0);
        let parts: Vec<Value> = results.iter().map(|result| call.b.unsqueeze(&result[place], axis)).collect();
        let whole = call.b.concat(&parts, axis)?;
        outputs.push(match (batch_first, place) {
            (false, _) => whole,
            (true, 0) => call.b.transpose(&whole, &[2, 0, 1, 3]),
            (true, _) => call.b.transpose(&whole, &[1, 0, 2]),
        });
    }
    Ok(outputs)
}

impl Layer {
    fn new(
        call: &mut Call<'_>,
        kind: Kind,
        direction: usize,
        reverse: bool,
        functions: Vec<Function>,
        hidden: usize,
    ) -> Built<Self> {
        let (w, r) = (call.input(1)?, call.input(2)?);
        let weights = |call: &Call<'_>, value: &Value| {
            let own = call.b.index(value, 0, direction);
            call.b.transpose(&own, &[1, 0])
        };
        let rows = kind.gates() * hidden;
        let biases = call.optional(3).map(|bias| {
            let own = call.b.index(&bias, 0, direction);
            [call.b.slice(&own, 0, 0, rows, 1), call.b.slice(&own, 0, rows, rows, 1)]
        });
        let peepholes = call.optional(7).map(|p| call.b.index(&p, 0, direction));
        Ok(Self {
            kind,
            reverse,
            functions,
            clip: call.attribute("clip").map(|attribute| attribute.f),
            w: weights(call, &w),
            r: weights(call, &r),
            biases,
            peepholes,
            hidden,
            reset_after: call.int("linear_before_reset", 0) == 1,
            coupled: call.int("input_forget", 0) == 1,
        })
    }

    /// All states [time, batch, hidden], the last one, and the last cell.
    fn run(
        &self,
        call: &mut Call<'_>,
        x: &Value,
        lens: Option<&Value>,
        initial: &[Value],
    ) -> Built<[Value; 3]> {
        let (time, batch) = (x.shape[0], x.shape[1]);
        // Sequences of different lengths are turned around each for itself.
        let turned = lens.filter(|_| self.reverse);
        let x = turned.map_or(Ok(x.clone()), |lens| turn(call, x, lens))?;
        let reverse = self.reverse && turned.is_none();
        let mut given = call.b.matmul(&x, &self.w)?;
        if let Some([w, r]) = &self.biases {
            // A GRU whose reset gate takes the product needs the second bias inside it.
            let bias = if self.kind == Kind::Gru { w.clone() } else { call.b.binary(BinaryOp::Add, w, r)? };
            given = call.b.binary(BinaryOp::Add, &given, &bias)?;
        }
        let given = call.b.dense(&given)?;
        let (made, state) = call.b.begin_loop(time, initial)?;
        let part = call.b.part_of_round(&given, reverse)?;
        let mut next = match self.kind {
            Kind::Rnn => vec![self.rnn(call, &part, &state[0])?],
            Kind::Lstm => self.lstm(call, &part, &state[0], &state[1])?.to_vec(),
            Kind::Gru => vec![self.gru(call, &part, &state[0])?],
        };
        let mut shown = next[0].clone();
        if let Some(lens) = lens {
            let column = call.b.unsqueeze(lens, 1);
            let round = made.round.clone();
            let inside = call.b.compare(CompareOp::Less, &round, &column)?;
            let zero = call.number(0.0);
            shown = call.b.select(&inside, &shown, &zero)?;
            for (next, old) in next.iter_mut().zip(&state) {
                *next = call.b.select(&inside, next, old)?;
            }
        }
        let all = call.b.computed(DataType::Float32, &[time, batch, self.hidden])?;
        call.b.collect(&shown, &all, reverse)?;
        let last = call.b.end_loop(made, &next)?;
        let all = turned.map_or(Ok(all.clone()), |lens| turn(call, &all, lens))?;
        Ok([all, last[0].clone(), last.get(1).unwrap_or(&last[0]).clone()])
    }

    /// Rows of a gate.
    fn gate(&self, call: &Call<'_>, of: &Value, gate: usize) -> Value {
        call.b.slice(of, of.rank() - 1, gate * self.hidden, self.hidden, 1)
    }

    /// A function of a gate's sum, which is bounded first if the layer says so.
    fn activate(&self, call: &mut Call<'_>, function: usize, sum: &Value) -> Built {
        let bounded = match self.clip {
            Some(bound) => call.b.clip(sum, -bound, bound)?,
            None => sum.clone(),
        };
        self.functions[function].apply(call, &bounded)
    }

    fn rnn(&self, call: &mut Call<'_>, given: &Value, h: &Value) -> Built {
        let product = call.b.matmul(h, &self.r)?;
        let sum = call.b.binary(BinaryOp::Add, given, &product)?;
        self.activate(call, 0, &sum)
    }

    /// Gates in the order input, output, forget, cell.
    fn lstm(&self, call: &mut Call<'_>, given: &Value, h: &Value, c: &Value) -> Built<[Value; 2]> {
        let product = call.b.matmul(h, &self.r)?;
        let sums = call.b.binary(BinaryOp::Add, given, &product)?;
        let peep = |call: &mut Call<'_>, gate: usize, cell: &Value| -> Built {
            let sum = self.gate(call, &sums, gate);
            let Some(peepholes) = &self.peepholes else { return Ok(sum) };
            let weights = self.gate(call, peepholes, gate);
            let seen = call.b.binary(BinaryOp::Mul, cell, &weights)?;
            call.b.binary(BinaryOp::Add, &sum, &seen)
        };
        let sum = peep(call, 0, c)?;
        let input = self.activate(call, 0, &sum)?;
        let forget = if self.coupled {
            let one = call.number(1.0);
            call.b.binary(BinaryOp::Sub, &one, &input)?
        } else {
            let sum = peep(call, 2, c)?;
            self.activate(call, 0, &sum)?
        };
        let candidate = self.gate(call, &sums, 3);
        let candidate = self.activate(call, 1, &candidate)?;
        let kept = call.b.binary(BinaryOp::Mul, &forget, c)?;
        let new = call.b.binary(BinaryOp::Mul, &input, &candidate)?;
        let cell = call.b.binary(BinaryOp::Add, &kept, &new)?;
        let sum = peep(call, 1, &cell)?;
        let output = self.activate(call, 0, &sum)?;
        let shown = self.functions[2].apply(call, &cell)?;
        Ok([call.b.binary(BinaryOp::Mul, &output, &shown)?, cell])
    }

    /// Gates in the order update, reset, hidden.
    fn gru(&self, call: &mut Call<'_>, given: &Value, h: &Value) -> Built {
        let columns = |call: &Call<'_>, first: usize, count: usize| {
            call.b.slice(&self.r, 1, first * self.hidden, count * self.hidden, 1)
        };
        let bias = |call: &Call<'_>, first: usize, count: usize| {
            let [_, r] = self.biases.as_ref()?;
            Some(call.b.slice(r, 0, first * self.hidden, count * self.hidden, 1))
        };
        let product = |call: &mut Call<'_>, h: &Value, first: usize, count: usize| -> Built {
            let r = columns(call, first, count);
            let product = call.b.matmul(h, &r)?;
            bias(call, first, count)
                .map_or(Ok(product.clone()), |bias| call.b.binary(BinaryOp::Add, &product, &bias))
        };
        let of_state = product(call, h, 0, 2)?;
        let of_input = call.b.slice(given, 1, 0, 2 * self.hidden, 1);
        let sums = call.b.binary(BinaryOp::Add, &of_input, &of_state)?;
        let both = self.activate(call, 0, &sums)?;
        let (update, reset) = (self.gate(call, &both, 0), self.gate(call, &both, 1));
        let inner = if self.reset_after {
            let product = product(call, h, 2, 1)?;
            call.b.binary(BinaryOp::Mul, &reset, &product)?
        } else {
            let kept = call.b.binary(BinaryOp::Mul, &reset, h)?;
            product(call, &kept, 2, 1)?
        };
        let given = self.gate(call, given, 2);
        let sum = call.b.binary(BinaryOp::Add, &given, &inner)?;
        let candidate = self.activate(call, 1, &sum)?;
        let one = call.number(1.0);
        let rest = call.b.binary(BinaryOp::Sub, &one, &update)?;
        let new = call.b.binary(BinaryOp::Mul, &rest, &candidate)?;
        let old = call.b.binary(BinaryOp::Mul, &update, h)?;
        call.b.binary(BinaryOp::Add, &new, &old)
    }
}

/// [time, batch, ...] with each sequence turned around in its own length.
fn turn(call: &mut Call<'_>, x: &Value, lens: &Value) -> Built {
    let (x, lens) = (call.b.dense(x)?, call.b.dense(lens)?);
    let shape = Sequences {
        batch: x.shape[1],
        time: x.shape[0],
        inner: x.shape[2..].iter().product(),
        time_first: true,
    };
    call.b.call(Op::ReverseSequence(shape), &[&x, &lens], x.dtype, &x.shape)
}
