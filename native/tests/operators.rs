//! The native operators against those of the guest, which have tests of their own.

mod support;

use opml_kernels::spatial::Window;
use opml_kernels::{self as kernels, Axis, Conv2d, Image, MatMul, UnaryOp};
use support::{Kind, Random, assert_same_bits, exact_sum, levels};

const KINDS: [Kind; 5] = [Kind::Normal, Kind::Sparse, Kind::AnyFinite, Kind::RareSpecial, Kind::Zeros];

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// ONNX layout, channels last, or planes with gaps.
fn image(random: &mut Random, channels: usize, height: usize, width: usize) -> Image {
    match random.below(3) {
        0 => Image::planes(channels, height, width),
        1 => Image::channels_last(channels, height, width),
        _ => Image {
            row_stride: width + 3,
            channel_stride: (width + 3) * height + 1,
            ..Image::planes(channels, height, width)
        },
    }
}

fn window(random: &mut Random) -> Window {
    let size = 1 + random.below(4);
    let pad = [random.below(size + 1), random.below(size + 1)];
    Window { stride: 1 + random.below(3), dilation: 1 + random.below(3), ..Window::new(size, 1) }
        .padded(pad[0], pad[1])
}

#[test]
fn products_of_every_layout() {
    // Would catch: strides of one operand used for another, a bias broadcast the wrong way, empty operands read.
    let mut random = Random(11);
    for round in 0..600 {
        let (m, k, n) = (random.below(15), random.below(40), random.below(40));
        let mut shape = MatMul::new(m, k, n);
        if random.below(2) == 0 {
            (shape.a_row, shape.a_column) = (1, m);
        }
        if random.below(2) == 0 {
            (shape.b_row, shape.b_column) = (1, k);
        }
        if random.below(9) == 0 {
            // One column of B for all.
            (shape.b_row, shape.b_column) = (1, 0);
        }
        (shape.bias_row, shape.bias_column) = [(0, 1), (1, 0), (n, 1), (0, 0), (1, m)][random.below(5)];
        let kind = KINDS[round % 5];
        let (a, b, bias) =
            (random.floats(kind, m * k), random.floats(kind, k * n), random.floats(kind, m * n + m + n));
        let bias = (random.below(3) > 0).then_some(&bias[..]);
        let mut expected = vec![0.0; m * n];
        kernels::matmul(&shape, &a, &b, bias, &mut expected);
        for level in levels() {
            let mut out = vec![1.5; m * n];
            opml_native::matmul(level, &shape, &a, &b, bias, &mut out);
            assert_same_bits(&out, &bits(&expected), &format!("{level:?} {shape:?} {kind:?}"));
        }
    }
}

#[test]
fn convolutions_of_every_layout() {
    // Would catch: windows of a run taken from the wrong place, runs across padding, padding that counts as an
    // addend, groups that read each other, outputs in the wrong place or written twice.
    let mut random = Random(12);
    for round in 0..500 {
        let groups = 1 + random.below(3);
        let sides = [1 + random.below(9), 1 + random.below(24)];
        let written = [1 + random.below(7), 1 + random.below(24)];
        let channels = [groups * (1 + random.below(4)), groups * (1 + random.below(8))];
        let shape = Conv2d {
            input: image(&mut random, channels[0], sides[0], sides[1]),
            output: image(&mut random, channels[1], written[0], written[1]),
            vertical: window(&mut random),
            horizontal: window(&mut random),
            groups,
        };
        let kind = KINDS[round % 5];
        let x = random.floats(kind, shape.input.extent());
        let w_kind = [kind, Kind::Normal][random.below(2)];
        let w = random.floats(w_kind, channels[1] * shape.taps());
        let bias = random.floats(Kind::Normal, channels[1]);
        let bias = (random.below(3) > 0).then_some(&bias[..]);
        let mut expected = vec![0.5; shape.output.extent()];
        kernels::conv2d(&shape, &x, &w, bias, &mut expected);
        for level in levels() {
            let mut out = vec![0.5; shape.output.extent()];
            opml_native::conv2d(level, &shape, &x, &w, bias, &mut out);
            assert_same_bits(&out, &bits(&expected), &format!("{level:?} {shape:?} {kind:?}"));
        }
    }
}

