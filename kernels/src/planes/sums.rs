//! The sums of the products of all windows of a plane with a filter.

#[cfg(target_arch = "mips")]
use crate::planes::mips as machine;
use crate::planes::plane::Rest;
#[cfg(not(target_arch = "mips"))]
use crate::planes::portable as machine;
use crate::spatial::Window;

/// Last bits of a low word that are not added up, (O).
pub(super) const DROPPED: u32 = 10;

/// The sum of the words of products, high words and low words: the first x 2^32 + the second, with its sign, x 2^10.
pub(super) type Sum = [u32; 2];

/// What the windows of a plane are multiplied with.
#[derive(Clone, Copy)]
pub(super) struct Taps<'a> {
    pub vertical: &'a Window,
    pub horizontal: &'a Window,
    /// Elements from one row of the plane to the next.
    pub width: usize,
    /// Where the taps lie in the plane, from the window's first.
    pub offsets: &'a [u32],
    pub weights: &'a [u32],
    pub start: Sum,
}

/// Outputs that are computed together where there are as many: they share loads.
pub(super) const WIDE: usize = 4;

impl Taps<'_> {
    /// The sums of all windows of the plane `x`, `columns` in a row.
    pub(super) fn all(&self, x: &[u32], columns: usize, sums: &mut [Sum]) {
        if self.is_square() && columns >= WIDE {
            machine::square(self, x, columns, sums);
        } else {
            self.general(x, columns, sums);
        }
    }

    /// Whether the windows are three by three or five by five with rows without gaps, and the next one or two columns on.
    pub(super) fn is_square(&self) -> bool {
        let Window { size, stride, dilation, .. } = *self.horizontal;
        self.vertical.size == size && matches!((size, stride, dilation), (3 | 5, 1 | 2, 1))
    }

    /// [`Self::all`] for any shape.
    pub(super) fn general(&self, x: &[u32], columns: usize, sums: &mut [Sum]) {
        for (row, sums) in sums.chunks_exact_mut(columns).enumerate() {
            let x = &x[row * self.below()..];
            match self.horizontal.stride {
                1 if columns >= WIDE => strips(sums, |at| self.strip::<WIDE, 1>(&x[at..])),
                2 if columns >= WIDE => strips(sums, |at| self.strip::<WIDE, 2>(&x[2 * at..])),
                stride => strips(sums, |at| self.strip::<1, 1>(&x[stride * at..])),
            }
        }
    }

    /// Elements from the windows of a row of outputs to those of the next.
    pub(super) fn below(&self) -> usize {
        self.vertical.stride * self.width
    }

    #[inline(always)]
    fn strip<const N: usize, const S: usize>(&self, x: &[u32]) -> [Sum; N] {
        let mut sums = [self.start; N];
        for (&offset, &weight) in self.offsets.iter().zip(self.weights) {
            let x = &x[offset as usize..][..(N - 1) * S + 1];
            for (output, sum) in sums.iter_mut().enumerate() {
                add(sum, x[output * S], weight);
            }
        }
        sums
    }

    /// Adds the products of an element's remainder with the weights that it meets, (P).
    pub(super) fn add_rest(&self, rest: &Rest, columns: usize, sums: &mut [Sum]) {
        let rows = sums.len() / columns;
        let taps = |position, window: &Window, outputs| {
            let Window { size, stride, dilation, .. } = *window;
            (0..size).filter_map(move |tap| {
                let start = usize::checked_sub(position, tap * dilation)?;
                let output = start.checked_div(stride)?;
                (output * stride == start && output < outputs).then_some((tap, output))
            })
        };
        for (i, row) in taps(rest.row, self.vertical, rows) {
            for (j, column) in taps(rest.column, self.horizontal, columns) {
                let weight = self.weights[i * self.horizontal.size + j];
                add_remainder(&mut sums[row * columns + column], rest.remainder, weight);
            }
        }
    }

    /// Adds the products of the remainder of a weight with the elements that it meets, (P).
    pub(super) fn add_weight(&self, tap: usize, remainder: u32, x: &[u32], columns: usize, sums: &mut [Sum]) {
        for (row, sums) in sums.chunks_exact_mut(columns).enumerate() {
            let x = &x[row * self.below() + self.offsets[tap] as usize..];
            for (sum, &x) in sums.iter_mut().zip(x.iter().step_by(self.horizontal.stride)) {
                add_remainder(sum, x, remainder);
            }
        }
    }
}

/// Adds a product, (O).
#[inline(always)]
fn add([high, low]: &mut Sum, a: u32, b: u32) {
    let product = i64::from(a as i32) * i64::from(b as i32);
    *high = high.wrapping_add((product >> 32) as u32);
    *low = low.wrapping_add(product as u32 >> DROPPED);
}

/// Adds a product in units of 2^-31.
#[inline(always)]
fn add_remainder([_, low]: &mut Sum, a: u32, b: u32) {
    let product = i64::from(a as i32) * i64::from(b as i32);
    *low = low.wrapping_add(((product >> 32) as i32 >> (31 + DROPPED - 32)) as u32);
}

/// Calls `strip` for every N outputs. The last N may overlap those before, which does no harm.
#[inline(always)]
fn strips<const N: usize>(sums: &mut [Sum], strip: impl Fn(usize) -> [Sum; N]) {
    let last = sums.len() - N;
    let mut at = 0;
    loop {
        sums[at..][..N].copy_from_slice(&strip(at));
        if at == last {
            return;
        }
        at = last.min(at + N);
    }
}
