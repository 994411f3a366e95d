//! Functions of bytes become tables: the same bits as step by step, in one call.

use std::collections::BTreeMap;

use bytes::Bytes;
use opml_abi::Tensor;
use opml_frontend::graph::Op;
use opml_frontend::{ImportOptions, Model, ModelFile};
use tract_onnx::pb::{NodeProto, TensorProto, tensor_proto::DataType};

use crate::build::{floats, model, node};

/// A zero point.
fn byte(name: &str, of: DataType, value: i32) -> TensorProto {
    TensorProto { name: name.into(), data_type: of.into(), int32_data: vec![value], ..TensorProto::default() }
}

/// Floats to bytes of `of`, through `nodes` from `f` to `g`, and to bytes again; `x` takes each byte once.
fn file(of: DataType, nodes: Vec<NodeProto>) -> ModelFile {
    let zero = if of == DataType::Int8 { -3 } else { 125 };
    let constants = vec![
        floats("s", &[], &[0.07]),
        floats("t", &[], &[0.05]),
        floats("three", &[1], &[3.0]),
        byte("z", of, zero),
    ];
    let mut all = vec![
        node("QuantizeLinear", &["x", "s", "z"], &["q"], vec![]),
        node("DequantizeLinear", &["q", "s", "z"], &["f"], vec![]),
    ];
    all.extend(nodes);
    all.push(node("QuantizeLinear", &["g", "t", "z"], &["y"], vec![]));
    ModelFile::in_memory(Bytes::from(model(&[2, 128], constants, all)))
}

fn input() -> Tensor {
    let values: Vec<f32> = (-128..128).map(|i| i as f32 * 0.07).collect();
    Tensor::from_f32(&[2, 128], &values)
}

/// What comes out, with the input as a constant: then each kernel computes on its own.
fn step_by_step(file: &ModelFile) -> Vec<Tensor> {
    let constants = BTreeMap::from([("x".to_owned(), input())]);
    let model = Model::from_file(file, &ImportOptions { constants, ..ImportOptions::default() }).unwrap();
    assert!(model.graph().nodes.iter().all(|node| matches!(node.op, Op::Copy(..))), "all is known");
    model.run(&[]).unwrap()
}

#[track_caller]
fn is_one_table(nodes: &dyn Fn() -> Vec<NodeProto>) {
    for of in [DataType::Int8, DataType::Uint8] {
        let file = file(of, nodes());
        let model = Model::from_file(&file, &ImportOptions::default()).unwrap();
        let ops: Vec<_> = model.graph().nodes.iter().map(|node| &node.op).collect();
        assert!(matches!(ops[..], [Op::Quantize(..), Op::Lookup]), "{ops:?}");
        assert_eq!(model.run(&[input()]).unwrap(), step_by_step(&file));
    }
}

#[test]
fn a_function_of_bytes_is_a_table() {
    is_one_table(&|| vec![node("Sigmoid", &["f"], &["g"], vec![])]);
}

#[test]
fn a_function_of_the_same_bytes_twice_is_one_table() {
    is_one_table(&|| vec![node("Sigmoid", &["f"], &["a"], vec![]), node("Mul", &["f", "a"], &["g"], vec![])]);
}

#[test]
fn a_number_beside_bytes_is_in_the_table() {
    is_one_table(&|| {
        vec![
            node("Add", &["f", "three"], &["a"], vec![]),
            node("Relu", &["a"], &["b"], vec![]),
            node("Div", &["three", "b"], &["g"], vec![]),
        ]
    });
}

/// Bytes that lie in another order are looked up in the order in which they lie.
#[test]
fn a_table_is_read_in_the_order_of_the_memory() {
    let file = file(
        DataType::Int8,
        vec![node("Transpose", &["f"], &["a"], vec![]), node("Tanh", &["a"], &["g"], vec![])],
    );
    let model = Model::from_file(&file, &ImportOptions::default()).unwrap();
    let kinds: Vec<_> = model.graph().nodes.iter().map(|node| matches!(node.op, Op::Lookup)).collect();
    assert_eq!(kinds, [false, true, false], "{:?}", model.graph().nodes);
    assert_eq!(model.run(&[input()]).unwrap(), step_by_step(&file));
}

/// Two functions of other bytes each have a table, and what combines them has none.
#[test]
fn functions_of_other_bytes_stay_apart() {
    let nodes = || {
        vec![
            node("Neg", &["x"], &["m"], vec![]),
            node("QuantizeLinear", &["m", "s", "z"], &["p"], vec![]),
            node("DequantizeLinear", &["p", "s", "z"], &["h"], vec![]),
            node("Sub", &["f", "h"], &["g"], vec![]),
        ]
    };
    let file = file(DataType::Uint8, nodes());
    let model = Model::from_file(&file, &ImportOptions::default()).unwrap();
    let tables = model.graph().nodes.iter().filter(|node| matches!(node.op, Op::Lookup)).count();
    assert_eq!(tables, 2);
    assert!(model.graph().nodes.iter().any(|node| matches!(node.op, Op::Binary(..))));
    assert_eq!(model.run(&[input()]).unwrap(), step_by_step(&file));
}
