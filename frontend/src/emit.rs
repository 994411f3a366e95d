//! The source of a guest crate: straight-line kernel calls on the planned arena.
//!
//! Weights appear as external symbols only, so the source depends on a model's structure and not on
//! what it learned. Names out of the model appear in comments only, escaped.

use std::fmt::Write;

use opml_abi::blob;

use crate::graph::{Graph, Node, Op, Port, Source, TensorId, View};
use crate::plan::Plan;

/// The symbol of a constant.
pub(crate) fn symbol(id: TensorId) -> String {
    format!("OPML_WEIGHT_{}", id.0)
}

/// The source of `src/main.rs` of a guest that runs `graph`.
pub(crate) fn source(graph: &Graph, plan: &Plan) -> String {
    let mut out = String::from(HEADER);
    constants(&mut out, graph);
    let _ = writeln!(out, "static ARENA: Arena<{}> = Arena::new();\n", plan.words);
    let _ = writeln!(out, "fn main(mut guest: Guest<Mips>) -> ! {{");
    read_inputs(&mut out, graph, plan);
    graph.nodes.iter().enumerate().for_each(|(index, node)| call(&mut out, graph, plan, index, node));
    write_outputs(&mut out, graph, plan);
    out.push_str("}\n\nopml_runtime::entry!(main);\n");
    out
}

const HEADER: &str = "\
// Generated from a model: do not edit.
#![no_std]

use opml_kernels::{self as k, Axis, BinaryOp, Conv2d, Image, MatMul, Pool2d, UnaryOp, spatial::Window};
use opml_runtime::{Arena, Counted, Guest, Mips, OutputTensor, abi::DataType};

";

fn constants(out: &mut String, graph: &Graph) {
    if graph.constants().next().is_none() {
        return;
    }
    out.push_str("unsafe extern \"C\" {\n");
    for (id, tensor) in graph.constants() {
        let _ = match tensor.source {
            Source::Packed(_) => writeln!(out, "    static {}: Counted;", symbol(id)),
            _ => writeln!(out, "    static {}: [f32; {}];", symbol(id), tensor.len),
        };
    }
    out.push_str("}\n\n");
}

/// Bytes of the blob that holds `ports`.
fn blob_len(ports: &[Port]) -> usize {
    let tensor = |p: &Port| {
        blob::header_len(p.shape.len()) + 4 * p.shape.iter().map(|&d| d as usize).product::<usize>()
    };
    blob::COUNT_LEN + ports.iter().map(tensor).sum::<usize>()
}

fn read_inputs(out: &mut String, graph: &Graph, plan: &Plan) {
    let _ = writeln!(
        out,
        "    let mut input = guest.open_input({}, {});",
        blob_len(&graph.inputs),
        graph.inputs.len()
    );
    for port in &graph.inputs {
        let _ = writeln!(out, "    // Input {}", port.name.escape_default());
        let _ = writeln!(out, "    // SAFETY: nothing else refers to these words yet.");
        let _ = writeln!(
            out,
            "    input.tensor(DataType::Float32, {:?}, unsafe {{ ARENA.words({}) }});",
            port.shape,
            range(graph, plan, graph.view(port.tensor)),
        );
    }
}

fn write_outputs(out: &mut String, graph: &Graph, plan: &Plan) {
    out.push_str("    // SAFETY: no call writes any more.\n    let outputs = unsafe {\n        [\n");
    for port in &graph.outputs {
        let _ = writeln!(
            out,
            "            // Output {}\n            OutputTensor {{ dtype: DataType::Float32, shape: &{:?}, words: ARENA.words({}) }},",
            port.name.escape_default(),
            port.shape,
            range(graph, plan, graph.view(port.tensor)),
        );
    }
    out.push_str("        ]\n    };\n    guest.finish(&outputs)\n");
}

fn range(graph: &Graph, plan: &Plan, view: View) -> String {
    debug_assert!(view.offset + view.len <= graph.tensors[view.tensor.0].len);
    let start = plan.offset(view.tensor).expect("only constants have no place") + view.offset;
    format!("{start}, {}", view.len)
}

fn operand(graph: &Graph, plan: &Plan, view: View) -> String {
    match graph.tensors[view.tensor.0].source {
        Source::Constant(ref values) if view.len == values.len() => format!("&{}", symbol(view.tensor)),
        Source::Constant(_) => {
            format!("&{}[{}..{}]", symbol(view.tensor), view.offset, view.offset + view.len)
        }
        Source::Packed(_) => format!("{}.words()", symbol(view.tensor)),
        _ => format!("ARENA.read({})", range(graph, plan, view)),
    }
}

fn call(out: &mut String, graph: &Graph, plan: &Plan, index: usize, node: &Node) {
    let operands: Vec<_> = node.inputs.iter().map(|&view| operand(graph, plan, view)).collect();
    let target = format!("ARENA.write({})", range(graph, plan, node.output));
    let in_place = plan.is_in_place(node.output.tensor);
    let x = operands[0].as_str();
    let bias = operands.get(2).map_or_else(|| "None".to_owned(), |b| format!("Some({b})"));
    let scratch =
        node.scratch.map_or_else(String::new, |view| format!("ARENA.words({})", range(graph, plan, view)));
    // The `Debug` form of a shape is its literal.
    let call = match &node.op {
        Op::MatMul(shape) => format!("k::matmul(&{shape:?}, {x}, {}, {bias}, {target})", operands[1]),
        Op::PackedMatMul(shape) => {
            format!("k::matmul_packed(&{shape:?}, {x}, {}, {bias}, {scratch}, {target})", operands[1])
        }
        Op::Conv2d(shape) => format!("k::conv2d(&{shape:?}, {x}, {}, {bias}, {target})", operands[1]),
        Op::PackedConv2d(shape) => {
            format!("k::conv2d_packed(&{shape:?}, {x}, {}, {bias}, {scratch}, {target})", operands[1])
        }
        Op::PlanesConv2d(shape) => {
            format!("k::conv2d_planes(&{shape:?}, {x}, {}, {bias}, {scratch}, {target})", operands[1])
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
        Op::Binary(op, dims, a, b) => {
            format!("k::binary(BinaryOp::{op:?}, &{dims:?}, {x}, &{a:?}, {}, &{b:?}, {target})", operands[1])
        }
        Op::Softmax(axis) => format!("k::softmax({axis:?}, {x}, {target})"),
        Op::ReduceSum(axis) => format!("k::reduce_sum({axis:?}, {x}, {target})"),
        Op::ReduceMax(axis) => format!("k::reduce_max({axis:?}, {x}, {target})"),
        Op::Copy(dims, from, to) => format!("k::copy_strided(&{dims:?}, {x}, &{from:?}, {target}, &{to:?})"),
    };
    let _ = writeln!(out, "    // Node {index}: {}", node.name.escape_default());
    let _ =
        writeln!(out, "    // SAFETY: the memory plan keeps what a call writes apart from what it reads.");
    let _ = writeln!(out, "    unsafe {{ {call} }};");
}

/// A float's literal, to the bit.
fn float(value: f32) -> String {
    format!("f32::from_bits({:#010x})", value.to_bits())
}
