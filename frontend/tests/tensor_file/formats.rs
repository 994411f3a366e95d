//! Each format read, and each thing that can be wrong with it.

use opml_frontend::tensor_file::{Format, TensorProblem};
use prost::Message;
use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};

use crate::support::{big_endian, little_endian, npy, problem, proto, text, values};

const SIX: [f32; 6] = [0.0, -0.0, 1.5, f32::INFINITY, 1e-45, -3.25];

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

#[test]
fn npy_is_read_in_either_byte_order_to_the_bit() {
    for bytes in [
        npy("'<f4'", "False", "(2, 3)", &little_endian(&SIX)),
        npy("'>f4'", "False", "(2, 3)", &big_endian(&SIX)),
        npy("'<f4'", "False", "(1, 2, 1, 3)", &little_endian(&SIX)),
    ] {
        assert_eq!(bits(&values(Format::Npy, &bytes, &[2, 3])), bits(&SIX));
        assert_eq!(bits(&values(Format::Npy, &bytes, &[1, 2, 3, 1])), bits(&SIX));
    }
}

#[test]
fn npy_in_fortran_order_is_read_by_rows() {
    // Element [i, j, k] of a [2, 3, 2] array is 100i + 10j + k; i runs fastest in the file.
    let element = |i: u32, j: u32, k: u32| (100 * i + 10 * j + k) as f32;
    let stored: Vec<f32> = (0..12).map(|at| element(at % 2, at / 2 % 3, at / 6)).collect();
    let expected: Vec<f32> = (0..12).map(|at| element(at / 6, at / 2 % 3, at % 2)).collect();
    let bytes = npy("'<f4'", "True", "(2, 3, 2)", &little_endian(&stored));
    assert_eq!(values(Format::Npy, &bytes, &[2, 3, 2]), expected);
}

#[test]
fn npy_of_other_types_is_refused_by_name() {
    for (descr, name) in [
        ("'<f8'", "float64"),
        ("'<f2'", "float16"),
        ("'|i1'", "int8"),
        ("'>i8'", "int64"),
        ("'|b1'", "bool"),
        ("'|O'", "`|O`"),
        ("'<U4'", "`<U4`"),
    ] {
        let problem = problem(Format::Npy, &npy(descr, "False", "(2, 3)", &[0; 48]), &[2, 3]);
        let TensorProblem::ElementType { input, got, .. } = &problem else { panic!("{descr}: {problem:?}") };
        assert_eq!((input.as_str(), got.as_str()), ("image", name));
        assert!(text(&problem).contains("astype('float32')"), "{}", text(&problem));
    }
    let fields = npy("[('r', '<f4'), ('g', '<f4')]", "False", "(3,)", &[0; 24]);
    assert!(matches!(problem(Format::Npy, &fields, &[2, 3]), TensorProblem::Malformed { .. }));
}

#[test]
fn pixels_as_bytes_are_refused_with_the_scaling() {
    let bytes = npy("'|u1'", "False", "(2, 3)", &[0; 6]);
    let refusal = text(&problem(Format::Npy, &bytes, &[2, 3]));
    assert!(
        refusal.starts_with("input `image` takes float32; the file holds uint8\nscale pixels"),
        "{refusal}"
    );
    let bytes = TensorProto { data_type: DataType::Uint8 as i32, ..proto(&[2, 3], &[]) }.encode_to_vec();
    let refusal = text(&problem(Format::Proto, &bytes, &[2, 3]));
    assert!(refusal.contains("the file holds uint8\nscale pixels as the model was trained"), "{refusal}");
}

#[test]
fn other_shapes_are_refused_with_both() {
    for (dims, got) in
        [("(3, 2)", vec![3, 2]), ("(6,)", vec![6]), ("()", vec![]), ("(2, 3, 2)", vec![2, 3, 2])]
    {
        let problem = problem(Format::Npy, &npy("'<f4'", "False", dims, &little_endian(&SIX)), &[1, 2, 3]);
        let expected = format!("input `image` is [1, 2, 3]; the file holds {got:?}\n");
        assert!(text(&problem).starts_with(&expected), "{}", text(&problem));
    }
    let overflowing = npy("'<f4'", "False", "(4294967296, 4294967296, 2)", &[]);
    assert!(matches!(problem(Format::Npy, &overflowing, &[2, 3]), TensorProblem::Shape { .. }));
}

