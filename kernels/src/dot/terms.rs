//! One factor of a sum of products, taken apart once for all the sums that share it.

use arrayvec::ArrayVec;

use crate::bits::{Parts, finite_parts, is_finite, is_zero};

/// Terms a list can hold: 12 KiB of stack. A vector with more elements that are not zero is cut.
pub(super) const CAPACITY: usize = 1024;

/// A factor that is not zero: `mantissa` x 2^(`exponent` - 150), to be multiplied with the element
/// of the other vector at `offset`.
#[derive(Clone, Copy)]
pub(super) struct Term {
    pub mantissa: i32,
    pub exponent: u32,
    pub offset: u32,
}

/// Where the pairs of a sum stand: up to three nested counts, the last of which is the fastest.
///
/// Pair (i, j, k) is element `x + i x_steps[0] + j x_steps[1] + k x_steps[2]` of one tensor and,
/// likewise with `w`, of the other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pairs {
    pub(crate) counts: [usize; 3],
    pub(crate) x: usize,
    pub(crate) x_steps: [usize; 3],
    pub(crate) w: usize,
    pub(crate) w_steps: [usize; 3],
}

impl Pairs {
    /// `count` pairs with one step in each tensor.
    #[inline]
    pub(crate) fn line(count: usize, x: usize, x_step: usize, w_step: usize) -> Self {
        Self { counts: [1, 1, count], x, x_steps: [0, 0, x_step], w: 0, w_steps: [0, 0, w_step] }
    }

    /// How far behind these pairs in the first tensor the `others` are, if that is all the difference.
    pub fn distance(&self, others: &Self) -> Option<usize> {
        (Self { x: self.x, ..*others } == *self).then(|| others.x.checked_sub(self.x)).flatten()
    }

    /// Calls `visit` with the positions of each pair.
    #[inline]
    pub fn for_each(&self, mut visit: impl FnMut(usize, usize)) {
        let Self { counts, x_steps, w_steps, .. } = *self;
        for i in 0..counts[0] {
            for j in 0..counts[1] {
                let mut x = self.x + i * x_steps[0] + j * x_steps[1];
                let mut w = self.w + i * w_steps[0] + j * w_steps[1];
                for _ in 0..counts[2] {
                    visit(x, w);
                    (x, w) = (x + x_steps[2], w + w_steps[2]);
                }
            }
        }
    }

    /// Calls `visit` with the positions of the first pair of each run and the length of the runs, which is not zero.
    #[inline]
    pub(crate) fn for_each_run(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let Self { counts, x_steps, w_steps, .. } = *self;
        if counts[2] == 0 {
            return;
        }
        for i in 0..counts[0] {
            for j in 0..counts[1] {
                visit(
                    self.x + i * x_steps[0] + j * x_steps[1],
                    self.w + i * w_steps[0] + j * w_steps[1],
                    counts[2],
                );
            }
        }
    }

    /// Calls `visit` with the positions of each pair until it returns false; whether it never did.
    pub(crate) fn all(&self, mut visit: impl FnMut(usize, usize) -> bool) -> bool {
        let mut walk = Walk::new(self);
        while let Some(mut run) = walk.next() {
            while run.count > 0 {
                if !visit(run.x, run.w) {
                    return false;
                }
                run.advance(self);
            }
        }
        true
    }
}

/// Pairs with the same first two indices.
struct Run {
    count: usize,
    x: usize,
    w: usize,
}

impl Run {
    #[inline(always)]
    fn advance(&mut self, pairs: &Pairs) {
        self.count -= 1;
        self.x += pairs.x_steps[2];
        self.w += pairs.w_steps[2];
    }
}

/// A walk over [`Pairs`] that can pause.
pub(super) struct Walk<'a> {
    pairs: &'a Pairs,
    i: usize,
    j: usize,
    paused: Option<Run>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(pairs: &'a Pairs) -> Self {
        Self { pairs, i: 0, j: 0, paused: None }
    }

    #[inline]
    fn next(&mut self) -> Option<Run> {
        if let Some(run) = self.paused.take() {
            return Some(run);
        }
        let Pairs { counts, x, x_steps, w, w_steps } = self.pairs;
        if self.j == counts[1] {
            (self.i, self.j) = (self.i + 1, 0);
        }
        if self.i >= counts[0] || counts[1] == 0 {
            return None;
        }
        let run = Run {
            count: counts[2],
            x: x + self.i * x_steps[0] + self.j * x_steps[1],
            w: w + self.i * w_steps[0] + self.j * w_steps[1],
        };
        self.j += 1;
        Some(run)
    }
}

/// A list of terms and the range of their exponents.
pub(super) struct Terms {
    pub list: ArrayVec<Term, CAPACITY>,
    /// Smallest and largest exponent in the list, if there is a term.
    pub low: u32,
    pub high: u32,
}

/// How far filling a list got.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Filled {
    /// The walk is at its end.
    Complete,
    /// The list is full.
    Full,
    /// An infinity or a NaN stands in the way.
    NotFinite,
}

impl Terms {
    pub(super) fn new() -> Self {
        Self { list: ArrayVec::new(), low: 0, high: 0 }
    }

    /// Takes apart what comes next in the walk, leaving out zeros.
    pub(super) fn fill(&mut self, x: &[f32], walk: &mut Walk) -> Filled {
        self.list.clear();
        (self.low, self.high) = (u32::MAX, 0);
        while let Some(mut run) = walk.next() {
            let filled = self.fill_run(x, &mut run, walk.pairs);
            if filled != Filled::Complete {
                walk.paused = Some(run);
                return filled;
            }
        }
        Filled::Complete
    }

    #[inline]
    fn fill_run(&mut self, x: &[f32], run: &mut Run, pairs: &Pairs) -> Filled {
        // Locals, so that the loop keeps them in registers.
        let (x_step, w_step) = (pairs.x_steps[2], pairs.w_steps[2]);
        let (mut at, mut offset, mut left) = (run.x, run.w, run.count);
        let (mut low, mut high) = (self.low, self.high);
        let mut filled = Filled::Complete;
        while left > 0 {
            let bits = x[at].to_bits();
            if !is_zero(bits) {
                if !is_finite(bits) {
                    filled = Filled::NotFinite;
                    break;
                }
                let Parts { mantissa, exponent } = finite_parts(bits);
                if self.list.try_push(Term { mantissa, exponent, offset: offset as u32 }).is_err() {
                    filled = Filled::Full;
                    break;
                }
                low = low.min(exponent);
                high = high.max(exponent);
            }
            at += x_step;
            offset += w_step;
            left -= 1;
        }
        (self.low, self.high) = (low, high);
        *run = Run { count: left, x: at, w: offset };
        filled
    }
}
