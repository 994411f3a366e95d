//! The image of a convolution of bytes as its loops want it: two columns to a word, border included.

use core::ops::Range;

use crate::conv::Conv2d;
use crate::integer::ByteMatrix;
use crate::spatial::{Image, Window};

/// The element in the middle, which a half of a word has as zero.
pub(super) const CENTRE: i32 = 128;
/// Both halves of a word, a centre each.
const CENTRES: u32 = (CENTRE as u32) << 16 | CENTRE as u32;
/// Most words of results that are computed at a time: as many as the guest has registers for.
const MAX_STRIP: usize = 7;

/// Where things lie.
///
/// Column c of the result and column c + `half` share a word. So do the columns of the image that they want, and neighbouring words belong to
/// neighbouring columns of the result: a row of the image is cut into as many lines as the windows' stride, each of which has every so-manieth column.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    /// The convolution; a row where it may be one.
    pub shape: Conv2d,
    /// Words of results of a row.
    pub half: usize,
    /// Words of results that are computed at a time.
    pub strip: usize,
    /// How often that is done for a row; the last time may overlap the one before.
    pub strips: usize,
    /// Words of a line.
    line: usize,
    /// Words of a row of the image.
    row: usize,
    /// Words of a channel.
    pub plane: usize,
}

/// Elements that a window reaches over, if it were not empty.
fn span(window: &Window) -> usize {
    window.size.saturating_sub(1) * window.dilation + 1
}

/// The same convolution in one row, if no window has more than one element and rows follow each other.
fn flat(shape: &Conv2d) -> Conv2d {
    let plain = |window: &Window| (window.size, window.stride, window.pad_before) == (1, 1, 0);
    let follows = |image: &Image| image.row_stride == image.width * image.column_stride;
    let (input, output) = (&shape.input, &shape.output);
    let same = (input.height, input.width) == (output.height, output.width);
    if !plain(&shape.vertical) || !plain(&shape.horizontal) || !same || !follows(input) || !follows(output) {
        return *shape;
    }
    let row = |image: &Image| Image { height: 1, width: image.height * image.width, ..*image };
    Conv2d { input: row(input), output: row(output), ..*shape }
}

/// Steps of two taps of a strip.
const fn pair_steps(strip: usize) -> usize {
    8 + 6 * strip
}

impl Layout {
    /// For a convolution whose result is not empty.
    #[inline]
    pub(super) fn new(shape: &Conv2d) -> Self {
        let shape = flat(shape);
        let half = shape.output.width.div_ceil(2);
        let mut strip = 1;
        for wider in 2..=MAX_STRIP.min(half) {
            if half.div_ceil(wider) * pair_steps(wider) <= half.div_ceil(strip) * pair_steps(strip) {
                strip = wider;
            }
        }
        let (tall, wide) = (span(&shape.vertical), span(&shape.horizontal));
        let stride = shape.horizontal.stride;
        let line = half + (wide - 1) / stride;
        let row = line * stride.min(wide);
        let plane = row * ((shape.output.height - 1) * shape.vertical.stride + tall);
        Self { shape, half, strip, strips: half.div_ceil(strip), line, row, plane }
    }

    /// Words of the channels that a window sees; of one if it sees none, as no list of taps is empty.
    pub(super) fn image_words(&self) -> usize {
        self.shape.depth().max(1) * self.plane
    }

    /// Words of where strips lie.
    pub(super) fn strip_words(&self) -> usize {
        2 * self.shape.output.height * self.strips
    }

    /// Words of the sums of a filter: whole words, and upper halves, (g).
    pub(super) fn sum_words(&self) -> usize {
        2 * self.shape.output.height * self.half
    }

    /// Writes where strips begin in the image and in the sums, in bytes.
    pub(super) fn strips(&self, words: &mut [u32]) {
        for (index, places) in words.as_chunks_mut().0.iter_mut().enumerate() {
            let (row, strip) = (index / self.strips, index % self.strips);
            let first = (strip * self.strip).min(self.half - self.strip);
            let below = row * self.shape.vertical.stride * self.row;
            *places = [below + first, row * self.half + first].map(|word| 4 * word as u32);
        }
    }

    /// Writes where the taps of a window lie, in bytes, in the order of the weights.
    pub(super) fn taps(&self, places: &mut [u32]) {
        let Conv2d { vertical, horizontal, .. } = &self.shape;
        let rows = (0..self.shape.depth())
            .flat_map(|channel| (0..vertical.size).map(move |tap| (channel, tap * vertical.dilation)));
        for ((channel, below), places) in rows.zip(places.chunks_exact_mut(horizontal.size.max(1))) {
            for (tap, place) in places.iter_mut().enumerate() {
                let right = tap * horizontal.dilation;
                let (column, line) = (right / horizontal.stride, right % horizontal.stride);
                *place = 4 * (channel * self.plane + below * self.row + line * self.line + column) as u32;
            }
        }
    }

