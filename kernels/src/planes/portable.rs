//! The loops that take most of the time, in Rust; for MIPS `build/planes.rs` writes the same in assembly.

use crate::planes::finish::{Finish, Lines};
use crate::planes::integers::Aligned;
use crate::planes::plane::Part;
use crate::planes::sums::{Sum, Taps, WIDE, add, strips};

/// Makes integers of a part of the image, whose rows go to `integers` from `first` on, `width` apart. For elements that are zero
/// or not exact, `other` is asked, with the index of the integer.
pub(super) fn fill(
    part: &Part,
    top: u32,
    integers: &mut [u32],
    first: usize,
    width: usize,
    mut other: impl FnMut(usize, u32) -> u32,
) {
    for row in 0..part.rows {
        let start = first + row * width;
        for (index, value) in (start..start + part.columns).zip(part.line(row).iter().step_by(part.step)) {
            let bits = value.to_bits();
            integers[index] = Aligned::exact(bits, top).unwrap_or_else(|| other(index, bits));
        }
    }
}

/// [`Taps::all`] for windows of three by three, each row without gaps, with a horizontal stride of 1 or 2 and at least
/// [`WIDE`] columns.
pub(super) fn three_by_three(taps: &Taps, x: &[u32], columns: usize, sums: &mut [Sum]) {
    for (row, sums) in sums.chunks_exact_mut(columns).enumerate() {
        let x = &x[row * taps.below()..];
        match taps.horizontal.stride {
            1 => strips(sums, |at| strip::<1>(taps, &x[at..])),
            _ => strips(sums, |at| strip::<2>(taps, &x[2 * at..])),
        }
    }
}

#[inline(always)]
fn strip<const S: usize>(taps: &Taps, x: &[u32]) -> [Sum; WIDE] {
    let mut sums = [taps.start; WIDE];
    for (row, weights) in taps.weights.as_chunks::<3>().0.iter().enumerate() {
        let x = &x[row * taps.vertical.dilation * taps.width..][..(WIDE - 1) * S + 3];
        for (output, sum) in sums.iter_mut().enumerate() {
            for (tap, &weight) in weights.iter().enumerate() {
                add(sum, x[output * S + tap], weight);
            }
        }
    }
    sums
}

/// See [`Finish::run`].
pub(super) fn finish(finish: &Finish, sums: &[Sum], lines: &mut Lines) -> usize {
    for (done, &sum) in sums.iter().enumerate() {
        let Some(bits) = finish.short(sum) else { return done };
        lines.values[lines.start + done * lines.step] = f32::from_bits(bits);
    }
    sums.len()
}
