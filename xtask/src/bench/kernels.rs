use std::path::Path;

use opml_kernels::spatial::Window;
use opml_kernels::{Conv2d, Image, MatMul, packed, planes_scratch};
use opml_toolchain::{GuestProgram, Weight};
use opml_vm::Request;
use serde::Serialize;

use super::guest::{GuestError, prestate, steps};

/// What one kernel costs, everything about it included.
#[derive(Debug, Serialize)]
pub struct KernelFigures {
    /// What is computed.
    pub work: &'static str,
    /// Steps, but for a handful around the call.
    pub steps: u64,
    /// Multiply-accumulates, padding included.
    pub multiply_accumulates: u64,
    /// The first by the second.
    pub steps_per_multiply_accumulate: f64,
    /// Bytes of the packed weights, by those of the weights.
    pub weights_grow: f64,
}

impl KernelFigures {
    /// Runs the built program in `dir`.
    pub(super) fn measure(
        dir: &Path,
        work: &'static str,
        products: usize,
        weights_grow: f64,
    ) -> Result<Self, GuestError> {
        let steps = steps(&prestate(dir)?, Request::default())?;
        let multiply_accumulates = products as u64;
        let steps_per_multiply_accumulate = steps as f64 / multiply_accumulates as f64;
        Ok(Self { work, steps, multiply_accumulates, steps_per_multiply_accumulate, weights_grow })
    }
}

/// Numbers as trained networks have them.
#[derive(Clone, Copy)]
enum Data {
    /// Normally distributed.
    Normal,
    /// The same without the negative ones.
    Relu,
    /// A digit: strokes on black.
    Digit,
}

/// A kernel with its shape and the kind of its input.
pub struct Kernel {
    /// What is computed.
    pub work: &'static str,
    op: Op,
    data: Data,
}

enum Op {
    MatMul(MatMul),
    Conv2d(Conv2d),
    Depthwise(Conv2d),
}

const fn product(work: &'static str, [m, k, n]: [usize; 3], data: Data) -> Kernel {
    Kernel { work, op: Op::MatMul(MatMul::new(m, k, n)), data }
}

const fn conv(work: &'static str, channels: usize, window: usize, data: Data) -> Kernel {
    let image = Image::planes(channels, 28, 28);
    let side = Window::new(window, 1).padded(window / 2, window / 2);
    let shape = Conv2d { input: image, output: image, vertical: side, horizontal: side, groups: 1 };
    Kernel { work, op: Op::Conv2d(shape), data }
}

/// With 64 channels.
const fn depthwise(work: &'static str, size: usize, side: usize, stride: usize, data: Data) -> Kernel {
    let window = Window::new(size, stride).padded(size / 2, size / 2);
    let (input, output) = (Image::planes(64, side, side), Image::planes(64, side / stride, side / stride));
    let shape = Conv2d { input, output, vertical: window, horizontal: window, groups: 64 };
    Kernel { work, op: Op::Depthwise(shape), data }
}

/// The kernels that are measured.
pub const KERNELS: &[Kernel] = &[
    product("dense 784 x 500, one vector", [1, 784, 500], Data::Normal),
    product("dense 784 x 500, one vector after ReLU", [1, 784, 500], Data::Relu),
    product("dense 784 x 500, a digit", [1, 784, 500], Data::Digit),
    product("dense 384 x 384, one vector", [1, 384, 384], Data::Normal),
    product("dense 784 x 500, 8 vectors", [8, 784, 500], Data::Normal),
    product("dense 384 x 384, 16 vectors", [16, 384, 384], Data::Normal),
    conv("conv 3x3, 32 channels, 28x28, after ReLU", 32, 3, Data::Relu),
    conv("conv 3x3, 32 channels, 28x28", 32, 3, Data::Normal),
    conv("conv 3x3, 64 channels, 28x28, after ReLU", 64, 3, Data::Relu),
    conv("conv 1x1, 64 channels, 28x28, after ReLU", 64, 1, Data::Relu),
    conv("conv 1x1, 64 channels, 28x28", 64, 1, Data::Normal),
    conv("conv 1x1, 128 channels, 28x28", 128, 1, Data::Normal),
    depthwise("depthwise 3x3, 64 channels, 28x28, after ReLU", 3, 28, 1, Data::Relu),
    depthwise("depthwise 3x3, 64 channels, 28x28", 3, 28, 1, Data::Normal),
    depthwise("depthwise 3x3, 64 channels, 28x28, stride 2, after ReLU", 3, 28, 2, Data::Relu),
    depthwise("depthwise 3x3, 64 channels, 7x7, after ReLU", 3, 7, 1, Data::Relu),
    depthwise("depthwise 5x5, 64 channels, 14x14, after ReLU", 5, 14, 1, Data::Relu),
];

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
pub(super) struct Random(pub u64);

