//! Sums with packed weights in the VM: what the guest's assembly makes of hostile data is what the definition says.
//!
//! One guest takes any number of products with their shapes and data as its input, so that a hundred thousand sums need one
//! build. They are compared with `opml_native::matmul`, which shares nothing with them but the accumulator, and which
//! its own tests compare with big integers.

#[path = "../../kernels/tests/support/mod.rs"]
mod support;

use std::path::Path;

use opml_kernels::{MatMul, matmul_scratch, packed};
use opml_tests::batch::Batch;
use opml_tests::program::bare;
use support::{KINDS, Kind, Random};

/// Words of input and of output of a run, and of scratch.
const INPUT: usize = 1 << 19;
const OUTPUT: usize = 1 << 15;
const SCRATCH: usize = 1 << 18;
/// Words of a shape.
const HEAD: usize = 4;

/// For each product: m, k, n, the number of words of the weights, A, the weights and the bias. A zero ends the list.
fn source() -> String {
    format!(
        "#![no_std]
use opml_kernels::{{MatMul, matmul_packed}};
use opml_runtime::{{Arena, Guest, Mips, OutputTensor, abi::DataType}};

static INPUT: Arena<{INPUT}> = Arena::new();
static OUTPUT: Arena<{OUTPUT}> = Arena::new();
static SCRATCH: Arena<{SCRATCH}> = Arena::new();

fn main(mut guest: Guest<Mips>) -> ! {{
    let mut input = guest.open_input({blob}, 1);
    // SAFETY: this is all of the arena, and nothing else refers to it.
    input.tensor(DataType::Float32, [{INPUT}], unsafe {{ INPUT.words(0, {INPUT}) }});
    let (mut at, mut out) = (0, 0);
    loop {{
        // SAFETY: the test has put together what is read; nothing writes to it any more.
        let head: &[u32] = unsafe {{ INPUT.words(4 * at, {HEAD}) }};
        let [m, k, n, words] = [0, 1, 2, 3].map(|i| head[i] as usize);
        if m == 0 {{
            break;
        }}
        at += {HEAD};
        let shape = MatMul::new(m, k, n);
        // SAFETY: as above; output and scratch are arenas of their own.
        unsafe {{
            let (a, bias) = (INPUT.read(4 * at, m * k), INPUT.read(4 * (at + m * k + words), n));
            let b: &[u32] = INPUT.words(4 * (at + m * k), words);
            matmul_packed(&shape, a, b, Some(bias), SCRATCH.words(0, {SCRATCH}), OUTPUT.write(4 * out, m * n));
        }}
        at += m * k + words + n;
        out += m * n;
    }}
    // SAFETY: nothing writes any more.
    let words = unsafe {{ OUTPUT.words(0, {OUTPUT}) }};
    guest.finish(&[OutputTensor {{ dtype: DataType::Float32, shape: &[{OUTPUT}], words }}])
}}

opml_runtime::program!(main);
",
        blob = 12 + 4 * INPUT,
    )
}

/// The words of a product for the guest, and the bits that it gives.
fn words([m, k, n]: [usize; 3], [a, w, bias]: &[Vec<f32>; 3]) -> [Vec<u32>; 2] {
    let weights = packed::pack(k, n, |row, element| w[row * k + element]);
    let shape = MatMul { b_row: 1, b_column: k, ..MatMul::new(m, k, n) };
    assert!(matmul_scratch(&shape) <= SCRATCH);
    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    let head = [m, k, n, weights.len()].map(|v| v as u32);
    let mut out = vec![0.0; m * n];
    opml_native::matmul(opml_native::Level::new(), &shape, a, w, Some(bias), &mut out);
    [[&head[..], &bits(a), &weights, &bits(bias)].concat(), bits(&out)]
}

/// The data of a product: vectors, weights and biases of some kinds.
fn product(random: &mut Random, shape: [usize; 3], kinds: [Kind; 3]) -> [Vec<f32>; 3] {
    let [m, k, n] = shape;
    let mut data = [(0, m * k), (1, k * n), (2, n)].map(|(side, len)| random.floats(kinds[side], len));
    if random.below(4) == 0 {
        // The second half of every sum cancels the first.
        let half = k / 2;
        for x in data[0].chunks_mut(k) {
            x.copy_within(..half, half);
        }
        for w in data[1].chunks_mut(k) {
            w.copy_within(..half, half);
            w[half..2 * half].iter_mut().for_each(|v| *v = -*v);
        }
    }
    data
}

#[test]
fn the_guest_gives_a_hundred_thousand_hostile_sums_as_defined() {
    let prestate = bare("dots", &source(), Path::new(env!("CARGO_TARGET_TMPDIR")));
    let mut random = Random(41);
    let mut batch = Batch::new(prestate, [INPUT, OUTPUT], HEAD);
    let mut take = |shape: [usize; 3], kinds: [Kind; 3], random: &mut Random| {
        let [input, expected] = words(shape, &product(random, shape, kinds));
        batch.push(&input, &expected, &format!("{kinds:?}, {shape:?}"));
    };
    for (x, w) in KINDS.iter().flat_map(|&x| KINDS.map(|w| (x, w))) {
        for _ in 0..24 {
            let shape = [1 + random.below(3), 1 + random.below(80), 1 + random.below(20)];
            let bias = KINDS[random.below(KINDS.len())];
            take(shape, [x, w, bias], &mut random);
        }
    }
    // Many blocks, many spans, groups of every size.
    for k in [128, 500, 784, 2047, 2048, 2049, 5000, 20_000] {
        for kinds in [[Kind::Normal; 3], [Kind::Sparse, Kind::Normal, Kind::Normal], [Kind::Ones; 3]] {
            take([2, k, 15.min(100_000 / k)], kinds, &mut random);
            take([1, k, 15.min(100_000 / k)], kinds, &mut random);
        }
    }
    let sums = batch.finish();
    assert!(sums >= 100_000, "only {sums} sums");
}
