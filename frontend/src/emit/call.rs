//! The call of a kernel, as text. The `Debug` form of a shape is its literal.

use std::fmt::Debug;

use opml_kernels::{Byte, TreeEnsemble};

use crate::graph::{Op, Results};

/// What a call is made of.
pub(super) struct Call {
    /// What is read.
    pub operands: Vec<String>,
    /// What is written.
    pub targets: Vec<String>,
    /// What may be used meanwhile; empty if the kernel needs nothing.
    pub scratch: String,
    /// Whether the result takes the place of the first operand.
    pub in_place: bool,
    /// Whether the result has int8 elements.
    pub signed: bool,
}

impl Call {
    /// The call of the kernel `op`.
    pub fn text(&self, op: &Op) -> String {
        let families = [Self::sums, Self::elementwise, Self::movement, Self::quantised];
        let text = families.iter().find_map(|family| family(self, op));
        text.unwrap_or_else(|| unreachable!("{op:?} is no call"))
    }

    fn operand(&self, index: usize) -> &str {
        self.operands.get(index).map_or("", String::as_str)
    }

    fn bias(&self) -> String {
        self.operands.get(2).map_or_else(|| "None".to_owned(), |bias| format!("Some({bias})"))
    }

    /// Sums, and what else goes along an axis or under a window.
    fn sums(&self, op: &Op) -> Option<String> {
        let Self { operands, targets, scratch, .. } = self;
        let x = self.operand(0);
        let y = self.operand(1);
        let target = &self.targets[0];
        let bias = self.bias();
        Some(match op {
            Op::MatMul(shape) => format!("k::matmul(&{shape:?}, {x}, {y}, {bias}, {target})"),
            Op::PackedMatMul(shape) => {
                format!("k::matmul_packed(&{shape:?}, {x}, {y}, {bias}, {scratch}, {target})")
            }
            Op::Conv2d(shape) => format!("k::conv2d(&{shape:?}, {x}, {y}, {bias}, {target})"),
            Op::PackedConv2d(shape) => {
                format!("k::conv2d_packed(&{shape:?}, {x}, {y}, {bias}, {scratch}, {target})")
            }
            Op::PlanesConv2d(shape) => {
                format!("k::conv2d_planes(&{shape:?}, {x}, {y}, {bias}, {scratch}, {target})")
            }
            Op::MaxPool2d(shape) => format!("k::max_pool2d(&{shape:?}, {x}, {target})"),
            Op::AveragePool2d(shape) => format!("k::average_pool2d(&{shape:?}, {x}, {target})"),
            Op::Softmax(axis) => format!("k::softmax({axis:?}, {x}, {target})"),
            Op::ReduceSum(axis) => format!("k::reduce_sum({axis:?}, {x}, {target})"),
            Op::Reduce(op, axis) => format!("k::reduce(ReduceOp::{op:?}, {axis:?}, {x}, {target})"),
            Op::ArgReduce(op, last, axis) => {
                format!("k::arg_reduce(ArgOp::{op:?}, {last}, {axis:?}, {x}, {target})")
            }
            Op::CumulativeSum(axis, exclusive, reverse) => {
                format!("k::cumulative_sum({axis:?}, {exclusive}, {reverse}, {x}, {target})")
            }
            Op::TopK(shape) => format!("k::top_k({shape:?}, {x}, {target}, {})", targets[1]),
            Op::TreeEnsemble(shape) => {
                let [_, roots, nodes, leaves, members, base] = &operands[..] else {
                    unreachable!("six operands")
                };
                let trees = format!(
                    "Trees {{ roots: {roots}, nodes: {nodes}, leaves: {leaves}, members: {members} }}"
                );
                let TreeEnsemble { rows, features, targets, aggregate } = shape;
                // The name of a variant is no path.
                let sizes = format!("rows: {rows}, features: {features}, targets: {targets}");
                let shape = format!("TreeEnsemble {{ {sizes}, aggregate: Aggregate::{aggregate:?} }}");
                format!("k::tree_ensemble({shape}, {x}, &{trees}, {base}, {target})")
            }
            _ => return None,
        })
    }

