//! Writes the format. Runs where a program is built; nothing here is in a guest.

use alloc::vec;
use alloc::vec::Vec;

use crate::integer::ByteMatrix;
use crate::integer::format::{FIELD, MAX_K, MIDDLE, group_rows, padded, padded_rows};

/// The right-hand side of a product, K rows of N bytes, as [`matmul_integer_packed`](super::matmul_integer_packed) takes it: a byte for each
/// weight and two words for each column, besides what rounding up K and N takes.
///
/// # Panics
/// If there are not K N bytes and one or N zero points, or `k` exceeds [`MAX_K`].
pub fn pack(k: usize, n: usize, b: &ByteMatrix) -> Vec<u32> {
    assert!(k <= MAX_K, "pack: rows too long");
    assert!(b.bytes.len() == k * n, "pack: B does not fit the shape");
    assert!([1, n].contains(&b.zero.len()), "pack: neither one zero point nor one for each column");
    let (elements, rows) = (padded(k), padded_rows(n));
    // Padding is zero.
    let weight = |row: usize, element: usize| {
        if row < n && element < k { b.byte.level(b.bytes[element * n + row]) } else { MIDDLE }
    };
    let largest = (0..k * n).map(|at| (b.byte.level(b.bytes[at]) - MIDDLE).abs()).max().unwrap_or(0);
    let mut words = vec![(FIELD / largest.max(1)) as u32];
    for row in 0..rows {
        let sum: i32 = (0..elements).map(|element| weight(row, element) - MIDDLE).sum();
        let zero =
            if row < n { b.byte.level(b.zero[if b.zero.len() == 1 { 0 } else { row }]) } else { MIDDLE };
        words.extend([sum as u32, (MIDDLE - zero) as u32]);
    }
    let mut first = 0;
    while first < rows {
        let group = first..first + group_rows(first, rows);
        for element in (0..elements).step_by(2) {
            for row in group.clone().step_by(2) {
                let bytes = [(row + 1, element + 1), (row + 1, element), (row, element + 1), (row, element)];
                words.push(u32::from_be_bytes(bytes.map(|(row, element)| weight(row, element) as u8)));
            }
        }
        first = group.end;
    }
    words
}
