//! Greyscale pictures as tensors [height, width] of values from 0, black, to 1, white.

use std::io::Cursor;

use image::codecs::png::PngDecoder;
use image::codecs::pnm::PnmDecoder;
use image::{ColorType, ImageDecoder, ImageError, Limits};

use super::{Format, Target, TensorProblem};

/// Bytes that a PNG's decoder may take for anything but pixels: colour profiles, texts.
const METADATA_LIMIT: u64 = 256 << 10;

/// Each pixel / 255, divided in float32 and so correctly rounded. Pictures of fewer bits a pixel say the
/// same in less space: 1 of 3 is 85 of 255.
pub(super) fn read_png(bytes: &[u8], len: u64, target: &Target) -> Result<Vec<f32>, TensorProblem> {
    let limit = target.elements.saturating_add(METADATA_LIMIT);
    let fail = |error: ImageError| match error {
        ImageError::Limits(_) => TensorProblem::TooLarge { input: target.input(), limit },
        other => malformed(Format::Png, &other),
    };
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(limit);
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), limits).map_err(fail)?;
    pixels(decoder, Format::Png, len, target)
}

/// Each pixel / 255, divided in float32 and so correctly rounded; the picture's white has to be 255.
pub(super) fn read_pgm(bytes: &[u8], len: u64, target: &Target) -> Result<Vec<f32>, TensorProblem> {
    let decoder = PnmDecoder::new(bytes).map_err(|e| malformed(Format::Pgm, &e))?;
    let not_greyscale = |got: String| Err(TensorProblem::NotGreyscale { got });
    match decoder.header().as_graymap().map(|header| header.maxwhite) {
        Some(255) => pixels(decoder, Format::Pgm, len, target),
        // Spreading it to 255 would round.
        Some(white) => not_greyscale(format!("greyscale from 0 to {white} (its MAXVAL), not to 255")),
        None => not_greyscale("a bitmap, a colour picture or a PAM file".into()),
    }
}

fn pixels(
    decoder: impl ImageDecoder,
    format: Format,
    len: u64,
    target: &Target,
) -> Result<Vec<f32>, TensorProblem> {
    if decoder.color_type() != ColorType::L8 {
        return Err(TensorProblem::NotGreyscale { got: describe(decoder.color_type()) });
    }
    // Nothing of the size that the file claims may be allocated before it is known to be the input's.
    let (width, height) = decoder.dimensions();
    target.check_shape(&[height.into(), width.into()])?;
    target.check_size(format, len)?;
    let mut pixels = vec![0; width as usize * height as usize];
    decoder.read_image(&mut pixels).map_err(|e| malformed(format, &e))?;
    Ok(pixels.into_iter().map(|pixel| f32::from(pixel) / 255.0).collect())
}

fn malformed(format: Format, error: &ImageError) -> TensorProblem {
    TensorProblem::Malformed { format, reason: error.to_string() }
}

fn describe(color: ColorType) -> String {
    let bits = 8 * u16::from(color.bytes_per_pixel()) / u16::from(color.channel_count());
    let kind = if color.has_color() { "colour" } else { "greyscale" };
    let alpha = if color.has_alpha() { " with transparency" } else { "" };
    format!("{bits}-bit {kind}{alpha}")
}
