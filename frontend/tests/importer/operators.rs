//! Every supported operator, against tract's own execution of the same file: the lowering and the
//! kernels are ours, tract runs its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use opml_abi::Tensor;
use opml_frontend::Model;
use opml_frontend::onnx::operators::SUPPORTED;
use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::{AttributeProto, ModelProto, NodeProto, TensorProto};
use tract_onnx::prelude::{Framework, InferenceModelExt, IntoRunnable, tvec};

use crate::build::{floats, ints, model, node, shape, tensor};
use crate::support::{NETS, fixture};

fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: AttributeType::Int as i32, i, ..Default::default() }
}

/// Numbers from -2 to 2 that share no pattern with any shape.
fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 37 + 11) % 83) as f32 / 20.75 - 2.0).collect()
}

fn weights(name: &str, dims: &[i64]) -> TensorProto {
    floats(name, dims, &numbers(dims.iter().product::<i64>() as usize))
}

/// What the elements of `x` go through, one operator after the other: `x`, `v1`, ..., `y`.
fn chain(
    dims: &[i64],
    constants: Vec<TensorProto>,
    steps: &[(&str, &[&str], Vec<AttributeProto>)],
) -> Vec<u8> {
    let name = |index: usize| match index {
        0 => "x".to_owned(),
        i if i == steps.len() => "y".to_owned(),
        i => format!("v{i}"),
    };
    let step = |(index, (op, others, attributes)): (usize, &(&str, &[&str], Vec<AttributeProto>))| {
        let (from, to) = (name(index), name(index + 1));
        let inputs = [&[from.as_str()], *others].concat();
        node(op, &inputs, &[&to], attributes.clone())
    };
    model(dims, constants, steps.iter().enumerate().map(step).collect())
}

fn elementwise() -> Vec<(&'static str, Vec<u8>)> {
    let with = |op: &'static str, others: &[&str]| {
        (op, chain(&[2, 5], vec![weights("w", &[2, 5])], &[(op, others, vec![])]))
    };
    // Arguments of these are positive.
    let positive =
        |op: &'static str| (op, chain(&[2, 5], vec![], &[("Abs", &[], vec![]), (op, &[], vec![])]));
    let unary = ["Abs", "Erf", "Exp", "Identity", "Neg", "Reciprocal", "Relu", "Sigmoid", "Tanh", "Dropout"];
    let binary = ["Add", "Sub", "Mul", "Div", "Max", "Min"];
    let mut cases: Vec<_> = unary.map(|op| with(op, &[])).into();
    cases.extend(binary.map(|op| with(op, &["w"])));
    cases.extend(["Log", "Sqrt"].map(positive));
    cases.extend(["Sum", "Max", "Min"].map(|op| with(op, &["w", "x"])));
    let bounds = vec![floats("low", &[], &[-0.75]), floats("high", &[], &[0.5])];
    cases.push(("Clip", chain(&[2, 5], bounds, &[("Clip", &["low", "high"], vec![])])));
    cases
}

fn reductions() -> Vec<(&'static str, Vec<u8>)> {
    let mut cases = Vec::new();
    for axes in [&[0][..], &[1], &[-1], &[1, 2], &[0, 1, 2]] {
        for keep in [0, 1] {
            let attributes = vec![ints("axes", axes), int("keepdims", keep)];
            for op in ["ReduceMean", "ReduceMax"] {
                cases.push((op, chain(&[3, 4, 5], vec![], &[(op, &[], attributes.clone())])));
            }
            let sum = ("ReduceSum", &["axes"][..], vec![int("keepdims", keep)]);
            cases.push(("ReduceSum", chain(&[3, 4, 5], vec![shape("axes", axes)], &[sum])));
        }
    }
    for axis in [0, 1, 2, -1] {
        cases.push(("Softmax", chain(&[3, 4, 5], vec![], &[("Softmax", &[], vec![int("axis", axis)])])));
    }
    cases
}