    /// Functions of each element.
    fn elementwise(&self, op: &Op) -> Option<String> {
        let Self { operands, in_place, .. } = self;
        let x = self.operand(0);
        let y = self.operand(1);
        let target = &self.targets[0];
        Some(match op {
            Op::Relu if *in_place => format!("k::relu_in_place({target})"),
            Op::Relu => format!("k::relu({x}, {target})"),
            Op::Clip(low, high) if *in_place => {
                format!("k::clip_in_place({target}, {}, {})", float(*low), float(*high))
            }
            Op::Clip(low, high) => format!("k::clip({x}, {}, {}, {target})", float(*low), float(*high)),
            Op::Unary(op) => format!("k::unary(UnaryOp::{op:?}, {x}, {target})"),
            Op::UnaryInteger(op) => format!("k::unary_integer(IntegerOp::{op:?}, {x}, {target})"),
            Op::Not => format!("k::not({x}, {target})"),
            Op::IsNan => format!("k::is_nan({x}, {target})"),
            Op::IsInf(positive, negative) => format!("k::is_inf({x}, {positive}, {negative}, {target})"),
            Op::Binary(op, dims, a, b) => {
                format!("k::binary(BinaryOp::{op:?}, &{dims:?}, {x}, &{a:?}, {y}, &{b:?}, {target})")
            }
            Op::Bitwise(op, dims, a, b) => {
                format!("k::bitwise(BitOp::{op:?}, &{dims:?}, {x}, &{a:?}, {y}, &{b:?}, {target})")
            }
            Op::Compare(op, dims, a, b) => {
                format!("k::compare(CompareOp::{op:?}, &{dims:?}, {x}, &{a:?}, {y}, &{b:?}, {target})")
            }
            Op::Select(dims, [c, a, b]) => {
                format!("k::select(&{dims:?}, {x}, &{c:?}, {y}, &{a:?}, {}, &{b:?}, {target})", operands[2])
            }
            Op::Cast => format!("k::cast({x}, {target})"),
            Op::CastToBool => format!("k::cast_to_bool({x}, {target})"),
            _ => return None,
        })
    }

    /// What moves elements.
    fn movement(&self, op: &Op) -> Option<String> {
        let Self { operands, .. } = self;
        let x = self.operand(0);
        let y = self.operand(1);
        let target = &self.targets[0];
        Some(match op {
            Op::Copy(dims, from, to) => {
                format!("k::copy_strided(&{dims:?}, {x}, &{from:?}, {target}, &{to:?})")
            }
            Op::CopySigned(dims, start, from, to) => {
                format!("k::copy_signed(&{dims:?}, {x}, {start}, &{from:?}, {target}, &{to:?})")
            }
            Op::Fill => format!("k::fill(({x})[0], {target})"),
            Op::Gather(shape) => format!("k::gather({shape:?}, {x}, {y}, {target})"),
            Op::GatherElements(along, dims, strides) => {
                format!("k::gather_elements({along:?}, &{dims:?}, &{strides:?}, {x}, {y}, {target})")
            }
            Op::GatherNd(shape, dims) => format!("k::gather_nd({shape:?}, &{dims:?}, {x}, {y}, {target})"),
            Op::ScatterElements(op, along, dims, strides) => {
                let updates = &operands[2];
                let call =
                    format!("Scatter::{op:?}, {along:?}, &{dims:?}, &{strides:?}, {y}, {updates}, {target}");
                format!("{target}.copy_from_slice({x}); k::scatter_elements({call})")
            }
            Op::ScatterNd(op, shape, dims) => {
                let updates = &operands[2];
                let call = format!("Scatter::{op:?}, {shape:?}, &{dims:?}, {y}, {updates}, {target}");
                format!("{target}.copy_from_slice({x}); k::scatter_nd({call})")
            }
            Op::ReverseSequence(shape) => format!("k::reverse_sequence({shape:?}, {x}, {y}, {target})"),
            _ => return None,
        })
    }

