//! What cannot be imported is refused for the right reason.

use std::fs;
use std::path::PathBuf;

use flatbuffers::FlatBufferBuilder;
use miette::Diagnostic;
use opml_frontend::ImportError;
use tract_tflite::tflite::{
    Buffer, BufferArgs, BuiltinOperator, Model, ModelArgs, Operator, OperatorArgs, OperatorCode,
    OperatorCodeArgs, SubGraph, SubGraphArgs, Tensor, TensorArgs, TensorType,
};

use super::support::{import, model_bytes};

fn refusal(bytes: &[u8]) -> ImportError {
    match import(bytes) {
        Ok(_) => panic!("it was imported"),
        Err(error) => error,
    }
}

fn refused(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/tflite/refused/{name}.tflite"));
    refusal(&fs::read(path).expect("the model is there")).to_string()
}

/// Every refusal names the operator as the schema does, the tensor that it makes, and why.
#[test]
fn operators_without_a_form_are_named_with_the_reason() {
    let cases = [
        ("while", "WHILE", "`cargo xtask convert` takes the model that the file was made of"),
        ("where", "WHERE", "the shape of its result depends on the input"),
        ("custom", "CUSTOM Betainc", "an operator that is not of the format"),
        ("float64", "CAST", "a tensor of the element type float64"),
    ];
    for (name, operator, reason) in cases {
        let text = refused(name);
        assert!(text.contains(&format!("  - {operator} (node `")), "{name}: {text}");
        assert!(text.contains(reason), "{name}: {text}");
        // What depends on it is not named.
        assert!(text.starts_with("1 of the model's nodes"), "{name}: {text}");
    }
}

#[test]
fn all_operators_without_a_form_are_named_at_once() {
    let text = refused("two_at_once");
    assert!(text.contains("  - UNIQUE (") && text.contains("  - CUSTOM Betainc ("), "{text}");
}

#[test]
fn a_type_that_no_kernel_computes_with_is_named_with_its_tensor() {
    let text = refused("int16");
    assert!(text.contains("has elements of type int16"), "{text}");
}

#[test]
fn what_is_no_model_is_named_as_such() {
    let whole = model_bytes("fully_connected");
    for len in [8, 20, whole.len() / 2] {
        let error = refusal(&whole[..len]);
        assert!(matches!(error, ImportError::NotTflite { .. }), "{len} bytes: {error:?}");
        assert!(error.help().is_some());
    }
}

/// A model whose parts are named here.
struct Parts {
    /// The type and dimensions of its input.
    input: (TensorType, Vec<i32>),
    operator: BuiltinOperator,
    /// Constants of this shape, all in one buffer, that are the other operands.
    constants: (usize, Vec<i32>, usize),
    /// Operands of the operator, and how often it is there.
    operands: Vec<i32>,
    times: usize,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            input: (TensorType::FLOAT32, vec![1, 4]),
            operator: BuiltinOperator::ADD,
            constants: (1, vec![4], 16),
            operands: vec![0, 2],
            times: 1,
        }
    }
}

