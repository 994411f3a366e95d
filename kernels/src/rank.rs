//! Places of the largest and the least elements along an axis.

use crate::element::Element;
use crate::reduce::Axis;

/// Which element is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArgOp {
    /// The largest.
    Max,
    /// The least.
    Min,
}

/// The place of the largest or least element of each line: ONNX `ArgMax`, `ArgMin`. Of equal elements, as the zeros of floats are
/// and NaN among themselves, it is the first or, if `last`, the last. A NaN is both the largest and the least.
///
/// # Panics
/// If a slice does not fit the shape, or lines are empty and there are some.
// Always inlined: else the loop would ask for `op` and `last` each time.
#[inline(always)]
pub fn arg_reduce<T: Element>(op: ArgOp, last: bool, axis: Axis, x: &[T], out: &mut [i64]) {
    axis.check(x.len(), Some(out.len()));
    assert!(axis.len != 0 || out.is_empty(), "arg: empty lines have no element");
    axis.for_each_line(|number, line| {
        let key = |place: usize| x[line.first + place * line.step].key(op == ArgOp::Min);
        let (mut best, mut found) = (key(0), 0);
        for place in 1..line.len {
            let key = key(place);
            let better = match (op, last) {
                (ArgOp::Max, false) => key > best,
                (ArgOp::Max, true) => key >= best,
                (ArgOp::Min, false) => key < best,
                (ArgOp::Min, true) => key <= best,
            };
            if better {
                (best, found) = (key, place);
            }
        }
        out[number] = found as i64;
    });
}

/// Shape of a choice of the first elements in order along an axis. The input is seen as `outer` x `len` x `inner`, the
/// results are `outer` x `k` x `inner`, all row-major.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TopK {
    /// Product of the dimensions before the axis.
    pub outer: usize,
    /// Elements along it.
    pub len: usize,
    /// Product of the dimensions after it.
    pub inner: usize,
    /// How many are chosen, at most `len`.
    pub k: usize,
    /// Whether the largest are, or the least.
    pub largest: bool,
}

/// The k largest or least elements of each line with their places, the first one first: ONNX `TopK`, sorted. Of
/// equal elements the one at the lower place comes first. The zeros of floats are equal, and NaN is above +infinity.
///
/// # Panics
/// If a slice does not fit the shape, or `k` exceeds `len`.
#[inline]
pub fn top_k<T: Element>(shape: TopK, x: &[T], values: &mut [T], indices: &mut [i64]) {
    let TopK { outer, len, inner, k, largest } = shape;
    assert!(k <= len, "top_k: more elements than there are");
    assert!(x.len() == outer * len * inner, "top_k: input does not fit the shape");
    assert!(values.len() == outer * k * inner, "top_k: values do not fit the shape");
    assert!(indices.len() == values.len(), "top_k: indices do not fit the shape");
    if k == 0 {
        return;
    }
    for line in 0..outer {
        for column in 0..inner {
            let first = line * k * inner + column;
            let mut heap = Heap { values, indices, first, step: inner, len: 0, largest };
            for place in 0..len {
                heap.offer(x[(line * len + place) * inner + column], place as i64, k);
            }
            heap.sort();
        }
    }
}

/// The chosen elements of a line, where the results will stand: a binary heap with the one on top that has to go first.
///
/// No two elements are equal, as their places differ, so that there is one result whatever the order of the work.
struct Heap<'a, T> {
    values: &'a mut [T],
    indices: &'a mut [i64],
    /// Where the line begins, and the distance between its elements.
    first: usize,
    step: usize,
    len: usize,
    largest: bool,
}

impl<T: Element> Heap<'_, T> {
    #[inline(always)]
    fn at(&self, node: usize) -> (T, i64) {
        let at = self.first + node * self.step;
        (self.values[at], self.indices[at])
    }

    #[inline(always)]
    fn set(&mut self, node: usize, (value, index): (T, i64)) {
        let at = self.first + node * self.step;
        (self.values[at], self.indices[at]) = (value, index);
    }

    /// Whether `a` comes after `b` in the result.
    #[inline(always)]
    fn is_behind(&self, a: (T, i64), b: (T, i64)) -> bool {
        let (a_key, b_key) = (a.0.key(false), b.0.key(false));
        if a_key == b_key { a.1 > b.1 } else { (a_key < b_key) == self.largest }
    }

    /// Takes an element in, if it is among the first `k` so far. Places rise from call to call.
    #[inline]
    fn offer(&mut self, value: T, place: i64, k: usize) {
        if self.len < k {
            self.len += 1;
            self.rise(self.len - 1, (value, place));
        } else if self.is_behind(self.at(0), (value, place)) {
            self.sink((value, place));
        }
    }

    /// Puts an element into a free node at the end, or as far above as it belongs.
    fn rise(&mut self, mut node: usize, element: (T, i64)) {
        while node > 0 {
            let parent = (node - 1) / 2;
            if !self.is_behind(element, self.at(parent)) {
                break;
            }
            self.set(node, self.at(parent));
            node = parent;
        }
        self.set(node, element);
    }

    /// Puts an element in the place of the one on top, or as far below as it belongs.
    fn sink(&mut self, element: (T, i64)) {
        let mut node = 0;
        loop {
            let mut child = 2 * node + 1;
            if child >= self.len {
                break;
            }
            if child + 1 < self.len && self.is_behind(self.at(child + 1), self.at(child)) {
                child += 1;
            }
            if !self.is_behind(self.at(child), element) {
                break;
            }
            self.set(node, self.at(child));
            node = child;
        }
        self.set(node, element);
    }

    /// Moves the elements into their order: the one on top is the last of those that are left.
    fn sort(&mut self) {
        while self.len > 1 {
            self.len -= 1;
            let (top, last) = (self.at(0), self.at(self.len));
            self.set(self.len, top);
            self.sink(last);
        }
    }
}
