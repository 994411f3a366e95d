//! Sums of products of vectors with packed rows.

use crate::bits::{is_finite, is_zero};
use crate::dot::Accumulator;
use crate::dot::rows::Bias;
use crate::dot::terms::Pairs;
use crate::packed::finish::with_remainders;
use crate::packed::format::{Group, MAX_ROWS, PackedRows, SPAN};
use crate::packed::inner::{Dense, Finish, Sparse, correction};
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
}

impl Input<'_> {
    /// The bits of the value for a row; +0 if there is none.
    #[inline]
    fn bias(&self, row: usize) -> u32 {
        self.bias.map_or(0, |bias| bias.at(row).to_bits())
    }
}

/// Packed rows, and what the sums are computed in.
pub(super) struct Dots<'a> {
    packed: PackedRows<'a>,
    vectors: [Vector<'a>; COLUMNS],
    gathered: &'a mut [u32],
    room: [u32; ROOM],
    sums: [Sums; COLUMNS],
}

/// The rows of a group on the way to their results. Kept between groups, as clearing it costs steps.
#[derive(Clone, Copy, Default)]
struct Sums {
    totals: [i64; MAX_ROWS],
    corrections: [u32; MAX_ROWS],
    results: [f32; MAX_ROWS],
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
        Self { packed, vectors, gathered, room: [0; ROOM], sums: [Sums::default(); COLUMNS] }
    }

    /// Calls `emit(c, r, sums)` for each input c and each group of rows, which begins with row r; `sums` are
    /// RN(bias + sum over pairs).
    #[inline]
    pub(super) fn run(&mut self, inputs: &[Input], mut emit: impl FnMut(usize, usize, &[f32])) {
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
                Kind::Dense | Kind::Sparse => self.one(column, input, &mut emit),
                Kind::Zero | Kind::Unfit => self.none(column, input, &mut emit),
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
    fn one(&mut self, column: usize, input: &Input, emit: &mut impl FnMut(usize, usize, &[f32])) {
        let Self { packed, vectors, gathered, room, sums } = self;
        let vector = &vectors[column];
        for_each_group(packed, |group| {
            let rows = group.rows;
            let totals = &mut sums[0].totals[..rows];
            totals.fill(0);
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
            emit(column, group.first, complete(packed, vector, input, &group, &mut sums[0], gathered));
        });
    }

    /// All rows with both vectors.
    fn two(&mut self, inputs: [&Input; COLUMNS], emit: &mut impl FnMut(usize, usize, &[f32])) {
        let Self { packed, vectors, gathered, room, sums } = self;
        for_each_group(packed, |group| {
            let (stride, rows) = (group.rows, group.rows.min(ROWS_OF_TWO));
            for sums in &mut *sums {
                sums.totals[..stride].fill(0);
            }
            for (elements, blocks) in spans(vectors[0].x.len()) {
                let x = [0, 1].map(|column| &vectors[column].x[elements.clone()]);
                let xi = [0, 1].map(|column| &vectors[column].xi[blocks.clone()]);
                for first in (0..stride).step_by(rows) {
                    let y = &group.y[elements.start * stride + first..];
                    let eta = &group.eta[blocks.start * stride + first..];
                    let totals = sums.each_mut().map(|sums| &mut sums.totals[first..first + rows]);
                    Dense { rows, stride, x, xi, y, eta }.run(room, totals);
                }
            }
            for (column, sums) in sums.iter_mut().enumerate() {
                let (vector, input) = (&vectors[column], inputs[column]);
                emit(column, group.first, complete(packed, vector, input, &group, sums, gathered));
            }
        });
    }

    /// All rows with a vector that has no integers: of zeros, or to be left to the definition.
    #[inline(never)]
    fn none(&mut self, column: usize, input: &Input, emit: &mut dyn FnMut(usize, usize, &[f32])) {
        let zero = self.vectors[column].kind == Kind::Zero;
        for row in 0..self.packed.n() {
            // Zeros leave a bias as it is, unless that is a zero whose sign is asked for, or they meet infinities.
            let bias = f32::from_bits(input.bias(row));
            let alone = zero
                && is_finite(bias.to_bits())
                && !is_zero(bias.to_bits())
                && !self.packed.is_not_finite(row);
            let sum = if alone { bias } else { by_definition(&self.packed, row, input, self.gathered) };
            emit(column, row, &[sum]);
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

/// The results of a group, from the totals; `weights` has room for a row of them.
#[inline(always)]
fn complete<'s>(
    packed: &PackedRows,
    vector: &Vector,
    input: &Input,
    group: &Group,
    sums: &'s mut Sums,
    weights: &mut [u32],
) -> &'s [f32] {
    let Sums { totals, corrections, results } = sums;
    let (totals, results) = (&mut totals[..group.rows], &mut results[..group.rows]);
    correction(group.rows, vector.remainders(), group.y, corrections);
    let biases = input.bias.map(|bias| bias.from(group.first));
    let mut open = Finish { vector, records: group.records, corrections, biases }.run(totals, results);
    while open != 0 {
        let bit = 31 - open.leading_zeros() as usize;
        open ^= 1 << bit;
        let row = bit % MAX_ROWS;
        let found =
            if bit == row { with_remainders(vector, packed, group.first + row, totals[row]) } else { None };
        results[row] = match found {
            Some(bits) => f32::from_bits(bits),
            None => by_definition(packed, group.first + row, input, weights),
        };
    }
    results
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
