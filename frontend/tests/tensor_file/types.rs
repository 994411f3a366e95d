//! Elements of every type.

use opml_abi::{DataType, Tensor};
use opml_frontend::tensor_file::{Format, TensorProblem, read, read_bytes, write_npy};
use prost::Message;
use tract_onnx::pb::TensorProto;

use crate::support::{npy, port_of, text};

/// A type, numpy's letter for it, and two elements: as numbers, and little-endian.
type Case = (DataType, &'static str, [i64; 2], &'static [u8]);

const CASES: [Case; 5] = [
    (DataType::Int64, "i8", [-2, 1 << 40], &[254, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 1, 0, 0]),
    (DataType::Int32, "i4", [-2, 0x102_0304], &[254, 255, 255, 255, 4, 3, 2, 1]),
    (DataType::Int8, "i1", [-2, 127], &[254, 127]),
    (DataType::Uint8, "u1", [0, 254], &[0, 254]),
    (DataType::Bool, "b1", [0, 1], &[0, 1]),
];

/// The tensor [2] of a case.
fn tensor((dtype, _, values, _): Case) -> Tensor {
    let size = dtype.size();
    let data = values.iter().flat_map(|v| v.to_be_bytes()[8 - size..].to_vec()).collect();
    Tensor { dtype, shape: vec![2], data }
}

fn swapped(dtype: DataType, bytes: &[u8]) -> Vec<u8> {
    bytes.chunks(dtype.size()).flat_map(|element| element.iter().rev()).copied().collect()
}

#[test]
fn every_type_is_read_in_every_format() {
    for case in CASES {
        let (dtype, kind, values, bytes) = case;
        let raw = TensorProto {
            dims: vec![2],
            data_type: dtype.code().into(),
            raw_data: bytes.to_vec(),
            ..Default::default()
        };
        let typed = match dtype {
            DataType::Int64 => TensorProto { raw_data: vec![], int64_data: values.to_vec(), ..raw.clone() },
            _ => {
                TensorProto { raw_data: vec![], int32_data: values.map(|v| v as i32).to_vec(), ..raw.clone() }
            }
        };
        let files = [
            (Format::Npy, npy(&format!("'<{kind}'"), "False", "(2,)", bytes)),
            (Format::Npy, npy(&format!("'>{kind}'"), "False", "(2, 1)", &swapped(dtype, bytes))),
            (Format::Proto, raw.encode_to_vec()),
            (Format::Proto, typed.encode_to_vec()),
            (Format::Raw, bytes.to_vec()),
            (Format::Json, format!("[{}, {}]", values[0], values[1]).into_bytes()),
        ];
        for (format, file) in files {
            let read = read_bytes(format, &file, &port_of(dtype, &[2])).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(read, tensor(case), "{dtype} in {format}");
        }
    }
}

#[test]
fn every_type_is_written_as_numpy_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    for case in CASES {
        let (dtype, kind, _, bytes) = case;
        write_npy(&path, &tensor(case)).unwrap();
        let order = if dtype.size() == 1 { '|' } else { '<' };
        let written = std::fs::read(&path).unwrap();
        let header = format!("{{'descr': '{order}{kind}', 'fortran_order': False, 'shape': (2,), }}");
        assert!(written[10..].starts_with(header.as_bytes()) && written[128..] == *bytes, "{dtype}");
        assert_eq!(read(&path, &port_of(dtype, &[2])).unwrap(), tensor(case));
    }
}

#[test]
fn fortran_order_moves_whole_elements() {
    let stored: Vec<u8> = [1i64, 3, 2, 4].iter().flat_map(|v| v.to_le_bytes()).collect();
    let file = npy("'<i8'", "True", "(2, 2)", &stored);
    let read = read_bytes(Format::Npy, &file, &port_of(DataType::Int64, &[2, 2])).unwrap();
    assert_eq!(read.data, [1i64, 2, 3, 4].iter().flat_map(|v| v.to_be_bytes()).collect::<Vec<_>>());
}

