//! Outputs as `.npy`.

use std::fs;
use std::path::Path;

use opml_abi::Tensor;
use opml_frontend::tensor_file::{TensorProblem, read, write_npy};

use crate::support::port;

#[test]
fn the_bytes_are_those_that_numpy_writes() {
    // numpy 2.2.6 wrote this one.
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/mnist/testdata/mlp.logits.npy");
    let tensor = read(&recorded, &port(&[200, 10])).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logits.npy");
    write_npy(&path, &tensor).unwrap();
    assert_eq!(fs::read(&path).unwrap(), fs::read(recorded).unwrap());
}

#[test]
fn what_is_written_is_read_again_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    for (shape, values) in [
        (&[][..], &[-0.0][..]),
        (&[3], &[1e-45, f32::MAX, f32::NEG_INFINITY]),
        (&[1, 2, 1, 1, 1, 1, 1, 2], &[1.0, 2.0, 3.0, 4.0]),
    ] {
        let tensor = Tensor::from_f32(shape, values);
        // The second time there is a file to replace.
        write_npy(&path, &tensor).unwrap();
        write_npy(&path, &tensor).unwrap();
        assert_eq!(read(&path, &port(shape)).unwrap(), tensor);
    }
}

#[test]
fn a_failure_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let tensor = Tensor::from_f32(&[1], &[1.0]);
    let taken = folder.path().join("taken.npy");
    fs::create_dir(&taken).unwrap();
    let error = write_npy(&taken, &tensor).unwrap_err();
    assert!(matches!(error.problem, TensorProblem::Io(_)), "{error:?}");
    assert_eq!(error.path, taken);
    let missing = folder.path().join("missing").join("x.npy");
    assert!(matches!(write_npy(&missing, &tensor).unwrap_err().problem, TensorProblem::Io(_)));
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["taken.npy"]);
}
