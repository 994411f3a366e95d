//! Operators that move data and leave every bit of it alone.

/// Highest rank these operators and the broadcasting ones take; that of the guest ABI's blobs.
pub const MAX_RANK: usize = 8;

/// Walks all positions of a tensor but those along its last dimension, in row-major order, and calls
/// `visit` with the offset that each of the N stride lists gives.
#[inline]
pub(crate) fn for_each_row<const N: usize>(
    dims: &[usize],
    strides: [&[usize]; N],
    visit: impl FnMut([usize; N]),
) {
    if dims.last() != Some(&0) {
        for_each_position(&dims[..dims.len().saturating_sub(1)], strides, visit);
    }
}

/// Walks all positions of a tensor in row-major order, and calls `visit` with the offset that each of the N stride
/// lists gives. The lists may be longer than `dims`. Offsets wrap around.
#[inline]
pub(crate) fn for_each_position<const N: usize>(
    dims: &[usize],
    strides: [&[usize]; N],
    mut visit: impl FnMut([usize; N]),
) {
    let mut index = [0; MAX_RANK];
    let mut offsets = [0usize; N];
    if dims.contains(&0) {
        return;
    }
    loop {
        visit(offsets);
        // Count up like an odometer: a dimension that wraps takes its offsets back.
        let mut dim = dims.len();
        loop {
            if dim == 0 {
                return;
            }
            dim -= 1;
            index[dim] += 1;
            if index[dim] < dims[dim] {
                let steps = offsets.iter_mut().zip(&strides);
                steps.for_each(|(offset, s)| *offset = offset.wrapping_add(s[dim]));
                break;
            }
            index[dim] = 0;
            let back = offsets.iter_mut().zip(&strides);
            back.for_each(|(offset, s)| {
                *offset = offset.wrapping_sub((dims[dim] - 1).wrapping_mul(s[dim]));
            });
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

/// Panics unless a slice of `len` elements holds a tensor that begins at `start` and goes forwards or backwards.
#[inline]
fn check_signed_extent(dims: &[usize], start: usize, strides: &[isize], len: usize) {
    assert!(dims.len() <= MAX_RANK, "rank too high");
    assert!(dims.len() == strides.len(), "as many strides as dimensions are needed");
    let reach = |forwards: bool| {
        let taken = dims.iter().zip(strides).filter(|(_, s)| (**s > 0) == forwards);
        taken.map(|(d, s)| d.saturating_sub(1) * s.unsigned_abs()).sum::<usize>()
    };
    let fits = reach(false) <= start && start + reach(true) < len;
    assert!(fits || dims.contains(&0), "slice too short for its strides");
}

/// Runs shorter than this are copied element by element: a call to copy a block takes as many steps.
const BLOCK: usize = 8;

/// How many of the last dimensions lie without gaps in both tensors, and how many elements they have together.
#[inline]
fn common_run(dims: &[usize], a: &[usize], b: &[usize]) -> (usize, usize) {
    let mut run = 1;
    let last = dims.iter().zip(a.iter().zip(b)).rev();
    let count = last.take_while(|&(&dim, (&a, &b))| {
        let fits = dim == 1 || a == run && b == run;
        if fits {
            run *= dim;
        }
        fits
    });
    (count.count(), run)
}

/// Sets every element of `out` to `value`.
#[inline]
pub fn fill<T: Copy>(value: T, out: &mut [T]) {
    out.fill(value);
}

/// Copies a tensor with one set of strides to another. `dims` go from the outermost inwards.
///
/// # Panics
/// If a slice does not hold the tensor, or the rank is above [`MAX_RANK`].
#[inline]
pub fn copy_strided<T: Copy>(
    dims: &[usize],
    x: &[T],
    x_strides: &[usize],
    out: &mut [T],
    out_strides: &[usize],
) {
    check_extent(dims, x_strides, x.len());
    check_extent(dims, out_strides, out.len());
    let (inner, run) = common_run(dims, x_strides, out_strides);
    if run >= BLOCK {
        let outer = dims.len() - inner;
        let strides = [&x_strides[..outer], &out_strides[..outer]];
        for_each_position(&dims[..outer], strides, |[from, to]| {
            out[to..to + run].copy_from_slice(&x[from..from + run]);
        });
        return;
    }
    let (len, from_step, to_step) = (row_len(dims), row_step(x_strides), row_step(out_strides));
    for_each_row(dims, [x_strides, out_strides], |[mut from, mut to]| {
        for _ in 0..len {
            out[to] = x[from];
            from += from_step;
            to += to_step;
        }
    });
}

/// [`copy_strided`] from a tensor whose first element is `x[start]` and whose strides may be negative: ONNX `Slice` with
/// negative steps.
///
/// # Panics
/// If a slice does not hold the tensor, or the rank is above [`MAX_RANK`].
#[inline]
pub fn copy_signed<T: Copy>(
    dims: &[usize],
    x: &[T],
    start: usize,
    x_strides: &[isize],
    out: &mut [T],
    out_strides: &[usize],
) {
    check_signed_extent(dims, start, x_strides, x.len());
    check_extent(dims, out_strides, out.len());
    // Offsets wrap around, so that a step back is the addition of a large number.
    let mut steps = [0; MAX_RANK];
    steps.iter_mut().zip(x_strides).for_each(|(step, &stride)| *step = stride as usize);
    let steps = &steps[..dims.len()];
    let (len, from_step, to_step) = (row_len(dims), row_step(steps), row_step(out_strides));
    for_each_row(dims, [steps, out_strides], |[from, mut to]| {
        let mut from = start.wrapping_add(from);
        for _ in 0..len {
            out[to] = x[from];
            from = from.wrapping_add(from_step);
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
pub fn transpose<T: Copy>(dims: &[usize], in_strides: &[usize], x: &[T], out: &mut [T]) {
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
pub fn concat_part<T: Copy>(len: usize, x: &[T], start: usize, out_len: usize, out: &mut [T]) {
    if len == 0 {
        return;
    }
    assert!(start + len <= out_len, "concat: columns outside the output");
    assert!(x.len() / len == out.len() / out_len, "concat: different numbers of rows");
    for (from, to) in x.chunks_exact(len).zip(out.chunks_exact_mut(out_len)) {
        to[start..start + len].copy_from_slice(from);
    }
}
