//! ONNX's test suite, as it was written.

use std::collections::{BTreeMap, BTreeSet};

use opml_python::suite::{self, Kind, Suite};
use opml_toolchain::provision::Options;

fn suite() -> Suite {
    let found = suite::find(&Options::default()).unwrap_or_else(|error| panic!("{error}"));
    found.expect("ONNX's test suite is not there: `cargo xtask test` writes it and runs the tests")
}

#[test]
fn every_case_is_there_with_its_files() {
    let suite = suite();
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    let mut expected = BTreeSet::new();
    for case in &suite.cases {
        *count.entry(&case.suite).or_default() += 1;
        let data = case.folder(&suite).join("test_data_set_0");
        expected.insert(data.with_file_name("model.onnx"));
        expected.extend((0..case.inputs.len()).map(|i| data.join(format!("input_{i}.pb"))));
        expected.extend((0..case.outputs.len()).map(|i| data.join(format!("output_{i}.pb"))));
        assert!(case.rtol >= 1e-3 && case.atol >= 1e-7, "{}: {} {}", case.case, case.rtol, case.atol);
        assert!(!case.outputs.is_empty(), "{}", case.case);
    }
    let of_package =
        [("light", 9), ("node", 1884), ("pytorch-converted", 82), ("pytorch-operator", 35), ("simple", 23)];
    assert_eq!((suite.onnx.as_str(), count), ("1.23.2", BTreeMap::from(of_package)));
    let missing: Vec<_> = expected.iter().filter(|path| !path.is_file()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn inputs_are_named_as_the_graph_names_them() {
    let suite = suite();
    let ports = |suite_name: &str, name: &str| {
        let case = suite.cases.iter().find(|case| case.suite == suite_name && case.case == name);
        let case = case.unwrap_or_else(|| panic!("no case {name}"));
        case.inputs.iter().map(|port| (port.name.clone(), port.kind)).collect::<Vec<_>>()
    };
    let named = |names: &[(&str, Kind)]| {
        names.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect::<Vec<_>>()
    };
    assert_eq!(ports("node", "test_add"), named(&[("x", Kind::Tensor), ("y", Kind::Tensor)]));
    assert_eq!(ports("node", "test_sequence_insert_at_front")[0].1, Kind::Sequence);
    // Weights are listed among the inputs of its file, and nobody gives them.
    assert_eq!(ports("light", "resnet50"), named(&[("gpu_0/data_0", Kind::Tensor)]));
}
