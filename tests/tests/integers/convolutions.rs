//! Convolutions: as the products beside them.

use std::path::Path;

use opml_kernels::{Byte, integer_conv_scratch};
use opml_tests::batch::Batch;
use opml_tests::program::bare;

use crate::support::Random;
use crate::support::bytes::{FAMILIES, requantised, value};
use crate::support::convolutions::{Convolution, shape};
use crate::words;

/// Words of input and of output of a run, and of scratch.
const INPUT: usize = 1 << 19;
const OUTPUT: usize = 1 << 18;
const SCRATCH: usize = 1 << 16;
/// Words of two images, two windows and the number of groups.
const SHAPE: usize = 2 * 6 + 2 * 4 + 1;
/// And of the lengths of image, weights and their zero points, kinds of image, weights and result, zero points of image and result, and whether
/// there is a ReLU.
const HEAD: usize = SHAPE + 9;

/// For each convolution: its head, and in whole words image, weights, zero points, bias and multipliers. A zero ends the list. The
/// result is the sums, and the bytes, a word each.
fn source() -> String {
    format!(
        "#![no_std]\nconst INPUT_LEN: usize = {INPUT};\nconst OUTPUT_LEN: usize = {OUTPUT};\n\
         const SCRATCH_LEN: usize = {SCRATCH};\nconst SHAPE_LEN: usize = {SHAPE};\nconst HEAD_LEN: usize = {HEAD};\n{}",
        include_str!("convolutions_guest.rs")
    )
}

/// A problem with the parameters of its bytes.
struct Case {
    problem: Convolution,
    bias: Vec<i32>,
    multipliers: Vec<f32>,
    zero: u8,
    byte: Byte,
    rectified: bool,
}

impl Case {
    fn new(random: &mut Random, problem: Convolution) -> Self {
        let filters = problem.shape.output.channels;
        Self {
            bias: (0..filters).map(|_| (random.normal() * 3e4) as i32).collect(),
            // Often next to ties, and sometimes too large or too small for the short way.
            multipliers: (0..filters)
                .map(|_| [2f32.powi(-10), 1.5 * 2f32.powi(-14), random.normal() * 2e-3, 0.3][random.below(4)])
                .collect(),
            zero: random.bits() as u8,
            byte: [Byte::Unsigned, Byte::Signed][random.below(2)],
            rectified: random.below(2) == 0,
            problem,
        }
    }

    fn byte_of(&self, filter: usize, sum: i32) -> u8 {
        let sum = sum.wrapping_add(self.bias[filter]);
        let byte = requantised(sum, self.multipliers[filter], self.zero, self.byte);
        let below = value(self.byte, byte) < value(self.byte, self.zero);
        if self.rectified && below { self.zero } else { byte }
    }

    /// The words of the case for the guest, and the results that it gives.
    fn words(&self) -> [Vec<u32>; 2] {
        let (shape, [x, w]) = (&self.problem.shape, self.problem.operands());
        let mut numbers = Vec::new();
        for image in [&shape.input, &shape.output] {
            numbers.extend([image.channels, image.height, image.width]);
            numbers.extend([image.channel_stride, image.row_stride, image.column_stride]);
        }
        for window in [&shape.vertical, &shape.horizontal] {
            numbers.extend([window.size, window.stride, window.dilation, window.pad_before]);
        }
        numbers.extend([shape.groups, x.bytes.len(), w.bytes.len(), w.zero.len()]);
        let kind = |byte: Byte| usize::from(byte == Byte::Signed);
        numbers.extend([kind(x.byte), kind(w.byte), kind(self.byte)]);
        numbers.extend([x.zero[0], self.zero, u8::from(self.rectified)].map(usize::from));
        let mut input: Vec<u32> = numbers.into_iter().map(|number| number as u32).collect();
        assert_eq!(input.len(), HEAD);
        input.extend(words(x.bytes).chain(words(w.bytes)).chain(words(w.zero)));
        input.extend(self.bias.iter().map(|&bias| bias as u32));
        input.extend(self.multipliers.iter().map(|multiplier| multiplier.to_bits()));
        let mut expected = vec![0; 2 * shape.output.extent()];
        let (sums, bytes) = expected.split_at_mut(shape.output.extent());
        for (place, filter, sum) in self.problem.sums() {
            sums[place] = sum as u32;
            bytes[place] = self.byte_of(filter, sum).into();
        }
        [input, expected]
    }
}

#[test]
fn the_guest_gives_a_hundred_thousand_results_of_convolutions_as_defined() {
    // Would catch: what the kernels' own tests would, in the assembly of any width of a strip; bytes next to a tie; rows of odd length.
    let prestate = bare("integer-convolutions", &source(), Path::new(env!("CARGO_TARGET_TMPDIR")));
    let mut random = Random(91);
    // The guest looks at one word to see the end.
    let mut batch = Batch::new(prestate, [INPUT, OUTPUT], 1);
    for (x, w) in FAMILIES.iter().flat_map(|&x| FAMILIES.map(|w| (x, w))) {
        for _ in 0..25 {
            let (groups, output) = (1 + random.below(3), [1 + random.below(4), 1 + random.below(30)]);
            let shape = shape(&mut random, groups, output);
            assert!(integer_conv_scratch(&shape) <= SCRATCH);
            let problem = Convolution::new(&mut random, shape, x, w);
            let [input, expected] = Case::new(&mut random, problem).words();
            batch.push(&input, &expected, &format!("{x:?} x {w:?}, {shape:?}"));
        }
    }
    let results = batch.finish();
    assert!(results >= 100_000, "only {results} results");
}