/// Only int32 and int64 stand for each other, and only where nothing is lost.
#[test]
fn integers_of_another_width_serve_where_they_fit() {
    let [long, int, ..] = CASES;
    let file = |(_, kind, _, bytes): Case| npy(&format!("'<{kind}'"), "False", "(2,)", bytes);
    let wide = read_bytes(Format::Npy, &file(int), &port_of(DataType::Int64, &[2])).unwrap();
    assert_eq!(wide.data, int.2.iter().flat_map(|v| v.to_be_bytes()).collect::<Vec<_>>());
    let narrow = npy("'<i8'", "False", "(2,)", &int.2.map(i64::to_le_bytes).concat());
    let narrow = read_bytes(Format::Npy, &narrow, &port_of(DataType::Int32, &[2])).unwrap();
    assert_eq!(narrow, tensor(int));
    let problem = read_bytes(Format::Npy, &file(long), &port_of(DataType::Int32, &[2])).unwrap_err();
    let expected = "element 1 for input `image` is 1099511627776, which int32 does not hold\nwhole numbers from \
         -2147483648 to 2147483647";
    assert!(text(&problem).starts_with(expected), "{}", text(&problem));
}

#[test]
fn other_types_are_refused_with_both() {
    for case in CASES {
        let (dtype, kind, _, bytes) = case;
        let file = npy(&format!("'<{kind}'"), "False", "(2,)", bytes);
        for other in DataType::ALL {
            let either = [DataType::Int32, DataType::Int64];
            if other == dtype || (either.contains(&other) && either.contains(&dtype)) {
                continue;
            }
            let problem = read_bytes(Format::Npy, &file, &port_of(other, &[2])).unwrap_err();
            let expected = format!("input `image` takes {other}; the file holds {dtype}\n");
            assert!(text(&problem).starts_with(&expected), "{}", text(&problem));
        }
    }
}

#[test]
fn numbers_that_a_type_does_not_hold_are_refused() {
    let proto = |dtype: DataType, values: [i32; 2]| {
        let proto = TensorProto {
            dims: vec![2],
            data_type: dtype.code().into(),
            int32_data: values.to_vec(),
            ..Default::default()
        };
        (Format::Proto, dtype, proto.encode_to_vec(), values[1].to_string())
    };
    let json =
        |dtype, value: &str| (Format::Json, dtype, format!("[1, {value}]").into_bytes(), value.to_owned());
    for (format, dtype, file, value) in [
        proto(DataType::Int8, [1, 128]),
        proto(DataType::Uint8, [1, -1]),
        proto(DataType::Bool, [1, 2]),
        (Format::Raw, DataType::Bool, vec![1, 2], "2".into()),
        (Format::Npy, DataType::Bool, npy("'|b1'", "False", "(2,)", &[1, 2]), "2".into()),
        json(DataType::Int64, "9223372036854775808"),
        json(DataType::Int32, "1.0"),
        json(DataType::Uint8, "256"),
        json(DataType::Int64, "true"),
    ] {
        let problem = read_bytes(format, &file, &port_of(dtype, &[2])).unwrap_err();
        let expected = format!("element 1 for input `image` is {value}, which {dtype} does not hold\n");
        assert!(text(&problem).starts_with(&expected), "{}", text(&problem));
    }
}

#[test]
fn lengths_are_of_the_type() {
    for (dtype, bytes) in [(DataType::Int64, 16), (DataType::Bool, 2)] {
        let problem = read_bytes(Format::Raw, &[0; 3], &port_of(dtype, &[2])).unwrap_err();
        let expected = format!("input `image` takes {bytes} bytes of {dtype}; the file holds 3\n");
        assert!(text(&problem).starts_with(&expected), "{}", text(&problem));
    }
    // The file's own type counts.
    let short = npy("'<i4'", "False", "(2,)", &[0; 7]);
    let problem = read_bytes(Format::Npy, &short, &port_of(DataType::Int64, &[2])).unwrap_err();
    assert!(matches!(problem, TensorProblem::Length { expected: 8, got: 7, dtype: DataType::Int32, .. }));
}
