//! Sums of products of vectors with packed rows.

use crate::bits::{is_finite, is_zero};
use crate::dot::Accumulator;
use crate::dot::rows::{Bias, Lines};
use crate::dot::terms::Pairs;
use crate::packed::finish::aligned_bias;
use crate::packed::format::{Chunk, MAX_CHUNK, MAX_ROWS, PackedRows, SPAN, Total, padded};
use crate::packed::inner::{Dense, Finish, Open, Sparse, Start, block_count, correct, gather};
use crate::packed::vector::{Kind, Vector, spans, vector_words};

/// Vectors that are multiplied together.
pub(super) const COLUMNS: usize = 2;
/// Rows that are computed together where there are two vectors.
const ROWS_OF_TWO: usize = 4;

/// One of the vectors that meet the rows.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    /// The tensor it lies in.
    pub x: &'a [f32],
    /// Where; the positions in the other tensor are those in a row.
    pub pairs: Pairs,
    /// Where the sum of the first row goes, and how far from there the next.
    pub out: usize,
    pub out_step: usize,
}

/// Room for what a vector makes of the rows of a chunk.
struct Column<'a> {
    totals: &'a mut [Total],
    corrections: &'a mut [u32],
}

/// Rows of the largest chunk of `n` rows.
const fn chunk_rows(n: usize) -> usize {
    if n < MAX_CHUNK { n } else { MAX_CHUNK }
}

/// Words that the inner loops write for a span of vectors of `k` elements.
const fn room_words(k: usize) -> usize {
    let blocks = block_count(padded(k));
    MAX_ROWS * (if blocks < SPAN { blocks } else { SPAN } + 1)
}

