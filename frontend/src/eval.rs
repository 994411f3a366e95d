//! A kernel call on the host. Constants are folded with it, and the native twin is made of it.

use opml_abi::DataType;
use opml_kernels::{self as k, MatMul};
use opml_native::{self as native, Level};

use crate::elements::{Slice, with_type};
use crate::graph::{Op, Results};

/// Evaluates an expression with the elements to write, which are integers or bools, and their Rust type.
macro_rules! with_integers {
    ($slice:expr, $type:ident, $out:ident => $body:expr) => {
        match $slice {
            Slice::I64(values) => {
                type $type = i64;
                let $out = values.to_mut();
                $body
            }
            Slice::I32(values) => {
                type $type = i32;
                let $out = values.to_mut();
                $body
            }
            Slice::I8(values) => {
                type $type = i8;
                let $out = values.to_mut();
                $body
            }
            Slice::U8(values) | Slice::Bool(values) => {
                type $type = u8;
                let $out = values.to_mut();
                $body
            }
            Slice::F32(_) | Slice::Words(_) => unreachable!("no integers"),
        }
    };
}

/// Runs `op` on whole operands. Each of `outputs` has its length and what was there before.
///
/// # Panics
/// If types or lengths are not those of the kernel: who builds a graph has seen to them.
pub(crate) fn execute(op: &Op, inputs: &[Slice<'_>], outputs: &mut [Slice<'static>]) {
    let (out, more) = outputs.split_first_mut().expect("a kernel has a result");
    match op {
        Op::MaxPool2d(shape) => with_type!(out.dtype(), T => {
            k::max_pool2d::<T>(shape, inputs[0].get(), out.get_mut());
        }),
        Op::UnaryInteger(op) => {
            with_integers!(out, T, out => k::unary_integer::<T>(*op, inputs[0].get(), out))
        }
        Op::Not => k::not(inputs[0].get(), out.get_mut()),
        Op::IsNan => k::is_nan(inputs[0].get(), out.get_mut()),
        Op::IsInf(positive, negative) => k::is_inf(inputs[0].get(), *positive, *negative, out.get_mut()),
        Op::Binary(op, dims, a, b) => with_type!(out.dtype(), T => {
            k::binary::<T>(*op, dims, inputs[0].get(), a, inputs[1].get(), b, out.get_mut());
        }),
        Op::Bitwise(op, dims, a, b) => with_integers!(out, T, out => {
            k::bitwise::<T>(*op, dims, inputs[0].get(), a, inputs[1].get(), b, out);
        }),
        Op::Compare(op, dims, a, b) => with_type!(inputs[0].dtype(), T => {
            k::compare::<T>(*op, dims, inputs[0].get(), a, inputs[1].get(), b, out.get_mut());
        }),
        Op::Select(dims, [c, a, b]) => with_type!(out.dtype(), T => {
            let (x, y) = (inputs[1].get::<T>(), inputs[2].get());
            k::select(dims, inputs[0].get(), c, x, a, y, b, out.get_mut());
        }),
        Op::Cast => with_type!(inputs[0].dtype(), T => with_type!(out.dtype(), U => {
            k::cast::<T, U>(inputs[0].get(), out.get_mut());
        })),
        Op::CastToBool => with_type!(inputs[0].dtype(), T => {
            k::cast_to_bool::<T>(inputs[0].get(), out.get_mut());
        }),
        Op::Copy(dims, from, to) => with_type!(out.dtype(), T => {
            k::copy_strided::<T>(dims, inputs[0].get(), from, out.get_mut(), to);
        }),
        Op::CopySigned(dims, start, from, to) => with_type!(out.dtype(), T => {
            k::copy_signed::<T>(dims, inputs[0].get(), *start, from, out.get_mut(), to);
        }),
        Op::Fill => with_type!(out.dtype(), T => k::fill::<T>(inputs[0].get()[0], out.get_mut())),
        Op::Gather(_)
        | Op::GatherElements(..)
        | Op::GatherNd(..)
        | Op::ScatterElements(..)
        | Op::ScatterNd(..)
        | Op::ReverseSequence(_) => match &inputs[1] {
            Slice::I32(indices) => by_index(op, inputs, indices, out),
            indices => by_index::<i64>(op, inputs, indices.get(), out),
        },
        Op::Quantize(..) | Op::Requantize(..) | Op::Dequantize(..) | Op::DynamicQuantize => {
            quantised(op, inputs, out, more)
        }
        Op::IntegerMatMul(.., results)
        | Op::PackedIntegerMatMul(.., results)
        | Op::IntegerConv2d(.., results) => integers(op, *results, inputs, out),
        Op::TreeEnsemble(shape) => {
            let [x, roots, nodes, leaves, members, base] = inputs else { unreachable!("six operands") };
            let trees = k::Trees {
                roots: roots.get(),
                nodes: nodes.get(),
                leaves: leaves.get(),
                members: members.get(),
            };
            k::tree_ensemble(*shape, x.get(), &trees, base.get(), out.get_mut());
        }
        Op::Reduce(..) | Op::ArgReduce(..) | Op::CumulativeSum(..) | Op::TopK(_) => {
            along_axis(op, &inputs[0], out, more);
        }
        Op::Repeat { .. } => unreachable!("a loop is no call"),
        _ => float(op, inputs, out.get_mut()),
    }
}

