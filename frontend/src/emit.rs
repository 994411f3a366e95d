//! The source of a guest crate: kernel calls on the planned arena.
//!
//! Weights appear as external symbols only, so the source depends on a model's structure and not on
//! what it learned. Names out of the model appear in comments only, escaped.

use opml_abi::blob;
use opml_kernels::TreeEnsemble;

use crate::elements::{Elements, rust_type};
use crate::graph::{Graph, Node, Op, Port, Source, TensorId, View};
use crate::plan::Plan;

/// The symbol of a constant.
pub(crate) fn symbol(id: TensorId) -> String {
    format!("OPML_WEIGHT_{}", id.0)
}

/// The source of `src/main.rs` of a guest that runs `graph`.
pub(crate) fn source(graph: &Graph, plan: &Plan) -> String {
    let mut writer = Writer { graph, plan, out: String::from(HEADER), loops: 0, nodes: 0 };
    writer.constants();
    writer.line(&format!("static ARENA: Arena<{}> = Arena::new();\n", plan.bytes.div_ceil(8)));
    writer.line("fn main(mut guest: Guest<Mips>) -> ! {");
    writer.read_inputs();
    graph.nodes.iter().for_each(|node| writer.node(node));
    writer.write_outputs();
    writer.out.push_str("}\n\nopml_runtime::entry!(main);\n");
    writer.out
}

const HEADER: &str = "\
// Generated from a model: do not edit.
#![no_std]

use opml_kernels::{
    self as k, Aggregate, Along, ArgOp, Axis, BinaryOp, BitOp, Byte, ByteMatrix, CompareOp, Conv2d, Gather, Image,
    IntegerMatMul, IntegerOp, MatMul, Pool2d, ReduceOp, Scatter, Sequences, Slices, TopK, TreeEnsemble, Trees, UnaryOp,
    spatial::Window,
};
use opml_runtime::{Arena, Counted, Guest, Mips, OutputTensor, abi::DataType, bytes};

";

/// Bytes of the blob that holds `ports`.
fn blob_len(ports: &[Port]) -> usize {
    let tensor = |p: &Port| {
        let header = blob::header_len(p.shape.len());
        header + blob::padded(p.elements() * p.dtype.size())
    };
    blob::COUNT_LEN + ports.iter().map(tensor).sum::<usize>()
}

