use std::path::Path;

use opml_kernels::{Byte, ByteMatrix, IntegerMatMul, integer, integer_scratch};
use opml_toolchain::{GuestProgram, Weight};

use super::guest::GuestError;
use super::kernels::{KernelFigures, Random};

/// Activations of a quantised network.
#[derive(Clone, Copy)]
enum Activations {
    /// Normally distributed around the zero point 128; the range has 7 standard deviations.
    Normal,
    /// Any byte, the zero point being 128.
    Uniform,
    /// A digit: strokes on black, which is the zero point.
    Digit,
}

#[derive(Clone, Copy)]
enum Op {
    /// `MatMulInteger`.
    Sums,
    /// `QLinearMatMul`.
    Bytes,
    /// `MatMulInteger` with weights that are not packed.
    Plain,
}

/// A product of a vector with bytes: its K and N, and its data.
pub struct IntegerKernel {
    work: &'static str,
    k: usize,
    n: usize,
    op: Op,
    activations: Activations,
}

const fn dense(work: &'static str, [k, n]: [usize; 2], op: Op, activations: Activations) -> IntegerKernel {
    IntegerKernel { work, k, n, op, activations }
}

/// The products of bytes that are measured.
pub const INTEGER_KERNELS: &[IntegerKernel] = &[
    dense("int8 dense 784 x 500", [784, 500], Op::Sums, Activations::Normal),
    dense("int8 dense 784 x 500, uniform bytes", [784, 500], Op::Sums, Activations::Uniform),
    dense("int8 dense 784 x 500, a digit", [784, 500], Op::Sums, Activations::Digit),
    dense("int8 dense 384 x 384, QLinearMatMul", [384, 384], Op::Bytes, Activations::Normal),
    dense("int8 dense 384 x 100", [384, 100], Op::Sums, Activations::Normal),
    dense("int8 dense 784 x 500, weights not known", [784, 500], Op::Plain, Activations::Normal),
];

/// Bytes as words of the image.
pub(super) fn words(bytes: &[u8]) -> Vec<u32> {
    let word = |chunk: &[u8]| u32::from_be_bytes([0, 1, 2, 3].map(|at| chunk.get(at).copied().unwrap_or(0)));
    bytes.chunks(4).map(word).collect()
}

impl Activations {
    fn zero(self) -> u8 {
        if matches!(self, Self::Digit) { 0 } else { 128 }
    }

    fn bytes(self, random: &mut Random, len: usize) -> Vec<u8> {
        let byte = |at: usize| match self {
            Self::Normal => (128.0 + 256.0 / 7.0 * random.normal()).round() as u8,
            Self::Uniform => random.bits() as u8,
            Self::Digit => {
                if random.is_ink(at) {
                    random.bits() as u8 | 1
                } else {
                    0
                }
            }
        };
        (0..len).map(byte).collect()
    }
}

impl IntegerKernel {
    /// A guest that does nothing else.
    pub fn program(&self) -> GuestProgram {
        let Self { k, n, .. } = *self;
        let mut random = Random(7);
        let activations = self.activations.bytes(&mut random, k);
        // The largest of a row are about 3.3 standard deviations from zero.
        let weight = |random: &mut Random| (38.0 * random.normal()).round().clamp(-127.0, 127.0) as i8 as u8;
        let bytes: Vec<u8> = (0..k * n).map(|_| weight(&mut random)).collect();
        let b = ByteMatrix { bytes: &bytes, byte: Byte::Signed, zero: &[0] };
        let weights = if matches!(self.op, Op::Plain) { words(&bytes) } else { integer::pack(k, n, &b) };
        let arrays = [("INPUT", words(&activations)), ("WEIGHTS", weights)];
        let source = self.source(arrays[1].1.len());
        let weight =
            |(symbol, words): (&str, Vec<u32>)| Weight { symbol: symbol.to_owned(), words: words.into() };
        GuestProgram::generated(source, arrays.map(weight).into())
    }

    /// Runs the built program in `dir`.
    pub fn measure(&self, dir: &Path, program: &GuestProgram) -> Result<KernelFigures, GuestError> {
        let products = self.k * self.n;
        let grow = 4.0 * super::guest::words(&program.weights[1]) as f64 / products as f64;
        KernelFigures::measure(dir, self.work, products, grow)
    }

    fn source(&self, weights: usize) -> String {
        let Self { k, n, .. } = *self;
        let shape = IntegerMatMul { m: 1, k, n };
        let (scratch, zero) = (integer_scratch(&shape), self.activations.zero());
        let (call, element) = match self.op {
            Op::Sums => ("k::matmul_integer_packed(&shape, &a, &WEIGHTS, scratch, out)", "i32"),
            Op::Bytes => ("k::qlinear_matmul_packed(&shape, &a, &WEIGHTS, &RESULT, scratch, out)", "u8"),
            Op::Plain => ("k::matmul_integer(&shape, &a, &plain(), scratch, out)", "i32"),
        };
        format!(
            "#![no_std]
#![allow(dead_code)]
use core::slice::{{from_raw_parts, from_raw_parts_mut}};
use opml_kernels::{{self as k, Byte, ByteMatrix, IntegerMatMul, Requantise}};
use opml_runtime::{{Arena, Guest, Mips, Sys}};

unsafe extern \"C\" {{
    static INPUT: [u8; {k}];
    static WEIGHTS: [u32; {weights}];
}}

static OUTPUT: Arena<{n}> = Arena::new();
static SCRATCH: Arena<{scratch}> = Arena::new();
static RESULT: Requantise =
    Requantise {{ bias: &[0], multipliers: &[0.001], zero: 3, byte: Byte::Unsigned, rectified: false }};

/// The weights, where they are not packed.
unsafe fn plain() -> ByteMatrix<'static> {{
    // SAFETY: the weights object defines them, as bytes.
    let bytes = unsafe {{ from_raw_parts((&raw const WEIGHTS).cast(), {k} * {n}) }};
    ByteMatrix {{ bytes, byte: Byte::Signed, zero: &[0] }}
}}

fn main(_: Guest<Mips>) -> ! {{
    let shape = {shape:?};
    // SAFETY: the weights object defines the statics; each arena is used once.
    unsafe {{
        let (scratch, out) = (SCRATCH.words(0, {scratch}), OUTPUT.words(0, {n}).as_mut_ptr());
        let out: &mut [{element}] = from_raw_parts_mut(out.cast(), {n});
        let a = ByteMatrix {{ bytes: &INPUT, byte: Byte::Unsigned, zero: &[{zero}] }};
        {call};
        core::hint::black_box(out);
    }}
    Mips.exit(0)
}}

opml_runtime::program!(main);
"
        )
    }
}
