//! Arrays of numbers as text.

use opml_abi::DataType;
use opml_frontend::tensor_file::{Format, TensorProblem, read_bytes};

use crate::support::{port_of, problem, values};

#[test]
fn arrays_of_numbers_are_read() {
    let text = b" [ [1, -2.5e-1, 3e38],\n\t[0.1, 1e-45, -0] ]\n";
    assert_eq!(values(Format::Json, text, &[1, 2, 3]), [1.0, -0.25, 3e38, 0.1, 1e-45, -0.0]);
    // Between two float32, a little above the middle: binary64 would round it to the middle, and that down to 1.
    let above = "1.00000005960464477539062500000000000000000001";
    assert_eq!(values(Format::Json, above.as_bytes(), &[1]), [1.0 + f32::EPSILON]);
    let bools = read_bytes(Format::Json, b"[true, false, 1]", &port_of(DataType::Bool, &[3])).unwrap();
    assert_eq!(bools.data, [1, 0, 1]);
}

#[test]
fn what_is_no_array_of_numbers_is_refused_with_the_reason() {
    let nested = "[".repeat(100_000);
    let long = "1".repeat(65);
    for (text, words) in [
        ("", "a number is missing at the end"),
        ("[1, 2", "a comma or ] is missing at the end"),
        ("[1 2]", "a comma or ] is missing at `2]`"),
        ("[1, 2,]", "a number is missing at `]`"),
        ("[1, 2] 3", "more follows at `3`"),
        ("[[1], 2]", "not all equally deep"),
        ("[1, [2]]", "not all equally deep"),
        ("[[1, 2], [3]]", "its arrays of one depth have 2 elements, and 1"),
        ("{\"x\": [1, 2]}", "a number is missing at `{\\\"x\\\": [1, 2]}`"),
        ("[1, null]", "a number is missing at `null]`"),
        ("[1, NaN]", "a number is missing at `NaN]`"),
        ("[1, 1e39]", "1e39 is more than float32 holds"),
        ("[1, -inf]", "-inf is more than float32 holds"),
        ("[1, 2x]", "`2x` is no number"),
        ("[1, true]", "`true` is no number"),
        (&nested, "more than 8 deep"),
        (&long, "has 65 characters"),
    ] {
        // As many as the text is long: its length is not what is refused.
        let shape = if text.len() > 1_000 { &[100_000][..] } else { &[2] };
        let problem = problem(Format::Json, text.as_bytes(), shape);
        let TensorProblem::Malformed { format: Format::Json, reason } = &problem else {
            panic!("{problem:?}")
        };
        assert!(reason.contains(words), "{text:.40}: {reason}");
    }
    let other = problem(Format::Json, b"[[1, 2]]", &[2, 2]);
    assert!(matches!(&other, TensorProblem::Shape { got, .. } if *got == [1, 2]), "{other:?}");
    let large = problem(Format::Json, " ".repeat(4096 + 129).as_bytes(), &[2]);
    assert!(matches!(large, TensorProblem::TooLarge { limit: 4224, .. }), "{large:?}");
}
