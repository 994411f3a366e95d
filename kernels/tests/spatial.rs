//! Convolutions and pools against loops written from the ONNX formulas over exact sums.

mod support;

use opml_kernels::spatial::Window;
use opml_kernels::{Conv2d, Image, Pool2d, average_pool2d, conv2d, max_pool2d};
use support::{Kind, Random, assert_same_bits, canonical_bits, exact_dot, exact_sum};

/// Distinguishes a missed output from any result.
const UNWRITTEN: f32 = 12345.678;

/// Output positions: as many whole windows as fit.
fn positions(window: Window, len: usize) -> Option<usize> {
    let span = window.dilation * (window.size - 1) + 1;
    Some((len + window.pad_before + window.pad_after).checked_sub(span)? / window.stride + 1)
}

fn window(random: &mut Random) -> Window {
    let size = 1 + random.below(4);
    Window {
        size,
        stride: 1 + random.below(3),
        dilation: 1 + random.below(3),
        pad_before: random.below(size + 1),
        pad_after: random.below(size + 1),
    }
}

/// The input index that tap `tap` of output `index` meets, if it is not padding.
fn input_of(window: Window, index: usize, tap: usize, len: usize) -> Option<usize> {
    let padded = index * window.stride + tap * window.dilation;
    padded.checked_sub(window.pad_before).filter(|&i| i < len)
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

fn at(image: &Image, c: usize, y: usize, x: usize) -> usize {
    c * image.channel_stride + y * image.row_stride + x * image.column_stride
}

/// Outputs in the order channel, row, column.
fn gather(image: &Image, data: &[f32]) -> Vec<f32> {
    let mut out = vec![];
    for c in 0..image.channels {
        for y in 0..image.height {
            out.extend((0..image.width).map(|x| data[at(image, c, y, x)]));
        }
    }
    out
}

fn naive_conv(shape: &Conv2d, x: &[f32], w: &[f32], bias: Option<&[f32]>) -> Vec<u32> {
    let (input, output) = (&shape.input, &shape.output);
    let (depth, filters) = (input.channels / shape.groups, output.channels / shape.groups);
    let (kh, kw) = (shape.vertical.size, shape.horizontal.size);
    let mut out = vec![];
    for o in 0..output.channels {
        for oy in 0..output.height {
            for ox in 0..output.width {
                let mut pairs = vec![];
                for c in 0..depth {
                    for i in 0..kh {
                        for j in 0..kw {
                            let y = input_of(shape.vertical, oy, i, input.height);
                            let x_ = input_of(shape.horizontal, ox, j, input.width);
                            if let (Some(y), Some(x_)) = (y, x_) {
                                let channel = o / filters * depth + c;
                                pairs.push((
                                    x[at(input, channel, y, x_)],
                                    w[((o * depth + c) * kh + i) * kw + j],
                                ));
                            }
                        }
                    }
                }
                out.push(exact_dot(pairs, bias.map(|b| b[o])));
            }
        }
    }
    out
}

#[test]
fn conv2d_matches_the_formula() {
    // Would catch: rows and columns, or strides, dilations and pads of them, exchanged; padding at the
    // wrong end; groups that read each other; a layout mixed up; neighbouring outputs overwritten.
    let mut random = Random(11);
    let mut shapes = 0;
    while shapes < 400 {
        let groups = 1 + random.below(3);
        let (vertical, horizontal) = (window(&mut random), window(&mut random));
        let (height, width) = (1 + random.below(9), 1 + random.below(9));
        let (Some(out_height), Some(out_width)) = (positions(vertical, height), positions(horizontal, width))
        else {
            continue;
        };
        let (channels, filters) = (groups * (1 + random.below(5)), groups * (1 + random.below(3)));
        let input = image(&mut random, channels, height, width);
        let output = image(&mut random, filters, out_height, out_width);
        let shape = Conv2d { input, output, vertical, horizontal, groups };
        let kind = [Kind::Normal, Kind::Sparse, Kind::AnyFinite, Kind::RareSpecial][shapes % 4];
        let x = random.floats(kind, input.extent());
        let weights = filters * channels / groups * vertical.size * horizontal.size;
        let w_kind = [Kind::Normal, kind][random.below(2)];
        let w = random.floats(w_kind, weights);
        let bias = random.floats(Kind::Normal, filters);
        let bias = (random.below(2) == 0).then_some(&bias[..]);
        let mut out = vec![UNWRITTEN; output.extent()];
        conv2d(&shape, &x, &w, bias, &mut out);
        assert_same_bits(&gather(&output, &out), &naive_conv(&shape, &x, &w, bias), &format!("{shape:?}"));
        let written = filters * out_height * out_width;
        let untouched = out.iter().filter(|&&v| v == UNWRITTEN).count();
        assert_eq!(untouched, out.len() - written, "gaps of the output must stay: {shape:?}");
        shapes += 1;
    }
}

#[test]
fn conv2d_with_a_window_of_more_elements_than_a_list_holds() {
    // Would catch: a patch cut in the middle of one of its runs.
    let mut random = Random(12);
    let shape = Conv2d {
        input: Image::planes(150, 4, 4),
        output: Image::channels_last(9, 2, 2),
        vertical: Window::new(3, 1),
        horizontal: Window::new(3, 1),
        groups: 1,
    };
    let x = random.floats(Kind::Normal, 150 * 16);
    let w = random.floats(Kind::Normal, 9 * 150 * 9);
    let mut out = vec![UNWRITTEN; 36];
    conv2d(&shape, &x, &w, None, &mut out);
    assert_same_bits(&gather(&shape.output, &out), &naive_conv(&shape, &x, &w, None), "150 channels");
}

#[test]
#[should_panic(expected = "conv2d: weights do not fit the shape")]
fn conv2d_refuses_weights_of_another_shape() {
    let shape = Conv2d {
        input: Image::planes(1, 2, 2),
        output: Image::planes(1, 1, 1),
        vertical: Window::new(2, 1),
        horizontal: Window::new(2, 1),
        groups: 1,
    };
    conv2d(&shape, &[0.0; 4], &[0.0; 5], None, &mut [0.0]);
}

fn pools(seed: u64, check: impl Fn(&Pool2d, &[f32])) {
    let mut random = Random(seed);
    let mut shapes = 0;
    while shapes < 300 {
        let (vertical, horizontal) = (window(&mut random), window(&mut random));
        let (height, width) = (1 + random.below(9), 1 + random.below(9));
        let (Some(out_height), Some(out_width)) = (positions(vertical, height), positions(horizontal, width))
        else {
            continue;
        };
        // One more row than whole windows fit: what ONNX calls ceil_mode.
        let (out_height, channels) = (out_height + random.below(2), 1 + random.below(3));
        let input = image(&mut random, channels, height, width);
        let output = image(&mut random, channels, out_height, out_width);
        let count_include_pad = random.below(2) == 0;
        let shape = Pool2d { input, output, vertical, horizontal, count_include_pad };
        let kind = [Kind::Normal, Kind::AnyFinite, Kind::Special, Kind::Zeros, Kind::RareSpecial][shapes % 5];
        let x = random.floats(kind, input.extent());
        check(&shape, &x);
        shapes += 1;
    }
}

/// The elements under each window, and how many positions lie on the padded image.
fn windows(shape: &Pool2d, x: &[f32]) -> Vec<(Vec<f32>, usize)> {
    let mut out = vec![];
    for c in 0..shape.output.channels {
        for oy in 0..shape.output.height {
            for ox in 0..shape.output.width {
                let (mut elements, mut padded) = (vec![], 0);
                for i in 0..shape.vertical.size {
                    for j in 0..shape.horizontal.size {
                        let y = input_of(shape.vertical, oy, i, shape.input.height);
                        let x_ = input_of(shape.horizontal, ox, j, shape.input.width);
                        if let (Some(y), Some(x_)) = (y, x_) {
                            elements.push(x[at(&shape.input, c, y, x_)]);
                        }
                        let inside = |window: Window, index: usize, tap: usize, len: usize| {
                            index * window.stride + tap * window.dilation
                                < window.pad_before + len + window.pad_after
                        };
                        padded += usize::from(
                            inside(shape.vertical, oy, i, shape.input.height)
                                && inside(shape.horizontal, ox, j, shape.input.width),
                        );
                    }
                }
                out.push((elements, padded));
            }
        }
    }
    out
}

#[test]
fn max_pool2d_matches_the_formula() {
    // Would catch: padding that counts as zero, NaN lost or of another payload, -0 above +0.
    pools(13, |shape, x| {
        let mut out = vec![UNWRITTEN; shape.output.extent()];
        max_pool2d(shape, x, &mut out);
        let expected: Vec<u32> =
            windows(shape, x).iter().map(|(elements, _)| support::maximum(elements)).collect();
        assert_same_bits(&gather(&shape.output, &out), &expected, &format!("{shape:?}"));
    });
}

#[test]
fn max_pool2d_of_integers_is_that_of_their_floats() {
    // Would catch: a border that counts as zero, bytes compared as if they had no sign.
    pools(15, |shape, x| {
        let bytes: Vec<i8> = x.iter().map(|x| (x.to_bits() >> 16) as i8).collect();
        let floats: Vec<f32> = bytes.iter().map(|&byte| byte.into()).collect();
        let (mut out, mut expected) = (vec![77; shape.output.extent()], vec![77.0; shape.output.extent()]);
        max_pool2d(shape, &bytes, &mut out);
        max_pool2d(shape, &floats, &mut expected);
        let expected: Vec<i8> = expected.iter().map(|&value| value as i8).collect();
        assert_eq!(out, expected, "{shape:?}");
    });
}

#[test]
fn average_pool2d_matches_the_formula() {
    // Would catch: a sum rounded more than once, a division by the wrong count at the border.
    pools(14, |shape, x| {
        let mut out = vec![UNWRITTEN; shape.output.extent()];
        average_pool2d(shape, x, &mut out);
        let expected: Vec<u32> = windows(shape, x)
            .into_iter()
            .map(|(elements, padded)| {
                let count = if shape.count_include_pad { padded } else { elements.len() };
                canonical_bits(f32::from_bits(exact_sum(elements)) / count as f32)
            })
            .collect();
        assert_same_bits(&gather(&shape.output, &out), &expected, &format!("{shape:?}"));
    });
}
