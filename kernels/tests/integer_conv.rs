//! Convolutions of bytes against plain sums in 64 bits, and their bytes against the formula in binary32.

mod support;

use opml_kernels::spatial::Window;
use opml_kernels::{
    Byte, ByteMatrix, Conv2d, Image, Requantise, conv2d_integer, integer_conv_scratch, qlinear_conv2d,
};
use support::Random;
use support::bytes::{FAMILIES, Family, requantised};
use support::convolutions::{Convolution, shape};

/// What no result is where nothing is to be written.
const UNWRITTEN: i32 = 0x5a5a_5a5a;

/// Compares all sums, and what lies between them; gives their number.
fn check(problem: &Convolution, what: &str) -> usize {
    let (shape, [x, w]) = (&problem.shape, problem.operands());
    let mut expected = vec![UNWRITTEN; shape.output.extent()];
    let sums = problem.sums();
    sums.iter().for_each(|&(place, _, sum)| expected[place] = sum);
    let mut scratch = vec![0xdead_beef; integer_conv_scratch(shape)];
    let mut out = vec![UNWRITTEN; expected.len()];
    conv2d_integer(shape, &x, &w, &mut scratch, &mut out);
    assert_eq!(out, expected, "{what}: {problem:?}");
    sums.len()
}

/// A window without border over channels of `sides`, the result of one row or more.
fn plain(channels: usize, [height, width]: [usize; 2], filters: usize, [tall, wide]: [usize; 2]) -> Conv2d {
    Conv2d {
        input: Image::planes(channels, height, width),
        output: Image::planes(filters, height - tall + 1, width - wide + 1),
        vertical: Window::new(tall, 1),
        horizontal: Window::new(wide, 1),
        groups: 1,
    }
}

#[test]
fn every_pair_of_families_is_exact() {
    // Would catch: a half that overflows or borrows, blocks cut or added up wrongly, (g); a zero point forgotten; a border that counts; a
    // tap of another channel, row or phase of the stride; a last column that is written where there is none.
    let mut random = Random(81);
    let mut sums = 0;
    for (x, w) in FAMILIES.iter().flat_map(|&x| FAMILIES.map(|w| (x, w))) {
        for _ in 0..60 {
            let (groups, output) = (1 + random.below(3), [1 + random.below(4), 1 + random.below(30)]);
            let shape = shape(&mut random, groups, output);
            let problem = Convolution::new(&mut random, shape, x, w);
            sums += check(&problem, &format!("{x:?} x {w:?}"));
        }
    }
    assert!(sums > 100_000, "only {sums} sums");
}

#[test]
fn every_width_of_a_result() {
    // Would catch: a strip of any width that is left out, or overlaps wrongly.
    let mut random = Random(82);
    for width in 1..60 {
        for (height, window) in [(1, [1, 1]), (2, [2, 3])] {
            let sides = [height + window[0] - 1, width + window[1] - 1];
            let shape = plain(2, sides, 2, window);
            let problem = Convolution::new(&mut random, shape, Family::Any, Family::Any);
            check(&problem, &format!("width {width}"));
        }
    }
}

#[test]
fn windows_of_one_element_are_one_row() {
    // Would catch: rows taken together that do not follow each other, or of images of different sizes.
    let mut random = Random(83);
    for gap in [0, 3] {
        for stride in [1, 2] {
            for (input, output) in [(7, 7), (14, 7), (9, 7)] {
                let image = |channels: usize, side: usize| Image {
                    width: side,
                    ..Image::planes(channels, side, side + gap)
                };
                let window = Window::new(1, stride);
                let shape = Conv2d {
                    input: image(5, input),
                    output: image(4, output),
                    vertical: window,
                    horizontal: window,
                    groups: 1,
                };
                let problem = Convolution::new(&mut random, shape, Family::Any, Family::Any);
                check(&problem, &format!("gap {gap}, stride {stride}, {input} to {output}"));
            }
        }
    }
}