/// Tensor 0 is the input, 1 the output, the constants follow.
fn build(parts: &Parts) -> Vec<u8> {
    let mut fbb = FlatBufferBuilder::new();
    let data = fbb.create_vector(&vec![0u8; parts.constants.2]);
    let empty = Buffer::create(&mut fbb, &BufferArgs::default());
    let full = Buffer::create(&mut fbb, &BufferArgs { data: Some(data) });
    let buffers = fbb.create_vector(&[empty, full]);
    let input_shape = fbb.create_vector(&parts.input.1);
    let constant_shape = fbb.create_vector(&parts.constants.1);
    let mut tensor = |type_, shape, buffer| {
        let args = TensorArgs { type_, shape: Some(shape), buffer, ..TensorArgs::default() };
        Tensor::create(&mut fbb, &args)
    };
    let mut tensors =
        vec![tensor(parts.input.0, input_shape, 0), tensor(TensorType::FLOAT32, input_shape, 0)];
    tensors.extend((0..parts.constants.0).map(|_| tensor(TensorType::FLOAT32, constant_shape, 1)));
    let (inputs, outputs) = (fbb.create_vector(&parts.operands), fbb.create_vector(&[1]));
    let args = OperatorArgs { inputs: Some(inputs), outputs: Some(outputs), ..OperatorArgs::default() };
    let operator = Operator::create(&mut fbb, &args);
    let operators = fbb.create_vector(&vec![operator; parts.times]);
    let (tensors, ins) = (fbb.create_vector(&tensors), fbb.create_vector(&[0]));
    let args = SubGraphArgs {
        tensors: Some(tensors),
        inputs: Some(ins),
        outputs: Some(outputs),
        operators: Some(operators),
        name: None,
    };
    let subgraph = SubGraph::create(&mut fbb, &args);
    let deprecated_builtin_code = i8::try_from(parts.operator.0).unwrap_or(127);
    let args = OperatorCodeArgs {
        deprecated_builtin_code,
        builtin_code: parts.operator,
        ..OperatorCodeArgs::default()
    };
    let code = OperatorCode::create(&mut fbb, &args);
    let (codes, subgraphs) = (fbb.create_vector(&[code]), fbb.create_vector(&[subgraph]));
    let args = ModelArgs {
        version: 3,
        operator_codes: Some(codes),
        subgraphs: Some(subgraphs),
        buffers: Some(buffers),
        ..ModelArgs::default()
    };
    let model = Model::create(&mut fbb, &args);
    fbb.finish(model, Some("TFL3"));
    fbb.finished_data().to_vec()
}

#[test]
fn the_model_that_the_cases_below_vary_is_imported() {
    assert!(import(&build(&Parts::default())).is_ok());
}

#[test]
fn what_a_file_says_of_tensors_that_cannot_be_is_refused() {
    let parts = Parts::default;
    let cases = [
        (Parts { operands: vec![0, 3], ..parts() }, "it names tensor 3 of 3"),
        (Parts { operands: vec![0, -2], ..parts() }, "it names tensor -2 of 3"),
        (Parts { operands: vec![0], ..parts() }, "its operand 1 is missing"),
        (Parts { operands: vec![0, 1], ..parts() }, "which nothing has made"),
        (Parts { input: (TensorType::FLOAT32, vec![1, -4]), ..parts() }, "a tensor with the dimension -4"),
        (Parts { input: (TensorType::FLOAT16, vec![1, 4]), ..parts() }, "has elements of type float16"),
        (Parts { input: (TensorType(99), vec![1, 4]), ..parts() }, "has elements of type 99"),
        (Parts { constants: (1, vec![5], 16), ..parts() }, "has 16 bytes of data; its dimensions say 20"),
        (Parts { constants: (1, vec![-5], 16), ..parts() }, "a tensor with the dimension -5"),
        (Parts { operator: BuiltinOperator(5000), ..parts() }, "operator number 5000"),
        (Parts { operator: BuiltinOperator::CONV_2D, ..parts() }, "its options are missing"),
    ];
    for (index, (parts, reason)) in cases.into_iter().enumerate() {
        let text = refusal(&build(&parts)).to_string();
        assert!(text.contains(reason), "case {index}: {text}");
    }
}

/// Tables of a file may be named again and again: a small file stands for more than a machine holds.
#[test]
fn a_file_that_names_the_same_bytes_again_and_again_is_refused() {
    let shared = Parts {
        operator: BuiltinOperator::ADD_N,
        constants: (4000, vec![1, 1 << 16], 1 << 18),
        operands: std::iter::once(0).chain(2..4002).collect(),
        ..Parts::default()
    };
    let repeated = Parts { operator: BuiltinOperator::ABS, times: 200_000, ..Parts::default() };
    for parts in [shared, repeated] {
        let text = refusal(&build(&parts)).to_string();
        assert!(text.contains("more memory than a file of its length can want"), "{text}");
    }
}
