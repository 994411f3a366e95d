//! The inner loops in Rust; for MIPS `build/` writes the same in assembly.

use crate::integer::Byte;
use crate::integer::format::Group;
use crate::integer::inner::Fields;
use crate::integer::requantise::Column;
use crate::integer::sums::Sums;
use crate::integer::taps::START;
use crate::integer::vector::{ENTRY_HEAD, Vector};

/// Every second byte of a word: one element of two rows.
const ELEMENTS: u32 = 0x00ff_00ff;

/// See [`Fields::new`].
pub(super) fn blocks(vector: &Vector, group: &Group) -> Fields {
    let mut fields = Fields::default();
    for (list, size) in vector.lists.iter().zip([8, 4, 2]) {
        for entry in list.words().chunks_exact(ENTRY_HEAD + size) {
            let weights = &group.weights[entry[0] as usize * group.rows / 16..];
            for pair in 0..group.rows / 2 {
                let words = weights[pair..].iter().step_by(group.rows / 2);
                let sum = entry[ENTRY_HEAD..].chunks_exact(2).zip(words).fold(entry[1], |sum, (x, &word)| {
                    let odd = word >> 8 & ELEMENTS;
                    sum.wrapping_add(word.wrapping_mul(x[0])).wrapping_add(odd.wrapping_mul(x[1]))
                });
                fields.whole[pair] = fields.whole[pair].wrapping_add(sum);
                fields.upper[pair] = fields.upper[pair].wrapping_add(sum >> 16);
            }
        }
    }
    fields
}

/// See [`Elements::sums`](crate::integer::plain::Elements::sums); `b` begins with the first column.
pub(super) fn columns(list: &[[u32; 2]], b: &[u8], byte: Byte, sums: &mut [i32]) {
    sums.fill(0);
    for &[x, line] in list {
        for (sum, &b) in sums.iter_mut().zip(&b[line as usize..]) {
            *sum += x as i32 * byte.value(b);
        }
    }
}

/// Writes sums: for each two words of `strips`, that many neighbouring words of the image, from the place on that the first says, with all
/// blocks of `taps`; to the place that the second says, in the first half of `sums` whole words, and in the second half their upper halves, (g).
pub(super) fn strips(strip: usize, image: &[u32], taps: &[u32], strips: &[u32], sums: &mut [u32]) {
    let (whole, upper) = sums.split_at_mut(sums.len() / 2);
    for &[from, to] in strips.as_chunks().0 {
        let (from, to) = (from as usize / 4, to as usize / 4);
        let (whole, upper) = (&mut whole[to..][..strip], &mut upper[to..][..strip]);
        whole.fill(0);
        upper.fill(0);
        let mut rest = taps;
        while let [bytes @ 1..=u32::MAX, _, behind @ ..] = rest {
            let (block, behind) = behind.split_at(*bytes as usize / 4);
            for (at, (whole, upper)) in whole.iter_mut().zip(&mut *upper).enumerate() {
                let sum = block.chunks_exact(2).fold(START, |sum, tap| {
                    sum.wrapping_add(image[from + tap[0] as usize / 4 + at].wrapping_mul(tap[1]))
                });
                *whole = whole.wrapping_add(sum);
                *upper = upper.wrapping_add(sum >> 16);
            }
            rest = behind;
        }
    }
}

/// Writes the bytes of all sums of `half` words a row from word `from` on, but those of lower halves that have no upper one beside
/// them. Gives the word where it stops, as that is not for it.
pub(super) fn bytes(sums: &Sums, column: &Column, from: usize, out: &mut [u8]) -> usize {
    for word in from..sums.whole.len() {
        for (place, sum) in sums.places(word).into_iter().zip(sums.of(word)) {
            if let Some(place) = place {
                out[place] = column.byte_of(sum);
            }
        }
    }
    sums.whole.len()
}
