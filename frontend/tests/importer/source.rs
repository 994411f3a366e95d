//! The generated source depends on a model's structure alone, and no name in a model can reach its code.

use bytes::Bytes;
use opml_abi::Tensor;
use opml_frontend::{ImportOptions, Model, ModelFile};
use prost::Message;
use tract_onnx::pb::{ModelProto, TensorProto, tensor_proto::DataType};

use crate::support::{all_models, fixture, import};

fn weights(proto: &mut ModelProto) -> impl Iterator<Item = &mut TensorProto> {
    let initializers = &mut proto.graph.as_mut().unwrap().initializer;
    // Scalars are parameters of the structure: the bounds of a Clip become part of a kernel's call.
    // So are the scales of quantised weights: a bias has that of the sums that it is added to.
    initializers.iter_mut().filter(|tensor| {
        tensor.data_type == DataType::Float as i32
            && !tensor.dims.is_empty()
            && !tensor.name.ends_with("_scale")
    })
}

/// Other weights, each positive where it was: a variance stays one.
fn retrained(bytes: &[u8]) -> (Vec<u8>, usize) {
    let mut proto = ModelProto::decode(bytes).unwrap();
    let mut changed = 0;
    for tensor in weights(&mut proto) {
        tensor.float_data.iter_mut().for_each(|value| *value *= 1.25);
        changed += tensor.float_data.len();
        for element in tensor.raw_data.as_chunks_mut().0 {
            *element = (f32::from_le_bytes(*element) * 1.25).to_le_bytes();
            changed += 1;
        }
    }
    (proto.encode_to_vec(), changed)
}

#[test]
fn source_does_not_depend_on_the_values_of_weights() {
    let mut compared = 0;
    for (name, bytes) in all_models() {
        let (other, changed) = retrained(&bytes);
        if changed == 0 {
            continue;
        }
        let (model, other) = (import(&bytes), import(&other));
        assert_eq!(model.guest_source(), other.guest_source(), "{name}");
        assert_ne!(model.constants(), other.constants(), "{name}");
        let symbols = |model: &opml_frontend::Model| {
            model.constants().iter().map(|c| c.symbol.clone()).collect::<Vec<_>>()
        };
        assert_eq!(symbols(&model), symbols(&other), "{name}");
        compared += 1;
    }
    assert!(compared >= 8, "only {compared} models have weights");
}

#[test]
fn two_imports_give_the_same_source_and_weights() {
    for (name, bytes) in all_models() {
        let (first, second) = (import(&bytes), import(&bytes));
        assert_eq!(first.guest_source(), second.guest_source(), "{name}");
        assert_eq!(first.constants(), second.constants(), "{name}");
    }
}

/// Breaks out of line comments, block comments, strings and raw strings, if anything does.
const EVIL: &str = "\n}\nfn evil() {} /* */ \" \"# ' \\ \r\u{2028}\u{202e} evil!(); {evil} //";

#[test]
fn names_in_a_model_stay_inside_comments() {
    let code = |source: &str| -> Vec<String> {
        source.lines().map(str::trim).filter(|line| !line.starts_with("//")).map(str::to_owned).collect()
    };
    for (name, bytes) in all_models() {
        let mut proto = ModelProto::decode(bytes.as_slice()).unwrap();
        let graph = proto.graph.as_mut().unwrap();
        let rename = |name: &mut String| {
            if !name.is_empty() {
                name.push_str(EVIL);
            }
        };
        for (index, node) in graph.node.iter_mut().enumerate() {
            node.name = format!("{index}{EVIL}");
            node.doc_string.push_str(EVIL);
            node.input.iter_mut().chain(&mut node.output).for_each(rename);
        }
        graph.initializer.iter_mut().for_each(|tensor| rename(&mut tensor.name));
        graph.input.iter_mut().chain(&mut graph.output).for_each(|value| rename(&mut value.name));
        graph.name.push_str(EVIL);
        let source = import(&proto.encode_to_vec()).guest_source();
        assert!(
            source.contains("evil"),
            "{name}: the names are not in the source, so this test shows nothing"
        );
        assert!(source.is_ascii() && !source.contains('\r'), "{name}");
        assert_eq!(code(&source), code(&import(&bytes).guest_source()), "{name}");
    }
}

