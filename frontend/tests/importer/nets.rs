//! Every valid network gives what onnxruntime gave.

use std::fs;

use opml_abi::Tensor;
use opml_frontend::RunError;
use prost::Message;
use tract_onnx::pb::ModelProto;

use crate::support::{NETS, fixture, import, recorded};

/// The bounds that onnxruntime and ONNX's own evaluator keep to each other; either is enough.
const RELATIVE: f32 = 1e-4;
const ABSOLUTE: f32 = 1e-6;

#[test]
fn no_fixture_is_left_out() {
    let entries = fs::read_dir(fixture("")).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.path().join("model.onnx").exists());
    let mut names: Vec<_> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, NETS);
}

#[test]
fn outputs_agree_with_the_recorded_ones() {
    for name in NETS {
        let model = import(&fs::read(fixture(&format!("{name}/model.onnx"))).unwrap());
        let inputs = recorded(name, "input", &model.graph().inputs);
        let expected = recorded(name, "output", &model.graph().outputs);
        let outputs = model.run(&inputs).unwrap();
        assert_eq!(outputs.len(), expected.len(), "{name}");
        for (index, (output, expected)) in outputs.iter().zip(&expected).enumerate() {
            assert_close(output, expected, &format!("output {index} of {name}"));
        }
        assert!(!fixture(&format!("{name}/input_{}.pb", inputs.len())).exists(), "{name} lost an input");
        assert!(!fixture(&format!("{name}/output_{}.pb", outputs.len())).exists(), "{name} lost an output");
    }
}

fn assert_close(output: &Tensor, expected: &Tensor, what: &str) {
    assert_eq!(output.shape, expected.shape, "{what}");
    let pairs = output.to_f32().unwrap().into_iter().zip(expected.to_f32().unwrap());
    for (index, (got, expected)) in pairs.enumerate() {
        let error = (got - expected).abs();
        assert!(
            error <= ABSOLUTE || error <= RELATIVE * expected.abs(),
            "element {index} of {what}: expected {expected}, got {got}"
        );
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    // Would catch: a result of the native twin that depends on how its work was shared.
    for name in NETS {
        let model = import(&fs::read(fixture(&format!("{name}/model.onnx"))).unwrap());
        let inputs = recorded(name, "input", &model.graph().inputs);
        let outputs = [1, 2, 7].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| model.run(&inputs).unwrap())
        });
        assert!(outputs.iter().all(|output| *output == outputs[0]), "{name}");
    }
}

#[test]
fn inputs_that_do_not_fit_are_refused_before_anything_runs() {
    let model = import(&fs::read(fixture("two_inputs_two_outputs/model.onnx")).unwrap());
    let [a, b] = recorded("two_inputs_two_outputs", "input", &model.graph().inputs).try_into().unwrap();
    assert_eq!(model.run(std::slice::from_ref(&a)), Err(RunError::Count { expected: 2, got: 1 }));
    let swapped = model.run(&[b.clone(), a.clone()]).unwrap_err();
    assert_eq!(swapped.to_string(), "input `a` is float32 [2, 3]; a float32 [3, 2] was given");
    let bytes = Tensor { dtype: opml_abi::DataType::Uint8, shape: vec![3, 2], data: vec![0; 6] };
    let typed = model.run(&[a, bytes]).unwrap_err();
    assert_eq!(typed.to_string(), "input `b` is float32 [3, 2]; a uint8 [3, 2] was given");
}

/// A network after `change`, and its outputs.
fn changed(net: &str, change: impl FnOnce(&mut ModelProto), inputs: &[Tensor]) -> Vec<Tensor> {
    let mut proto =
        ModelProto::decode(fs::read(fixture(&format!("{net}/model.onnx"))).unwrap().as_slice()).unwrap();
    change(&mut proto);
    import(&proto.encode_to_vec()).run(inputs).unwrap()
}

#[test]
fn an_input_that_nothing_reads_is_still_an_input() {
    let model = import(&fs::read(fixture("two_inputs_two_outputs/model.onnx")).unwrap());
    let inputs = recorded("two_inputs_two_outputs", "input", &model.graph().inputs);
    let unread = |proto: &mut ModelProto| {
        let graph = proto.graph.as_mut().unwrap();
        // Only `b_t` is left, which does not depend on `a`.
        graph.output.retain(|output| output.name == "sum");
        graph.output[0].name = "b_t".into();
    };
    let outputs = changed("two_inputs_two_outputs", unread, &inputs);
    let b = inputs[1].to_f32().unwrap();
    assert_eq!(outputs, [Tensor::from_f32(&[2, 3], &[b[0], b[2], b[4], b[1], b[3], b[5]])]);
}

/// A node's name is a note in ONNX; exporters repeat them, and give them names of values.
#[test]
fn nodes_may_share_a_name() {
    let model = import(&fs::read(fixture("residual_block/model.onnx")).unwrap());
    let inputs = recorded("residual_block", "input", &model.graph().inputs);
    let expected = model.run(&inputs).unwrap();
    for name in ["node", "w0", "x", "y", ""] {
        let rename = |proto: &mut ModelProto| {
            proto.graph.as_mut().unwrap().node.iter_mut().for_each(|node| node.name = name.into());
        };
        assert_eq!(changed("residual_block", rename, &inputs), expected, "{name}");
    }
}
