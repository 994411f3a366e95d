use std::collections::BTreeSet;
use std::fmt::Write as _;

use opml_abi::DataType;

use super::support::{all, distance, import, model_bytes, operators, recorded};

/// Relative error of floats: sums are rounded in another order there.
const FLOATS: f64 = 2e-5;

/// Units of integers that stand for floats. TensorFlow's kernels multiply by a fraction of 31 bits and round halves up, or read functions from
/// a table: they differ by this much among themselves.
const QUANTISED: f64 = 1.0;

/// Where tables or fractions of TensorFlow's kernels are further off.
const FURTHER: [(&str, f64); 1] =
    // The input, too, is rounded to bytes there.
    [("fully_connected_dynamic_range", 0.03)];

#[test]
fn all_cases_come_out_as_tensorflow_has_them() {
    let mut wrong = String::new();
    for case in all() {
        let model = match import(&model_bytes(&case)) {
            Ok(model) => model,
            Err(error) => {
                let _ = writeln!(wrong, "{case}: {error}");
                continue;
            }
        };
        let [inputs, expected] = recorded(&case, &model);
        let got = model.run(&inputs).unwrap_or_else(|e| panic!("{case}: {e}"));
        for (index, (expected, got)) in expected.iter().zip(&got).enumerate() {
            let further = FURTHER.iter().find(|(name, _)| *name == case).map(|(_, units)| *units);
            let tolerance = match expected.dtype {
                DataType::Float32 => FLOATS,
                DataType::Int8 | DataType::Uint8 => QUANTISED,
                _ => 0.0,
            };
            let apart = distance(expected, got);
            if apart > further.unwrap_or(tolerance) {
                let _ = writeln!(wrong, "{case}: output {index} is {apart} off");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The operators that the documentation lists are those there are.
#[test]
fn the_documentation_lists_the_operators() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/tflite.md");
    let text = std::fs::read_to_string(path).expect("the document is there");
    let section = text.split("## Operators").nth(1).and_then(|rest| rest.split("\n\n").nth(1));
    let listed: Vec<_> =
        section.expect("a list").split_whitespace().map(|name| name.trim_matches('`')).collect();
    assert_eq!(listed, opml_frontend::tflite::supported().collect::<Vec<_>>());
}

#[test]
fn every_operator_has_a_case() {
    let tried: BTreeSet<_> = all().iter().flat_map(|case| operators(&model_bytes(case))).collect();
    let untried: Vec<_> = opml_frontend::tflite::supported().filter(|name| !tried.contains(name)).collect();
    assert_eq!(untried, [""; 0]);
}
