//! Weights in files beside the model.

use std::fs;

use bytes::Bytes;
use opml_abi::Tensor;
use opml_frontend::{ImportError, ImportOptions, Model, ModelFile, ModelFileError, WeightsFile};
use prost::Message;
use tract_onnx::pb::tensor_proto::DataLocation;
use tract_onnx::pb::{ModelProto, StringStringEntryProto, TensorProto};

use crate::build::{floats, ints, model, node, shape, tensor};
use crate::support::fixture;

/// `x` times a matrix, then turned and reshaped: weights of two types.
fn initializers() -> Vec<TensorProto> {
    let weights: Vec<f32> = (0..12).map(|v| v as f32 * 0.25 - 1.0).collect();
    vec![floats("w", &[3, 4], &weights), shape("s", &[4, 2])]
}

fn with(initializers: Vec<TensorProto>) -> Vec<u8> {
    let nodes = vec![
        node("MatMul", &["x", "w"], &["product"], vec![]),
        node("Transpose", &["product"], &["turned"], vec![ints("perm", &[1, 0])]),
        node("Reshape", &["turned", "s"], &["y"], vec![]),
    ];
    model(&[2, 3], initializers, nodes)
}

fn bytes(tensor: &TensorProto) -> Vec<u8> {
    let floats = tensor.float_data.iter().flat_map(|v| v.to_le_bytes());
    floats.chain(tensor.int64_data.iter().flat_map(|v| v.to_le_bytes())).collect()
}

/// The same tensor in another file.
fn outside(tensor: &TensorProto, entries: &[(&str, &str)]) -> TensorProto {
    let entry =
        |&(key, value): &(&str, &str)| StringStringEntryProto { key: key.into(), value: value.into() };
    TensorProto {
        float_data: vec![],
        int64_data: vec![],
        data_location: Some(DataLocation::External as i32),
        external_data: entries.iter().map(entry).collect(),
        ..tensor.clone()
    }
}

fn import(file: &ModelFile, large: usize) -> Result<Model, ImportError> {
    Model::from_file(file, &ImportOptions { large, ..ImportOptions::default() })
}

/// Both weights in one file, at places of their own, and one in a file for itself.
#[test]
fn weights_in_other_files_are_the_same_weights() {
    let tensors = initializers();
    let [w, s] = &tensors[..] else { unreachable!() };
    let inside = Model::from_bytes(&with(tensors.clone()), &Default::default()).unwrap();
    let input = Tensor::from_f32(&[2, 3], &[1.0, 2.0, 3.0, -1.0, 0.5, 0.25]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    fs::create_dir(folder.path().join("inner")).unwrap();
    fs::write(folder.path().join("all.bin"), [&[0xff; 8], &bytes(w)[..], &bytes(s), &[0xff]].concat())
        .unwrap();
    fs::write(folder.path().join("inner/s"), bytes(s)).unwrap();
    for s in [
        outside(s, &[("location", "all.bin"), ("offset", "56"), ("length", "16"), ("checksum", "00")]),
        outside(s, &[("location", "inner/s")]),
    ] {
        let w = outside(w, &[("location", "all.bin"), ("offset", "8"), ("length", "48")]);
        fs::write(&path, with(vec![w, s])).unwrap();
        let file = ModelFile::read(&path).unwrap();
        for large in [1, usize::MAX] {
            let model = import(&file, large).unwrap();
            assert_eq!(model.guest_source(), inside.guest_source());
            let words = |model: &Model| model.constants().iter().map(|c| c.words()).collect::<Vec<_>>();
            assert!(words(&model) == words(&inside), "other weights");
            assert_eq!(model.run(std::slice::from_ref(&input)), inside.run(std::slice::from_ref(&input)));
        }
    }
}

#[test]
fn places_that_are_none_are_refused_with_the_reason() {
    let tensors = initializers();
    let [w, s] = &tensors[..] else { unreachable!() };
    let refusal = |w: TensorProto| {
        let mut file = ModelFile::in_memory(with(vec![w, s.clone()]).into());
        let there = WeightsFile { bytes: Bytes::from(bytes(w_of())), sha256: String::new() };
        file.external.insert("w.bin".into(), there);
        let refusals = [1, usize::MAX].map(|large| import(&file, large).unwrap_err().to_string());
        assert_eq!(refusals[0], refusals[1]);
        refusals[0].clone()
    };
    let at = |offset, length| outside(w, &[("location", "w.bin"), ("offset", offset), ("length", length)]);
    let twice = TensorProto { float_data: vec![0.0; 12], ..at("0", "48") };
    for (tensor, reason) in [
        (at("0", "49"), "its elements are at 0 for 49 bytes in `w.bin`, which has 48 bytes"),
        (at("1", "48"), "its elements are at 1 for 48 bytes in `w.bin`, which has 48 bytes"),
        (at("1", "18446744073709551615"), "its elements are at 1 for 18446744073709551615 bytes"),
        (at("-1", "48"), "its offset is `-1`"),
        (at("0", "x"), "its length is `x`"),
        (at("0", "44"), "`w` has 44 bytes of data; its dimensions say 48"),
        (outside(w, &[("location", "w.bin"), ("offset", "49")]), "its elements are at 49 in `w.bin`"),
        (outside(w, &[("offset", "0")]), "it does not say in which file its elements are"),
        (outside(w, &[("location", "other")]), "its elements are in the file `other`, which was not read"),
        (twice, "it has its elements twice"),
    ] {
        let refusal = refusal(tensor);
        assert!(refusal.contains(reason), "{refusal}");
    }
}

/// The first of [`initializers`].
fn w_of() -> &'static TensorProto {
    static W: std::sync::LazyLock<TensorProto> = std::sync::LazyLock::new(|| initializers().remove(0));
    &W
}

