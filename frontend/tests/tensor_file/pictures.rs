//! Pictures read and drawn.

use std::fs;

use image::ExtendedColorType::{L8, L16, La8, Rgb8, Rgba8};
use opml_abi::{DataType, Tensor};
use opml_frontend::tensor_file::{Drawn, Format, TensorProblem, read, read_bytes, write_png};

use crate::support::{png, port, port_of, problem, text, values};

#[test]
fn pictures_are_scaled_by_one_division() {
    let pixels: Vec<u8> = (0..=255).collect();
    let expected: Vec<f32> = pixels.iter().map(|&pixel| (f64::from(pixel) / 255.0) as f32).collect();
    let plain = pixels.iter().map(u8::to_string).collect::<Vec<_>>().join(" ");
    for (format, bytes) in [
        (Format::Png, png(32, 8, L8, &pixels)),
        (Format::Pgm, [b"P5\n# a comment\n32 8\n255\n", &pixels[..]].concat()),
        (Format::Pgm, format!("P2 32 8 255 {plain}\n").into_bytes()),
    ] {
        for shape in [&[8, 32][..], &[1, 1, 8, 32], &[1, 8, 32, 1]] {
            assert_eq!(values(format, &bytes, shape), expected, "{format}");
        }
        let problem = problem(format, &bytes, &[1, 1, 32, 8]);
        let expected = "input `image` is [1, 1, 32, 8]; the file holds [8, 32]\n";
        assert!(text(&problem).starts_with(expected), "{}", text(&problem));
    }
}

/// A picture of 2 by 3 pixels whose colours count up.
fn colours() -> Vec<u8> {
    png(3, 2, Rgb8, &(0..18).collect::<Vec<u8>>())
}

#[test]
fn colours_come_as_planes_or_pixels() {
    let planes: Vec<u8> = (0..18).map(|at| at % 6 * 3 + at / 6).collect();
    let pixels: Vec<u8> = (0..18).collect();
    for (shape, expected) in [(&[1, 3, 2, 3][..], &planes), (&[3, 2, 3], &planes), (&[1, 2, 3, 3], &pixels)] {
        let bytes = read_bytes(Format::Png, &colours(), &port_of(DataType::Uint8, shape)).unwrap();
        assert_eq!((&bytes.data, bytes.dtype), (expected, DataType::Uint8), "{shape:?}");
        let floats: Vec<f32> = expected.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
        assert_eq!(values(Format::Png, &colours(), shape), floats, "{shape:?}");
    }
    let other = problem(Format::Png, &colours(), &[1, 3, 4, 4]);
    assert!(matches!(&other, TensorProblem::Shape { got, .. } if *got == [3, 2, 3]), "{other:?}");
    let grey = problem(Format::Png, &png(4, 4, L8, &[0; 16]), &[1, 3, 4, 4]);
    assert!(matches!(&grey, TensorProblem::Shape { got, .. } if *got == [4, 4]), "{grey:?}");
    let clear = problem(Format::Png, &png(4, 4, Rgba8, &[0; 64]), &[1, 3, 4, 4]);
    assert!(
        text(&clear)
            .starts_with("the picture is 8-bit colour with transparency; 8-bit greyscale or colour is")
    );
}

#[test]
fn pixels_are_bytes_or_floats() {
    let grey = png(2, 2, L8, &[0, 1, 2, 255]);
    let bytes = read_bytes(Format::Png, &grey, &port_of(DataType::Uint8, &[1, 1, 2, 2])).unwrap();
    assert_eq!(bytes.data, [0, 1, 2, 255]);
    for dtype in [DataType::Int64, DataType::Int32, DataType::Int8, DataType::Bool] {
        let problem = read_bytes(Format::Png, &grey, &port_of(dtype, &[1, 1, 2, 2])).unwrap_err();
        let expected = format!("input `image` takes {dtype}; the file holds uint8\n");
        assert!(text(&problem).starts_with(&expected), "{}", text(&problem));
    }
}

