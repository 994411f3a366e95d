//! The loops that take most of the time, in Rust; for MIPS `build/planes.rs` writes the same in assembly.

use crate::dot::rows::Lines;
use crate::planes::finish::Finish;
use crate::planes::integers::Aligned;
use crate::planes::plane::Part;
use crate::planes::sums::{Sum, Taps};

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

/// [`Taps::all`] for windows that are square, which need no way of their own here.
pub(super) fn square(taps: &Taps, x: &[u32], columns: usize, sums: &mut [Sum]) {
    taps.general(x, columns, sums);
}

/// See [`Finish::run`].
pub(super) fn finish(finish: &Finish, sums: &[Sum], lines: &mut Lines) -> usize {
    for (done, &sum) in sums.iter().enumerate() {
        let Some(bits) = finish.short(sum) else { return done };
        lines.values[lines.start + done * lines.step] = f32::from_bits(bits);
    }
    sums.len()
}
