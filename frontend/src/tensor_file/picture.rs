//! Pictures as tensors: [height, width] if they are grey, from black to white, and with three channels if they are in colour.

use std::io::Cursor;

use image::codecs::png::PngDecoder;
use image::codecs::pnm::PnmDecoder;
use image::{ColorType, ImageDecoder, ImageError, Limits};
use opml_abi::DataType;

use super::stored::Stored;
use super::{Format, Target, TensorProblem};

/// Bytes that a PNG's decoder may take for anything but pixels: colour profiles, texts.
const METADATA_LIMIT: u64 = 256 << 10;

/// Red, green, blue.
const CHANNELS: u64 = 3;

/// Pictures of fewer bits a pixel say the same in less space: 1 of 3 is 85 of 255.
pub(super) fn read_png(bytes: &[u8], len: u64, target: &Target) -> Result<Stored, TensorProblem> {
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

/// The picture's white has to be 255.
pub(super) fn read_pgm(bytes: &[u8], len: u64, target: &Target) -> Result<Stored, TensorProblem> {
    let decoder = PnmDecoder::new(bytes).map_err(|e| malformed(Format::Pgm, &e))?;
    let other_kind = |got: String| Err(TensorProblem::PictureKind { got, needed: GREYSCALE });
    match decoder.header().as_graymap().map(|header| header.maxwhite) {
        Some(255) => pixels(decoder, Format::Pgm, len, target),
        // Spreading it to 255 would round.
        Some(white) => other_kind(format!("greyscale from 0 to {white} (its MAXVAL), not to 255")),
        None => other_kind("a bitmap, a colour picture or a PAM file".into()),
    }
}

const GREYSCALE: &str = "8-bit greyscale";

fn pixels(
    decoder: impl ImageDecoder,
    format: Format,
    len: u64,
    target: &Target,
) -> Result<Stored, TensorProblem> {
    let (width, height) = decoder.dimensions();
    let layout = layout(decoder.color_type(), height.into(), width.into(), target)?;
    // Nothing of the size that the file claims may be allocated before it is known to be the input's.
    target.check_size(format, len)?;
    let area = width as usize * height as usize;
    let mut pixels = vec![0; area * usize::from(decoder.color_type().channel_count())];
    decoder.read_image(&mut pixels).map_err(|e| malformed(format, &e))?;
    if layout == Layout::Planes {
        pixels = (0..CHANNELS as usize)
            .flat_map(|channel| pixels.iter().skip(channel).step_by(CHANNELS as usize))
            .copied()
            .collect();
    }
    match target.port.dtype {
        // Divided in float32 and so correctly rounded.
        DataType::Float32 => Ok(Stored::floats(pixels.into_iter().map(|pixel| f32::from(pixel) / 255.0))),
        DataType::Uint8 => Ok(Stored { dtype: DataType::Uint8, data: pixels }),
        _ => Err(target.other_type(DataType::Uint8.to_string())),
    }
}

/// Where the colours of a pixel lie.
#[derive(PartialEq)]
enum Layout {
    /// In a plane of the picture each: [3, height, width].
    Planes,
    /// Side by side: [height, width, 3]; or there is only one.
    Pixels,
}

/// How the input takes the picture. Planes come first where both would do, which takes a picture of 3 by 3 pixels.
fn layout(color: ColorType, height: u64, width: u64, target: &Target) -> Result<Layout, TensorProblem> {
    let planes = [CHANNELS, height, width];
    match color {
        ColorType::L8 => target.check_shape(&[height, width]).map(|()| Layout::Pixels),
        ColorType::Rgb8 if target.fits(&planes) => Ok(Layout::Planes),
        ColorType::Rgb8 if target.fits(&[height, width, CHANNELS]) => Ok(Layout::Pixels),
        ColorType::Rgb8 if takes_colour(target) => target.check_shape(&planes).map(|()| Layout::Planes),
        other => {
            let needed = if takes_colour(target) { "8-bit greyscale or colour" } else { GREYSCALE };
            Err(TensorProblem::PictureKind { got: describe(other), needed })
        }
    }
}

/// Whether the input could be a picture in colour of some size.
fn takes_colour(target: &Target) -> bool {
    target.port.shape.iter().filter(|&&d| d != 1).count() > 2
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
