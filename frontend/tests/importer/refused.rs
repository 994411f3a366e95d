//! Every model that has to be refused is, for the right reason and in words that help.

use std::fs;

use miette::Diagnostic;
use opml_abi::Tensor;
use opml_frontend::{ImportError, Model};

use crate::support::{dims, fixture};

const REFUSED: [&str; 15] = [
    "cycle",
    "dynamic_batch",
    "empty",
    "external_data",
    "float64",
    "huge_dims",
    "missing_initializer",
    "nan_weights",
    "no_outputs",
    "not_onnx",
    "short_weights",
    "truncated",
    "two_dynamic",
    "unsupported",
    "wrong_rank",
];

fn bytes(name: &str) -> Vec<u8> {
    fs::read(fixture(&format!("{name}.onnx"))).unwrap()
}

fn refusal(name: &str, given: &[(&str, u32)]) -> ImportError {
    match Model::from_bytes(&bytes(name), &dims(given)) {
        Ok(_) => panic!("{name} was imported"),
        Err(error) => error,
    }
}

fn help(error: &ImportError) -> String {
    error.help().expect("every refusal says what to do next").to_string()
}

#[track_caller]
fn assert_malformed(name: &str, problem: &str) {
    match refusal(name, &[]) {
        ImportError::Malformed { problem: found } => assert!(found.contains(problem), "{name}: {found}"),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn no_fixture_is_left_out() {
    let names =
        fs::read_dir(fixture("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter_map(|name| name.strip_suffix(".onnx").map(str::to_owned)).collect();
    names.sort();
    assert_eq!(names, REFUSED);
    REFUSED.iter().for_each(|name| assert!(!help(&refusal(name, &[])).is_empty()));
}

#[test]
fn what_is_no_model_is_named_as_such() {
    for name in ["truncated", "not_onnx", "empty"] {
        let error = refusal(name, &[]);
        assert!(matches!(error, ImportError::NotOnnx { .. }), "{name}: {error:?}");
        assert!(error.to_string().starts_with("this is not an ONNX model: "), "{error}");
    }
    assert_eq!(refusal("empty", &[]).to_string(), "this is not an ONNX model: the file is empty");
}

#[test]
fn contradictions_name_the_node_or_the_weight() {
    assert_malformed("no_outputs", "the graph has no output");
    assert_malformed("missing_initializer", "node `dense` reads `b`, which nothing makes");
    assert_malformed("cycle", "the graph has a cycle: node `add`");
    assert_malformed("short_weights", "`w` has 40 bytes of data; its dimensions say 48");
    assert_malformed("huge_dims", "`w` has 0 elements of data; its dimensions say 1000000000");
    assert_malformed(
        "external_data",
        "`w`: its elements are in the file `../outside.bin`, which was not read",
    );
}

#[test]
fn shapes_that_do_not_fit_name_the_node() {
    let error = refusal("wrong_rank", &[]);
    let ImportError::Unsupported(nodes) = &error else { panic!("{error:?}") };
    assert_eq!(nodes[0].node, "product");
    assert!(nodes[0].reason.starts_with("a product of float32"), "{error}");
}

#[test]
fn weights_that_are_no_float32_numbers_are_named() {
    let error = refusal("nan_weights", &[]);
    let ImportError::NotFinite { tensor, index, value } = &error else { panic!("{error:?}") };
    assert_eq!((tensor.as_str(), *index, value.is_nan()), ("w", 7, true));
    assert_eq!(error.to_string(), "weight `w` holds NaN at element 7");

    let error = refusal("float64", &[]);
    let ImportError::ElementType { tensor, dtype } = &error else { panic!("{error:?}") };
    assert_eq!((tensor.as_str(), dtype.as_str()), ("w", "double"));
}

#[test]
fn all_unsupported_operators_are_named_at_once() {
    let error = refusal("unsupported", &[]);
    let ImportError::Unsupported(nodes) = &error else { panic!("{error:?}") };
    let named: Vec<_> = nodes.iter().map(|n| (n.operator.as_str(), n.node.as_str())).collect();
    let expected = [
        ("NonMaxSuppression", "select_boxes"),
        ("StringNormalizer", "lower_case"),
        ("com.example::Magic", "magic"),
    ];
    assert_eq!(named, expected);
    let text = error.to_string();
    assert!(text.starts_with("3 of the model's nodes cannot be compiled:"), "{text}");
    expected.iter().for_each(|(op, node)| assert!(text.contains(&format!("{op} (node `{node}`)")), "{text}"));
    assert!(!text.contains("drop_direction") && !text.contains("`relu`"), "supported ones are named: {text}");
}

#[test]
fn open_dimensions_are_named_with_the_flag_that_fixes_them() {
    for (name, given, open, flags) in [
        ("dynamic_batch", &[][..], &["batch"][..], "--dim batch=1"),
        ("two_dynamic", &[], &["batch", "seq"], "--dim batch=1 --dim seq=1"),
        ("two_dynamic", &[("batch", 2)], &["seq"], "--dim seq=1"),
    ] {
        let error = refusal(name, given);
        let ImportError::DynamicDimensions(names) = &error else { panic!("{name}: {error:?}") };
        assert_eq!(names, open);
        assert!(error.to_string().ends_with(&open.join(", ")), "{error}");
        assert_eq!(help(&error), format!("fix them with {flags}"));
    }
}

#[test]
fn a_dimension_that_the_model_does_not_have_is_refused() {
    let error = refusal("dynamic_batch", &[("batch", 1), ("bacth", 1)]);
    let ImportError::UnknownDimension { name, known } = &error else { panic!("{error:?}") };
    assert_eq!((name.as_str(), known.as_slice()), ("bacth", &["batch".to_owned()][..]));
    let fixed = fs::read(fixture("concat/model.onnx")).unwrap();
    let error = Model::from_bytes(&fixed, &dims(&[("batch", 1)])).unwrap_err();
    assert_eq!(error.to_string(), "the model has no open dimension `batch`; it has: none");
}

#[test]
fn a_dimension_of_nothing_is_refused() {
    let error = refusal("dynamic_batch", &[("batch", 0)]);
    assert!(matches!(&error, ImportError::EmptyDimension { name } if name == "batch"), "{error:?}");
    assert!(help(&error).contains("--dim batch=1"));
}

#[test]
fn a_dimension_beyond_the_memory_of_the_vm_is_refused() {
    let error = refusal("dynamic_batch", &[("batch", u32::MAX)]);
    let ImportError::TooLarge { input, shape } = &error else { panic!("{error:?}") };
    assert_eq!((input.as_str(), shape.as_slice()), ("x", &[4_294_967_295, 4][..]));
}

#[test]
fn given_dimensions_make_a_model_that_runs() {
    let run = |name: &str, given: &[(&str, u32)], shape: &[u32], values: &[f32]| {
        let model = Model::from_bytes(&bytes(name), &dims(given)).unwrap();
        let outputs = model.run(&[Tensor::from_f32(shape, values)]).unwrap();
        assert_eq!(outputs.len(), 1);
        (outputs[0].shape.clone(), outputs[0].to_f32().unwrap())
    };
    let values: Vec<f32> = (0..8).map(|i| 0.37 * i as f32 - 1.1).collect();
    let (shape, both) = run("dynamic_batch", &[("batch", 2)], &[2, 4], &values);
    assert_eq!(shape, [2, 3]);
    assert!(both.iter().any(|&v| v > 0.0), "a ReLU let nothing through: {both:?}");
    // The rows of a batch do not know of each other.
    for (values, row) in values.chunks(4).zip(both.chunks(3)) {
        assert_eq!(run("dynamic_batch", &[("batch", 1)], &[1, 4], values), (vec![1, 3], row.to_vec()));
    }
    let values: Vec<f32> = (0..48).map(|i| 0.11 * i as f32 - 2.0).collect();
    let (shape, all) = run("two_dynamic", &[("batch", 2), ("seq", 3)], &[2, 3, 8], &values);
    assert_eq!(shape, [2, 3, 4]);
    for (values, row) in values.chunks(8).zip(all.chunks(4)) {
        let one = run("two_dynamic", &[("batch", 1), ("seq", 1)], &[1, 1, 8], values);
        assert_eq!(one, (vec![1, 1, 4], row.to_vec()));
    }
}
