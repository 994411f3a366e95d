//! Sums of products of vectors with packed rows.

use crate::bits::{is_finite, is_zero};
use crate::dot::Accumulator;
use crate::dot::rows::Bias;
use crate::dot::terms::Pairs;
use crate::packed::finish::{finish, fold};
use crate::packed::format::{Group, MAX_ROWS, PackedRows, SPAN};
use crate::packed::inner::{Dense, Sparse, correction};
use crate::packed::vector::{Kind, Vector, spans, vector_words};

/// Vectors that are multiplied together.
pub(super) const COLUMNS: usize = 2;
/// Rows that are computed together where there are two vectors.
const ROWS_OF_TWO: usize = 4;
/// Words that the inner loops write for a span.
const SUMS: usize = (SPAN + 1) * MAX_ROWS;

/// One of the vectors that meet the rows.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    /// The tensor it lies in.
    pub x: &'a [f32],
    /// Where; the positions in the other tensor are those in a row.
    pub pairs: Pairs,
    /// One value to add to each sum.
    pub bias: Option<Bias<'a>>,
}

impl Input<'_> {
    #[inline]
    fn bias(&self, row: usize) -> Option<f32> {
        self.bias.map(|bias| bias.at(row))
    }
}

/// Packed rows, and what the sums are computed in.
pub(super) struct Dots<'a> {
    packed: PackedRows<'a>,
    vectors: [Vector<'a>; COLUMNS],
    gathered: &'a mut [u32],
    sums: [u32; SUMS],
}

/// Words of scratch that [`Dots`] need for rows of `k` weights.
pub(super) const fn scratch_words(k: usize) -> usize {
    COLUMNS * vector_words(k) + k
}

impl<'a> Dots<'a> {
    /// `scratch` has at least [`scratch_words`] words.
    pub(super) fn new(packed: PackedRows<'a>, mut scratch: &'a mut [u32]) -> Self {
        let vectors = [(); COLUMNS].map(|()| Vector::new(packed.k(), &mut scratch));
        let gathered = scratch.split_off_mut(..packed.k()).expect("packed: scratch too short");
        Self { packed, vectors, gathered, sums: [0; SUMS] }
    }

    /// Calls `emit(c, r, RN(bias + sum over pairs))` for each input c and each row r.
    #[inline]
    pub(super) fn run(&mut self, inputs: &[Input], mut emit: impl FnMut(usize, usize, f32)) {
        for (column, input) in inputs.iter().enumerate() {
            self.prepare(column, input);
        }
        if let [first, second] = inputs
            && self.vectors.iter().all(|vector| vector.kind == Kind::Dense)
        {
            return self.two([first, second], &mut emit);
        }
        for (column, input) in inputs.iter().enumerate() {
            match self.vectors[column].kind {
                Kind::Dense | Kind::Sparse => self.one(column, input, &mut |row, sum| emit(column, row, sum)),
                Kind::Zero => self.none(input, &mut |row, sum| emit(column, row, sum)),
                Kind::Unfit => (0..self.packed.n())
                    .for_each(|row| emit(column, row, by_definition(&self.packed, row, input))),
            }
        }
    }

    /// Makes integers of an input.
    #[inline]
    fn prepare(&mut self, column: usize, input: &Input) {
        let (vector, limits) = (&mut self.vectors[column], self.packed.limits());
        let pairs = &input.pairs;
        let count = pairs.counts[2];
        if pairs.is_line() && count == self.packed.k() {
            let x = &input.x[pairs.x..][..count];
            return vector.prepare(x, |value| value.to_bits(), limits);
        }
        if pairs.counts.iter().product::<usize>() < self.packed.k() {
            self.gathered.fill(0);
        }
        pairs.for_each(|from, to| self.gathered[to] = input.x[from].to_bits());
        vector.prepare(self.gathered, |bits| bits, limits);
    }

