//! Where the vectors of a sum lie.

use opml_kernels::Conv2d;
use opml_kernels::dot::Pairs;

/// Rows of a panel that are written in turn, column by column.
const NEAR: usize = 16;

/// Vectors of a matrix: element e of vector v is `values[start + v step + e element]`.
#[derive(Clone, Copy)]
pub(crate) struct Lines<'a> {
    pub values: &'a [f32],
    pub start: usize,
    pub step: usize,
    pub element: usize,
}

/// Vectors that meet lines.
#[derive(Clone, Copy)]
pub(crate) enum Vectors<'a> {
    Lines(Lines<'a>),
    /// What the windows of a convolution see of the image `x` in the channels from `channel` on, pixel after pixel of the
    /// output.
    Windows {
        windows: &'a Windows<'a>,
        x: &'a [f32],
        channel: usize,
    },
}

/// The windows of a convolution.
pub(crate) struct Windows<'a> {
    shape: &'a Conv2d,
    /// In the order of their pixels.
    runs: Vec<Run>,
    /// From a window to the next one of a run in the image.
    step: usize,
}

/// Windows side by side that see as many taps: they differ only by where they begin.
struct Run {
    first: usize,
    len: usize,
    /// What the first sees in the channels from 0 on.
    pairs: Pairs,
}

impl<'a> Windows<'a> {
    pub(crate) fn new(shape: &'a Conv2d) -> Self {
        let mut windows =
            Self { shape, runs: Vec::new(), step: shape.horizontal.stride * shape.input.column_stride };
        for pixel in 0..shape.output.height * shape.output.width {
            let pairs = windows.patch(0, pixel);
            match windows.runs.last_mut() {
                Some(run)
                    if windows.step > 0 && run.pairs.distance(&pairs) == Some(run.len * windows.step) =>
                {
                    run.len += 1;
                }
                _ => windows.runs.push(Run { first: pixel, len: 1, pairs }),
            }
        }
        windows
    }

    /// The pairs of a window, by the number of its output pixel.
    fn patch(&self, channel: usize, pixel: usize) -> Pairs {
        self.shape.patch(channel, pixel / self.shape.output.width, pixel % self.shape.output.width)
    }

    /// See [`Lines::load`]; what is not written is zero, as padding is.
    fn load<const W: usize>(&self, x: &[f32], channel: usize, first: usize, panel: &mut Columns<W>) {
        let mut column = 0;
        let start = self.runs.partition_point(|run| run.first + run.len <= first);
        for run in &self.runs[start..] {
            if column == panel.count {
                break;
            }
            let skipped = first + column - run.first;
            let count = (run.len - skipped).min(panel.count - column);
            let begin = channel * self.shape.input.channel_stride + skipped * self.step;
            run.pairs.for_each(|from, to| {
                let row = &mut panel.rows[to][column..column + count];
                let from = x[begin + from..].iter().step_by(self.step.max(1));
                row.iter_mut().zip(from).for_each(|(to, &from)| *to = from.into());
            });
            column += count;
        }
    }
}

/// The first `count` columns of a panel.
pub(crate) struct Columns<'a, const W: usize> {
    pub rows: &'a mut [[f64; W]],
    pub count: usize,
}

impl Lines<'_> {
    /// The `k` elements of a vector.
    pub(crate) fn line(&self, vector: usize, k: usize) -> Vec<f32> {
        let start = self.start + vector * self.step;
        (0..k).map(|element| self.values[start + element * self.element]).collect()
    }

    /// Writes the vectors from `first` on to the columns of `panel`, which has as many rows as they have elements.
    pub(crate) fn load<const W: usize>(&self, first: usize, panel: &mut Columns<W>) {
        let start = self.start + first * self.step;
        if self.step == 1 {
            for (element, row) in panel.rows.iter_mut().enumerate() {
                let from = &self.values[start + element * self.element..][..panel.count];
                row.iter_mut().zip(from).for_each(|(to, &from)| *to = from.into());
            }
            return;
        }
        // A few elements of all vectors at a time, so that what is written lies near.
        for (part, rows) in panel.rows.chunks_mut(NEAR).enumerate() {
            for column in 0..panel.count {
                let at = start + column * self.step + part * NEAR * self.element;
                if self.element == 1 {
                    let from = &self.values[at..at + rows.len()];
                    rows.iter_mut().zip(from).for_each(|(row, &from)| row[column] = from.into());
                } else {
                    for (element, row) in rows.iter_mut().enumerate() {
                        row[column] = self.values[at + element * self.element].into();
                    }
                }
            }
        }
    }
}

impl Vectors<'_> {
    /// See [`Lines::load`].
    pub(crate) fn load<const W: usize>(&self, first: usize, panel: &mut Columns<W>) {
        match self {
            Self::Lines(lines) => lines.load(first, panel),
            Self::Windows { windows, x, channel } => windows.load(x, *channel, first, panel),
        }
    }

    /// Calls `visit` with each pair of an element of a vector and one of `line`, but for those on the padding.
    pub(crate) fn for_each_pair(&self, vector: usize, line: &[f32], mut visit: impl FnMut(f32, f32)) {
        match self {
            Self::Lines(lines) => {
                lines.line(vector, line.len()).iter().zip(line).for_each(|(&a, &b)| visit(a, b));
            }
            Self::Windows { windows, x, channel } => {
                windows.patch(*channel, vector).for_each(|from, to| visit(x[from], line[to]));
            }
        }
    }
}
