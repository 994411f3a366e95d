//! Depthwise convolutions against big integers, bit for bit.

mod support;

use opml_kernels::spatial::Window;
use opml_kernels::{Conv2d, Image, conv2d, conv2d_planes, planes_scratch, planes_take};
use support::{KINDS, Kind, Random, assert_same_bits, exact_dot};

/// A value no output has, to see what is not written.
const UNWRITTEN: f32 = 12345.678;

fn run(shape: &Conv2d, x: &[f32], w: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    let mut scratch = vec![0xdead_beef; planes_scratch(shape)];
    let mut out = vec![UNWRITTEN; shape.output.extent()];
    conv2d_planes(shape, x, w, bias, &mut scratch, &mut out);
    out
}

/// Compares with the convolution that `spatial.rs` compares with big integers.
fn check(shape: &Conv2d, x: &[f32], w: &[f32], bias: Option<&[f32]>, what: &str) {
    let mut expected = vec![UNWRITTEN; shape.output.extent()];
    conv2d(shape, x, w, bias, &mut expected);
    let expected: Vec<u32> = expected.iter().map(|v| v.to_bits()).collect();
    assert_same_bits(&run(shape, x, w, bias), &expected, &format!("{what}: {shape:?}"));
}

/// Three by three with padding, and `filters` for each channel.
fn three(channels: usize, filters: usize, side: usize) -> Conv2d {
    let window = Window::new(3, 1).padded(1, 1);
    Conv2d {
        input: Image::planes(channels, side, side),
        output: Image::planes(channels * filters, side, side),
        vertical: window,
        horizontal: window,
        groups: channels,
    }
}

/// One sum: a plane as large as its window.
fn check_sum(x: &[f32], w: &[f32], bias: Option<f32>, what: &str) {
    let shape = Conv2d {
        input: Image::planes(1, 1, x.len()),
        output: Image::planes(1, 1, 1),
        vertical: Window::new(1, 1),
        horizontal: Window::new(x.len(), 1),
        groups: 1,
    };
    let bias = bias.as_ref().map(core::slice::from_ref);
    let pairs = x.iter().copied().zip(w.iter().copied());
    let expected = exact_dot(pairs, bias.map(|bias| bias[0]));
    assert_same_bits(&run(&shape, x, w, bias), &[expected], what);
}

#[test]
fn every_pair_of_families_is_exact() {
    // Would catch: a wrong scale or unit, (O); a bound that is too small, (P) or (Z); a remainder lost or of the wrong sign;
    // the integers of one plane or filter seen in the next.
    let mut random = Random(51);
    let mut outputs = 0;
    for x_kind in KINDS {
        for w_kind in KINDS {
            for round in 0..12 {
                let shape = three(1 + random.below(3), 1 + random.below(2), 1 + random.below(8));
                let x = random.floats(x_kind, shape.input.extent());
                let w = random.floats(w_kind, 9 * shape.output.channels);
                let bias_kind = KINDS[random.below(KINDS.len())];
                let bias = random.floats(bias_kind, shape.output.channels);
                let bias = (round % 3 > 0).then_some(&bias[..]);
                check(&shape, &x, &w, bias, &format!("{x_kind:?} x {w_kind:?} + {bias_kind:?}"));
                outputs += shape.output.extent();
            }
        }
    }
    assert!(outputs > 100_000, "only {outputs} outputs");
}

#[test]
fn single_sums_of_every_length_are_exact() {
    // Would catch: low words that overflow, or a bound without its part for each tap, (O) and (P).
    let mut random = Random(52);
    for taps in (1..=40).chain([63, 64, 100, 254, 255]) {
        for x_kind in KINDS {
            for w_kind in [x_kind, Kind::Normal, Kind::Ones, Kind::AnyFinite] {
                let (x, w) = (random.floats(x_kind, taps), random.floats(w_kind, taps));
                let bias = [None, Some(random.float(x_kind)), Some(random.normal())][random.below(3)];
                check_sum(&x, &w, bias, &format!("{taps} taps, {x_kind:?} {w_kind:?} {bias:?}"));
            }
        }
    }
}

#[test]
fn the_largest_sums_do_not_wrap_around() {
    // Would catch: a scale without the sum of the weights or without the bias in it, (O).
    for taps in [1, 2, 9, 128, 255] {
        for (x, w) in [(1.999_999_9f32, 1.999_999_9f32), (1.0, 1.0), (1.999_999_9, -1.0)] {
            for bias in [0.0, 1.0, -1.0, 1e3, 1e9, -1e9, 1e18, 1e30, 3e38] {
                check_sum(&vec![x; taps], &vec![w; taps], Some(bias), &format!("{taps} {x} {w} {bias}"));
            }
        }
    }
}

#[test]
fn cancellation_leaves_the_small_remainder() {
    // Would catch: a bound that does not grow with the addends, (P), where nearly all of a sum is lost.
    let mut random = Random(53);
    for round in 0..4000 {
        let pairs = 1 + random.below(12);
        let kind = [Kind::Normal, Kind::AnyFinite, Kind::Ones, Kind::Bfloat][round % 4];
        let taps = 2 * pairs + 1;
        let mut x = random.floats(kind, taps);
        let mut w = random.floats(kind, taps);
        x.copy_within(..pairs, pairs);
        w.copy_within(..pairs, pairs);
        w[pairs..2 * pairs].iter_mut().for_each(|v| *v = -*v);
        x[taps - 1] = random.float([Kind::Tiny, Kind::Normal][round % 2]);
        w[taps - 1] = [0.0, random.float(Kind::Tiny), random.float(Kind::Normal), 1e-9][round % 5 % 4];
        check_sum(&x, &w, None, &format!("{kind:?}, {pairs} pairs"));
    }
}