#[test]
fn depthwise_convolutions() {
    // Would catch: a group's single filter taken for one of several.
    let mut random = Random(13);
    let image = Image::planes(40, 14, 15);
    let side = Window::new(3, 1).padded(1, 1);
    let shape = Conv2d { input: image, output: image, vertical: side, horizontal: side, groups: 40 };
    let (x, w) = (random.floats(Kind::Sparse, image.extent()), random.floats(Kind::Normal, 40 * 9));
    let (mut expected, mut out) = (vec![0.5; image.extent()], vec![1.5; image.extent()]);
    kernels::conv2d(&shape, &x, &w, None, &mut expected);
    opml_native::conv2d(opml_native::Level::new(), &shape, &x, &w, None, &mut out);
    assert_same_bits(&out, &bits(&expected), "depthwise");
}

#[test]
fn sums_along_an_axis() {
    // Would catch: lines taken across the wrong axis, values that binary64 loses, specials, the sign of zeros.
    let mut random = Random(14);
    for round in 0..400 {
        let axis = Axis { outer: random.below(5), len: random.below(60), inner: random.below(5) };
        let kind = support::KINDS[round % support::KINDS.len()];
        let x = random.floats(kind, axis.outer * axis.len * axis.inner);
        let line = |outer: usize, inner: usize| {
            exact_sum((0..axis.len).map(|at| x[(outer * axis.len + at) * axis.inner + inner]))
        };
        let expected: Vec<u32> =
            (0..axis.outer).flat_map(|outer| (0..axis.inner).map(move |inner| line(outer, inner))).collect();
        let mut out = vec![1.5; expected.len()];
        opml_native::reduce_sum(axis, &x, &mut out);
        assert_same_bits(&out, &expected, &format!("{axis:?} {kind:?}"));
    }
    // At a tie, which addends decide that vanish one by one.
    let mut x = vec![2f32.powi(-30); 5000];
    (x[0], x[1]) = (16_777_216.0, 1.0);
    let mut out = [0.0];
    opml_native::reduce_sum(Axis { outer: 1, len: 5000, inner: 1 }, &x, &mut out);
    assert_eq!(out[0], 16_777_218.0);
}

#[test]
fn what_is_computed_line_by_line_or_element_by_element() {
    // Would catch: parts cut at the wrong place.
    let mut random = Random(15);
    for (outer, len, inner) in
        [(1, 1, 1), (3, 7, 5), (700, 11, 2), (2, 5000, 1), (0, 4, 3), (4, 0, 2), (5, 4, 0)]
    {
        let axis = Axis { outer, len, inner };
        let x = random.floats(Kind::Normal, outer * len * inner);
        let (mut expected, mut out) = (vec![0.5; x.len()], vec![1.5; x.len()]);
        kernels::softmax(axis, &x, &mut expected);
        opml_native::softmax(axis, &x, &mut out);
        assert_same_bits(&out, &bits(&expected), &format!("softmax {axis:?}"));
        kernels::unary(UnaryOp::Exp, &x, &mut expected);
        opml_native::unary(UnaryOp::Exp, &x, &mut out);
        assert_same_bits(&out, &bits(&expected), &format!("exp {axis:?}"));
    }
}

#[test]
#[should_panic(expected = "matmul: A too short")]
fn a_short_operand_is_refused() {
    let shape = MatMul::new(2, 2, 2);
    opml_native::matmul(opml_native::Level::new(), &shape, &[0.0; 3], &[0.0; 4], None, &mut [0.0; 4]);
}

#[test]
#[should_panic(expected = "conv2d: weights do not fit the shape")]
fn weights_that_do_not_fit_are_refused() {
    let (image, side) = (Image::planes(1, 2, 2), Window::new(1, 1));
    let shape = Conv2d { input: image, output: image, vertical: side, horizontal: side, groups: 1 };
    opml_native::conv2d(opml_native::Level::new(), &shape, &[0.0; 4], &[0.0; 2], None, &mut [0.0; 4]);
}