fn layout() -> Vec<(&'static str, Vec<u8>)> {
    let bounds = vec![shape("starts", &[1, -3]), shape("ends", &[9, i64::MAX]), shape("axes", &[0, 2])];
    let split = |axis: i64, dims: &[i64], parts: &[i64]| {
        let halves = node("Split", &["x", "parts"], &["a", "b"], vec![int("axis", axis)]);
        let swapped = node("Concat", &["b", "a", "b"], &["y"], vec![int("axis", axis)]);
        model(dims, vec![shape("parts", parts)], vec![halves, swapped])
    };
    let axes = vec![shape("outer", &[0, 3]), shape("one", &[1])];
    let constant = node("Constant", &[], &["c"], vec![tensor("value", weights("", &[3, 1]))]);
    vec![
        ("Slice", chain(&[3, 2, 5], bounds, &[("Slice", &["starts", "ends", "axes"], vec![])])),
        ("Split", split(0, &[5, 3], &[2, 3])),
        ("Concat", split(-1, &[2, 6], &[5, 1])),
        (
            "Unsqueeze",
            chain(
                &[2, 3],
                axes.clone(),
                &[("Unsqueeze", &["outer"], vec![]), ("Softmax", &[], vec![int("axis", 1)])],
            ),
        ),
        (
            "Squeeze",
            chain(
                &[2, 1, 3],
                axes,
                &[("Squeeze", &["one"], vec![]), ("Transpose", &[], vec![ints("perm", &[1, 0])])],
            ),
        ),
        (
            "Flatten",
            chain(&[2, 3, 4], vec![], &[("Flatten", &[], vec![int("axis", 2)]), ("Neg", &[], vec![])]),
        ),
        (
            "Reshape",
            chain(
                &[2, 3, 4],
                vec![shape("s", &[0, -1, 2])],
                &[("Reshape", &["s"], vec![]), ("Exp", &[], vec![])],
            ),
        ),
        ("Transpose", chain(&[2, 3, 4], vec![], &[("Transpose", &[], vec![ints("perm", &[2, 0, 1])])])),
        ("Expand", chain(&[3, 1], vec![shape("s", &[2, 1, 4])], &[("Expand", &["s"], vec![])])),
        ("Expand to less", chain(&[3, 4], vec![shape("s", &[3, 1])], &[("Expand", &["s"], vec![])])),
        ("Constant", model(&[2, 1, 4], vec![], vec![constant, node("Mul", &["c", "x"], &["y"], vec![])])),
    ]
}

fn products() -> Vec<(&'static str, Vec<u8>)> {
    let gemm = |trans: [i64; 2], x: &[i64], w: &[i64], c: &[i64]| {
        let flags = vec![int("transA", trans[0]), int("transB", trans[1])];
        chain(x, vec![weights("w", w), weights("c", c)], &[("Gemm", &["w", "c"], flags)])
    };
    let matmul = |x: &[i64], w: &[i64]| chain(x, vec![weights("w", w)], &[("MatMul", &["w"], vec![])]);
    vec![
        ("Gemm", gemm([0, 0], &[2, 5], &[5, 3], &[3])),
        ("Gemm with a column", gemm([1, 0], &[5, 2], &[5, 3], &[2, 1])),
        ("Gemm with a matrix", gemm([0, 1], &[2, 5], &[3, 5], &[2, 3])),
        ("Gemm with a number", gemm([0, 1], &[2, 5], &[3, 5], &[1])),
        ("MatMul", matmul(&[2, 5], &[5, 3])),
        ("MatMul by a vector", matmul(&[2, 5], &[5])),
        ("MatMul of a batch", matmul(&[4, 2, 5], &[5, 3])),
        ("MatMul of two batches", matmul(&[4, 2, 5], &[4, 5, 3])),
        ("MatMul of heads", matmul(&[2, 3, 2, 5], &[2, 3, 5, 4])),
        ("MatMul and a bias for each", {
            let constants = vec![weights("w", &[5, 3]), weights("c", &[4, 2, 3])];
            chain(&[4, 2, 5], constants, &[("MatMul", &["w"], vec![]), ("Add", &["c"], vec![])])
        }),
    ]
}

