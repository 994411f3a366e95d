//! Many sums of products that share one of their vectors, as in a matrix product or a convolution.

use crate::bits::{SIGN, canonical, is_finite, is_zero};
use crate::dot::accumulator::Accumulator;
use crate::dot::fixed::Fixed;
use crate::dot::terms::{Filled, Pairs, Terms, Walk};

/// Sums that are under way at once when the shared vector does not fit into one list of terms.
const BLOCK: usize = 8;

/// The vectors that are not shared, one for each sum.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// How many sums.
    pub count: usize,
    /// The tensor the vectors lie in; row r begins at `start + r * step`.
    pub w: &'a [f32],
    pub start: usize,
    pub step: usize,
    /// Whether no element of `w` is infinite or NaN, see [`crate::bits::all_finite`].
    pub finite: bool,
    /// One value to add to each sum.
    pub bias: Option<Bias<'a>>,
}

/// Row r's value is `values[start + r * step]`.
#[derive(Clone, Copy)]
pub(crate) struct Bias<'a> {
    pub values: &'a [f32],
    pub start: usize,
    pub step: usize,
}

/// Where results go.
pub(crate) struct Lines<'a> {
    pub values: &'a mut [f32],
    /// The first.
    pub start: usize,
    /// From one to the next.
    pub step: usize,
}

impl Bias<'_> {
    /// The value of a row.
    #[inline]
    pub(crate) fn at(&self, row: usize) -> f32 {
        self.values[self.start + row * self.step]
    }
}

impl<'a> Rows<'a> {
    #[inline]
    fn row(&self, row: usize) -> &'a [f32] {
        // Rows without elements may begin anywhere.
        self.w.get(self.start + row * self.step..).unwrap_or(&[])
    }

    #[inline]
    fn bias(&self, row: usize) -> Option<f32> {
        self.bias.map(|bias| bias.at(row))
    }
}

/// What the sums are computed in; made once by an operator, as clearing it costs steps.
pub(crate) struct Workspace {
    terms: Terms,
    sum: Fixed,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        Self { terms: Terms::new(), sum: Fixed::new() }
    }

    /// Calls `emit(r, RN(bias_r + sum over pairs of x w_r))` for each row, in their order.
    ///
    /// Zeros of `x` are skipped, which is right as long as they meet no infinity or NaN; where
    /// anything is not finite every sum is left to [`Accumulator`].
    #[inline]
    pub(crate) fn dot(&mut self, x: &[f32], pairs: &Pairs, rows: &Rows, mut emit: impl FnMut(usize, f32)) {
        let filled = if rows.finite { self.terms.fill(x, &mut Walk::new(pairs)) } else { Filled::NotFinite };
        match filled {
            Filled::Complete => {
                let Self { terms, sum } = self;
                for row in 0..rows.count {
                    sum.add_terms(&terms.list, terms.low, terms.high, rows.row(row));
                    emit(row, finish(sum, x, pairs, rows, row));
                }
            }
            Filled::Full => self.dot_in_blocks(x, pairs, rows, &mut emit),
            Filled::NotFinite => dot_by_definition(x, pairs, rows, 0, &mut emit),
        }
    }

    /// The way for vectors longer than a list: [`BLOCK`] rows at a time, so that taking the shared
    /// vector apart again is shared by that many sums.
    #[inline(never)]
    fn dot_in_blocks(&mut self, x: &[f32], pairs: &Pairs, rows: &Rows, emit: &mut dyn FnMut(usize, f32)) {
        let mut sums = core::array::from_fn::<_, BLOCK, _>(|_| Fixed::new());
        for first in (0..rows.count).step_by(BLOCK) {
            let block = first..rows.count.min(first + BLOCK);
            let mut walk = Walk::new(pairs);
            loop {
                let filled = self.terms.fill(x, &mut walk);
                if filled == Filled::NotFinite {
                    return dot_by_definition(x, pairs, rows, first, emit);
                }
                for (row, sum) in block.clone().zip(&mut sums) {
                    sum.add_terms(&self.terms.list, self.terms.low, self.terms.high, rows.row(row));
                }
                if filled == Filled::Complete {
                    break;
                }
            }
            for (row, sum) in block.zip(&mut sums) {
                emit(row, finish(sum, x, pairs, rows, row));
            }
        }
    }
}

/// Adds the bias to a sum of finite products, and rounds.
#[inline]
fn finish(sum: &mut Fixed, x: &[f32], pairs: &Pairs, rows: &Rows, row: usize) -> f32 {
    let bias = rows.bias(row);
    if let Some(value) = bias {
        if !is_finite(value.to_bits()) {
            sum.take_rounded();
            return canonical(value);
        }
        if !is_zero(value.to_bits()) {
            sum.add_value(value.to_bits());
        }
    }
    let bits = sum.take_rounded();
    f32::from_bits(bits.unwrap_or_else(|| zero_sum(x, pairs, rows.row(row), bias)))
}

/// The zero that a sum of finite addends gives, which is exactly zero: -0 if all addends are -0.
#[cold]
#[inline(never)]
fn zero_sum(x: &[f32], pairs: &Pairs, w: &[f32], bias: Option<f32>) -> u32 {
    let minus_zero = |a: u32, b: u32| (is_zero(a) || is_zero(b)) && (a ^ b) & SIGN != 0;
    let mut empty = bias.is_none();
    let all = bias.is_none_or(|value| value.to_bits() == SIGN)
        && pairs.all(|i, j| {
            empty = false;
            minus_zero(x[i].to_bits(), w[j].to_bits())
        });
    if all && !empty { SIGN } else { 0 }
}

/// The sums of the rows from `first` on, straight from the definition.
#[cold]
#[inline(never)]
fn dot_by_definition(x: &[f32], pairs: &Pairs, rows: &Rows, first: usize, emit: &mut dyn FnMut(usize, f32)) {
    let mut sum = Accumulator::new();
    for row in first..rows.count {
        let w = rows.row(row);
        pairs.all(|i, j| {
            sum.add(x[i], w[j]);
            true
        });
        if let Some(bias) = rows.bias(row) {
            sum.add_value(bias);
        }
        emit(row, sum.round());
    }
}
