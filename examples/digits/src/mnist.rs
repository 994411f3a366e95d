//! From a drawing to a picture as MNIST has them: the digit fits a square of 20 pixels, and its centre of mass is in the middle of
//! 28 (doi:10.1109/5.726791, III.A). All of it is integers.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use opml_runtime::Tensor;

/// Pixels along a side of the network's picture.
pub const SIDE: usize = 28;

/// Rows of ink, from 0 none to 255 full.
pub type Field = [[u8; SIDE]; SIDE];

/// Pixels along the longer side of the digit.
const DIGIT: usize = 20;

/// Pixels along a side of a drawing: 255 for each pixel of so large a square fit 32 bits.
const MAX_SIDE: u32 = 4096;

/// How much ink a pixel has. What is light is the paper's own shade.
fn ink(pixel: u8) -> u32 {
    if pixel < 128 { 255 - u32::from(pixel) } else { 0 }
}

/// Cuts the digit out of the drawing, scales it and puts it in the middle.
pub fn field(drawing: &Tensor<u8>) -> Result<Field, String> {
    let width = match *drawing.shape() {
        [height, width] if height.max(width) <= MAX_SIDE => width as usize,
        ref other => {
            return Err(format!("expected rows and columns, up to {MAX_SIDE} of each, got {other:?}"));
        }
    };
    let lines: Vec<&[u8]> = drawing.chunks_exact(width.max(1)).collect();
    let (rows, columns) = bounds(&lines).ok_or("there is no ink on the paper")?;
    Ok(centred(&scaled(&lines, &rows, &columns)))
}

/// The rows and the columns between which all ink is.
fn bounds(lines: &[&[u8]]) -> Option<(Range<usize>, Range<usize>)> {
    let is_ink = |pixel: &u8| ink(*pixel) > 0;
    let has_ink = |line: &&[u8]| line.iter().any(is_ink);
    let (top, bottom) = (lines.iter().position(has_ink)?, lines.iter().rposition(has_ink)?);
    let left = lines.iter().filter_map(|line| line.iter().position(is_ink)).min()?;
    let right = lines.iter().filter_map(|line| line.iter().rposition(is_ink)).max()?;
    Some((top..bottom + 1, left..right + 1))
}

/// The ink in these rows and columns, with the longer side scaled to [`DIGIT`]: the mean of the area behind each pixel.
fn scaled(lines: &[&[u8]], rows: &Range<usize>, columns: &Range<usize>) -> Vec<Vec<u8>> {
    let longer = rows.len().max(columns.len());
    let side = |pixels: usize| ((pixels * DIGIT + longer / 2) / longer).max(1);
    let (height, width) = (side(rows.len()), side(columns.len()));
    let area = (rows.len() * columns.len()) as u32;
    let mean = |y, x| {
        let mut sum = 0;
        for (row, tall) in covered(rows, y, height) {
            for (column, wide) in covered(columns, x, width) {
                sum += tall * wide * ink(lines[row][column]);
            }
        }
        ((sum + area / 2) / area) as u8
    };
    (0..height).map(|y| (0..width).map(|x| mean(y, x)).collect()).collect()
}

/// If `pixels` are cut into `parts` equal parts: the pixels in the part `index`, each with how much of it is, in 1/`parts`.
fn covered(pixels: &Range<usize>, index: usize, parts: usize) -> impl Iterator<Item = (usize, u32)> {
    let (start, end) = (index * pixels.len(), (index + 1) * pixels.len());
    let first = pixels.start;
    (start / parts..end.div_ceil(parts)).map(move |pixel| {
        let inside = end.min((pixel + 1) * parts) - start.max(pixel * parts);
        (first + pixel, inside as u32)
    })
}

/// The digit with its centre of mass in the middle, as far as there is room.
fn centred(digit: &[Vec<u8>]) -> Field {
    let (mut mass, mut down, mut right) = (0, 0, 0);
    for (y, row) in digit.iter().enumerate() {
        for (x, &ink) in row.iter().enumerate() {
            mass += usize::from(ink);
            down += y * usize::from(ink);
            right += x * usize::from(ink);
        }
    }
    // A pixel's own middle is half a pixel behind its start, which rounds what is cut off here. Specks far apart may have
    // no mass at this scale.
    let place = |moment: usize, side: usize| {
        ((SIDE / 2 * mass).saturating_sub(moment) / mass.max(1)).min(SIDE - side)
    };
    let (top, left) = (place(down, digit.len()), place(right, digit[0].len()));
    let mut field = [[0; SIDE]; SIDE];
    for (to, row) in field[top..].iter_mut().zip(digit) {
        to[left..][..row.len()].copy_from_slice(row);
    }
    field
}