#[test]
fn npy_of_another_length_is_refused_with_both() {
    for (data, got) in [(&little_endian(&SIX)[..23], 23), (&[0; 25], 25), (&[], 0)] {
        let problem = problem(Format::Npy, &npy("'<f4'", "False", "(2, 3)", data), &[2, 3]);
        let TensorProblem::Length { expected: 24, got: found, .. } = problem else { panic!("{problem:?}") };
        assert_eq!(found, got);
    }
}

#[test]
fn proto_is_read_raw_and_typed() {
    let raw = proto(&[2, 3], &SIX);
    let typed = TensorProto { raw_data: Vec::new(), float_data: SIX.to_vec(), ..raw.clone() };
    for proto in [raw, typed] {
        assert_eq!(bits(&values(Format::Proto, &proto.encode_to_vec(), &[1, 2, 3])), bits(&SIX));
    }
}

#[test]
fn proto_that_does_not_fit_is_refused_for_the_right_reason() {
    let good = proto(&[2, 3], &SIX);
    let refusal = |proto: &TensorProto| problem(Format::Proto, &proto.encode_to_vec(), &[2, 3]);
    let double =
        TensorProto { data_type: DataType::Double as i32, double_data: vec![0.0; 6], ..proto(&[2, 3], &[]) };
    assert!(matches!(refusal(&double), TensorProblem::ElementType { got, .. } if got == "float64"));
    let unknown = TensorProto { data_type: 99, ..good.clone() };
    assert!(matches!(refusal(&unknown), TensorProblem::ElementType { got, .. } if got == "type number 99"));
    assert!(matches!(refusal(&proto(&[3, 2], &SIX)), TensorProblem::Shape { got, .. } if got == [3, 2]));
    assert!(matches!(
        refusal(&proto(&[2, 3], &SIX[..5])),
        TensorProblem::Length { expected: 24, got: 20, .. }
    ));
    let malformed = |proto: &TensorProto, words: &str| {
        let problem = refusal(proto);
        let TensorProblem::Malformed { format: Format::Proto, reason } = &problem else {
            panic!("{problem:?}")
        };
        assert!(reason.contains(words), "{reason}");
    };
    malformed(&proto(&[-2, 3], &SIX), "the dimension -2");
    malformed(&TensorProto { float_data: SIX.to_vec(), ..good.clone() }, "twice");
    malformed(
        &TensorProto { data_location: Some(DataLocation::External as i32), ..good.clone() },
        "another file",
    );
    let cut = &good.encode_to_vec()[..10];
    assert!(matches!(problem(Format::Proto, cut, &[2, 3]), TensorProblem::Malformed { .. }));
}

#[test]
fn raw_files_are_little_endian_and_exactly_as_long() {
    assert_eq!(bits(&values(Format::Raw, &little_endian(&SIX), &[3, 2])), bits(&SIX));
    for len in [0, 23, 25] {
        let problem = problem(Format::Raw, &vec![0; len], &[3, 2]);
        let expected = format!("input `image` takes 24 bytes of float32; the file holds {len}\n");
        assert!(text(&problem).starts_with(&expected), "{}", text(&problem));
    }
}

#[test]
fn a_nan_is_refused_with_its_index() {
    let mut elements = SIX;
    elements[4] = f32::NAN;
    for (format, bytes) in [
        (Format::Npy, npy("'>f4'", "False", "(2, 3)", &big_endian(&elements))),
        (Format::Proto, proto(&[2, 3], &elements).encode_to_vec()),
        (Format::Raw, little_endian(&elements)),
    ] {
        let problem = problem(format, &bytes, &[2, 3]);
        assert!(text(&problem).starts_with("element 4 for input `image` is NaN\n"), "{format}: {problem}");
    }
    // The index counts by rows also where the file does not: [1, 1] is the fourth element there.
    let mut elements = SIX;
    elements[3] = f32::NAN;
    let bytes = npy("'<f4'", "True", "(2, 3)", &little_endian(&elements));
    assert!(matches!(problem(Format::Npy, &bytes, &[2, 3]), TensorProblem::NotANumber { index: 4, .. }));
}