    /// Between floats and integers.
    fn quantised(&self, op: &Op) -> Option<String> {
        let Self { operands, targets, .. } = self;
        let x = self.operand(0);
        let y = self.operand(1);
        let target = &self.targets[0];
        Some(match op {
            Op::Quantize(dims, strides) => quantise("quantize", dims, strides, operands, target),
            Op::Requantize(rectified, dims, [a, b, m]) => {
                let (multiplier, zero) = (&operands[2], &operands[3]);
                let operands = format!("{x}, &{a:?}, {y}, &{b:?}, {multiplier}, &{m:?}, {zero}");
                format!("k::requantize({rectified}, &{dims:?}, {operands}, {target})")
            }
            Op::Dequantize(dims, strides) => quantise("dequantize", dims, strides, operands, target),
            Op::Lookup => format!("k::lookup(bytes({x}), {y}, {target})"),
            Op::DynamicQuantize => {
                format!("k::dynamic_quantize({x}, {target}, {}, {})", targets[1], targets[2])
            }
            Op::IntegerMatMul(shape, bytes, results) => {
                let names = ["matmul_integer", "qlinear_matmul"];
                self.integer(names, shape, &self.factors(*bytes), *results)
            }
            Op::PackedIntegerMatMul(shape, byte, results) => {
                let names = ["matmul_integer_packed", "qlinear_matmul_packed"];
                self.integer(names, shape, &[self.bytes(0, 2, *byte), y.to_owned()], *results)
            }
            Op::IntegerConv2d(shape, bytes, results) => {
                let names = ["conv2d_integer", "qlinear_conv2d"];
                self.integer(names, shape, &self.factors(*bytes), *results)
            }
            _ => return None,
        })
    }

    /// Both factors of products of bytes.
    fn factors(&self, bytes: [Byte; 2]) -> [String; 2] {
        [self.bytes(0, 2, bytes[0]), self.bytes(1, 3, bytes[1])]
    }

    /// Operands `elements` and `zero` as bytes.
    fn bytes(&self, elements: usize, zero: usize, byte: Byte) -> String {
        let [elements, zero] = [elements, zero].map(|index| &self.operands[index]);
        format!("&ByteMatrix {{ bytes: bytes({elements}), byte: Byte::{byte:?}, zero: bytes({zero}) }}")
    }

    /// The call of a kernel that sums up products of bytes; it has a name for sums and one for bytes.
    fn integer(
        &self,
        names: [&str; 2],
        shape: &impl Debug,
        operands: &[String; 2],
        results: Results,
    ) -> String {
        let ([x, y], scratch, target) = (operands, &self.scratch, &self.targets[0]);
        let Results::Bytes { rectified } = results else {
            return format!("k::{}(&{shape:?}, {x}, {y}, {scratch}, {target})", names[0]);
        };
        let [.., bias, multipliers, zero] = &self.operands[..] else { unreachable!("three more operands") };
        let byte = if self.signed { Byte::Signed } else { Byte::Unsigned };
        let result = format!(
            "&Requantise {{ bias: {bias}, multipliers: {multipliers}, zero: bytes({zero})[0], byte: Byte::{byte:?}, rectified: {rectified} }}"
        );
        format!("k::{}(&{shape:?}, {x}, {y}, {result}, {scratch}, bytes_mut({target}))", names[1])
    }
}

/// The call of a kernel between floats and integers.
fn quantise(
    name: &str,
    dims: &[usize],
    strides: &[Vec<usize>; 3],
    operands: &[String],
    target: &str,
) -> String {
    let [x, s, z] = strides;
    let zero = operands.get(2).map_or_else(|| "None".to_owned(), |zero| format!("Some({zero})"));
    let (values, scale) = (&operands[0], &operands[1]);
    format!("k::{name}(&{dims:?}, {values}, &{x:?}, {scale}, &{s:?}, {zero}, &{z:?}, {target})")
}

/// A float's literal, to the bit.
fn float(value: f32) -> String {
    format!("f32::from_bits({:#010x})", value.to_bits())
}
