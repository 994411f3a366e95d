//! Graphs inside nodes.

use opml_abi::DataType;
use opml_kernels::BitOp;

use super::{Call, Family};
use crate::builder::{Built, Value};

pub(super) const OPERATORS: Family = &[("If", choose), ("Loop", repeat), ("Scan", scan)];

/// Most rounds of a loop that is not left alone: its proof would have as many times the steps.
const MAX_ROUNDS: i64 = 1 << 24;

/// One of two graphs. If the condition depends on the input, both are computed, and the results of one are taken.
fn choose(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let condition = call.input(0)?;
    let (then, other) = (call.graph("then_branch")?, call.graph("else_branch")?);
    if let Some(known) = call.b.as_integers(&condition).and_then(|known| known.first().copied()) {
        return call.run_graph(if known == 1 { then } else { other }, &[]);
    }
    let (yes, no) = (call.run_graph(then, &[])?, call.run_graph(other, &[])?);
    let condition = call.b.reshape(&condition, &[])?;
    let take = |call: &mut Call<'_>, (yes, no): (&Value, &Value)| {
        if yes.shape != no.shape {
            return Err(format!("its branches give {:?} and {:?}", yes.shape, no.shape));
        }
        call.b.select(&condition, yes, no)
    };
    yes.iter().zip(&no).map(|pair| take(call, pair)).collect()
}

/// A loop of a known number of rounds. It may end earlier if a condition says so: then the rounds that are left change nothing.
fn repeat(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let rounds = call.known_or_absent(0, "M")?.and_then(|m| m.first().copied());
    let rounds = rounds.ok_or("a loop without a number of rounds: it would depend on the input")?;
    let rounds = rounds.clamp(0, MAX_ROUNDS + 1);
    if rounds > MAX_ROUNDS {
        return Err(format!("more than {MAX_ROUNDS} rounds"));
    }
    let first = match call.optional(1) {
        Some(condition) => call.b.reshape(&condition, &[])?,
        None => call.b.scalar(DataType::Bool, 1.0),
    };
    let initial: Vec<Value> = (2..call.input_count()).map(|index| call.input(index)).collect::<Built<_>>()?;
    let body = call.graph("body")?;
    let rounds = if call.b.as_integers(&first) == Some(vec![0]) { 0 } else { rounds as usize };
    let carried = [std::slice::from_ref(&first), &initial[..]].concat();
    let (made, state) = call.b.begin_loop(rounds, &carried)?;
    let always = call.b.as_integers(&first).is_some();
    // A condition that nobody changes is the constant that it began as.
    let condition = if always { first } else { state[0].clone() };
    let inputs = [&[made.round.clone(), condition.clone()], &state[1..]].concat();
    let results = call.run_graph(body, &inputs)?;
    let expected = 1 + initial.len();
    if results.len() < expected {
        return Err(format!("its graph gives {} results; {expected} are needed", results.len()));
    }
    let (next, collected) = results.split_at(expected);
    let goes_on = call.b.reshape(&next[0], &[])?;
    let forever = call.b.as_integers(&goes_on) == Some(vec![1]);
    let mut following = next.to_vec();
    following[0] = goes_on.clone();
    if !forever {
        if !collected.is_empty() {
            return Err("it collects results in a number of rounds that depends on the input".into());
        }
        following[0] = call.b.bitwise(BitOp::And, &state[0], &goes_on)?;
        for (new, old) in following[1..].iter_mut().zip(&state[1..]) {
            *new = call.b.select(&state[0], new, old)?;
        }
    }
    let wholes = collect(call, rounds, collected, &vec![false; collected.len()])?;
    let last = call.b.end_loop(made, &following)?;
    Ok([&last[1..], &wholes[..]].concat())
}

/// Results of all rounds, one behind the other.
fn collect(call: &mut Call<'_>, rounds: usize, parts: &[Value], reverse: &[bool]) -> Built<Vec<Value>> {
    let mut wholes = Vec::new();
    for (part, &reverse) in parts.iter().zip(reverse) {
        let whole = call.b.computed(part.dtype, &[&[rounds], &part.shape[..]].concat())?;
        if rounds > 0 {
            call.b.collect(part, &whole, reverse)?;
        }
        wholes.push(whole);
    }
    Ok(wholes)
}

/// A round for each element along an axis of some inputs.
fn scan(call: &mut Call<'_>) -> Built<Vec<Value>> {
    if call.opset() < 9 {
        return Err("its form of operator set 8, with a batch".into());
    }
    let inputs = call.all_inputs()?;
    let count = usize::try_from(call.int("num_scan_inputs", 0)).unwrap_or(0);
    let states = inputs.len().checked_sub(count).filter(|_| count > 0).ok_or("its num_scan_inputs")?;
    let body = call.graph("body")?;
    let flags = |call: &Call<'_>, name: &str, len: usize| -> Vec<bool> {
        let list = call.ints(name).unwrap_or_default();
        (0..len).map(|i| list.get(i) == Some(&1)).collect()
    };
    let reverse = flags(call, "scan_input_directions", count);
    let axes = call.ints("scan_input_axes").unwrap_or_else(|| vec![0; count]);
    let mut scanned = Vec::new();
    for (value, &axis) in inputs[states..].iter().zip(&axes) {
        let first = call.b.move_axis(value, value.axis(axis)?, 0);
        scanned.push(call.b.dense(&first)?);
    }
    let rounds = scanned.first().and_then(|value| value.shape.first().copied()).ok_or("nothing to scan")?;
    if scanned.iter().any(|value| value.shape[0] != rounds) || rounds == 0 {
        return Err("the inputs that it scans are not equally long".into());
    }
    let (made, state) = call.b.begin_loop(rounds, &inputs[..states])?;
    let mut given = state;
    for (value, &reverse) in scanned.iter().zip(&reverse) {
        given.push(call.b.part_of_round(value, reverse)?);
    }
    let results = call.run_graph(body, &given)?;
    let (next, parts) = results.split_at_checked(states).ok_or("its graph gives too few results")?;
    let reverse = flags(call, "scan_output_directions", parts.len());
    let mut wholes = collect(call, rounds, parts, &reverse)?;
    let last = call.b.end_loop(made, next)?;
    let axes = call.ints("scan_output_axes").unwrap_or_else(|| vec![0; parts.len()]);
    for (whole, &axis) in wholes.iter_mut().zip(&axes) {
        *whole = call.b.move_axis(whole, 0, whole.axis(axis)?);
    }
    Ok([last, wholes].concat())
}
