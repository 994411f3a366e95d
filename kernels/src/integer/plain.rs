//! Products with weights that are not known before, element by element.

use crate::integer::format::padded;
#[cfg(target_arch = "mips")]
use crate::integer::mips as machine;
#[cfg(not(target_arch = "mips"))]
use crate::integer::portable as machine;
use crate::integer::{Byte, ByteMatrix};

/// Columns that are computed at a time: as many sums as the guest has registers for.
pub(super) const MAX_COLUMNS: usize = 20;

/// How many columns are computed at a time if so many are left.
pub(super) const fn columns(left: usize) -> usize {
    match left {
        MAX_COLUMNS.. => MAX_COLUMNS,
        4.. => 4,
        _ => 1,
    }
}

/// Words of scratch that [`Elements`] takes.
pub(super) const fn elements_words(k: usize) -> usize {
    2 * padded(k)
}

/// The elements of a vector that are not zero, less their zero point.
pub(super) struct Elements<'a> {
    /// Each with the place of its line of B.
    pub list: &'a [[u32; 2]],
    /// Their sum.
    pub sum: i32,
}

impl<'a> Elements<'a> {
    /// Those of `bytes`; a line of B has `n` bytes.
    #[inline]
    pub(super) fn new(bytes: &[u8], byte: Byte, zero: u8, n: usize, scratch: &'a mut [u32]) -> Self {
        let list = &mut scratch.as_chunks_mut().0[..bytes.len()];
        let zero = byte.level(zero);
        let (mut len, mut sum) = (0, 0);
        for (element, &b) in bytes.iter().enumerate() {
            let x = byte.level(b) - zero;
            if x != 0 {
                list[len] = [x as u32, (element * n) as u32];
                len += 1;
                sum += x;
            }
        }
        Self { list: &list[..len], sum }
    }

    /// The sums of products with the neighbouring columns from `first` on, as many as [`columns`] says.
    #[inline(always)]
    pub(super) fn sums(&self, b: &ByteMatrix, first: usize, sums: &mut [i32]) {
        let Some([_, last]) = self.list.last() else { return sums.fill(0) };
        assert!(*last as usize + first + sums.len() <= b.bytes.len(), "integer: B too short");
        machine::columns(self.list, &b.bytes[first..], b.byte, sums);
    }
}
