//! Products of bytes in the VM: what the guest's assembly makes of hostile data is what plain sums in 64 bits are.
//!
//! One guest takes any number of products with their shapes and data as its input, as in `dots.rs`.

#[path = "../../../kernels/tests/support/mod.rs"]
mod support;

use std::path::Path;

use opml_abi::{Tensor, encode_blob, exit};
use opml_kernels::integer::pack;
use opml_kernels::{Byte, IntegerMatMul, Requantise, integer_scratch, qlinear_matmul_packed};
use opml_state::Hash;
use opml_tests::guest;
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

/// Products that fit into one run, and what they give.
#[derive(Default)]
struct Batch {
    input: Vec<u32>,
    expected: Vec<u32>,
    names: Vec<String>,
}

/// Bytes as the guest's memory has them.
fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks(4).map(|chunk| {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        u32::from_be_bytes(word)
    })
}

impl Batch {
    /// Takes a product, if there is room for it.
    fn push(&mut self, problem: &Problem, result: &Requantise, name: &str) -> bool {
        let (shape, [a, b]) = (&problem.shape, problem.matrices());
        let IntegerMatMul { m, k, n } = *shape;
        let packed = pack(k, n, &b);
        let taken = HEAD + (m * k).div_ceil(4) + (k * n).div_ceil(4) + n.div_ceil(4) + packed.len();
        assert!(integer_scratch(shape) <= SCRATCH);
        if self.input.len() + taken + 1 > INPUT || self.expected.len() + 3 * m * n > OUTPUT {
            return false;
        }
        let kind = |byte: Byte| u32::from(byte == Byte::Signed);
        self.input.extend([m, k, n, packed.len(), b.zero.len()].map(|v| v as u32));
        self.input.extend([kind(a.byte), kind(b.byte), kind(result.byte)]);
        self.input
            .extend([u32::from(a.zero[0]) | u32::from(result.zero) << 8, result.multipliers[0].to_bits()]);
        self.input.extend(words(a.bytes).chain(words(b.bytes)).chain(words(b.zero)));
        self.input.extend(&packed);
        let sums = problem.sums();
        let mut bytes = vec![0; m * n];
        // The kernels' tests compare these with the formula.
        qlinear_matmul_packed(shape, &a, &packed, result, &mut vec![0; integer_scratch(shape)], &mut bytes);
        self.expected.extend(sums.iter().chain(&sums).map(|&sum| sum as u32));
        self.expected.extend(bytes.into_iter().map(u32::from));
        self.names.extend(vec![name.to_owned(); 3 * m * n]);
        true
    }

    /// Runs the guest on the products taken, and begins anew; how many results there were.
    fn run(&mut self, prestate: &opml_state::State) -> usize {
        let Self { mut input, expected, names } = std::mem::take(self);
        input.resize(INPUT, 0);
        let floats: Vec<f32> = input.into_iter().map(f32::from_bits).collect();
        let blob = encode_blob(&[Tensor::from_f32(&[INPUT as u32], &floats)]);
        let run = guest::run_blob(prestate, blob, Hash::default());
        assert_eq!(run.code, exit::DIFFERENT, "{}", run.stderr);
        let got = run.output().to_f32().expect("float32");
        for (at, ((got, expected), name)) in got.iter().zip(&expected).zip(&names).enumerate() {
            assert_eq!(got.to_bits(), *expected, "{name}: result {at} of the run");
        }
        expected.len()
    }
}

#[test]
fn the_guest_gives_a_hundred_thousand_hostile_sums_as_defined() {
    let prestate = bare("integers", &source(), Path::new(env!("CARGO_TARGET_TMPDIR")));
    let mut random = Random(61);
    let (mut batch, mut results) = (Batch::default(), 0);
    let mut take = |shape, [a, b]: [Family; 2], random: &mut Random| {
        let problem = Problem::new(random, shape, a, b);
        let multiplier = [0.5, 2f32.powi(-11), 1.5e-3, -2f32.powi(-18)][random.below(4)];
        let result = Requantise {
            multipliers: &[multiplier],
            zero: random.bits() as u8,
            byte: [Byte::Unsigned, Byte::Signed][random.below(2)],
        };
        let name = format!("{a:?} x {b:?}, {shape:?}");
        if !batch.push(&problem, &result, &name) {
            results += batch.run(&prestate);
            assert!(batch.push(&problem, &result, &name), "{name}: too large for a run");
        }
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
    results += batch.run(&prestate);
    assert!(results >= 100_000, "only {results} results");
}
