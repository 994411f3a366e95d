//! What convolutions and pools share: how an image lies in memory, and which part of a window does.

/// An image, or feature map: `channels` planes of `height` x `width` numbers, with the distance in
/// elements between neighbours along each of the three. The images of a batch are passed one by one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Image {
    /// Number of planes.
    pub channels: usize,
    /// Rows of a plane.
    pub height: usize,
    /// Columns of a plane.
    pub width: usize,
    /// Elements between a pixel and the same pixel of the next plane.
    pub channel_stride: usize,
    /// Elements between a pixel and the one below it.
    pub row_stride: usize,
    /// Elements between a pixel and the one to its right.
    pub column_stride: usize,
}

impl Image {
    /// Plane after plane, as in ONNX.
    pub const fn planes(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width, channel_stride: height * width, row_stride: width, column_stride: 1 }
    }

    /// Channels innermost, as in TensorFlow.
    pub const fn channels_last(channels: usize, height: usize, width: usize) -> Self {
        Self {
            channels,
            height,
            width,
            channel_stride: 1,
            row_stride: width * channels,
            column_stride: channels,
        }
    }

    /// Where a pixel lies.
    #[inline(always)]
    pub(crate) const fn at(&self, channel: usize, row: usize, column: usize) -> usize {
        channel * self.channel_stride + row * self.row_stride + column * self.column_stride
    }

    /// Length of the shortest slice that holds the image.
    pub const fn extent(&self) -> usize {
        if self.channels == 0 || self.height == 0 || self.width == 0 {
            return 0;
        }
        1 + (self.channels - 1) * self.channel_stride
            + (self.height - 1) * self.row_stride
            + (self.width - 1) * self.column_stride
    }
}

/// A window along one dimension: where it is applied, and how it is spread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Taps.
    pub size: usize,
    /// Distance between the windows of neighbouring outputs.
    pub stride: usize,
    /// Distance between neighbouring taps.
    pub dilation: usize,
    /// Positions added before the first input.
    pub pad_before: usize,
    /// Positions added after the last input.
    pub pad_after: usize,
}

impl Window {
    /// A window without padding or dilation.
    pub const fn new(size: usize, stride: usize) -> Self {
        Self { size, stride, dilation: 1, pad_before: 0, pad_after: 0 }
    }

    /// The same window with padding on both sides.
    pub const fn padded(self, before: usize, after: usize) -> Self {
        Self { pad_before: before, pad_after: after, ..self }
    }

    /// The taps of output `index` that meet one of `len` inputs.
    ///
    /// Counts instead of dividing: windows are short, and a division would bring a check for zero.
    #[inline]
    pub(crate) fn taps(&self, index: usize, len: usize) -> Taps {
        let mut position = index * self.stride;
        let mut first = 0;
        while first < self.size && position < self.pad_before {
            position += self.dilation;
            first += 1;
        }
        let input = position.wrapping_sub(self.pad_before);
        let mut count = 0;
        let mut next = input;
        while first + count < self.size && next < len {
            next += self.dilation;
            count += 1;
        }
        Taps { first, count, input }
    }

    /// The taps of output `index` that meet one of `len` inputs or the padding.
    #[inline]
    pub(crate) fn padded_taps(&self, index: usize, len: usize) -> usize {
        let whole = Self { pad_before: 0, pad_after: 0, ..*self };
        whole.taps(index, self.pad_before + len + self.pad_after).count
    }
}

/// The taps `first .. first + count` of a window; the first lies on input `input`.
#[derive(Clone, Copy)]
pub(crate) struct Taps {
    pub first: usize,
    pub count: usize,
    pub input: usize,
}