#[test]
fn sums_of_extremes_do_not_wrap_before_they_have_to() {
    // Would catch: a limit of blocks that is too large by one, and sums of halves that leave 32 bits: 40,000 products of 255
    // by 255 are more than 2^31, and wrap.
    for (x, w) in [(255, 255), (0, 255), (255, 0), (0, 0), (255, 127), (127, 255), (128, 128)] {
        for zeros in [[0, 0], [255, 255], [128, 0], [0, 128], [255, 0]] {
            for channels in [1, 2, 3, 1000, 40_000] {
                let shape = plain(channels, [1, 3], 1, [1, 1]);
                let problem = Convolution {
                    shape,
                    bytes: [vec![x; shape.input.extent()], vec![w; channels]],
                    kinds: [Byte::Unsigned; 2],
                    zeros: zeros.map(|zero| vec![zero]),
                };
                check(&problem, &format!("{x} x {w}"));
            }
        }
    }
}

#[test]
fn blocks_are_full_to_their_limit() {
    // Would catch: a limit that is too large by one, (g): two halves at their largest beside each other, of both signs.
    let mut sums = 0;
    for first in 0..=255u8 {
        let weights = [first, 255 - first, 1, 254, 128, 127, 255];
        for x in [0, 255] {
            let shape = plain(weights.len(), [1, 4], 1, [1, 1]);
            let problem = Convolution {
                shape,
                bytes: [[x, 255 - x, x, 128].repeat(weights.len()), weights.to_vec()],
                kinds: [Byte::Unsigned; 2],
                zeros: [vec![128], vec![if first % 2 == 0 { 0 } else { 255 }]],
            };
            sums += check(&problem, &format!("{first} {x}"));
        }
    }
    assert_eq!(sums, 256 * 2 * 4);
}

#[test]
fn shapes_without_anything() {
    // Would catch: a division by zero, or reading in front of an empty list.
    let mut random = Random(84);
    let with = |change: fn(&mut Conv2d)| {
        let mut shape = plain(2, [3, 3], 2, [2, 2]);
        change(&mut shape);
        shape
    };
    let shapes = [
        with(|shape| shape.output.channels = 0),
        with(|shape| shape.output.width = 0),
        with(|shape| shape.input.channels = 0),
        with(|shape| shape.vertical.size = 0),
        with(|shape| shape.horizontal.size = 0),
        with(|shape| shape.input.height = 0),
    ];
    for shape in shapes {
        let problem = Convolution::new(&mut random, shape, Family::Any, Family::Any);
        check(&problem, &format!("{shape:?}"));
    }
}

#[test]
fn bytes_of_convolutions() {
    // Would catch: bias, multiplier or zero point of another filter, and a ReLU at zero and not at the zero point.
    let mut random = Random(85);
    let mut results = 0;
    for round in 0..2000 {
        let (groups, output) = (1 + random.below(3), [1 + random.below(3), 1 + random.below(14)]);
        let shape = shape(&mut random, groups, output);
        let families = [FAMILIES[round % 6], FAMILIES[random.below(6)]];
        let problem = Convolution::new(&mut random, shape, families[0], families[1]);
        let filters = shape.output.channels;
        let count = |random: &mut Random| if random.below(2) == 0 { 1 } else { filters };
        let bias: Vec<_> = (0..count(&mut random)).map(|_| (random.normal() * 9e3) as i32).collect();
        let multipliers: Vec<_> =
            (0..count(&mut random)).map(|_| 2f32.powi(-9) * random.normal().abs()).collect();
        let byte = [Byte::Unsigned, Byte::Signed][random.below(2)];
        let rectified = random.below(2) == 0;
        let result =
            Requantise { bias: &bias, multipliers: &multipliers, zero: random.bits() as u8, byte, rectified };
        let mut expected = vec![0x5a; shape.output.extent()];
        for (place, filter, sum) in problem.sums() {
            let bias = bias[if bias.len() == 1 { 0 } else { filter }];
            let multiplier = multipliers[if multipliers.len() == 1 { 0 } else { filter }];
            let got = requantised(sum.wrapping_add(bias), multiplier, result.zero, byte);
            let ordered = |byte_: u8| support::bytes::value(byte, byte_);
            let least = rectified && ordered(got) < ordered(result.zero);
            expected[place] = if least { result.zero } else { got };
            results += 1;
        }
        let mut out = vec![0x5a; expected.len()];
        let [x, w] = problem.operands();
        qlinear_conv2d(&shape, &x, &w, &result, &mut vec![0; integer_conv_scratch(&shape)], &mut out);
        assert_eq!(out, expected, "{result:?} {problem:?}");
    }
    assert!(results > 100_000, "only {results} results");
}