fn windows() -> Vec<(&'static str, Vec<u8>)> {
    let window = |ks: &[i64], strides: &[i64], pads: &[i64]| {
        vec![ints("kernel_shape", ks), ints("strides", strides), ints("pads", pads)]
    };
    let plain = window(&[3, 2], &[2, 1], &[1, 0, 0, 1]);
    let ceil = [window(&[3, 3], &[2, 2], &[0, 0, 0, 0]), vec![int("ceil_mode", 1)]].concat();
    let counted = [window(&[3, 3], &[2, 2], &[1, 1, 1, 1]), vec![int("count_include_pad", 1)]].concat();
    let dilated = [window(&[2, 2], &[1, 2], &[1, 1, 0, 0]), vec![ints("dilations", &[2, 3])]].concat();
    let conv = |x: &[i64], w: &[i64], attributes: &[AttributeProto]| {
        let bias = weights("b", &w[..1]);
        chain(x, vec![weights("w", w), bias], &[("Conv", &["w", "b"], attributes.to_vec())])
    };
    let pool = |op: &'static str, x: &[i64], attributes: &[AttributeProto]| {
        chain(x, vec![], &[(op, &[], attributes.to_vec())])
    };
    let moments = ["scale", "bias", "mean"].map(|name| weights(name, &[3])).into_iter();
    let moments = moments.chain([floats("var", &[3], &[0.5, 1.5, 2.0])]).collect();
    let image = &[2, 3, 7, 6];
    let mut cases = vec![
        ("Conv", conv(image, &[4, 3, 3, 2], &plain)),
        ("Conv that is dilated", conv(image, &[4, 3, 2, 2], &dilated)),
        ("Conv of rows", conv(&[2, 3, 9], &[4, 3, 2], &window(&[2], &[2], &[1, 0]))),
        ("Conv of points", conv(image, &[4, 3, 1, 1], &[])),
        (
            "BatchNormalization",
            chain(image, moments, &[("BatchNormalization", &["scale", "bias", "mean", "var"], vec![])]),
        ),
        ("GlobalAveragePool", pool("GlobalAveragePool", image, &[])),
        ("GlobalMaxPool", pool("GlobalMaxPool", image, &[])),
        ("AveragePool that counts its border", pool("AveragePool", image, &counted)),
        ("MaxPool that is dilated", pool("MaxPool", image, &dilated)),
    ];
    for op in ["AveragePool", "MaxPool"] {
        cases.extend([(op, pool(op, image, &plain)), (op, pool(op, image, &ceil))]);
        cases.push((op, pool(op, &[2, 3, 9], &window(&[3], &[2], &[1, 1]))));
    }
    cases
}

fn cases() -> Vec<(&'static str, Vec<u8>)> {
    [elementwise(), reductions(), layout(), products(), windows()].concat()
}

/// What tract makes of the file and of `inputs`, all of them `x`.
fn tract(bytes: &[u8], x: &[f32]) -> Vec<f32> {
    let parsed = tract_onnx::onnx().with_ignore_output_shapes(true).model_for_read(&mut &bytes[..]).unwrap();
    let typed = parsed.into_typed().unwrap();
    let shape: Vec<usize> =
        typed.input_fact(0).unwrap().shape.as_concrete().expect("the models here are static").to_vec();
    let input = tract_onnx::prelude::Tensor::from_shape(&shape, x).unwrap();
    let outputs = typed.into_runnable().unwrap().run(tvec!(input.into())).unwrap();
    outputs[0].to_plain_array_view::<f32>().unwrap().iter().copied().collect()
}

#[test]
fn lowered_operators_agree_with_tract() {
    for (index, (name, bytes)) in cases().into_iter().enumerate() {
        let model = Model::from_onnx(&bytes, &BTreeMap::new())
            .unwrap_or_else(|e| panic!("{name} (case {index}): {e}"));
        let input = &model.graph().inputs[0].shape;
        let x = numbers(input.iter().product::<u32>() as usize);
        let got = model.run(&[Tensor::from_f32(input, &x)]).unwrap()[0].to_f32().unwrap();
        let expected = tract(&bytes, &x);
        assert_eq!(got.len(), expected.len(), "{name} (case {index})");
        for (at, (got, expected)) in got.iter().zip(&expected).enumerate() {
            let error = (got - expected).abs();
            let close = got == expected || error <= 1e-6 || error <= 1e-4 * expected.abs();
            assert!(close, "element {at} of {name} (case {index}): expected {expected}, got {got}");
        }
    }
}

#[test]
fn no_supported_operator_is_left_out() {
    let nets = NETS.map(|name| fs::read(fixture(&format!("{name}/model.onnx"))).unwrap());
    let operators = |bytes: Vec<u8>| {
        let graph = ModelProto::decode(bytes.as_slice()).unwrap().graph.unwrap();
        graph.node.into_iter().map(|node: NodeProto| node.op_type)
    };
    let all = nets.into_iter().chain(cases().into_iter().map(|(_, bytes)| bytes));
    let used: BTreeSet<String> = all.flat_map(operators).collect();
    assert!(used.iter().eq(SUPPORTED), "{used:?}");
}
