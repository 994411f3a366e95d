//! Layers with a memory.

use tract_tflite::tflite::ActivationFunctionType;

use super::Family;
use crate::tflite::attributes::int;
use crate::tflite::net::{Made, Name, Net};
use crate::tflite::op::Op;

pub(super) const OPERATORS: Family = &[("UNIDIRECTIONAL_SEQUENCE_LSTM", lstm)];

/// Operands, by the order that the format has: gates are input, forget, cell, output.
const INPUT_WEIGHTS: [usize; 4] = [1, 2, 3, 4];
const RECURRENT_WEIGHTS: [usize; 4] = [5, 6, 7, 8];
const PEEPHOLES: [usize; 3] = [9, 10, 11];
const BIASES: [usize; 4] = [12, 13, 14, 15];
const PROJECTION: [usize; 2] = [16, 17];
const NORMS: [usize; 4] = [20, 21, 22, 23];

/// ONNX's order of the gates: input, output, forget, cell.
const ORDER: [usize; 4] = [0, 3, 1, 2];

/// The state is zero at first: a program runs once, and remembers nothing of inputs before.
fn lstm(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op
        .options
        .builtin_options_as_unidirectional_sequence_lstmoptions()
        .ok_or("its options are missing")?;
    let has = |indices: &[usize]| indices.iter().any(|&index| op.optional(index).is_some());
    if o.fused_activation_function() != ActivationFunctionType::TANH {
        return Err("an activation other than tanh".into());
    }
    if has(&PROJECTION) || has(&NORMS) || o.cell_clip() != 0.0 || o.proj_clip() != 0.0 {
        return Err("a projection, a normalisation or a clipped state".into());
    }
    if op.optional(INPUT_WEIGHTS[0]).is_none() {
        return Err("a coupled input gate".into());
    }
    if net.quantisation(op.input(0)?)?.is_some() {
        return Err("a state of 16 bits".into());
    }
    let (mut x, w) = (net.value(op.input(0)?)?, gates(net, op, INPUT_WEIGHTS)?);
    if !o.time_major() {
        x = net.transposed(x, &[1, 0, 2]);
    }
    let r = gates(net, op, RECURRENT_WEIGHTS)?;
    let units = net.shape(op.input(RECURRENT_WEIGHTS[0])?)?.last().copied().unwrap_or(0);
    // ONNX has two biases, which it adds.
    let own = gates(net, op, BIASES)?;
    let shape = net.vector(&[1, 4 * units as i64]);
    let zero = net.number(0.0);
    let none = net.node("Expand", &[zero, shape], Vec::new());
    let biases = net.node("Concat", &[own, none], vec![int("axis", 1)]);
    let mut operands = vec![x, w, r, biases];
    if has(&PEEPHOLES) {
        // Input, output, forget.
        let order = [PEEPHOLES[0], PEEPHOLES[2], PEEPHOLES[1]];
        let parts: Vec<Name> = order.iter().map(|&i| net.value(op.input(i)?)).collect::<Made<_>>()?;
        let joined = net.node("Concat", &parts, vec![int("axis", 0)]);
        let first = net.vector(&[0]);
        let peepholes = net.node("Unsqueeze", &[joined, first], Vec::new());
        operands.extend([Name::new(), Name::new(), Name::new(), peepholes]);
    }
    let y = net.node("LSTM", &operands, vec![int("hidden_size", units as i64)]);
    // The axis of directions goes.
    let directions = net.vector(&[1]);
    let mut y = net.node("Squeeze", &[y, directions], Vec::new());
    if !o.time_major() {
        y = net.transposed(y, &[1, 0, 2]);
    }
    net.store(op.output(0)?, y)
}

/// Operands for the four gates as one, [1, 4 units, ...], in ONNX's order.
fn gates(net: &mut Net<'_>, op: &Op<'_>, operands: [usize; 4]) -> Made<Name> {
    let parts: Vec<Name> =
        ORDER.iter().map(|&gate| net.value(op.input(operands[gate])?)).collect::<Made<_>>()?;
    let joined = net.node("Concat", &parts, vec![int("axis", 0)]);
    let first = net.vector(&[0]);
    Ok(net.node("Unsqueeze", &[joined, first], Vec::new()))
}
