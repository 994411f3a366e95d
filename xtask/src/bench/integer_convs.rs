use std::path::Path;

use opml_kernels::spatial::Window;
use opml_kernels::{Conv2d, Image, integer_conv_scratch};
use opml_toolchain::{GuestProgram, Weight};

use super::guest::GuestError;
use super::integers::words;
use super::kernels::{KernelFigures, Random};

/// A convolution of bytes with the bytes of its result: `QLinearConv` of an image after a ReLU.
pub struct IntegerConv {
    work: &'static str,
    shape: Conv2d,
}

/// A square window over an image of square channels, with a border that keeps its size.
const fn conv(work: &'static str, channels: usize, size: usize, side: usize, groups: usize) -> IntegerConv {
    let image = Image::planes(channels, side, side);
    let window = Window::new(size, 1).padded(size / 2, size / 2);
    let shape = Conv2d { input: image, output: image, vertical: window, horizontal: window, groups };
    IntegerConv { work, shape }
}

/// The convolutions of bytes that are measured.
pub const INTEGER_CONVS: &[IntegerConv] = &[
    conv("int8 conv 3x3, 64 channels, 28x28", 64, 3, 28, 1),
    conv("int8 conv 3x3, 16 channels, 28x28", 16, 3, 28, 1),
    conv("int8 conv 3x3, 64 channels, 7x7", 64, 3, 7, 1),
    conv("int8 conv 1x1, 64 channels, 28x28", 64, 1, 28, 1),
    conv("int8 depthwise 3x3, 64 channels, 28x28", 64, 3, 28, 64),
    conv("int8 depthwise 5x5, 64 channels, 14x14", 64, 5, 14, 64),
];

impl IntegerConv {
    /// A guest that does nothing else.
    pub fn program(&self) -> GuestProgram {
        let mut random = Random(7);
        // The range has three and a half standard deviations; the zero point is 0.
        let pixel = |random: &mut Random| (73.0 * random.normal()).round().clamp(0.0, 255.0) as u8;
        let image: Vec<u8> = (0..self.shape.input.extent()).map(|_| pixel(&mut random)).collect();
        let weight = |random: &mut Random| (38.0 * random.normal()).round().clamp(-127.0, 127.0) as i8 as u8;
        let weights: Vec<u8> = (0..self.weights()).map(|_| weight(&mut random)).collect();
        let arrays = [("INPUT", words(&image)), ("WEIGHTS", words(&weights))];
        let weights = arrays.map(|(symbol, words)| Weight { symbol: symbol.to_owned(), words: words.into() });
        GuestProgram::generated(self.source(), weights.into())
    }

    fn weights(&self) -> usize {
        self.shape.output.channels * self.shape.taps()
    }

    /// Runs the built program in `dir`.
    pub fn measure(&self, dir: &Path) -> Result<KernelFigures, GuestError> {
        let pixels = self.shape.output.height * self.shape.output.width;
        KernelFigures::measure(dir, self.work, pixels * self.weights(), 1.0)
    }

    fn source(&self) -> String {
        let (shape, scratch) = (&self.shape, integer_conv_scratch(&self.shape));
        let (input, weights, output) = (shape.input.extent(), self.weights(), shape.output.extent());
        // About what makes the result as wide as the image.
        let multiplier = 1.0 / (38.0 * (shape.taps() as f32).sqrt());
        format!(
            "#![no_std]
use opml_kernels::{{self as k, Byte, ByteMatrix, Conv2d, Image, Requantise, spatial::Window}};
use opml_runtime::{{Arena, Guest, Mips, Sys}};

unsafe extern \"C\" {{
    static INPUT: [u8; {input}];
    static WEIGHTS: [u8; {weights}];
}}

static OUTPUT: Arena<{output}> = Arena::new();
static SCRATCH: Arena<{scratch}> = Arena::new();
static RESULT: Requantise =
    Requantise {{ bias: &[100], multipliers: &[{multiplier:?}], zero: 0, byte: Byte::Unsigned, rectified: true }};

fn main(_: Guest<Mips>) -> ! {{
    let shape = {shape:?};
    // SAFETY: the weights object defines the statics; each arena is used once.
    unsafe {{
        let (scratch, out) = (SCRATCH.words(0, {scratch}), OUTPUT.write::<u8>(0, {output}));
        let x = ByteMatrix {{ bytes: &INPUT, byte: Byte::Unsigned, zero: &[0] }};
        let w = ByteMatrix {{ bytes: &WEIGHTS, byte: Byte::Signed, zero: &[0] }};
        k::qlinear_conv2d(&shape, &x, &w, &RESULT, scratch, out);
        core::hint::black_box(out);
    }}
    Mips.exit(0)
}}

opml_runtime::program!(main);
"
        )
    }
}
