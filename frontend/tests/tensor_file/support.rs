//! Files as bytes, made here so that each test can get one thing wrong.

use opml_abi::TensorInfo;
use opml_frontend::tensor_file::{Format, TensorProblem, read_bytes};
use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::DataType;

/// The input `image` of float32 and of dimensions `shape`.
pub fn port(shape: &[u32]) -> TensorInfo {
    port_of(opml_abi::DataType::Float32, shape)
}

/// The input `image` of dimensions `shape`.
pub fn port_of(dtype: opml_abi::DataType, shape: &[u32]) -> TensorInfo {
    TensorInfo { name: "image".into(), dtype, shape: shape.to_vec() }
}

/// A `.npy` file, version 1.0.
pub fn npy(descr: &str, fortran_order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': {descr}, 'fortran_order': {fortran_order}, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes(), data].concat()
}

pub fn little_endian(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

pub fn big_endian(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_be_bytes()).collect()
}

/// A `TensorProto` of float32 with its elements raw.
pub fn proto(dims: &[i64], values: &[f32]) -> TensorProto {
    TensorProto {
        dims: dims.to_vec(),
        data_type: DataType::Float as i32,
        raw_data: little_endian(values),
        ..Default::default()
    }
}

/// A PNG of whatever `color` and `pixels` are.
pub fn png(width: u32, height: u32, color: image::ExtendedColorType, pixels: &[u8]) -> Vec<u8> {
    use image::ImageEncoder;
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes).write_image(pixels, width, height, color).unwrap();
    bytes
}

/// The elements that `bytes` give the input of dimensions `shape`.
#[track_caller]
pub fn values(format: Format, bytes: &[u8], shape: &[u32]) -> Vec<f32> {
    let tensor = read_bytes(format, bytes, &port(shape)).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(tensor.shape, shape);
    tensor.to_f32().unwrap()
}

/// Why `bytes` are refused for the input of dimensions `shape`.
#[track_caller]
pub fn problem(format: Format, bytes: &[u8], shape: &[u32]) -> TensorProblem {
    match read_bytes(format, bytes, &port(shape)) {
        Ok(tensor) => panic!("accepted: {tensor:?}"),
        Err(problem) => problem,
    }
}

/// A message in full: what happened, and what to do.
pub fn text(problem: &TensorProblem) -> String {
    let help = miette::Diagnostic::help(problem).expect("every problem says what to do").to_string();
    format!("{problem}\n{help}")
}

/// A file that claims so many greyscale pixels and holds none: IHDR and an empty IDAT.
pub fn claiming_png(width: u32, height: u32) -> Vec<u8> {
    let small = png(1, 1, image::ExtendedColorType::L8, &[0]);
    let mut header = small[12..29].to_vec();
    header[4..8].copy_from_slice(&width.to_be_bytes());
    header[8..12].copy_from_slice(&height.to_be_bytes());
    let chunk = |content: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        [&(content.len() as u32 - 4).to_be_bytes(), content, &crc.sum().to_be_bytes()].concat()
    };
    [&small[..8], &chunk(&header), &chunk(b"IDAT"), &chunk(b"IEND")].concat()
}