    /// Writes the channels from `channel` on.
    #[inline(never)]
    pub(super) fn fill(&self, x: &ByteMatrix, channel: usize, words: &mut [u32]) {
        let Conv2d { input, vertical, .. } = &self.shape;
        let taller = span(vertical);
        for first in 0..self.row / self.line {
            let line = Line::new(self, x, first);
            for (channel, plane) in
                (channel..channel + self.shape.depth()).zip(words.chunks_exact_mut(self.plane))
            {
                for (at, row) in plane.chunks_exact_mut(self.row).enumerate() {
                    // A row between windows is not read.
                    if at % vertical.stride >= taller {
                        continue;
                    }
                    let words = &mut row[first * self.line..][..self.line];
                    match at.checked_sub(vertical.pad_before).filter(|&at| at < input.height) {
                        Some(at) => line
                            .write(&x.bytes[channel * input.channel_stride + at * input.row_stride..], words),
                        None => words.fill(line.pair(line.zero, line.zero)),
                    }
                }
            }
        }
    }
}

/// Every so-manieth column of a row.
struct Line {
    /// From the element of a word to that of the next.
    step: usize,
    /// From the element of the lower half to that of the upper half.
    beside: usize,
    /// The words whose lower half is inside the image; the upper half is as many words on as half a row of results has.
    inside: Range<usize>,
    half: usize,
    /// The words that are so with both halves.
    both: Range<usize>,
    /// Where the lower half of the first word would be, less what is to be subtracted.
    start: [usize; 2],
    /// The zero point, as a byte.
    zero: u8,
    /// What makes levels of a pair of bytes.
    flip: u32,
}

impl Line {
    /// That of the columns from `first` on, border included.
    fn new(layout: &Layout, x: &ByteMatrix, first: usize) -> Self {
        let Conv2d { input, horizontal: Window { stride, pad_before, .. }, .. } = &layout.shape;
        let (half, step) = (layout.half, input.column_stride);
        let word = |column: usize| (column + pad_before).saturating_sub(first).div_ceil(*stride);
        let inside = word(0)..word(input.width);
        let begin = inside.start.min(layout.line);
        let end = inside.end.saturating_sub(half).clamp(begin, layout.line);
        Self {
            step: stride * step,
            beside: half * stride * step,
            inside,
            half,
            both: begin..end,
            start: [first * step, pad_before * step],
            zero: x.zero[0],
            flip: u32::from(x.byte.of_level(0)) * 0x0001_0001,
        }
    }

    /// A word of two bytes.
    #[inline(always)]
    fn pair(&self, lower: u8, upper: u8) -> u32 {
        ((u32::from(upper) << 16 | u32::from(lower)) ^ self.flip).wrapping_sub(CENTRES)
    }

    /// The element of the row `x` in the lower half of a word.
    #[inline(always)]
    fn element(&self, x: &[u8], word: usize) -> u8 {
        if !self.inside.contains(&word) {
            return self.zero;
        }
        x[word * self.step + self.start[0] - self.start[1]]
    }

    /// Writes the line of the row `x`.
    #[inline(always)]
    fn write(&self, x: &[u8], words: &mut [u32]) {
        for at in (0..self.both.start).chain(self.both.end..words.len()) {
            words[at] = self.pair(self.element(x, at), self.element(x, at + self.half));
        }
        if self.both.is_empty() {
            return;
        }
        let words = &mut words[self.both.clone()];
        let lower = &x[self.both.start * self.step + self.start[0] - self.start[1]..];
        let upper = &lower[self.beside..];
        if self.step == 1 {
            // Four at a time, as counting would take as many steps as the work.
            let (fours, rest) = words.as_chunks_mut::<4>();
            let done = 4 * fours.len();
            for (words, (lower, upper)) in
                fours.iter_mut().zip(lower.as_chunks::<4>().0.iter().zip(upper.as_chunks::<4>().0))
            {
                words[0] = self.pair(lower[0], upper[0]);
                words[1] = self.pair(lower[1], upper[1]);
                words[2] = self.pair(lower[2], upper[2]);
                words[3] = self.pair(lower[3], upper[3]);
            }
            for (word, (&lower, &upper)) in rest.iter_mut().zip(lower[done..].iter().zip(&upper[done..])) {
                *word = self.pair(lower, upper);
            }
        } else {
            for (word, at) in words.iter_mut().zip((0..).step_by(self.step)) {
                *word = self.pair(lower[at], upper[at]);
            }
        }
    }
}
