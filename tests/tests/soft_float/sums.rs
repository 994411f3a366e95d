// Checksums of what each operation makes of many numbers. The guest and the test compile this same text, the one with
// soft-float, the other with the hardware.

use core::hint::black_box;

use opml_kernels::elementary;

/// Pairs in a block, and blocks: 2^20 pairs.
pub const PAIRS: u32 = 1 << 16;
pub const BLOCKS: usize = 16;

/// What is summed up, in the order of the sums.
pub const OPERATIONS: [&str; 14] = [
    "a + b",
    "a - b",
    "a * b",
    "a / b",
    "comparisons of f32",
    "f32 and integers",
    "f64 arithmetic",
    "f64 comparisons",
    "f64 conversions",
    "square root",
    "exp and log",
    "tanh",
    "sigmoid",
    "erf",
];

/// Of the functions with careful ways one argument in so many is enough.
const SPARSE: u32 = 8;

/// Bits with one NaN. It asks the bits, since to the compiler one NaN is as good as another.
fn bits(x: f32) -> u32 {
    let bits = x.to_bits();
    if bits << 1 > 0xff00_0000 { 0x7fc0_0000 } else { bits }
}

fn bits64(x: f64) -> u32 {
    let bits = x.to_bits();
    let bits = if bits << 1 > 0xffe0_0000_0000_0000 { 0x7ff8_0000_0000_0000 } else { bits };
    bits as u32 ^ (bits >> 32) as u32
}

struct Sum(u32);

impl Sum {
    fn add(&mut self, word: u32) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b1);
    }
}

/// Relations as bits, each asked for by itself, since each is a call of its own.
fn relations<T: PartialOrd>(a: T, b: T) -> u32 {
    u32::from(a < b)
        | u32::from(a <= b) << 1
        | u32::from(a > b) << 2
        | u32::from(a >= b) << 3
        | u32::from(a == b) << 4
        | u32::from(a != b) << 5
}

/// The sums of one block.
pub fn sums(block: u32) -> [u32; OPERATIONS.len()] {
    let mut sums = [const { Sum(0) }; OPERATIONS.len()];
    let mut state = block.wrapping_mul(0x9e37_79b9);
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state ^ state >> 15
    };
    for pair in 0..PAIRS {
        let (mut a, mut b) = (random(), random());
        if pair % 4 != 0 {
            // Close to one, half of them with short mantissas, where ties are common.
            let keep = if pair % 2 == 0 { 0x83ff_ffff } else { 0x83ff_f800 };
            (a, b) = (a & keep | 0x3c00_0000, b & keep | 0x3c00_0000);
        }
        let (x, y) = (black_box(f32::from_bits(a)), black_box(f32::from_bits(b)));
        singles(&mut sums, x, y);
        // Nothing that depends on the upper half only: a random lower one.
        let wide = |x: u32, low: u32| black_box(f64::from_bits(u64::from(x) << 32 | u64::from(low)));
        doubles(&mut sums, wide(a, b.wrapping_mul(a)), wide(b, a.rotate_left(7)));
        sums[9].add(elementary::sqrt(x).to_bits());
        if pair % SPARSE == 0 {
            let x = f32::from_bits(x.to_bits() ^ pair << 28);
            sums[10].add(elementary::exp(x).to_bits() ^ elementary::log(x).to_bits().rotate_left(9));
            sums[11].add(elementary::tanh(x).to_bits());
            sums[12].add(elementary::sigmoid(x).to_bits());
            sums[13].add(elementary::erf(x).to_bits());
        }
    }
    sums.map(|sum| sum.0)
}

fn singles(sums: &mut [Sum], x: f32, y: f32) {
    sums[0].add(bits(x + y));
    sums[1].add(bits(x - y));
    sums[2].add(bits(x * y));
    sums[3].add(bits(x / y));
    sums[4].add(relations(x, y));
    let integers = x as i32 as u32 ^ (y as u32).rotate_left(3) ^ x as i64 as u32 ^ (y as u64 >> 20) as u32;
    let (word, long) = (x.to_bits(), u64::from(x.to_bits()) << 20 | u64::from(y.to_bits()));
    let floats = bits(word as f32) ^ bits(word as i32 as f32) ^ bits(long as f32) ^ bits(!long as i64 as f32);
    sums[5].add(integers ^ floats);
}

fn doubles(sums: &mut [Sum], x: f64, y: f64) {
    sums[6].add(bits64(x + y));
    sums[6].add(bits64(x - y));
    sums[6].add(bits64(x * y));
    sums[6].add(bits64(x / y));
    sums[7].add(relations(x, y));
    let integers = x as i32 as u32 ^ (y as u32).rotate_left(3) ^ x as i64 as u32 ^ (y as u64 >> 20) as u32;
    let long = x.to_bits() ^ y.to_bits();
    let floats = bits64(long as u32 as f64)
        ^ bits64(long as i32 as f64)
        ^ bits64(long as f64)
        ^ bits64(!long as i64 as f64);
    sums[8].add(integers ^ floats ^ bits(x as f32) ^ bits64(f64::from(f32::from_bits(long as u32))));
}
