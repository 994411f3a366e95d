//! Products and convolutions of bytes in the VM: what the guest's assembly makes of hostile data is what plain sums in 64 bits are.
//!
//! One guest takes any number of problems with their shapes and data as its input, as in `dots.rs`.

mod convolutions;

#[path = "../../../kernels/tests/support/mod.rs"]
mod support;

use std::path::Path;

use opml_kernels::integer::pack;
use opml_kernels::{Byte, IntegerMatMul, Requantise, integer_scratch, qlinear_matmul_packed};
use opml_tests::batch::Batch;
use opml_tests::program::bare;
use support::Random;
use support::bytes::{FAMILIES, Family, Problem};

/// Words of input and of output of a run, and of scratch.
const INPUT: usize = 1 << 19;
const OUTPUT: usize = 1 << 16;
const SCRATCH: usize = 1 << 17;

/// Words in front of a product: m, k, n, words of the packed weights, zero points of B, kinds of A, B and the result, zero points
/// of A and of the result, the multiplier.
const HEAD: usize = 10;

/// For each product: its head, and in whole words A, B, its zero points and the packed weights. A zero ends the list. The
/// result is the sums with packed weights, those without, and the bytes, a word each.
fn source() -> String {
    format!(
        "#![no_std]\nconst INPUT_LEN: usize = {INPUT};\nconst OUTPUT_LEN: usize = {OUTPUT};\n\
         const SCRATCH_LEN: usize = {SCRATCH};\nconst HEAD_LEN: usize = {HEAD};\n{}",
        include_str!("guest.rs")
    )
}

/// Bytes as the guest's memory has them.
fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks(4).map(|chunk| {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        u32::from_be_bytes(word)
    })
}

/// The words of a product for the guest, and the results that it gives.
fn problem_words(problem: &Problem, result: &Requantise) -> [Vec<u32>; 2] {
    let (shape, [a, b]) = (&problem.shape, problem.matrices());
    let IntegerMatMul { m, k, n } = *shape;
    let packed = pack(k, n, &b);
    assert!(integer_scratch(shape) <= SCRATCH);
    let kind = |byte: Byte| u32::from(byte == Byte::Signed);
    let mut input = [m, k, n, packed.len(), b.zero.len()].map(|v| v as u32).to_vec();
    input.extend([kind(a.byte), kind(b.byte), kind(result.byte)]);
    input.extend([u32::from(a.zero[0]) | u32::from(result.zero) << 8, result.multipliers[0].to_bits()]);
    input.extend(words(a.bytes).chain(words(b.bytes)).chain(words(b.zero)));
    input.extend(&packed);
    let sums = problem.sums();
    let mut bytes = vec![0; m * n];
    // The kernels' tests compare these with the formula.
    qlinear_matmul_packed(shape, &a, &packed, result, &mut vec![0; integer_scratch(shape)], &mut bytes);
    let mut expected: Vec<u32> = sums.iter().chain(&sums).map(|&sum| sum as u32).collect();
    expected.extend(bytes.into_iter().map(u32::from));
    [input, expected]
}

#[test]
fn the_guest_gives_a_hundred_thousand_hostile_sums_as_defined() {
    let prestate = bare("integers", &source(), Path::new(env!("CARGO_TARGET_TMPDIR")));
    let mut random = Random(61);
    // The guest looks at one word to see the end.
    let mut batch = Batch::new(prestate, [INPUT, OUTPUT], 1);
    let mut take = |shape, [a, b]: [Family; 2], random: &mut Random| {
        let problem = Problem::new(random, shape, a, b);
        let multiplier = [0.5, 2f32.powi(-11), 1.5e-3, -2f32.powi(-18)][random.below(4)];
        let result = Requantise {
            bias: &[0],
            rectified: false,
            multipliers: &[multiplier],
            zero: random.bits() as u8,
            byte: [Byte::Unsigned, Byte::Signed][random.below(2)],
        };
        let [input, expected] = problem_words(&problem, &result);
        batch.push(&input, &expected, &format!("{a:?} x {b:?}, {shape:?}"));
    };
    for families in FAMILIES.iter().flat_map(|&a| FAMILIES.map(|b| [a, b])) {
        for _ in 0..60 {
            let shape =
                IntegerMatMul { m: 1 + random.below(3), k: 1 + random.below(60), n: 1 + random.below(20) };
            take(shape, families, &mut random);
        }
        for k in [384, 20_000] {
            let shape = IntegerMatMul { m: 1, k, n: 1 + random.below(40_000 / k).min(20) };
            take(shape, families, &mut random);
        }
    }
    let results = batch.finish();
    assert!(results >= 100_000, "only {results} results");
}
