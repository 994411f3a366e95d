//! The DNN operators, the same source for the guest and for the native twin.
//!
//! The numeric contract (docs/numerics.md): every sum of products is the correctly rounded exact
//! value, so it depends on no order, thread count or device; everything else is composed of
//! IEEE 754 binary32 operations and of elementary functions, each of them rounded once. A NaN
//! that an operator makes or passes on leaves as [`bits::NAN`]; operators that only move data leave
//! the bits alone.
//!
//! Tensors are slices of elements, `f32` or integers ([`Element`]), with strides in elements; ONNX `bool` is `u8` with 0
//! or 1. Integers wrap around. Each operator checks its lengths once, at entry, and panics with a short message if they do
//! not fit its shape: generated code passes constants, for which the checks fold away.
//!
//! Inner loops work on the bits of the floats, since on the guest, which has no floating-point unit,
//! each float operation takes 20 to 50 steps and each step has to be provable.
#![no_std]
// Inline assembly for MIPS is not stable yet. The guest toolchain is pinned, so this cannot drift.
#![cfg_attr(target_arch = "mips", feature(asm_experimental_arch))]
#![deny(unsafe_code)]

#[cfg(not(target_os = "none"))]
extern crate alloc;

pub mod arithmetic;
pub mod bits;
mod broadcast;
pub mod cast;
pub mod compare;
pub mod conv;
pub mod dot;
pub mod element;
pub mod elementary;
pub mod elementwise;
mod fold;
pub mod index;
pub mod integer;
pub mod layout;
pub mod matmul;
pub mod packed;
pub mod planes;
pub mod pool;
pub mod quantize;
pub mod rank;
pub mod reduce;
pub mod remainder;
pub mod rounding;
pub mod scatter;
pub mod spatial;
pub mod trees;

pub use cast::{Cast, cast, cast_to_bool};
pub use compare::{CompareOp, compare, is_inf, is_nan, not, select};
pub use conv::{Conv2d, conv2d};
pub use element::{Element, Integer, Number};
pub use elementwise::{
    BinaryOp, BitOp, IntegerOp, UnaryOp, binary, bitwise, clip, clip_in_place, relu, relu_in_place, unary,
    unary_integer,
};
pub use index::{
    Along, Gather, Index, Sequences, Slices, gather, gather_elements, gather_nd, reverse_sequence,
};
pub use integer::{
    Byte, ByteMatrix, IntegerMatMul, Requantise, conv2d_integer, integer_conv_scratch, integer_scratch,
    matmul_integer, matmul_integer_packed, qlinear_conv2d, qlinear_matmul, qlinear_matmul_packed,
};
pub use layout::{concat_part, copy_signed, copy_strided, fill, transpose};
pub use matmul::{MatMul, dense, matmul};
pub use packed::{conv2d_packed, conv2d_scratch, matmul_packed, matmul_scratch};
pub use planes::{conv2d_planes, planes_scratch, planes_take};
pub use pool::{Pool2d, average_pool2d, max_pool2d};
pub use quantize::{Quantized, dequantize, dynamic_quantize, quantize, requantize};
pub use rank::{ArgOp, TopK, arg_reduce, top_k};
pub use reduce::{Axis, ReduceOp, cumulative_sum, reduce, reduce_max, reduce_mean, reduce_sum, softmax};
pub use scatter::{Scatter, scatter_elements, scatter_nd};
pub use spatial::Image;
pub use trees::{Aggregate, Branch, TreeEnsemble, Trees, tree_ensemble};