/// Whether weights are copied out of the file must not show: those in memory are moved, those in the file are read in another order.
#[test]
fn weights_that_stay_in_the_file_are_the_same_weights() {
    let mut in_file: Vec<String> = Vec::new();
    for (name, bytes) in all_models() {
        let file = ModelFile::in_memory(Bytes::from(bytes));
        let import = |large| {
            let options = ImportOptions { large, ..ImportOptions::default() };
            Model::from_file(&file, &options).unwrap_or_else(|e| panic!("{name}: {e}"))
        };
        let (copied, kept) = (import(usize::MAX), import(1));
        assert_eq!(copied.guest_source(), kept.guest_source(), "{name}");
        let words = |model: &Model| {
            model.constants().iter().map(|c| (c.symbol.clone(), c.words())).collect::<Vec<_>>()
        };
        assert!(words(&copied) == words(&kept), "{name}: other words");
        let inputs: Vec<Tensor> = (copied.graph().inputs.iter())
            .map(|port| {
                let numbers = (0..port.elements()).map(|i| (i as f32 * 0.7).sin()).collect::<Vec<_>>();
                Tensor::from_f32(&port.shape, &numbers)
            })
            .collect();
        assert_eq!(copied.run(&inputs), kept.run(&inputs), "{name}");
        if format!("{:?}", kept.graph()).contains("values in a file") {
            in_file.push(name);
        }
    }
    // Nearly all weights stay there; what a normalisation folds into them, or adds up, is new.
    let (expected, got) =
        (["conv_padded_strided_grouped", "gemm_transposed", "matmul_add_relu", "mnist/mlp"], in_file);
    assert!(expected.iter().all(|&name| got.iter().any(|found| found == name)), "{got:?}");
}

/// The checks of weights see those that stay in the file, too.
#[test]
fn weights_that_stay_in_the_file_are_checked() {
    for name in ["nan_weights", "short_weights", "external_data", "wrong_rank", "float64"] {
        let bytes = Bytes::from(std::fs::read(fixture(&format!("{name}.onnx"))).unwrap());
        let file = ModelFile::in_memory(bytes);
        let options = |large| ImportOptions { large, ..ImportOptions::default() };
        let refusal = |large| match Model::from_file(&file, &options(large)) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{name} is not refused"),
        };
        assert_eq!(refusal(1), refusal(usize::MAX), "{name}");
    }
}

/// A profile is told by these lines which steps are whose.
#[test]
fn calls_are_the_lines_of_their_nodes() {
    let mut loops = 0;
    for (name, bytes) in all_models() {
        let (model, mut products) = (import(&bytes), 0);
        let (source, calls) = model.source_with_calls();
        let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
        for call in &calls {
            let at = call.line as usize - 1;
            let is_loop = call.operator.starts_with("Repeat(");
            let (start, comment) = if is_loop { ("for i", at - 1) } else { ("unsafe { ", at - 2) };
            assert!(lines[at].starts_with(start), "{name}, line {at}: {}", lines[at]);
            let node = format!(": {}", call.name.escape_default());
            assert!(
                lines[comment].starts_with("// Node ") && lines[comment].ends_with(&node),
                "{name}, line {at}"
            );
            loops += u32::from(is_loop);
            products += call.multiply_accumulates;
        }
        let statements = lines.iter().filter(|line| line.starts_with("// Node ")).count();
        assert_eq!((calls.len(), products), (statements, model.multiply_accumulates()), "{name}");
    }
    assert!(loops > 0, "no model has a loop");
}
