//! The inner loops in Rust; for MIPS `build/` writes the same in assembly.

use crate::integer::Byte;
use crate::integer::format::Group;
use crate::integer::inner::Fields;
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
