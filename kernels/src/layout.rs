//! Operators that move data and leave every bit of it alone.

/// Highest rank these operators and the broadcasting ones take; that of the guest ABI's blobs.
pub const MAX_RANK: usize = 8;

/// Walks all positions of a tensor but those along its last dimension, in row-major order, and calls
/// `visit` with the offset that each of the N stride lists gives.
#[inline]
pub(crate) fn for_each_row<const N: usize>(
    dims: &[usize],
    strides: [&[usize]; N],
    mut visit: impl FnMut([usize; N]),
) {
    let mut index = [0; MAX_RANK];
    let mut offsets = [0; N];
    if dims.contains(&0) {
        return;
    }
    let outer = dims.len().saturating_sub(1);
    loop {
        visit(offsets);
        // Count up like an odometer: a dimension that wraps takes its offsets back.
        let mut dim = outer;
        loop {
            if dim == 0 {
                return;
            }
            dim -= 1;
            index[dim] += 1;
            if index[dim] < dims[dim] {
                offsets.iter_mut().zip(&strides).for_each(|(offset, s)| *offset += s[dim]);
                break;
            }
            index[dim] = 0;
            offsets.iter_mut().zip(&strides).for_each(|(offset, s)| *offset -= (dims[dim] - 1) * s[dim]);
        }
    }
}

/// Length of the last dimension; 1 for a scalar.
#[inline(always)]
pub(crate) fn row_len(dims: &[usize]) -> usize {
    dims.last().copied().unwrap_or(1)
}

/// Stride of the last dimension; irrelevant for a scalar.
#[inline(always)]
pub(crate) fn row_step(strides: &[usize]) -> usize {
    strides.last().copied().unwrap_or(1)
}

/// Panics unless a slice of `len` elements holds a tensor with these strides.
#[inline]
pub(crate) fn check_extent(dims: &[usize], strides: &[usize], len: usize) {
    assert!(dims.len() <= MAX_RANK, "rank too high");
    assert!(dims.len() == strides.len(), "as many strides as dimensions are needed");
    let extent = 1 + dims.iter().zip(strides).map(|(d, s)| d.saturating_sub(1) * s).sum::<usize>();
    assert!(extent <= len || dims.contains(&0), "slice too short for its strides");
}

/// Copies a tensor with one set of strides to another. `dims` go from the outermost inwards.
///
/// # Panics
/// If a slice does not hold the tensor, or the rank is above [`MAX_RANK`].
#[inline]
pub fn copy_strided(dims: &[usize], x: &[f32], x_strides: &[usize], out: &mut [f32], out_strides: &[usize]) {
    check_extent(dims, x_strides, x.len());
    check_extent(dims, out_strides, out.len());
    let (len, from_step, to_step) = (row_len(dims), row_step(x_strides), row_step(out_strides));
    for_each_row(dims, [x_strides, out_strides], |[mut from, mut to]| {
        for _ in 0..len {
            out[to] = x[from];
            from += from_step;
            to += to_step;
        }
    });
}

/// Writes a tensor with arbitrary strides in row-major order: ONNX `Transpose`, `Expand`, `Slice`.
/// `dims` are those of the result, `in_strides` the distance in `x` along each of them.
///
/// # Panics
/// If a slice does not fit the shape, or the rank is above [`MAX_RANK`].
#[inline]
pub fn transpose(dims: &[usize], in_strides: &[usize], x: &[f32], out: &mut [f32]) {
    check_extent(dims, in_strides, x.len());
    assert!(out.len() == dims.iter().product(), "transpose: output does not fit the shape");
    let (len, step) = (row_len(dims), row_step(in_strides));
    if len == 0 {
        return;
    }
    let mut lines = out.chunks_exact_mut(len);
    for_each_row(dims, [in_strides], |[mut from]| {
        for value in lines.next().into_iter().flatten() {
            *value = x[from];
            from += step;
        }
    });
}

/// Places one operand of ONNX `Concat`: the rows of `x`, `len` elements each, become columns
/// `start..start + len` of the rows of `out`, `out_len` elements each.
///
/// `len` and `out_len` are the products of the dimensions from the joined axis on.
///
/// # Panics
/// If the rows of `x` and `out` are not as many, or the columns are not all there.
#[inline]
pub fn concat_part(len: usize, x: &[f32], start: usize, out_len: usize, out: &mut [f32]) {
    if len == 0 {
        return;
    }
    assert!(start + len <= out_len, "concat: columns outside the output");
    assert!(x.len() / len == out.len() / out_len, "concat: different numbers of rows");
    for (from, to) in x.chunks_exact(len).zip(out.chunks_exact_mut(out_len)) {
        to[start..start + len].copy_from_slice(from);
    }
}