struct Writer<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    out: String,
    /// Loops around what is being written.
    loops: usize,
    /// Calls that have been written.
    nodes: usize,
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        self.out.push_str(&"    ".repeat(self.loops));
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn constants(&mut self) {
        if self.graph.constants().next().is_none() {
            return;
        }
        self.line("unsafe extern \"C\" {");
        for (id, tensor) in self.graph.constants() {
            let kind = match tensor.source {
                Source::Packed(_) => "Counted".to_owned(),
                Source::Constant(ref elements) if matches!(**elements, Elements::Words(_)) => {
                    format!("[u32; {}]", tensor.len)
                }
                _ => format!("[{}; {}]", rust_type(tensor.dtype), tensor.len),
            };
            self.line(&format!("    static {}: {kind};", symbol(id)));
        }
        self.line("}\n");
    }

    fn read_inputs(&mut self) {
        let ports = &self.graph.inputs;
        self.line(&format!("    let mut input = guest.open_input({}, {});", blob_len(ports), ports.len()));
        for port in ports {
            self.line(&format!("    // Input {}", port.name.escape_default()));
            self.line("    // SAFETY: nothing else refers to these words yet.");
            self.line(&format!(
                "    input.tensor(DataType::{:?}, {:?}, unsafe {{ ARENA.words({}) }});",
                port.dtype,
                port.shape,
                self.words(port),
            ));
        }
    }

    fn write_outputs(&mut self) {
        let padded: Vec<_> = self.graph.outputs.iter().filter(|port| self.padding(port) > 0).collect();
        for port in padded {
            let (start, bytes) = (self.start(port.tensor), port.elements() * port.dtype.size());
            self.line("    // SAFETY: what is behind the last byte of an output belongs to it, too.");
            self.line(&format!(
                "    unsafe {{ ARENA.write::<u8>({}, {}).fill(0) }};",
                start + bytes,
                self.padding(port)
            ));
        }
        self.line("    // SAFETY: no call writes any more.\n    let outputs = unsafe {\n        [");
        for port in &self.graph.outputs {
            self.line(&format!("            // Output {}", port.name.escape_default()));
            self.line(&format!(
                "            OutputTensor {{ dtype: DataType::{:?}, shape: &{:?}, words: ARENA.words({}) }},",
                port.dtype,
                port.shape,
                self.words(port),
            ));
        }
        self.line("        ]\n    };\n    guest.finish(&outputs)");
    }

    /// Bytes between the end of a port and that of its last word.
    fn padding(&self, port: &Port) -> usize {
        let bytes = port.elements() * port.dtype.size();
        blob::padded(bytes) - bytes
    }

    fn start(&self, tensor: TensorId) -> usize {
        self.plan.offset(tensor).expect("only constants have no place")
    }

    /// First byte and number of words of a port.
    fn words(&self, port: &Port) -> String {
        let bytes = port.elements() * port.dtype.size();
        format!("{}, {}", self.start(port.tensor), blob::padded(bytes) / 4)
    }

    /// Type, first byte and length of a view in the arena.
    fn place(&self, view: View) -> String {
        debug_assert!(view.offset + view.len <= self.graph.tensors[view.tensor.0].len);
        let dtype = self.graph.dtype(view);
        let start = self.start(view.tensor) + view.offset * dtype.size();
        format!("::<{}>({start}{}, {})", rust_type(dtype), self.moved(view.step * dtype.size() as isize), view.len)
    }

    /// What a round adds to a place.
    fn moved(&self, step: isize) -> String {
        match step {
            0 => String::new(),
            1.. => format!(" + {step} * i{}", self.loops),
            _ => format!(" - {} * i{}", step.unsigned_abs(), self.loops),
        }
    }

    fn operand(&self, view: View) -> String {
        let name = symbol(view.tensor);
        match &self.graph.tensors[view.tensor.0].source {
            Source::Constant(values) if view.len == values.len() => format!("&{name}"),
            Source::Constant(_) if view.step == 0 => {
                format!("&{name}[{}..{}]", view.offset, view.offset + view.len)
            }
            Source::Constant(_) => {
                format!("&{name}[{}{}..][..{}]", view.offset, self.moved(view.step), view.len)
            }
            Source::Packed(_) => format!("{name}.words()"),
            Source::Input | Source::Computed => format!("ARENA.read{}", self.place(view)),
        }
    }

    fn node(&mut self, node: &Node) {
        let comment = format!("    // Node {}: {}", self.nodes, node.name.escape_default());
        self.line(&comment);
        if let Op::Repeat { count, body } = &node.op {
            self.line(&format!("    for i{} in 0..{count}_usize {{", self.loops + 1));
            self.loops += 1;
            body.iter().for_each(|node| self.node(node));
            self.loops -= 1;
            self.line("    }");
            return;
        }
        self.nodes += 1;
        let call = self.call(node);
        self.line("    // SAFETY: the memory plan keeps what a call writes apart from what it reads.");
        self.line(&format!("    unsafe {{ {call} }};"));
    }

    /// The call of a kernel. The `Debug` form of a shape is its literal.
    fn call(&self, node: &Node) -> String {
        let operands: Vec<_> = node.inputs.iter().map(|&view| self.operand(view)).collect();
        let targets: Vec<_> =
            node.outputs.iter().map(|&view| format!("ARENA.write{}", self.place(view))).collect();
        let in_place = self.plan.is_in_place(node.outputs[0].tensor);
        let (x, target) = (operands[0].as_str(), targets[0].as_str());
        let y = operands.get(1).map_or("", String::as_str);
        let bias = operands.get(2).map_or_else(|| "None".to_owned(), |b| format!("Some({b})"));
        let scratch = node.scratch.map_or_else(String::new, |view| {
            format!("ARENA.words({}, {})", self.start(view.tensor), view.len)
        });
        match &node.op {
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
            Op::Relu if in_place => format!("k::relu_in_place({target})"),
            Op::Relu => format!("k::relu({x}, {target})"),
            Op::Clip(low, high) if in_place => {
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
                let call = format!("Scatter::{op:?}, {along:?}, &{dims:?}, &{strides:?}, {y}, {updates}, {target}");
                format!("{target}.copy_from_slice({x}); k::scatter_elements({call})")
            }
            Op::ScatterNd(op, shape, dims) => {
                let updates = &operands[2];
                let call = format!("Scatter::{op:?}, {shape:?}, &{dims:?}, {y}, {updates}, {target}");
                format!("{target}.copy_from_slice({x}); k::scatter_nd({call})")
            }
            Op::ReverseSequence(shape) => format!("k::reverse_sequence({shape:?}, {x}, {y}, {target})"),
            Op::Quantize(dims, strides) => quantise("quantize", dims, strides, &operands, target),
            Op::Dequantize(dims, strides) => quantise("dequantize", dims, strides, &operands, target),
            Op::DynamicQuantize => {
                format!("k::dynamic_quantize({x}, {target}, {}, {})", targets[1], targets[2])
            }
            Op::IntegerMatMul(shape, bytes) => {
                let matrix = |place: usize| {
                    let (elements, zero) = (&operands[place], &operands[place + 2]);
                    format!("&ByteMatrix {{ bytes: bytes({elements}), byte: Byte::{:?}, zero: bytes({zero}) }}", bytes[place])
                };
                format!("k::matmul_integer(&{shape:?}, {}, {}, {scratch}, {target})", matrix(0), matrix(1))
            }
            Op::PackedIntegerMatMul(shape, byte) => {
                let zero = &operands[2];
                let a = format!("&ByteMatrix {{ bytes: bytes({x}), byte: Byte::{byte:?}, zero: bytes({zero}) }}");
                format!("k::matmul_integer_packed(&{shape:?}, {a}, {y}, {scratch}, {target})")
            }
            Op::TreeEnsemble(shape) => {
                let [_, roots, nodes, leaves, members, base] = &operands[..] else { unreachable!("six operands") };
                let trees =
                    format!("Trees {{ roots: {roots}, nodes: {nodes}, leaves: {leaves}, members: {members} }}");
                let TreeEnsemble { rows, features, targets, aggregate } = shape;
                // The name of a variant is no path.
                let sizes = format!("rows: {rows}, features: {features}, targets: {targets}");
                let shape = format!("TreeEnsemble {{ {sizes}, aggregate: Aggregate::{aggregate:?} }}");
                format!("k::tree_ensemble({shape}, {x}, &{trees}, {base}, {target})")
            }
            Op::Repeat { .. } => unreachable!("a loop is no call"),
        }
    }
}

/// The call of a kernel between floats and integers.
fn quantise(name: &str, dims: &[usize], strides: &[Vec<usize>; 3], operands: &[String], target: &str) -> String {
    let [x, s, z] = strides;
    let zero = operands.get(2).map_or_else(|| "None".to_owned(), |zero| format!("Some({zero})"));
    let (values, scale) = (&operands[0], &operands[1]);
    format!("k::{name}(&{dims:?}, {values}, &{x:?}, {scale}, &{s:?}, {zero}, &{z:?}, {target})")
}

/// A float's literal, to the bit.
fn float(value: f32) -> String {
    format!("f32::from_bits({:#010x})", value.to_bits())
}
