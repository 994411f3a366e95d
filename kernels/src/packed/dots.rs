//! Sums of products of vectors with packed rows.

use crate::bits::{is_finite, is_zero};
use crate::dot::Accumulator;
use crate::dot::rows::Bias;
use crate::dot::terms::Pairs;
use crate::packed::finish::with_remainders;
use crate::packed::format::{Group, MAX_ROWS, PackedRows, SPAN};
use crate::packed::inner::{Dense, Finish, Lines, Sparse};
use crate::packed::vector::{Kind, Vector, spans, vector_words};

/// Vectors that are multiplied together.
pub(super) const COLUMNS: usize = 2;
/// Rows that are computed together where there are two vectors.
const ROWS_OF_TWO: usize = 4;
/// Words that the inner loops write for a span.
const ROOM: usize = (SPAN + 1) * MAX_ROWS;

/// One of the vectors that meet the rows.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    /// The tensor it lies in.
    pub x: &'a [f32],
    /// Where; the positions in the other tensor are those in a row.
    pub pairs: Pairs,
    /// One value to add to each sum.
    pub bias: Option<Bias<'a>>,
    /// Where the sum of the first row goes, and how far from there the next.
    pub out: usize,
    pub out_step: usize,
}

/// Packed rows, and what the sums are computed in; kept between vectors, as clearing it costs steps.
pub(super) struct Dots<'a> {
    packed: PackedRows<'a>,
    vectors: [Vector<'a>; COLUMNS],
    gathered: &'a mut [u32],
    room: [u32; ROOM],
    totals: [[i64; MAX_ROWS]; COLUMNS],
}

/// How many of `vectors` vectors are multiplied together.
const fn columns(vectors: usize) -> usize {
    if vectors < COLUMNS { vectors } else { COLUMNS }
}

/// Words of scratch that [`Dots`] need for `vectors` vectors and rows of `k` weights.
pub(super) const fn scratch_words(vectors: usize, k: usize) -> usize {
    columns(vectors) * vector_words(k) + k
}

impl<'a> Dots<'a> {
    /// `scratch` has at least [`scratch_words`] words.
    pub(super) fn new(packed: PackedRows<'a>, vectors: usize, mut scratch: &'a mut [u32]) -> Self {
        // A vector that is not there gets no room.
        let elements = |column| if column < columns(vectors) { packed.k() } else { 0 };
        let vectors = [0, 1].map(|column| Vector::new(elements(column), &mut scratch));
        let gathered = scratch.split_off_mut(..packed.k()).expect("packed: scratch too short");
        Self { packed, vectors, gathered, room: [0; ROOM], totals: [[0; MAX_ROWS]; COLUMNS] }
    }

    /// Writes RN(bias + sum over pairs) to its place in `out` for each input and each row.
    #[inline]
    pub(super) fn run(&mut self, inputs: &[Input], out: &mut [f32]) {
        for (column, input) in inputs.iter().enumerate() {
            self.prepare(column, input);
        }
        if let [first, second] = inputs
            && self.vectors.iter().all(|vector| vector.kind == Kind::Dense)
        {
            return self.two([first, second], out);
        }
        for (column, input) in inputs.iter().enumerate() {
            match self.vectors[column].kind {
                Kind::Dense | Kind::Sparse => self.one(column, input, out),
                Kind::Zero | Kind::Unfit => self.none(column, input, out),
            }
        }
    }

    /// Makes integers of an input.
    #[inline]
    fn prepare(&mut self, column: usize, input: &Input) {
        let (vector, limits) = (&mut self.vectors[column], self.packed.limits());
        let pairs = &input.pairs;
        if pairs.is_line() && pairs.counts[2] == self.packed.k() {
            let x = &input.x[pairs.x..][..pairs.counts[2]];
            return vector.prepare(x, |value| value.to_bits(), limits);
        }
        if pairs.counts.iter().product::<usize>() < self.packed.k() {
            self.gathered.fill(0);
        }
        pairs.for_each(|from, to| self.gathered[to] = input.x[from].to_bits());
        vector.prepare(self.gathered, |bits| bits, limits);
    }

