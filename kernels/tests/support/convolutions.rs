//! Convolutions of bytes, and their sums in 64 bits.

use opml_kernels::spatial::Window;
use opml_kernels::{Byte, ByteMatrix, Conv2d, Image};

use super::Random;
use super::bytes::{Family, bytes, kind, value, zero};

/// A convolution with its operands.
#[derive(Clone, Debug)]
pub struct Convolution {
    pub shape: Conv2d,
    /// Those of the image and of the filters.
    pub bytes: [Vec<u8>; 2],
    pub kinds: [Byte; 2],
    pub zeros: [Vec<u8>; 2],
}

/// An image with channels first or last, or with gaps.
pub fn image(random: &mut Random, channels: usize, [height, width]: [usize; 2]) -> Image {
    match random.below(4) {
        0 => Image::channels_last(channels, height, width),
        1 => {
            let planes = Image::planes(channels, height, width + 2);
            Image { width, ..planes }
        }
        _ => Image::planes(channels, height, width),
    }
}

/// A random shape with `groups` and as many results along each side as `output` says.
pub fn shape(random: &mut Random, groups: usize, output: [usize; 2]) -> Conv2d {
    let [vertical, horizontal] = [(); 2].map(|()| Window {
        size: 1 + random.below(4),
        stride: 1 + random.below(3),
        dilation: 1 + random.below(3),
        pad_before: random.below(4),
        pad_after: 0,
    });
    // What is not there is border.
    let side = |window: &Window, count: usize, random: &mut Random| {
        let reach = (count - 1) * window.stride + (window.size - 1) * window.dilation + 1;
        (reach.saturating_sub(window.pad_before + random.below(3))).max(1)
    };
    let sides = [side(&vertical, output[0], random), side(&horizontal, output[1], random)];
    let (depth, filters) = (1 + random.below(4), 1 + random.below(3));
    Conv2d {
        input: image(random, depth * groups, sides),
        output: image(random, filters * groups, output),
        vertical,
        horizontal,
        groups,
    }
}

impl Convolution {
    /// Random operands of two families.
    pub fn new(random: &mut Random, shape: Conv2d, x: Family, w: Family) -> Self {
        let kinds =
            if [x, w].contains(&Family::High) { [Byte::Unsigned; 2] } else { [kind(random), kind(random)] };
        let x_zero = zero(random, x);
        let filters = if random.below(2) == 0 { 1 } else { shape.output.channels };
        let w_zeros: Vec<_> = (0..filters).map(|_| zero(random, w)).collect();
        let weights = shape.output.channels * shape.taps();
        let bytes = [bytes(random, x, x_zero, shape.input.extent()), bytes(random, w, w_zeros[0], weights)];
        Self { shape, bytes, kinds, zeros: [vec![x_zero], w_zeros] }
    }

    /// The operands.
    pub fn operands(&self) -> [ByteMatrix<'_>; 2] {
        [0, 1].map(|side| ByteMatrix {
            bytes: &self.bytes[side],
            byte: self.kinds[side],
            zero: &self.zeros[side],
        })
    }

    /// The sum of each result by the definition, in 64 bits, as it wraps around: with its place and its filter.
    pub fn sums(&self) -> Vec<(usize, usize, i32)> {
        let Conv2d { output, .. } = &self.shape;
        let mut sums = Vec::new();
        for filter in 0..output.channels {
            for row in 0..output.height {
                for column in 0..output.width {
                    let place = filter * output.channel_stride
                        + row * output.row_stride
                        + column * output.column_stride;
                    sums.push((place, filter, self.sum(filter, row, column) as i32));
                }
            }
        }
        sums
    }

    fn sum(&self, filter: usize, row: usize, column: usize) -> i64 {
        let Conv2d { input, output, vertical, horizontal, groups } = &self.shape;
        let number = |side: usize, byte: u8| i64::from(value(self.kinds[side], byte));
        let zeros = &self.zeros[1];
        let (x_zero, w_zero) = (self.zeros[0][0], zeros[if zeros.len() == 1 { 0 } else { filter }]);
        let depth = input.channels / groups;
        let first = filter / (output.channels / groups) * depth;
        let mut weights = self.bytes[1][filter * self.shape.taps()..].iter();
        let mut sum = 0;
        for channel in first..first + depth {
            for i in 0..vertical.size {
                for j in 0..horizontal.size {
                    let w = number(1, *weights.next().expect("a weight for each tap")) - number(1, w_zero);
                    let y = (row * vertical.stride + i * vertical.dilation).checked_sub(vertical.pad_before);
                    let x = (column * horizontal.stride + j * horizontal.dilation)
                        .checked_sub(horizontal.pad_before);
                    if let (Some(y), Some(x)) = (y, x)
                        && y < input.height
                        && x < input.width
                    {
                        let place =
                            channel * input.channel_stride + y * input.row_stride + x * input.column_stride;
                        sum += w * (number(0, self.bytes[0][place]) - number(0, x_zero));
                    }
                }
            }
        }
        sum
    }
}
