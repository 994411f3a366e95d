//! The sums of the products of a row of windows with a filter.

/// Last bits of a low word that are not added up, (X).
pub(super) const DROPPED: u32 = 8;

/// The sum of the words of products: `high` x 2^32 + `low` x 2^8.
#[derive(Clone, Copy, Default)]
pub(super) struct Sums {
    pub high: u32,
    pub low: u32,
}

/// The same in scratch.
pub(super) type Room = [u32; 2];

impl Sums {
    #[inline(always)]
    fn add(&mut self, a: u32, b: u32) {
        let product = i64::from(a as i32) * i64::from(b as i32);
        self.high = self.high.wrapping_add((product >> 32) as u32);
        self.low = self.low.wrapping_add(product as u32 >> DROPPED);
    }

    pub(super) fn total(self) -> i64 {
        (i64::from(self.high as i32) << 32) + (i64::from(self.low) << DROPPED)
    }
}

/// What a row of windows is multiplied with.
#[derive(Clone, Copy)]
pub(super) struct Taps<'a> {
    /// Where the taps lie in the plane, from the window's first.
    pub offsets: &'a [u32],
    pub weights: &'a [u32],
    /// Elements from the window of an output to that of the next.
    pub stride: usize,
    /// From one row of the window to the next, if it is three by three and each row without gaps.
    pub three: Option<usize>,
    pub start: Sums,
}

/// Outputs that are computed together where there are as many: they share loads.
const WIDE: usize = 4;

impl Taps<'_> {
    /// The sums of the windows of a row; `x` begins with the first tap of the first.
    pub(super) fn row(&self, x: &[u32], sums: &mut [Room]) {
        match (self.three, self.stride) {
            (Some(below), 1) if sums.len() >= WIDE => {
                strips(sums, |at| self.three_by_three::<WIDE, 1>(&x[at..], below));
            }
            (Some(below), 2) if sums.len() >= WIDE => {
                strips(sums, |at| self.three_by_three::<WIDE, 2>(&x[2 * at..], below));
            }
            (_, 1) if sums.len() >= WIDE => strips(sums, |at| self.any::<WIDE, 1>(&x[at..])),
            (_, 2) if sums.len() >= WIDE => strips(sums, |at| self.any::<WIDE, 2>(&x[2 * at..])),
            (_, stride) => strips(sums, |at| self.any::<1, 1>(&x[stride * at..])),
        }
    }

    #[inline(always)]
    fn three_by_three<const N: usize, const S: usize>(&self, x: &[u32], below: usize) -> [Sums; N] {
        let mut sums = [self.start; N];
        for (row, weights) in self.weights.as_chunks::<3>().0.iter().enumerate() {
            let x = &x[row * below..][..(N - 1) * S + 3];
            for (output, sums) in sums.iter_mut().enumerate() {
                for (tap, &weight) in weights.iter().enumerate() {
                    sums.add(x[output * S + tap], weight);
                }
            }
        }
        sums
    }

    #[inline(always)]
    fn any<const N: usize, const S: usize>(&self, x: &[u32]) -> [Sums; N] {
        let mut sums = [self.start; N];
        for (&offset, &weight) in self.offsets.iter().zip(self.weights) {
            let x = &x[offset as usize..][..(N - 1) * S + 1];
            for (output, sums) in sums.iter_mut().enumerate() {
                sums.add(x[output * S], weight);
            }
        }
        sums
    }
}

/// Calls `strip` for every N outputs. The last N may overlap those before, which does no harm.
#[inline(always)]
fn strips<const N: usize>(sums: &mut [Room], strip: impl Fn(usize) -> [Sums; N]) {
    let last = sums.len() - N;
    let mut at = 0;
    loop {
        for (room, Sums { high, low }) in sums[at..][..N].iter_mut().zip(strip(at)) {
            *room = [high, low];
        }
        if at == last {
            return;
        }
        at = last.min(at + N);
    }
}