/// Packed rows, and what the sums are computed in.
pub(super) struct Dots<'a> {
    packed: PackedRows<'a>,
    /// The rows that come first: in convolutions often all of them.
    head: Chunk<'a>,
    bias: Option<Bias<'a>>,
    /// See [`aligned_bias`]; empty if there is no bias.
    biases: &'a mut [[u32; 2]],
    vectors: [Vector<'a>; COLUMNS],
    gathered: &'a mut [u32],
    room: &'a mut [u32],
    columns: [Column<'a>; COLUMNS],
    open: Open,
}

/// How many of `vectors` vectors are multiplied together.
const fn columns(vectors: usize) -> usize {
    if vectors < COLUMNS { vectors } else { COLUMNS }
}

/// Words of scratch that [`Dots`] need for `vectors` vectors and `n` rows of `k` weights.
pub(super) const fn scratch_words(vectors: usize, k: usize, n: usize) -> usize {
    columns(vectors) * (vector_words(k) + 3 * chunk_rows(n)) + k + 2 * n + room_words(k)
}

impl<'a> Dots<'a> {
    /// `scratch` has at least [`scratch_words`] words.
    pub(super) fn new(packed: PackedRows<'a>, vectors: usize, mut scratch: &'a mut [u32]) -> Self {
        let (k, n) = (packed.k(), packed.n());
        // A vector that is not there gets no room.
        let there = |column| column < columns(vectors);
        let vectors = [0, 1].map(|column| Vector::new(if there(column) { k } else { 0 }, &mut scratch));
        let mut take = |words: usize| scratch.split_off_mut(..words).expect("packed: scratch too short");
        let columns = [0, 1].map(|column| {
            let rows = if there(column) { chunk_rows(n) } else { 0 };
            Column { totals: take(2 * rows).as_chunks_mut().0, corrections: take(rows) }
        });
        let (gathered, biases, room) = (take(k), take(2 * n).as_chunks_mut().0, take(room_words(k)));
        Self {
            head: packed.chunk(0),
            packed,
            bias: None,
            biases,
            vectors,
            gathered,
            room,
            columns,
            open: Open::NONE,
        }
    }

    /// Adds `bias`, of which there is one value for each row, to the sums from now on.
    pub(super) fn set_bias(&mut self, bias: Option<Bias<'a>>) {
        self.bias = bias;
        let Some(bias) = bias else { return };
        for (row, aligned) in self.biases.iter_mut().enumerate() {
            *aligned = aligned_bias(bias.at(row).to_bits(), self.packed.record(row).scale);
        }
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
        let (vector, packed) = (&mut self.vectors[column], &self.packed);
        if input.pairs.counts.iter().product::<usize>() < packed.k() {
            self.gathered.fill(0);
        }
        let seen = gather(input.x, &input.pairs, self.gathered);
        vector.prepare(self.gathered, seen, packed);
    }

    /// All rows with one vector.
    #[inline(never)]
    fn one(&mut self, column: usize, input: &Input, out: &mut [f32]) {
        let mut first = 0;
        while first < self.packed.n() {
            let chunk = if first == 0 { self.head } else { self.packed.chunk(first) };
            let Self { vectors, room, columns, .. } = self;
            let (vector, Column { totals, corrections }) = (&vectors[column], &mut columns[column]);
            let (groups, rows, totals) = (chunk.groups, chunk.rows, &mut totals[..chunk.len()]);
            let first_start = start(vector, &chunk, corrections);
            for (elements, blocks) in spans(vector.x.len()) {
                let before;
                let start = if elements.start == 0 {
                    first_start
                } else {
                    before = copied(totals);
                    Start::after(&before)
                };
                if vector.kind == Kind::Sparse {
                    let (list, counts) = (vector.list_of(blocks.clone()), &vector.counts[blocks]);
                    Sparse { groups, rows, list, counts, y: chunk.y, start }.run(room, totals);
                } else {
                    let (x, xi) = ([&vector.x[elements.clone()]], [&vector.xi[blocks.clone()]]);
                    let (y, eta) = (&chunk.y[elements.start * rows..], &chunk.eta[blocks.start * rows..]);
                    let starts = [start];
                    Dense { groups, rows, stride: rows, x, xi, y, eta, starts }.run(room, [totals]);
                }
            }
            self.complete(column, input, &chunk, out);
            first += chunk.len();
        }
    }

    /// All rows with both vectors.
    #[inline(never)]
    fn two(&mut self, inputs: [&Input; COLUMNS], out: &mut [f32]) {
        let mut first = 0;
        while first < self.packed.n() {
            let chunk = if first == 0 { self.head } else { self.packed.chunk(first) };
            let Self { vectors, room, columns, .. } = self;
            let (groups, stride, rows) = (chunk.groups, chunk.rows, chunk.rows.min(ROWS_OF_TWO));
            let [Column { totals: left, corrections: left_corrections }, right] = columns;
            let Column { totals: right, corrections: right_corrections } = right;
            let first_starts =
                [start(&vectors[0], &chunk, left_corrections), start(&vectors[1], &chunk, right_corrections)];
            for (elements, blocks) in spans(vectors[0].x.len()) {
                let x = [0, 1].map(|column| &vectors[column].x[elements.clone()]);
                let xi = [0, 1].map(|column| &vectors[column].xi[blocks.clone()]);
                let before;
                let starts = if elements.start == 0 {
                    first_starts
                } else {
                    before = [copied(left), copied(right)];
                    before.each_ref().map(Start::after)
                };
                for part in (0..stride).step_by(rows) {
                    let y = &chunk.y[elements.start * stride + part..];
                    let eta = &chunk.eta[blocks.start * stride + part..];
                    let starts = starts.map(|start| start.from(part));
                    let totals = [&mut left[part..chunk.len()], &mut right[part..chunk.len()]];
                    Dense { groups, rows, stride, x, xi, y, eta, starts }.run(room, totals);
                }
            }
            for (column, input) in inputs.iter().enumerate() {
                self.complete(column, input, &chunk, out);
            }
            first += chunk.len();
        }
    }

    /// All rows with a vector that has no integers: of zeros, or to be left to the definition.
    #[inline(never)]
    fn none(&mut self, column: usize, input: &Input, out: &mut [f32]) {
        let zero = self.vectors[column].kind == Kind::Zero;
        for row in 0..self.packed.n() {
            // Zeros leave a bias as it is, unless that is a zero whose sign is asked for.
            let bias = self.bias.map_or(0.0, |bias| bias.at(row));
            let alone = zero && is_finite(bias.to_bits()) && !is_zero(bias.to_bits());
            let sum = if alone { bias } else { self.by_definition(row, input) };
            out[input.out + row * input.out_step] = sum;
        }
    }

    /// Writes the results of a chunk, from the totals of a vector.
    #[inline]
    fn complete(&mut self, column: usize, input: &Input, chunk: &Chunk, out: &mut [f32]) {
        let vector = &self.vectors[column];
        let totals = &self.columns[column].totals[..chunk.len()];
        let start = input.out + chunk.first * input.out_step;
        let mut lines = Lines { values: out, start, step: input.out_step };
        let biases = if self.bias.is_some() { &self.biases[chunk.first..][..chunk.len()] } else { &[] };
        let normal = vector.is_normal_with(self.packed.scales());
        let Chunk { records, places, words, .. } = *chunk;
        let finish = Finish { vector, records, places, words, biases, normal };
        finish.run(totals, &mut lines, &mut self.open);
        while let Some(place) = self.open.pop() {
            let row = chunk.first + place;
            out[input.out + row * input.out_step] = self.by_definition(row, input);
        }
    }

    /// The sum of a row, straight from the definition.
    #[cold]
    #[inline(never)]
    fn by_definition(&mut self, row: usize, input: &Input) -> f32 {
        self.packed.weights(row, self.gathered);
        let mut sum = Accumulator::new();
        input.pairs.for_each(|i, j| sum.add(input.x[i], f32::from_bits(self.gathered[j])));
        if let Some(bias) = self.bias {
            sum.add_value(bias.at(row));
        }
        sum.round()
    }
}

/// A copy of the totals of a single group.
#[inline]
fn copied(totals: &[Total]) -> [Total; MAX_ROWS] {
    let mut copied = [[0; 2]; MAX_ROWS];
    copied.iter_mut().zip(totals).for_each(|(copied, total)| *copied = *total);
    copied
}

/// What the sums of a chunk begin with; makes the corrections if there are some.
#[inline]
fn start<'s>(vector: &Vector, chunk: &Chunk<'s>, corrections: &'s mut [u32]) -> Start<'s> {
    let list = vector.remainders();
    let corrections = if list.is_empty() {
        &mut []
    } else {
        let corrections = &mut corrections[..chunk.len()];
        correct(list, chunk, corrections);
        corrections
    };
    let lows = if vector.kind == Kind::Dense { chunk.lows } else { &[] };
    Start { narrow: vector.xi.len() == 1, constant: vector.constant, corrections, lows }
}
