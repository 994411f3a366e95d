//! Matrix products and dense layers.

use crate::bits::all_finite;
use crate::dot::rows::{Bias, Rows, Workspace};
use crate::dot::terms::Pairs;

/// `out[n]` = RN(`bias[n]` + sum over k of `x[k]` x `w[n, k]`): a dense layer, ONNX `Gemm` with
/// `transB` and one row.
///
/// `x` has K elements, `w` is row-major N x K, `bias` and `out` have N.
///
/// # Panics
/// If a slice does not fit the others.
#[inline]
pub fn dense(x: &[f32], w: &[f32], bias: Option<&[f32]>, out: &mut [f32]) {
    let (k, n) = (x.len(), out.len());
    let shape =
        MatMul { m: 1, k, n, a_row: k, a_column: 1, b_row: 1, b_column: k, bias_row: 0, bias_column: 1 };
    matmul(&shape, x, w, bias, out);
}

/// Shape of a product of two matrices, and where their elements lie, in elements: with the strides of
/// a transposed matrix the transposition costs nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MatMul {
    /// Rows of A and of the result.
    pub m: usize,
    /// Columns of A, rows of B.
    pub k: usize,
    /// Columns of B and of the result.
    pub n: usize,
    /// Distance between rows of A.
    pub a_row: usize,
    /// Distance between columns of A.
    pub a_column: usize,
    /// Distance between rows of B.
    pub b_row: usize,
    /// Distance between columns of B.
    pub b_column: usize,
    /// Distance between rows of the bias, 0 if all rows have the same.
    pub bias_row: usize,
    /// Distance between columns of the bias, 0 if all columns have the same.
    pub bias_column: usize,
}

impl MatMul {
    /// Row-major A and B, and a bias for each column.
    pub const fn new(m: usize, k: usize, n: usize) -> Self {
        Self { m, k, n, a_row: k, a_column: 1, b_row: n, b_column: 1, bias_row: 0, bias_column: 1 }
    }

    /// Checks that the operands and the result fit the shape.
    ///
    /// # Panics
    /// If one does not.
    pub fn check(&self, a: &[f32], b: &[f32], bias: Option<&[f32]>, out: &[f32]) {
        self.check_without_b(a, bias, out);
        assert!(b.len() >= extent(self.k, self.b_row, self.n, self.b_column), "matmul: B too short");
    }

    pub(crate) fn check_without_b(&self, a: &[f32], bias: Option<&[f32]>, out: &[f32]) {
        assert!(a.len() >= extent(self.m, self.a_row, self.k, self.a_column), "matmul: A too short");
        let bias_extent = extent(self.m, self.bias_row, self.n, self.bias_column);
        assert!(bias.is_none_or(|c| c.len() >= bias_extent), "matmul: bias too short");
        assert!(out.len() == self.m * self.n, "matmul: output does not fit the shape");
    }
}

/// Length of the shortest slice that holds a matrix.
fn extent(rows: usize, row: usize, columns: usize, column: usize) -> usize {
    if rows == 0 || columns == 0 { 0 } else { 1 + (rows - 1) * row + (columns - 1) * column }
}

/// `out[i, j]` = RN(`bias[i, j]` + sum over k of `a[i, k]` x `b[k, j]`), `out` being row-major.
///
/// The result is the same for the transposed problem; it costs least if A is the side with the zeros.
///
/// # Panics
/// If a slice does not fit the shape.
#[inline]
pub fn matmul(shape: &MatMul, a: &[f32], b: &[f32], bias: Option<&[f32]>, out: &mut [f32]) {
    shape.check(a, b, bias, out);
    let mut workspace = Workspace::new();
    let finite = all_finite(b);
    for i in 0..shape.m {
        let pairs = Pairs::line(shape.k, i * shape.a_row, shape.a_column, shape.b_row);
        let rows = Rows {
            count: shape.n,
            w: b,
            start: 0,
            step: shape.b_column,
            finite,
            bias: bias.map(|values| Bias { values, start: i * shape.bias_row, step: shape.bias_column }),
        };
        let line = &mut out[i * shape.n..][..shape.n];
        workspace.dot(a, &pairs, &rows, |j, value| line[j] = value);
    }
}
