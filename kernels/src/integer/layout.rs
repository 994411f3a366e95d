//! The image of a convolution of bytes as its loops want it: two columns to a word, border included.

use crate::conv::Conv2d;
use crate::integer::{Byte, ByteMatrix};
use crate::spatial::{Image, Window};

/// The element in the middle, which a half of a word has as zero.
pub(super) const CENTRE: i32 = 128;
/// Both halves of a word, a centre each.
const CENTRES: u32 = (CENTRE as u32) << 16 | CENTRE as u32;
/// Most words of results that are computed at a time: as many as the guest has registers for.
pub(super) const MAX_STRIP: usize = 6;

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

    /// Words of a strip's record: where it lies in the image, in bytes, and its results, (g).
    pub(super) fn record(&self) -> usize {
        1 + 2 * self.strip
    }

    /// Words of all records.
    pub(super) fn record_words(&self) -> usize {
        self.shape.output.height * self.strips * self.record()
    }

    /// The first column of a strip.
    #[inline(always)]
    pub(super) fn first(&self, strip: usize) -> usize {
        (strip * self.strip).min(self.half - self.strip)
    }

    /// Writes where strips lie.
    pub(super) fn begin(&self, records: &mut [u32]) {
        for (index, record) in records.chunks_exact_mut(self.record()).enumerate() {
            let (row, strip) = (index / self.strips, index % self.strips);
            record[0] = 4 * (row * self.shape.vertical.stride * self.row + self.first(strip)) as u32;
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
        let zero = x.byte.level(x.zero[0]);
        let taller = span(vertical);
        for (channel, plane) in
            (channel..channel + self.shape.depth()).zip(words.chunks_exact_mut(self.plane))
        {
            for (at, row) in plane.chunks_exact_mut(self.row).enumerate() {
                // A row between windows is not read.
                if at % vertical.stride >= taller {
                    continue;
                }
                let inside = at.checked_sub(vertical.pad_before).filter(|&at| at < input.height);
                let Some(at) = inside else {
                    row.fill(pair(zero, zero));
                    continue;
                };
                let start = channel * input.channel_stride + at * input.row_stride;
                for (first, line) in row.chunks_exact_mut(self.line).enumerate() {
                    self.line(&x.bytes[start..], x.byte, zero, first, line);
                }
            }
        }
    }

    /// Writes a line: every so-manieth column from `first` on of the row `x`, border included.
    #[inline(always)]
    fn line(&self, x: &[u8], byte: Byte, zero: i32, first: usize, line: &mut [u32]) {
        let Conv2d { input, horizontal: Window { stride, pad_before, .. }, .. } = self.shape;
        let step = input.column_stride;
        // The words whose lower half is inside the image; the upper half is a lower one `self.half` words on.
        let word = |column: usize| (column + pad_before).saturating_sub(first).div_ceil(stride);
        let inside = word(0)..word(input.width);
        let place = |word: usize| (word * stride + first - pad_before) * step;
        let level = |word: usize| if inside.contains(&word) { byte.level(x[place(word)]) } else { zero };
        let begin = inside.start.min(line.len());
        let end = inside.end.saturating_sub(self.half).clamp(begin, line.len());
        for at in (0..begin).chain(end..line.len()) {
            line[at] = pair(level(at), level(at + self.half));
        }
        let Some(line) = line.get_mut(begin..end).filter(|line| !line.is_empty()) else { return };
        let (lower, upper) = (&x[place(begin)..], &x[place(begin + self.half)..]);
        if stride * step == 1 {
            for ((word, &lower), &upper) in line.iter_mut().zip(lower).zip(upper) {
                *word = pair(byte.level(lower), byte.level(upper));
            }
        } else {
            for (word, at) in line.iter_mut().zip((0..).step_by(stride * step)) {
                *word = pair(byte.level(lower[at]), byte.level(upper[at]));
            }
        }
    }
}

/// A word of two elements.
#[inline(always)]
fn pair(lower: i32, upper: i32) -> u32 {
    ((upper << 16 | lower) as u32).wrapping_sub(CENTRES)
}
