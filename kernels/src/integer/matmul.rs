//! The operators.

use crate::integer::ByteMatrix;
use crate::integer::format::{MAX_K, PackedBytes, padded_rows};
use crate::integer::inner::Fields;
use crate::integer::plain::{Elements, MAX_COLUMNS, columns, elements_words};
use crate::integer::requantise::Requantise;
use crate::integer::vector::{Vector, vector_words};

/// Shape of a product of row-major matrices: M x K by K x N.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IntegerMatMul {
    /// Rows of A and of the result.
    pub m: usize,
    /// Columns of A, rows of B; at most [`MAX_K`], (T).
    pub k: usize,
    /// Columns of B and of the result.
    pub n: usize,
}

impl IntegerMatMul {
    fn check(&self, a: &ByteMatrix, results: usize) {
        assert!(self.k <= MAX_K, "integer: rows too long");
        assert!(a.bytes.len() == self.m * self.k, "integer: A does not fit the shape");
        assert!(a.zero.len() == 1, "integer: A has one zero point");
        assert!(results == self.m * self.n, "integer: output does not fit the shape");
    }

    /// The rows of A.
    fn rows<'a>(&self, a: &ByteMatrix<'a>) -> impl Iterator<Item = &'a [u8]> {
        let (bytes, k) = (a.bytes, self.k);
        (0..self.m).map(move |row| &bytes[row * k..][..k])
    }

    /// Calls `take` with the place in the result, the column and the sum, for all sums.
    #[inline(always)]
    fn each(
        &self,
        a: &ByteMatrix,
        b: &ByteMatrix,
        scratch: &mut [u32],
        mut take: impl FnMut(usize, usize, i32),
    ) {
        assert!(b.bytes.len() == self.k * self.n, "integer: B does not fit the shape");
        assert!(b.zero.len() == 1 || b.zero.len() == self.n, "integer: zero points do not fit B");
        for (i, row) in self.rows(a).enumerate() {
            let elements = Elements::new(row, a.byte, a.zero[0], self.n, scratch);
            plain_row(&elements, b, self.n, |column, sum| take(i * self.n + column, column, sum));
        }
    }

    /// The same with packed weights.
    #[inline(always)]
    fn each_packed(
        &self,
        a: &ByteMatrix,
        b: &[u32],
        scratch: &mut [u32],
        mut take: impl FnMut(usize, usize, i32),
    ) {
        let b = PackedBytes::new(b, self.k, self.n);
        for (i, row) in self.rows(a).enumerate() {
            let vector = Vector::new(row, a.byte, a.zero[0], b.limit(), scratch);
            packed_row(&vector, &b, |column, sum| take(i * self.n + column, column, sum));
        }
    }
}

/// The sums of a vector with all columns.
#[inline(always)]
fn plain_row(elements: &Elements, b: &ByteMatrix, n: usize, mut take: impl FnMut(usize, i32)) {
    let mut sums = [0; MAX_COLUMNS];
    let mut first = 0;
    while first < n {
        let sums = &mut sums[..columns(n - first)];
        elements.sums(b, first, sums);
        for (column, &sum) in (first..).zip(&*sums) {
            let zero = b.zero[if b.zero.len() == 1 { 0 } else { column }];
            take(column, sum - elements.sum * b.byte.value(zero));
        }
        first += sums.len();
    }
}

/// The sums of a vector with all rows: those of x y, and what zero points make of them.
#[inline(always)]
fn packed_row(vector: &Vector, b: &PackedBytes, mut take: impl FnMut(usize, i32)) {
    let (n, blocks) = (b.n(), vector.blocks());
    let mut first = 0;
    while first < padded_rows(n) {
        let group = b.group(first);
        let fields = Fields::new(vector, &group);
        for (pair, records) in group.records.as_chunks::<2>().0.iter().enumerate() {
            let sums = fields.sums(pair, blocks);
            for (row, (sum, [y, middle])) in (first + 2 * pair..).zip(sums.into_iter().zip(*records)) {
                // The last row may be padding.
                if row < n {
                    // (x + d)(y + e) = x y + d y + e (x + d); modulo 2^32, but the whole fits, (T).
                    let shifted = vector.shift.wrapping_mul(y as i32);
                    let offset = vector.sum.wrapping_mul(middle as i32);
                    take(row, sum.wrapping_add(shifted).wrapping_add(offset));
                }
            }
        }
        first += group.rows;
    }
}

/// Words of scratch that the operators need.
pub const fn integer_scratch(shape: &IntegerMatMul) -> usize {
    let (blocks, elements) = (vector_words(shape.k), elements_words(shape.k));
    if blocks > elements { blocks } else { elements }
}

/// ONNX `MatMulInteger`: `out[i, j]` = sum over k of (`a[i, k]` - its zero point)(`b[k, j]` - that of column j).
///
/// # Panics
/// If a slice does not fit the shape, K exceeds [`MAX_K`], or `scratch` is shorter than [`integer_scratch`].
#[inline]
pub fn matmul_integer(
    shape: &IntegerMatMul,
    a: &ByteMatrix,
    b: &ByteMatrix,
    scratch: &mut [u32],
    out: &mut [i32],
) {
    shape.check(a, out.len());
    shape.each(a, b, scratch, |at, _, sum| out[at] = sum);
}

/// What [`matmul_integer`] computes, `b` being [`pack`](super::pack)`(k, n, ...)` of B.
///
/// # Panics
/// If a slice does not fit the shape, or `scratch` is shorter than [`integer_scratch`].
#[inline]
pub fn matmul_integer_packed(
    shape: &IntegerMatMul,
    a: &ByteMatrix,
    b: &[u32],
    scratch: &mut [u32],
    out: &mut [i32],
) {
    shape.check(a, out.len());
    shape.each_packed(a, b, scratch, |at, _, sum| out[at] = sum);
}

/// ONNX `QLinearMatMul`: the sums of [`matmul_integer`], made bytes by `result`.
///
/// # Panics
/// If a slice does not fit the shape, K exceeds [`MAX_K`], or `scratch` is shorter than [`integer_scratch`].
#[inline]
pub fn qlinear_matmul(
    shape: &IntegerMatMul,
    a: &ByteMatrix,
    b: &ByteMatrix,
    result: &Requantise,
    scratch: &mut [u32],
    out: &mut [u8],
) {
    shape.check(a, out.len());
    result.check(shape.n);
    shape.each(a, b, scratch, |at, column, sum| out[at] = result.column(column).byte_of(sum));
}

/// What [`qlinear_matmul`] computes, `b` being [`pack`](super::pack)`(k, n, ...)` of B.
///
/// # Panics
/// If a slice does not fit the shape, or `scratch` is shorter than [`integer_scratch`].
#[inline]
pub fn qlinear_matmul_packed(
    shape: &IntegerMatMul,
    a: &ByteMatrix,
    b: &[u32],
    result: &Requantise,
    scratch: &mut [u32],
    out: &mut [u8],
) {
    shape.check(a, out.len());
    result.check(shape.n);
    shape.each_packed(a, b, scratch, |at, column, sum| out[at] = result.column(column).byte_of(sum));
}