    /// All rows with one vector.
    #[inline]
    fn one(&mut self, column: usize, input: &Input, emit: &mut impl FnMut(usize, f32)) {
        let vector = &self.vectors[column];
        for_each_group(&self.packed, |group| {
            let mut totals = [0; MAX_ROWS];
            let rows = group.rows;
            for (elements, blocks) in spans(vector.x.len()) {
                let sums = &mut self.sums[..(blocks.len() + 1) * rows];
                if vector.kind == Kind::Sparse {
                    let list = vector.list_of(blocks.clone());
                    Sparse { rows, list, counts: &vector.counts[blocks], y: group.y }.run(sums);
                } else {
                    let y = &group.y[elements.start * rows..];
                    let eta = &group.eta[blocks.start * rows..];
                    let (x, xi) = ([&vector.x[elements]], [&vector.xi[blocks]]);
                    Dense { rows, stride: rows, x, xi, y, eta }.run(sums);
                }
                for (row, total) in totals[..rows].iter_mut().enumerate() {
                    *total += fold(sums, rows, row);
                }
            }
            let mut corrections = [0; MAX_ROWS];
            correction(rows, vector.remainders(), group.y, &mut corrections);
            for row in 0..rows {
                let total = totals[row] + i64::from(corrections[row] as i32);
                emit(group.first + row, complete(&self.packed, vector, input, group.first + row, total));
            }
        });
    }

    /// All rows with both vectors.
    #[inline]
    fn two(&mut self, inputs: [&Input; COLUMNS], emit: &mut impl FnMut(usize, usize, f32)) {
        let vectors = &self.vectors;
        for_each_group(&self.packed, |group| {
            let mut totals = [[0; MAX_ROWS]; COLUMNS];
            let (stride, rows) = (group.rows, group.rows.min(ROWS_OF_TWO));
            for (elements, blocks) in spans(vectors[0].x.len()) {
                for first in (0..stride).step_by(rows) {
                    let sums = &mut self.sums[..(blocks.len() + 1) * COLUMNS * rows];
                    let x = [0, 1].map(|column| &vectors[column].x[elements.clone()]);
                    let xi = [0, 1].map(|column| &vectors[column].xi[blocks.clone()]);
                    let y = &group.y[elements.start * stride + first..];
                    let eta = &group.eta[blocks.start * stride + first..];
                    Dense { rows, stride, x, xi, y, eta }.run(sums);
                    for column in 0..COLUMNS {
                        for row in 0..rows {
                            totals[column][first + row] += fold(sums, COLUMNS * rows, column * rows + row);
                        }
                    }
                }
            }
            for column in 0..COLUMNS {
                let (vector, input) = (&vectors[column], inputs[column]);
                let mut corrections = [0; MAX_ROWS];
                correction(group.rows, vector.remainders(), group.y, &mut corrections);
                for row in 0..group.rows {
                    let total = totals[column][row] + i64::from(corrections[row] as i32);
                    let sum = complete(&self.packed, vector, input, group.first + row, total);
                    emit(column, group.first + row, sum);
                }
            }
        });
    }

    /// All rows with a vector of zeros.
    fn none(&self, input: &Input, emit: &mut impl FnMut(usize, f32)) {
        for row in 0..self.packed.n() {
            let bias = input.bias(row).filter(|bias| !is_zero(bias.to_bits()) && is_finite(bias.to_bits()));
            let sum = match bias {
                Some(bias) if !self.packed.row(row).is_not_finite() => bias,
                _ => by_definition(&self.packed, row, input),
            };
            emit(row, sum);
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

/// The sum of a row, from what the inner loops and the corrections give.
#[inline(always)]
fn complete(packed: &PackedRows, vector: &Vector, input: &Input, row: usize, total: i64) -> f32 {
    let (index, row) = (row, packed.row(row));
    let bias = input.bias(index).map_or(0, f32::to_bits);
    let bits = if row.is_not_finite() {
        None
    } else {
        finish(
            vector,
            &row,
            total + vector.constant - if vector.kind == Kind::Dense { row.low } else { 0 },
            bias,
        )
    };
    bits.map_or_else(|| by_definition(packed, index, input), f32::from_bits)
}

/// The sum of a row, straight from the definition.
#[cold]
#[inline(never)]
fn by_definition(packed: &PackedRows, row: usize, input: &Input) -> f32 {
    let mut sum = Accumulator::new();
    input.pairs.for_each(|i, j| sum.add(input.x[i], packed.weight(row, j)));
    if let Some(bias) = input.bias(row) {
        sum.add_value(bias);
    }
    sum.round()
}
