//! Convolutions that become something else: transposed ones, and those between bytes.

use opml_abi::Tensor;
use opml_frontend::graph::{Node, Op, Results};
use tract_onnx::pb::{AttributeProto, attribute_proto::AttributeType};

use crate::build::{floats, ints, model, node};
use crate::support::import;

/// Small integers, one after the other, so that sums in binary32 are exact.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn many(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.below(17) as f32 - 8.0).collect()
    }
}

fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: AttributeType::Int as i32, i, ..Default::default() }
}

fn dims(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&d| d as i64).collect()
}

fn run(bytes: &[u8], shape: &[usize], x: &[f32]) -> Vec<f32> {
    let shape: Vec<u32> = shape.iter().map(|&d| d as u32).collect();
    let outputs = import(bytes).run(&[Tensor::from_f32(&shape, x)]).expect("the input fits");
    outputs[0].to_f32().expect("the output is float32")
}

/// A transposed convolution along some axes, with borders cut off in front and behind.
struct Transposed {
    sides: Vec<usize>,
    taps: Vec<usize>,
    strides: Vec<usize>,
    dilations: Vec<usize>,
    before: Vec<usize>,
    output: Vec<usize>,
    attributes: Vec<AttributeProto>,
}

impl Transposed {
    fn new(numbers: &mut Numbers, axes: usize) -> Self {
        let list = |numbers: &mut Numbers, n: usize| -> Vec<usize> {
            (0..axes).map(|_| 1 + numbers.below(n)).collect()
        };
        let (sides, taps) = (list(numbers, 4), list(numbers, 4));
        let (strides, dilations) = (list(numbers, 4), list(numbers, 3));
        let full = |axis: usize| strides[axis] * (sides[axis] - 1) + (taps[axis] - 1) * dilations[axis] + 1;
        let before: Vec<usize> = (0..axes).map(|axis| numbers.below(full(axis).min(4))).collect();
        let after: Vec<usize> =
            (0..axes).map(|axis| numbers.below(full(axis) - before[axis]).min(3)).collect();
        let output = (0..axes).map(|axis| full(axis) - before[axis] - after[axis]).collect();
        let attributes = vec![
            ints("strides", &dims(&strides)),
            ints("dilations", &dims(&dilations)),
            ints("pads", &dims(&[&before[..], &after].concat())),
        ];
        Self { sides, taps, strides, dilations, before, output, attributes }
    }

    /// Where a tap puts an element, if that is in the result.
    fn target(&self, element: &[usize], tap: &[usize]) -> Option<usize> {
        let mut place = 0;
        for axis in 0..self.sides.len() {
            let at = element[axis] * self.strides[axis] + tap[axis] * self.dilations[axis];
            let at = at.checked_sub(self.before[axis]).filter(|&at| at < self.output[axis])?;
            place = place * self.output[axis] + at;
        }
        Some(place)
    }
}

/// The indices of an element of a tensor of this shape.
fn indices(mut place: usize, shape: &[usize]) -> Vec<usize> {
    let mut out = vec![0; shape.len()];
    for (index, d) in out.iter_mut().zip(shape).rev() {
        (*index, place) = (place % d, place / d);
    }
    out
}

#[test]
fn transposed_convolutions_are_sums_of_filters() {
    // Would catch: a phase that is left out, begins elsewhere, or has taps of another; taps that no phase of a stride reaches; what is cut off
    // inside an image; groups and images of a batch mixed up.
    let mut numbers = Numbers(1);
    for round in 0..400 {
        let case = Transposed::new(&mut numbers, 1 + round % 3);
        let (batch, groups) = (1 + numbers.below(2), 1 + numbers.below(2));
        let (channels, own) = (groups * (1 + numbers.below(2)), 1 + numbers.below(2));
        let (image, filter): (usize, usize) = (case.sides.iter().product(), case.taps.iter().product());
        let plane: usize = case.output.iter().product();
        let x = numbers.many(batch * channels * image);
        let w = numbers.many(channels * own * filter);
        let bias = numbers.many(groups * own);
        let mut expected = vec![0.0; batch * groups * own * plane];
        for (at, sum) in expected.iter_mut().enumerate() {
            *sum = bias[at / plane % (groups * own)];
        }
        for (at, &value) in x.iter().enumerate() {
            let (number, channel, element) =
                (at / image / channels, at / image % channels, indices(at % image, &case.sides));
            let group = channel / (channels / groups);
            for (tap, &weight) in w[channel * own * filter..][..own * filter].iter().enumerate() {
                let out = (number * groups + group) * own + tap / filter;
                if let Some(place) = case.target(&element, &indices(tap % filter, &case.taps)) {
                    expected[out * plane + place] += value * weight;
                }
            }
        }
        let mut attributes = case.attributes.clone();
        attributes.push(int("group", groups as i64));
        let shape = [&[batch, channels][..], &case.sides].concat();
        let weights = floats("w", &dims(&[&[channels, own][..], &case.taps].concat()), &w);
        let initializers = vec![weights, floats("b", &[bias.len() as i64], &bias)];
        let nodes = vec![node("ConvTranspose", &["x", "w", "b"], &["y"], attributes)];
        let bytes = model(&dims(&shape), initializers, nodes);
        assert_eq!(run(&bytes, &shape, &x), expected, "round {round}");
    }
}

