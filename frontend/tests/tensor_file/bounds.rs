//! Names, missing files, and files that are too large or say that they are.

use std::fs;
use std::path::Path;

use opml_frontend::tensor_file::{Format, TensorProblem, read};

use crate::support::{claiming_png, little_endian, npy, port, problem, text};

#[test]
fn the_ending_picks_the_format() {
    for (name, format) in [
        ("x.npy", Format::Npy),
        ("a.b/input_0.pb", Format::Proto),
        ("x.tar.bin", Format::Raw),
        ("DIGIT.PNG", Format::Png),
        ("x.pgm", Format::Pgm),
        ("prompt.json", Format::Json),
    ] {
        assert_eq!(Format::of(Path::new(name)).unwrap(), format, "{name}");
    }
    for (name, ending) in [("x.jpeg", "jpeg"), ("x", ""), (".npy", ""), ("npy/x", "")] {
        let problem = Format::of(Path::new(name)).unwrap_err();
        assert!(
            matches!(&problem, TensorProblem::UnknownExtension { extension } if extension == ending),
            "{problem:?}"
        );
        assert!(
            text(&problem).ends_with("known endings: .npy, .pb, .bin, .png, .pgm, .json"),
            "{}",
            text(&problem)
        );
    }
}

#[test]
fn the_file_is_named_where_reading_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.bin");
    let error = read(&path, &port(&[2])).unwrap_err();
    assert!(matches!(error.problem, TensorProblem::Missing), "{error:?}");
    assert_eq!(error.to_string(), format!("{}: there is no such file", path.display()));
    assert!(miette::Diagnostic::help(&error).is_some(), "the help of the problem is lost");

    fs::create_dir(&path).unwrap();
    let error = read(&path, &port(&[2])).unwrap_err();
    assert!(matches!(error.problem, TensorProblem::Io(_)), "{error:?}");

    fs::remove_dir(&path).unwrap();
    fs::write(&path, little_endian(&[1.0, 2.0])).unwrap();
    assert_eq!(read(&path, &port(&[2])).unwrap().to_f32().unwrap(), [1.0, 2.0]);
}

/// Only the start of such a file is read, and the message still knows its size or what it holds.
#[test]
fn large_files_are_refused_for_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let large = |name: &str, start: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, start).unwrap();
        // Sparse: it takes no room on the disk.
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1 << 33).unwrap();
        read(&path, &port(&[1, 1, 2, 2])).unwrap_err().problem
    };
    let raw = large("x.bin", &[]);
    assert!(matches!(raw, TensorProblem::Length { expected: 16, got: 0x2_0000_0000, .. }), "{raw:?}");
    let shape = large("x.npy", &npy("'<f4'", "False", "(200, 28, 28)", &[]));
    assert!(matches!(&shape, TensorProblem::Shape { got, .. } if *got == [200, 28, 28]), "{shape:?}");
    let length = large("x.npy", &npy("'<f4'", "False", "(2, 2)", &[]));
    assert!(matches!(length, TensorProblem::Length { expected: 16, .. }), "{length:?}");
    let proto = large("x.pb", &[]);
    assert!(matches!(proto, TensorProblem::TooLarge { limit: 4116, .. }), "{proto:?}");
    let picture = large("x.pgm", b"P5 2 2 255\n0000");
    assert!(matches!(picture, TensorProblem::TooLarge { limit: 4112, .. }), "{picture:?}");
    let picture = large("x.pgm", b"P5 2000 2000 255\n0000");
    assert!(matches!(&picture, TensorProblem::Shape { got, .. } if *got == [2000, 2000]), "{picture:?}");
}

#[test]
fn claims_of_size_are_compared_before_they_are_believed() {
    let png = claiming_png(100_000, 100_000);
    assert!(png.len() < 100, "{} bytes", png.len());
    for (format, bytes) in [(Format::Png, png), (Format::Pgm, b"P5 100000 100000 255\n".to_vec())] {
        let problem = problem(format, &bytes, &[1, 1, 28, 28]);
        let TensorProblem::Shape { expected, got, .. } = &problem else { panic!("{problem:?}") };
        assert_eq!((expected.as_slice(), got.as_slice()), (&[1, 1, 28, 28][..], &[100_000, 100_000][..]));
    }
    // A row of these alone is too much to look at the rest.
    let wide = problem(Format::Png, &claiming_png(0x7fff_ffff, 1), &[1, 1, 28, 28]);
    assert!(matches!(wide, TensorProblem::TooLarge { .. } | TensorProblem::Shape { .. }), "{wide:?}");
    // numpy's header claims 4 GB of text; one of 60 nested brackets would take a grammar years.
    let header = b"\x93NUMPY\x02\x00\xff\xff\xff\xff{";
    assert!(matches!(problem(Format::Npy, header, &[2]), TensorProblem::Malformed { .. }));
    let nested = npy(&"[".repeat(60), "False", "(2,)", &[]);
    assert!(matches!(problem(Format::Npy, &nested, &[2]), TensorProblem::Malformed { .. }));
}