#[test]
fn ties_and_their_neighbours() {
    // Would catch: a distance or a bound in the wrong unit, (P) and (Z): sums at a tie and next to it, at powers of two and
    // elsewhere, with what decides far below, in the image, in the weights or in the bias.
    for mantissa in [0x80_0000u32, 0x80_0001, 0xff_fffe, 0xff_ffff] {
        for distance in [1, 2, 6, 7, 8, 9, 14, 15, 16, 20, 24, 30, 31, 32, 38, 39, 40, 48, 100] {
            for (sign, nudge) in [(1.0, 1.0), (1.0, -1.0), (1.0, 0.0), (-1.0, 1.0), (-1.0, 0.0)] {
                let small = nudge * 2f32.powi(-1 - distance);
                let terms = [sign * mantissa as f32, sign * 0.5, small, 0.0];
                let ones = [1.0; 4];
                check_sum(&terms, &ones, None, &format!("{terms:?} in the image"));
                check_sum(&ones, &terms, None, &format!("{terms:?} as weights"));
                check_sum(&terms[..2], &ones[..2], Some(small), &format!("{terms:?}, the last as a bias"));
            }
        }
    }
}

#[test]
fn numbers_of_every_size() {
    // Would catch: exponents that leave their range unseen, (P); a bias shifted to the wrong side or by too much, (O).
    let mut random = Random(54);
    for exponent in -149..128 {
        let scale = 2f64.powi(exponent);
        let mut scaled =
            |len| -> Vec<f32> { (0..len).map(|_| (f64::from(random.normal()) * scale) as f32).collect() };
        let (large, bias) = (scaled(9), scaled(2));
        let usual: Vec<f32> = (0..9).map(|_| random.normal()).collect();
        let what = format!("near 2^{exponent}");
        check_sum(&large, &usual, Some(bias[0]), &what);
        check_sum(&usual, &large, Some(bias[1]), &what);
        check_sum(&usual, &usual, Some(bias[1]), &what);
        check_sum(&large, &large, None, &what);
    }
}

#[test]
fn all_shapes_agree_with_the_general_convolution() {
    // Would catch: a tap or a stride of the wrong dimension; strips that overlap wrongly; padding that counts as an addend, or
    // that keeps something of the plane before; a layout mixed up; gaps of the output overwritten.
    let mut random = Random(55);
    for round in 0..1500 {
        let mut window = || {
            let size = [1, 2, 3, 3, 3, 5, 7][random.below(7)];
            let (stride, dilation) = ([1, 1, 2, 3][random.below(4)], [1, 1, 2][random.below(3)]);
            Window { stride, dilation, ..Window::new(size, 1) }.padded(random.below(4), random.below(4))
        };
        let (vertical, horizontal) = (window(), window());
        let (channels, filters) = (1 + random.below(4), 1 + random.below(3));
        let mut image = |channels: usize, height: usize, width: usize| match random.below(3) {
            0 => Image::planes(channels, height, width),
            1 => Image::channels_last(channels, height, width),
            _ => Image {
                row_stride: width + 3,
                channel_stride: (width + 3) * height + 1,
                ..Image::planes(channels, height, width)
            },
        };
        let sides = [(); 4].map(|()| 1 + round * 7919 % 13);
        let input = image(channels, sides[0], 1 + (sides[1] + round) % 12);
        let output = image(channels * filters, 1 + round % 6, 1 + round / 6 % 11);
        let shape = Conv2d { input, output, vertical, horizontal, groups: channels };
        let kind = [Kind::Normal, Kind::Sparse, Kind::AnyFinite, Kind::RareSpecial, Kind::Zeros][round % 5];
        let x = random.floats(kind, input.extent());
        let w_kind = [kind, Kind::Normal][random.below(2)];
        let w = random.floats(w_kind, channels * filters * vertical.size * horizontal.size);
        let bias = random.floats(Kind::Normal, channels * filters);
        check(&shape, &x, &w, (round % 4 > 0).then_some(&bias[..]), &format!("{kind:?} {w_kind:?}"));
    }
}

#[test]
fn other_shapes_are_refused() {
    // Would catch: a sum of more products than the words hold, (O), and memory that a model's padding asks for.
    let take = |change: fn(&mut Conv2d)| {
        let mut shape = three(2, 1, 8);
        change(&mut shape);
        planes_take(&shape)
    };
    assert!(take(|_| ()));
    assert!(take(|shape| (shape.vertical.size, shape.horizontal.size) = (15, 17)));
    assert!(!take(|shape| (shape.vertical.size, shape.horizontal.size) = (16, 16)));
    assert!(!take(|shape| shape.groups = 1));
    assert!(!take(|shape| shape.vertical.dilation = 1000));
    assert!(!take(|shape| shape.horizontal.stride = usize::MAX));
}

#[test]
#[should_panic(expected = "planes: not for this shape")]
fn groups_of_several_channels_are_refused() {
    let shape = Conv2d { groups: 1, ..three(2, 1, 3) };
    conv2d_planes(&shape, &[0.0; 18], &[0.0; 36], None, &mut [0; 1000], &mut [0.0; 18]);
}

#[test]
#[should_panic(expected = "planes: scratch too short")]
fn too_little_scratch_is_refused() {
    let shape = three(1, 1, 3);
    let mut scratch = vec![0; planes_scratch(&shape) - 1];
    conv2d_planes(&shape, &[0.0; 9], &[0.0; 9], None, &mut scratch, &mut [0.0; 9]);
}