/// All kernel calls, also those in loops.
fn calls(nodes: &[Node]) -> Vec<&Op> {
    nodes
        .iter()
        .flat_map(|node| match &node.op {
            Op::Repeat { body, .. } => calls(body),
            op => vec![op],
        })
        .collect()
}

/// A convolution of two images with 3 x 3 windows between numbers that were bytes, a ReLU, and bytes again; with `shown` the numbers
/// in between come out, too.
fn quantised(shown: bool) -> Vec<u8> {
    let scale = |name: &str, value: f32| floats(name, &[], &[value]);
    let weights: Vec<f32> = (0..2 * 3 * 9).map(|at| ((at * 37) % 23) as f32 * 0.02 - 0.2).collect();
    let nodes = [
        node("QuantizeLinear", &["x", "s"], &["xq"], vec![]),
        node("DequantizeLinear", &["xq", "s"], &["xd"], vec![]),
        node("QuantizeLinear", &["w", "ws", "wz"], &["wq"], vec![]),
        node("DequantizeLinear", &["wq", "ws", "wz"], &["wd"], vec![]),
        node("Conv", &["xd", "wd"], &["c"], vec![ints("pads", &[1, 1, 1, 1])]),
        node("Relu", &["c"], &["r"], vec![]),
        node("QuantizeLinear", &["r", "ys"], &["yq"], vec![]),
        node("DequantizeLinear", &["yq", "ys"], &["yd"], vec![]),
        node("Add", &["yd", if shown { "r" } else { "zero" }], &["y"], vec![]),
    ];
    let zero = tract_onnx::pb::TensorProto {
        name: "wz".into(),
        data_type: tract_onnx::pb::tensor_proto::DataType::Int8 as i32,
        int32_data: vec![0],
        ..Default::default()
    };
    let initializers = vec![
        floats("w", &[2, 3, 3, 3], &weights),
        scale("s", 0.02),
        scale("ws", 0.002),
        scale("ys", 0.01),
        scale("zero", 0.0),
        zero,
    ];
    model(&[2, 3, 6, 7], initializers, nodes.to_vec())
}

#[test]
fn sums_that_only_become_bytes_are_never_stored() {
    // Would catch: a pass over the sums of its own; sums that somebody else reads gone; images of a batch that are written over each other.
    let graph = |shown| import(&quantised(shown)).graph().clone();
    let alone = graph(false);
    let fused = |op: &&Op| matches!(op, Op::IntegerConv2d(_, _, Results::Bytes { rectified: true }));
    assert_eq!(calls(&alone.nodes).iter().filter(|op| fused(op)).count(), 1);
    assert!(!calls(&alone.nodes).iter().any(|op| matches!(op, Op::Requantize(..))));
    let both = graph(true);
    assert!(!calls(&both.nodes).iter().any(fused));
    assert!(calls(&both.nodes).iter().any(|op| matches!(op, Op::Requantize(..))));

    let (shape, mut numbers) = ([2, 3, 6, 7], Numbers(2));
    let x: Vec<f32> = numbers.many(2 * 3 * 6 * 7).iter().map(|x| (x + 8.0) * 0.25).collect();
    let (alone, both) = (run(&quantised(false), &shape, &x), run(&quantised(true), &shape, &x));
    // The second is the sum of a number and of what it is as a byte, within half a step of each other.
    for (index, (byte, sum)) in alone.iter().zip(&both).enumerate() {
        let number = sum - byte;
        let near = (number.clamp(0.0, 2.55) - byte).abs() <= 0.005_01;
        assert!(near, "element {index}: {number} became {byte}");
    }
    assert!(alone.iter().any(|&byte| byte > 0.5) && alone.contains(&0.0));
}