#[test]
fn pictures_of_other_kinds_are_refused_by_kind() {
    for (bytes, kind) in [
        (png(2, 2, Rgb8, &[0; 12]), "8-bit colour"),
        (png(2, 2, La8, &[0; 8]), "8-bit greyscale with transparency"),
        (png(2, 2, L16, &[0; 8]), "16-bit greyscale"),
    ] {
        let problem = problem(Format::Png, &bytes, &[2, 2]);
        assert!(matches!(&problem, TensorProblem::PictureKind { got, .. } if got == kind), "{problem:?}");
        assert!(text(&problem).contains("8-bit greyscale is needed\nconvert it"), "{}", text(&problem));
    }
    for (bytes, kind) in [
        (b"P6 2 2 255\n000000000000".to_vec(), "a bitmap, a colour picture"),
        (b"P4 2 2\n00".to_vec(), "a bitmap, a colour picture"),
        (b"P5 2 2 100\n0000".to_vec(), "greyscale from 0 to 100"),
        (b"P5 2 2 65535\n00000000".to_vec(), "greyscale from 0 to 65535"),
    ] {
        let problem = problem(Format::Pgm, &bytes, &[2, 2]);
        assert!(
            matches!(&problem, TensorProblem::PictureKind { got, .. } if got.starts_with(kind)),
            "{problem:?}"
        );
    }
}

#[test]
fn pictures_that_are_cut_off_are_refused() {
    let whole = png(4, 4, L8, &[7; 16]);
    // The chunk IEND, 12 bytes, says nothing about the pixels.
    for len in 0..whole.len() - 12 {
        let problem = problem(Format::Png, &whole[..len], &[4, 4]);
        assert!(
            matches!(problem, TensorProblem::Malformed { format: Format::Png, .. }),
            "{len}: {problem:?}"
        );
    }
    let whole = b"P5 4 4 255\n0123456789abcdef";
    for len in 0..whole.len() {
        let problem = problem(Format::Pgm, &whole[..len], &[4, 4]);
        let expected = matches!(problem, TensorProblem::Malformed { format: Format::Pgm, .. });
        // The end of the text may cut a number in two.
        let shorter = len < 11 && matches!(problem, TensorProblem::PictureKind { .. });
        assert!(expected || shorter, "{len}: {problem:?}");
    }
}

/// What is drawn is read again, to the nearest of 256 steps.
#[test]
fn outputs_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.png");
    let low = Tensor::from_f32(&[1, 1, 2, 2], &[-1.0, -0.5, 0.0, 1.5]);
    assert_eq!(write_png(&path, &low).unwrap(), Drawn::FromMinusOne { outside: 1 });
    assert_eq!(read(&path, &port_of(DataType::Uint8, &[2, 2])).unwrap().data, [0, 64, 128, 255]);
    let floats: Vec<f32> = (0..18).map(|v| v as f32 / 255.0).collect();
    for shape in [[1, 3, 2, 3], [1, 2, 3, 3]] {
        let tensor = Tensor::from_f32(&shape, &floats);
        assert_eq!(write_png(&path, &tensor).unwrap(), Drawn::FromZero { outside: 0 });
        assert_eq!(read(&path, &port(&shape)).unwrap(), tensor);
    }
    let bytes = Tensor { dtype: DataType::Uint8, shape: vec![3, 2], data: vec![9, 8, 7, 6, 5, 4] };
    assert_eq!(write_png(&path, &bytes).unwrap(), Drawn::Bytes);
    assert_eq!(read(&path, &port_of(DataType::Uint8, &[3, 2])).unwrap(), bytes);
}

#[test]
fn what_is_no_picture_is_not_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.png");
    let problem = |tensor: &Tensor| write_png(&path, tensor).unwrap_err().problem;
    for shape in [&[4][..], &[2, 1, 1, 2], &[1, 2, 2, 1, 1], &[]] {
        let values = vec![0.0; shape.iter().product::<u32>() as usize];
        let problem = problem(&Tensor::from_f32(shape, &values));
        assert!(matches!(problem, TensorProblem::NoPicture { .. }), "{problem:?}");
    }
    let words = Tensor { dtype: DataType::Int32, shape: vec![1, 1], data: vec![0; 4] };
    assert!(text(&problem(&words)).starts_with("int32 [1, 1] cannot be drawn\n"));
    let nan = problem(&Tensor::from_f32(&[1, 2], &[0.0, f32::NAN]));
    assert!(matches!(nan, TensorProblem::NotDrawable { index: 1 }), "{nan:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
