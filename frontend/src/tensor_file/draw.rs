//! Tensors as pictures.

use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use opml_abi::{DataType, Tensor};

use super::{TensorFileError, TensorProblem};

/// What became of the values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Drawn {
    /// Bytes: they are the pixels.
    Bytes,
    /// Floats, none of them negative: 0 is black, 1 is white.
    FromZero {
        /// How many were above 1, and are white.
        outside: usize,
    },
    /// Floats, some of them negative: -1 is black, 1 is white.
    FromMinusOne {
        /// How many were outside, and are black or white.
        outside: usize,
    },
}

/// Where the elements of a picture lie.
struct Picture {
    channels: usize,
    height: u32,
    width: u32,
    /// Whether the channels are planes, and not side by side in each pixel.
    planes: bool,
}

impl Picture {
    /// [H, W], or three axes of which the first or the last is of 1 or 3 channels, the first one preferred, or four behind a batch of 1.
    fn of(tensor: &Tensor) -> Option<Self> {
        let has_colours = [DataType::Float32, DataType::Uint8].contains(&tensor.dtype);
        let (channels, height, width, planes) = match tensor.shape[..] {
            [height, width] => (1, height, width, true),
            [c @ (1 | 3), height, width] | [1, c @ (1 | 3), height, width] => (c, height, width, true),
            [height, width, c @ (1 | 3)] | [1, height, width, c @ (1 | 3)] => (c, height, width, false),
            _ => return None,
        };
        let picture = Self { channels: channels as usize, height, width, planes };
        (has_colours && height > 0 && width > 0).then_some(picture)
    }

    /// The elements, pixel by pixel.
    fn pixels(&self, bytes: Vec<u8>) -> Vec<u8> {
        if !self.planes {
            return bytes;
        }
        let area = self.height as usize * self.width as usize;
        (0..area).flat_map(|at| bytes.iter().skip(at).step_by(area)).copied().collect()
    }
}

/// Whether [`write_png`] can draw `tensor`, unless it holds a NaN.
pub fn is_picture(tensor: &Tensor) -> bool {
    Picture::of(tensor).is_some()
}

/// Draws a tensor of float32 or uint8 as an 8-bit PNG: [H, W] and [1, 1, H, W] in grey, [1, 3, H, W] and [1, H, W, 3] in
/// colour. A float is rounded to the nearest of 256 steps. The file is there whole or not at all.
///
/// # Errors
/// A tensor that is no picture ([`TensorProblem::NoPicture`]), a NaN ([`TensorProblem::NotDrawable`]), or what the file system reports.
pub fn write_png(path: &Path, tensor: &Tensor) -> Result<Drawn, TensorFileError> {
    let fail = |problem| TensorFileError { path: path.to_owned(), problem };
    let no_picture = || TensorProblem::NoPicture { dtype: tensor.dtype, shape: tensor.shape.clone() };
    let picture = Picture::of(tensor).ok_or_else(no_picture).map_err(fail)?;
    let (bytes, drawn) = match tensor.to_f32() {
        Some(values) => scaled(&values).map_err(fail)?,
        None => (tensor.data.clone(), Drawn::Bytes),
    };
    let color = if picture.channels == 1 { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
    let mut png = Vec::new();
    let encoded =
        PngEncoder::new(&mut png).write_image(&picture.pixels(bytes), picture.width, picture.height, color);
    encoded.map_err(|e| fail(TensorProblem::Io(std::io::Error::other(e))))?;
    super::replace(path, &png).map_err(|e| fail(TensorProblem::Io(e)))?;
    Ok(drawn)
}

/// Floats as pixels.
fn scaled(values: &[f32]) -> Result<(Vec<u8>, Drawn), TensorProblem> {
    if let Some(index) = values.iter().position(|v| v.is_nan()) {
        return Err(TensorProblem::NotDrawable { index });
    }
    let low = if values.iter().any(|&v| v < 0.0) { -1.0 } else { 0.0 };
    let outside = values.iter().filter(|&&v| v < low || v > 1.0).count();
    let pixel = |v: f32| ((v.clamp(low, 1.0) - low) / (1.0 - low) * 255.0).round() as u8;
    let drawn = if low < 0.0 { Drawn::FromMinusOne { outside } } else { Drawn::FromZero { outside } };
    Ok((values.iter().map(|&v| pixel(v)).collect(), drawn))
}