/// The bytes of sums, each with its multiplier: filters that see a zero and have a bias.
fn bytes_of(sums: &[i32], multipliers: &[f32], zero: u8, byte: Byte) -> Vec<u8> {
    let filters = sums.len();
    let shape = plain(1, [1, 1], filters, [1, 1]);
    let x = ByteMatrix { bytes: &[0], byte: Byte::Unsigned, zero: &[0] };
    let w = ByteMatrix { bytes: &vec![1; filters], byte: Byte::Signed, zero: &[0] };
    let result = Requantise { bias: sums, multipliers, zero, byte, rectified: false };
    let mut out = vec![0x5a; filters];
    qlinear_conv2d(&shape, &x, &w, &result, &mut vec![0; integer_conv_scratch(&shape)], &mut out);
    out
}

#[test]
fn bytes_next_to_ties_are_rounded_twice() {
    // Would catch: a distance from ties that is too short, (f), where the product is rounded to a tie; a multiplier at the ends of its range.
    let mut random = Random(86);
    let mut near = 0;
    for round in 0..600 {
        let (mut sums, mut multipliers) = (Vec::new(), Vec::new());
        while sums.len() < 4000 {
            let exponent = random.below(40) as i32 - 36;
            let mantissa = 1.0 + random.below(1 << 23) as f32 / (1 << 23) as f32;
            let multiplier = 2f32.powi(exponent) * mantissa;
            let tie = random.below(520) as f64 - 260.0 + 0.5;
            let sum = (tie / f64::from(multiplier)).round() + random.below(3) as f64 - 1.0;
            if sum.abs() < 2f64.powi(31) {
                let off = (sum * f64::from(multiplier) - tie).abs();
                near += usize::from(off > 0.0 && off < 2f64.powi(-16));
                sums.push(sum as i32);
                multipliers.push(multiplier);
            }
        }
        let byte = [Byte::Unsigned, Byte::Signed][round % 2];
        let zero = random.bits() as u8;
        let got = bytes_of(&sums, &multipliers, zero, byte);
        for ((&sum, &multiplier), got) in sums.iter().zip(&multipliers).zip(got) {
            assert_eq!(got, requantised(sum, multiplier, zero, byte), "{sum} x {multiplier:e} + {zero}");
        }
    }
    assert!(near > 100_000, "only {near} are next to a tie");
}

#[test]
fn bytes_of_all_multipliers_and_of_large_sums() {
    // Would catch: a multiplier without a short way that takes one, and the ends of what the short way takes.
    let mut random = Random(87);
    for exponent in 0..=511u32 {
        let multipliers: Vec<_> =
            (0..500).map(|_| f32::from_bits(exponent << 23 | random.bits() as u32 & 0x7f_ffff)).collect();
        let ends = [0, 1, -1, 1 << 24, -(1 << 24), (1 << 24) - 1, i32::MAX, i32::MIN];
        let sums: Vec<_> = (0..500)
            .map(|at| match at % 4 {
                0 => ends[random.below(ends.len())],
                1 => random.bits() as i32,
                _ => random.bits() as i32 >> random.below(31),
            })
            .collect();
        let zero = random.bits() as u8;
        let got = bytes_of(&sums, &multipliers, zero, Byte::Unsigned);
        for ((&sum, &multiplier), got) in sums.iter().zip(&multipliers).zip(got) {
            assert_eq!(got, requantised(sum, multiplier, zero, Byte::Unsigned), "{sum} x {multiplier:e}");
        }
    }
}

#[test]
#[should_panic(expected = "integer: windows do not move")]
fn windows_that_do_not_move_are_refused() {
    let mut shape = plain(1, [1, 1], 1, [1, 1]);
    shape.vertical.stride = 0;
    let x = ByteMatrix { bytes: &[0], byte: Byte::Unsigned, zero: &[0] };
    conv2d_integer(&shape, &x, &x, &mut [], &mut [0]);
}

#[test]
#[should_panic(expected = "integer: weights do not fit the shape")]
fn weights_of_another_shape_are_refused() {
    let shape = plain(1, [2, 2], 1, [2, 2]);
    let x = ByteMatrix { bytes: &[0; 4], byte: Byte::Unsigned, zero: &[0] };
    let w = ByteMatrix { bytes: &[0; 5], ..x };
    conv2d_integer(&shape, &x, &w, &mut [0; 100], &mut [0]);
}