/// Kernels of float32 alone.
fn float(op: &Op, inputs: &[Slice<'_>], out: &mut [f32]) {
    let level = Level::new();
    let x = inputs[0].get::<f32>();
    let second = || inputs[1].get::<f32>();
    let bias = inputs.get(2).map(|values| values.get::<f32>());
    match op {
        Op::MatMul(shape) => native::matmul(level, shape, x, second(), bias, out),
        Op::PackedMatMul(shape) => {
            let shape = MatMul { b_row: 1, b_column: shape.k, ..*shape };
            native::matmul(level, &shape, x, second(), bias, out);
        }
        Op::Conv2d(shape) | Op::PackedConv2d(shape) | Op::PlanesConv2d(shape) => {
            native::conv2d(level, shape, x, second(), bias, out);
        }
        Op::AveragePool2d(shape) => k::average_pool2d(shape, x, out),
        Op::Relu => k::relu(x, out),
        Op::Clip(low, high) => k::clip(x, *low, *high, out),
        Op::Unary(op) => native::unary(*op, x, out),
        Op::Softmax(axis) => native::softmax(*axis, x, out),
        Op::ReduceSum(axis) => native::reduce_sum(*axis, x, out),
        other => unreachable!("{other:?} is not of float32 alone"),
    }
}

fn along_axis(op: &Op, x: &Slice<'_>, out: &mut Slice<'static>, more: &mut [Slice<'static>]) {
    with_type!(x.dtype(), T => match op {
        Op::Reduce(op, axis) => k::reduce::<T>(*op, *axis, x.get(), out.get_mut()),
        Op::ArgReduce(op, last, axis) => k::arg_reduce::<T>(*op, *last, *axis, x.get(), out.get_mut()),
        Op::CumulativeSum(axis, exclusive, reverse) => {
            k::cumulative_sum::<T>(*axis, *exclusive, *reverse, x.get(), out.get_mut());
        }
        Op::TopK(shape) => k::top_k::<T>(*shape, x.get(), out.get_mut(), more[0].get_mut()),
        other => unreachable!("{other:?} is not along an axis"),
    })
}

/// Kernels whose second operand are indices.
fn by_index<I: k::Index>(op: &Op, inputs: &[Slice<'_>], indices: &[I], out: &mut Slice<'static>) {
    with_type!(out.dtype(), T => {
        let (x, out) = (inputs[0].get::<T>(), out.get_mut::<T>());
        match op {
            Op::Gather(shape) => k::gather(*shape, x, indices, out),
            Op::GatherElements(along, dims, strides) => k::gather_elements(*along, dims, strides, x, indices, out),
            Op::GatherNd(shape, dims) => k::gather_nd(*shape, dims, x, indices, out),
            Op::ScatterElements(op, along, dims, strides) => {
                out.copy_from_slice(x);
                k::scatter_elements(*op, *along, dims, strides, indices, inputs[2].get(), out);
            }
            Op::ScatterNd(op, shape, dims) => {
                out.copy_from_slice(x);
                k::scatter_nd(*op, *shape, dims, indices, inputs[2].get(), out);
            }
            Op::ReverseSequence(shape) => k::reverse_sequence(*shape, x, indices, out),
            other => unreachable!("{other:?} has no indices"),
        }
    });
}

/// Kernels between floats and bytes.
fn quantised(op: &Op, inputs: &[Slice<'_>], out: &mut Slice<'static>, more: &mut [Slice<'static>]) {
    match op {
        Op::Quantize(dims, [x, s, z]) => {
            let (zero, values, scale) = (inputs.get(2), inputs[0].get(), inputs[1].get());
            match out {
                Slice::I8(out) => {
                    k::quantize(dims, values, x, scale, s, zero.map(|zero| zero.get()), z, out.to_mut());
                }
                Slice::I32(out) => {
                    k::quantize(dims, values, x, scale, s, zero.map(|zero| zero.get()), z, out.to_mut());
                }
                out => k::quantize::<u8>(
                    dims,
                    values,
                    x,
                    scale,
                    s,
                    zero.map(|zero| zero.get()),
                    z,
                    out.get_mut(),
                ),
            }
        }
        Op::Requantize(rectified, dims, [x, b, m]) => {
            let (sums, bias, multiplier) = (inputs[0].get(), inputs[1].get(), inputs[2].get());
            let zero = &inputs[3];
            match out {
                Slice::I8(out) => {
                    let out = out.to_mut();
                    k::requantize(*rectified, dims, sums, x, bias, b, multiplier, m, zero.get(), out);
                }
                out => {
                    let out = out.get_mut::<u8>();
                    k::requantize(*rectified, dims, sums, x, bias, b, multiplier, m, zero.get(), out);
                }
            }
        }
        Op::Dequantize(dims, [x, s, z]) => {
            let (zero, scale, out) = (inputs.get(2), inputs[1].get(), out.get_mut());
            match &inputs[0] {
                Slice::I8(v) => k::dequantize(dims, v, x, scale, s, zero.map(|zero| zero.get()), z, out),
                Slice::I32(v) => k::dequantize(dims, v, x, scale, s, zero.map(|zero| zero.get()), z, out),
                v => k::dequantize::<u8>(dims, v.get(), x, scale, s, zero.map(|zero| zero.get()), z, out),
            }
        }
        Op::DynamicQuantize => {
            let [scale, zero] = more else { unreachable!("three results") };
            k::dynamic_quantize(inputs[0].get(), out.get_mut(), scale.get_mut(), zero.get_mut());
        }
        other => unreachable!("{other:?} is not between floats and bytes"),
    }
}

/// Sums of products of bytes.
fn integers(op: &Op, results: Results, inputs: &[Slice<'_>], out: &mut Slice<'static>) {
    let matrix = |place: usize, byte| k::ByteMatrix {
        bytes: inputs[place].bytes(),
        byte,
        zero: inputs[place + 2].bytes(),
    };
    let scratch = match op {
        Op::IntegerConv2d(shape, ..) => k::integer_conv_scratch(shape),
        Op::IntegerMatMul(shape, ..) | Op::PackedIntegerMatMul(shape, ..) => k::integer_scratch(shape),
        other => unreachable!("{other:?} has no sums of bytes"),
    };
    let scratch = &mut vec![0; scratch];
    let Results::Bytes { rectified } = results else {
        let out = out.get_mut();
        return match op {
            Op::IntegerMatMul(shape, [a, b], _) => {
                k::matmul_integer(shape, &matrix(0, *a), &matrix(1, *b), scratch, out)
            }
            Op::PackedIntegerMatMul(shape, a, _) => {
                k::matmul_integer_packed(shape, &matrix(0, *a), inputs[1].get(), scratch, out)
            }
            Op::IntegerConv2d(shape, [x, w], _) => {
                k::conv2d_integer(shape, &matrix(0, *x), &matrix(1, *w), scratch, out)
            }
            other => unreachable!("{other:?} has no sums of bytes"),
        };
    };
    let [.., bias, multipliers, zero] = inputs else { unreachable!("three more operands") };
    let byte = if out.dtype() == DataType::Int8 { k::Byte::Signed } else { k::Byte::Unsigned };
    let result = &k::Requantise {
        bias: bias.get(),
        multipliers: multipliers.get(),
        zero: zero.bytes()[0],
        byte,
        rectified,
    };
    let out = out.bytes_mut();
    match op {
        Op::IntegerMatMul(shape, [a, b], _) => {
            k::qlinear_matmul(shape, &matrix(0, *a), &matrix(1, *b), result, scratch, out)
        }
        Op::PackedIntegerMatMul(shape, a, _) => {
            k::qlinear_matmul_packed(shape, &matrix(0, *a), inputs[1].get(), result, scratch, out)
        }
        Op::IntegerConv2d(shape, [x, w], _) => {
            k::qlinear_conv2d(shape, &matrix(0, *x), &matrix(1, *w), result, scratch, out)
        }
        other => unreachable!("{other:?} has no sums of bytes"),
    }
}