impl Random {
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// Whether there is a stroke of a digit at pixel `at` of pictures of 28 x 28.
    pub(super) fn is_ink(&mut self, at: usize) -> bool {
        let (row, column) = (at / 28 % 28, at % 28);
        (5..23).contains(&row) && (7..21).contains(&column) && self.bits() % 5 < 2
    }

    /// Roughly normal, standard deviation 1.
    pub(super) fn normal(&mut self) -> f32 {
        let sum: f64 = (0..12).map(|_| self.bits() as f64 / 2f64.powi(64)).sum();
        (sum - 6.0) as f32
    }

    fn input(&mut self, data: Data, len: usize) -> Vec<f32> {
        let value = |at: usize| match data {
            Data::Normal => self.normal(),
            Data::Relu => self.normal().max(0.0),
            Data::Digit => {
                if self.is_ink(at) {
                    (self.bits() % 255 + 1) as f32 / 255.0
                } else {
                    0.0
                }
            }
        };
        (0..len).map(value).collect()
    }
}

impl Kernel {
    /// Sums of each vector and the products of each, the length of the input and of the output.
    fn lengths(&self) -> [usize; 4] {
        match &self.op {
            Op::MatMul(shape) => [shape.n, shape.k, shape.m * shape.k, shape.m * shape.n],
            Op::Conv2d(shape) | Op::Depthwise(shape) => {
                let k = shape.input.channels / shape.groups * shape.vertical.size * shape.horizontal.size;
                [shape.output.channels, k, shape.input.extent(), shape.output.extent()]
            }
        }
    }

    /// A guest that does nothing else.
    pub fn program(&self) -> GuestProgram {
        let [n, k, input, output] = self.lengths();
        let (call, scratch) = match &self.op {
            Op::MatMul(shape) => (format!("k::matmul_packed(&{shape:?}"), packed::matmul_scratch(shape)),
            Op::Conv2d(shape) => (format!("k::conv2d_packed(&{shape:?}"), packed::conv2d_scratch(shape)),
            Op::Depthwise(shape) => (format!("k::conv2d_planes(&{shape:?}"), planes_scratch(shape)),
        };
        let (declared, operand) = match &self.op {
            Op::Depthwise(_) => (format!("[f32; {}]", k * n), "&WEIGHTS"),
            _ => ("Counted".to_owned(), "WEIGHTS.words()"),
        };
        let source = format!(
            "#![no_std]
use opml_kernels::{{self as k, Conv2d, Image, MatMul, spatial::Window}};
use opml_runtime::{{Arena, Counted, Guest, Mips, Sys}};

unsafe extern \"C\" {{
    static INPUT: [f32; {input}];
    static WEIGHTS: {declared};
    static BIAS: [f32; {n}];
}}

static OUTPUT: Arena<{output}> = Arena::new();
static SCRATCH: Arena<{scratch}> = Arena::new();

fn main(_: Guest<Mips>) -> ! {{
    // SAFETY: the weights object defines the statics; each arena is used once.
    unsafe {{
        let (scratch, output) = (SCRATCH.words(0, {scratch}), OUTPUT.write(0, {output}));
        {call}, &INPUT, {operand}, Some(&BIAS), scratch, output);
        core::hint::black_box(output);
    }}
    Mips.exit(0)
}}

opml_runtime::program!(main);
"
        );
        let mut random = Random(7);
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        let weights: Vec<f32> = (0..k * n).map(|_| random.normal() * 0.05).collect();
        let bias: Vec<f32> = (0..n).map(|_| random.normal() * 0.1).collect();
        let packed = match &self.op {
            Op::Depthwise(_) => bits(&weights),
            _ => packed::pack(k, n, |row, element| weights[row * k + element]),
        };
        let arrays =
            [("INPUT", bits(&random.input(self.data, input))), ("WEIGHTS", packed), ("BIAS", bits(&bias))];
        let weights = arrays.map(|(symbol, words)| Weight { symbol: symbol.to_owned(), words: words.into() });
        GuestProgram::generated(source, weights.into())
    }

    /// Runs the built program in `dir`.
    pub fn measure(&self, dir: &Path, program: &GuestProgram) -> Result<KernelFigures, GuestError> {
        let [n, k, _, output] = self.lengths();
        let grow = super::guest::words(&program.weights[1]) as f64 / (k * n) as f64;
        KernelFigures::measure(dir, self.work, output * k, grow)
    }
}