/// A small file that is taken again and again could fill the memory.
#[test]
fn no_more_is_taken_than_there_is() {
    let (w, tensors) = (w_of(), initializers());
    let place = [("location", "w.bin")];
    let copies = (0..9).map(|i| TensorProto { name: format!("w{i}"), ..outside(w, &place) });
    let all = [vec![outside(w, &place)], tensors[1..].to_vec(), copies.collect()].concat();
    let mut file = ModelFile::in_memory(with(all).into());
    file.external.insert("w.bin".into(), WeightsFile { bytes: bytes(w).into(), sha256: String::new() });
    let refusal = import(&file, 1).unwrap_err().to_string();
    assert!(refusal.contains("take more than the 48 bytes in the files beside it"), "{refusal}");
}

#[test]
fn elements_of_attributes_are_in_the_model() {
    let value = outside(&floats("v", &[1], &[]), &[("location", "v")]);
    let constant = node("Constant", &[], &["c"], vec![tensor("value", value)]);
    let bytes = model(&[1], vec![], vec![constant, node("Add", &["x", "c"], &["y"], vec![])]);
    let refusal = Model::from_bytes(&bytes, &Default::default()).unwrap_err().to_string();
    assert!(refusal.contains("are in another file, where only those of initializers may be"), "{refusal}");
}

#[test]
fn a_file_outside_of_the_folder_is_not_read() {
    let error = ModelFile::read(&fixture("external_data.onnx")).unwrap_err();
    assert!(
        matches!(&error, ModelFileError::Outside { location, .. } if location == "../outside.bin"),
        "{error:?}"
    );
}

/// What was found without parsing is what the parser finds.
#[test]
fn every_file_of_a_model_is_read() {
    let tensors = initializers();
    let folder = tempfile::tempdir().unwrap();
    let names = ["a", "b.data", "c/d"];
    fs::create_dir(folder.path().join("c")).unwrap();
    names.iter().for_each(|name| fs::write(folder.path().join(name), name).unwrap());
    let more = names.map(|name| TensorProto { name: name.into(), ..outside(w_of(), &[("location", name)]) });
    let path = folder.path().join("model.onnx");
    fs::write(&path, with([tensors, more.to_vec()].concat())).unwrap();
    let read = ModelFile::read(&path).unwrap();
    let parsed = ModelProto::decode(&*read.bytes).unwrap().graph.unwrap();
    let entries = parsed.initializer.iter().flat_map(|tensor| &tensor.external_data);
    let parsed: Vec<&str> = entries.filter(|e| e.key == "location").map(|e| e.value.as_str()).collect();
    assert_eq!(read.external.keys().collect::<Vec<_>>(), parsed);
}