    /// All rows with one vector.
    #[inline(never)]
    fn one(&mut self, column: usize, input: &Input, out: &mut [f32]) {
        let Self { packed, vectors, gathered, room, totals } = self;
        let vector = &vectors[column];
        for_each_group(packed, |group| {
            let rows = group.rows;
            let totals = &mut totals[0][..rows];
            vector.start(group.y).run(totals);
            for (elements, blocks) in spans(vector.x.len()) {
                if vector.kind == Kind::Sparse {
                    let (list, counts) = (vector.list_of(blocks.clone()), &vector.counts[blocks]);
                    Sparse { rows, list, counts, y: group.y }.run(room, totals);
                } else {
                    let (x, xi) = ([&vector.x[elements.clone()]], [&vector.xi[blocks.clone()]]);
                    let (y, eta) = (&group.y[elements.start * rows..], &group.eta[blocks.start * rows..]);
                    Dense { rows, stride: rows, x, xi, y, eta }.run(room, [totals]);
                }
            }
            complete(packed, vector, input, &group, totals, gathered, out);
        });
    }

    /// All rows with both vectors.
    #[inline(never)]
    fn two(&mut self, inputs: [&Input; COLUMNS], out: &mut [f32]) {
        let Self { packed, vectors, gathered, room, totals } = self;
        for_each_group(packed, |group| {
            let (stride, rows) = (group.rows, group.rows.min(ROWS_OF_TWO));
            for (vector, totals) in vectors.iter().zip(&mut *totals) {
                vector.start(group.y).run(&mut totals[..stride]);
            }
            for (elements, blocks) in spans(vectors[0].x.len()) {
                let x = [0, 1].map(|column| &vectors[column].x[elements.clone()]);
                let xi = [0, 1].map(|column| &vectors[column].xi[blocks.clone()]);
                for first in (0..stride).step_by(rows) {
                    let y = &group.y[elements.start * stride + first..];
                    let eta = &group.eta[blocks.start * stride + first..];
                    let totals = totals.each_mut().map(|totals| &mut totals[first..first + rows]);
                    Dense { rows, stride, x, xi, y, eta }.run(room, totals);
                }
            }
            for (column, totals) in totals.iter_mut().enumerate() {
                let (vector, input) = (&vectors[column], inputs[column]);
                complete(packed, vector, input, &group, &mut totals[..stride], gathered, out);
            }
        });
    }

    /// All rows with a vector that has no integers: of zeros, or to be left to the definition.
    #[inline(never)]
    fn none(&mut self, column: usize, input: &Input, out: &mut [f32]) {
        let zero = self.vectors[column].kind == Kind::Zero;
        for row in 0..self.packed.n() {
            // Zeros leave a bias as it is, unless that is a zero whose sign is asked for, or they meet infinities.
            let bias = input.bias.map_or(0.0, |bias| bias.at(row));
            let alone = zero
                && is_finite(bias.to_bits())
                && !is_zero(bias.to_bits())
                && !self.packed.is_not_finite(row);
            let sum = if alone { bias } else { by_definition(&self.packed, row, input, self.gathered) };
            out[input.out + row * input.out_step] = sum;
        }
    }
}

#[inline(always)]
fn for_each_group<'a>(packed: &PackedRows<'a>, mut visit: impl FnMut(Group<'a>)) {
    let mut first = 0;
    while first < packed.n() {
        let group = packed.group(first);
        visit(group);
        first += group.rows;
    }
}

/// Writes the results of a group, from the totals; `weights` has room for a row of them.
#[inline(always)]
fn complete(
    packed: &PackedRows,
    vector: &Vector,
    input: &Input,
    group: &Group,
    totals: &mut [i64],
    weights: &mut [u32],
    out: &mut [f32],
) {
    let biases = input.bias.map(|bias| bias.from(group.first));
    let place = |row: usize| input.out + (group.first + row) * input.out_step;
    let mut lines = Lines { values: out, start: place(0), step: input.out_step };
    let mut open = Finish { vector, records: group.records, biases }.run(totals, &mut lines);
    while open != 0 {
        let bit = 31 - open.leading_zeros() as usize;
        open ^= 1 << bit;
        let row = bit % MAX_ROWS;
        let found =
            if bit == row { with_remainders(vector, packed, group.first + row, totals[row]) } else { None };
        out[place(row)] = match found {
            Some(bits) => f32::from_bits(bits),
            None => by_definition(packed, group.first + row, input, weights),
        };
    }
}

/// The sum of a row, straight from the definition; `weights` has room for it.
#[cold]
#[inline(never)]
fn by_definition(packed: &PackedRows, row: usize, input: &Input, weights: &mut [u32]) -> f32 {
    packed.weights(row, weights);
    let mut sum = Accumulator::new();
    input.pairs.for_each(|i, j| sum.add(input.x[i], f32::from_bits(weights[j])));
    if let Some(bias) = input.bias {
        sum.add_value(bias.at(row));
    }
    sum.round()
}
