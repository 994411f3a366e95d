//! Nodes that run several times.

use opml_abi::DataType;
use opml_kernels::BinaryOp;

use super::{Builder, Built, Value};
use crate::graph::{Node, Op};

/// A loop that is being made.
pub struct Loop {
    count: usize,
    /// What rounds hand to each other.
    state: Vec<Value>,
    /// Which round it is, from 0: int64 of rank 0.
    pub round: Value,
}

impl Builder {
    /// Begins a loop of `count` rounds; the calls until [`end_loop`](Self::end_loop) are its body. Gives the values that stand in each
    /// round for what the round before made, `initial` in the first.
    ///
    /// # Errors
    /// Values that are too large.
    pub fn begin_loop(&mut self, count: usize, initial: &[Value]) -> Built<(Loop, Vec<Value>)> {
        let state = initial.iter().map(|value| self.copied(value)).collect::<Built<Vec<_>>>()?;
        let first = self.scalar(DataType::Int64, 0.0);
        let round = self.copied(&first)?;
        self.outer.push(std::mem::take(&mut self.nodes));
        Ok((Loop { count, state: state.clone(), round }, state))
    }

    /// In a loop: the element of `value` along its first axis that belongs to the round, or from the last on if `reverse`.
    ///
    /// # Errors
    /// Values that are too large.
    pub fn part_of_round(&mut self, value: &Value, reverse: bool) -> Built {
        let (part, step) = self.moving_part(value, reverse);
        let out = self.computed(value.dtype, &part.shape)?;
        let (mut input, output) = (self.view(&part), self.view(&out));
        input.step = step;
        self.push(Op::Copy(vec![part.len()], vec![1], vec![1]), vec![input], vec![output])?;
        Ok(out)
    }

    /// In a loop: puts `part` to the place of the round along the first axis of `whole`, which was made before the loop.
    ///
    /// # Errors
    /// A part of another shape.
    pub fn collect(&mut self, part: &Value, whole: &Value, reverse: bool) -> Built<()> {
        let (place, step) = self.moving_part(whole, reverse);
        if (place.shape.as_slice(), place.dtype) != (part.shape.as_slice(), part.dtype) {
            return Err(format!(
                "a round makes {} {:?}; {} {:?} was expected",
                part.dtype, part.shape, place.dtype, place.shape
            ));
        }
        let part = self.dense(part)?;
        let (input, mut output) = (self.view(&part), self.view(&place));
        output.step = step;
        self.push(Op::Copy(vec![part.len()], vec![1], vec![1]), vec![input], vec![output])
    }

    /// The part of the first round, and how far the next one is from it.
    fn moving_part(&self, value: &Value, reverse: bool) -> (Value, isize) {
        debug_assert!(value.is_dense(), "parts of a value with gaps");
        let part = self.index(value, 0, if reverse { value.shape[0] - 1 } else { 0 });
        let step = part.len() as isize;
        (part, if reverse { -step } else { step })
    }

    /// Ends a loop whose rounds make `next` of the state. Gives the state after the last round.
    ///
    /// # Errors
    /// A state of another shape.
    pub fn end_loop(&mut self, made: Loop, next: &[Value]) -> Built<Vec<Value>> {
        let Loop { count, state, round } = made;
        // What is handed on may be another part of the state: all of it is read before any is written.
        let mut kept = Vec::new();
        for (value, place) in next.iter().zip(&state) {
            if (value.shape.as_slice(), value.dtype) != (place.shape.as_slice(), place.dtype) {
                return Err(format!(
                    "its state changes from {} {:?} to {} {:?}",
                    place.dtype, place.shape, value.dtype, value.shape
                ));
            }
            let is_state =
                state.iter().any(|place| place.tensor == value.tensor) && value.tensor != place.tensor;
            kept.push(if is_state { self.copied(value)? } else { value.clone() });
        }
        for (value, place) in kept.iter().zip(&state).filter(|(value, place)| value != place) {
            self.copy_into(value, place)?;
        }
        let one = self.scalar(DataType::Int64, 1.0);
        let following = self.binary(BinaryOp::Add, &round, &one)?;
        self.copy_into(&following, &round)?;
        let before = self.outer.pop().ok_or("no loop is open")?;
        let body = std::mem::replace(&mut self.nodes, before);
        self.push_loop(count, body);
        Ok(state)
    }

    /// Appends a loop. Its calls have been counted, and say themselves what they read and write.
    pub(super) fn push_loop(&mut self, count: usize, body: Vec<Node>) {
        let (name, op) = (self.name.clone(), Op::Repeat { count, body });
        self.nodes.push(Node { name, op, inputs: Vec::new(), outputs: Vec::new(), scratch: None });
    }
}
