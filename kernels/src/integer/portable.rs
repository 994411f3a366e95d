//! The inner loops in Rust; for MIPS `build/` writes the same in assembly.

use crate::integer::Byte;
use crate::integer::format::Group;
use crate::integer::inner::Fields;
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

/// Writes the results of all records, (g): for `strip` neighbouring words of the image, from the place of the record on, the sums of all
/// blocks of taps and the sums of their upper halves.
pub(super) fn strips(strip: usize, image: &[u32], taps: &[u32], records: &mut [u32]) {
    for record in records.chunks_exact_mut(1 + 2 * strip) {
        let (start, results) = record.split_first_mut().expect("a record is not empty");
        let (whole, upper) = results.split_at_mut(strip);
        whole.fill(0);
        upper.fill(0);
        let image = &image[*start as usize / 4..];
        let mut rest = taps;
        while let Some((&bytes, behind)) = rest.split_first() {
            let (block, behind) = behind.split_at(bytes as usize / 4);
            for (at, (whole, upper)) in whole.iter_mut().zip(&mut *upper).enumerate() {
                let sum = block.chunks_exact(2).fold(START, |sum, tap| {
                    sum.wrapping_add(image[tap[0] as usize / 4 + at].wrapping_mul(tap[1]))
                });
                *whole = whole.wrapping_add(sum);
                *upper = upper.wrapping_add(sum >> 16);
            }
            rest = behind;
        }
    }
}
