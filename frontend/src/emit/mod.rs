//! The source of a guest crate: kernel calls on the planned arena.
//!
//! Weights appear as external symbols only, so the source depends on a model's structure and not on
//! what it learned. Names out of the model appear in comments only, escaped.

mod call;
mod library;

use opml_abi::{DataType, blob};

use self::call::Call;
pub(crate) use self::library::library;
use crate::elements::{Elements, rust_type};
use crate::graph::{Graph, Node, Op, Port, Source, TensorId, View};
use crate::plan::Plan;

/// The symbol of a constant.
pub(crate) fn symbol(id: TensorId) -> String {
    format!("OPML_WEIGHT_{}", id.0)
}

/// The symbol of a constant of a model that is one of several in a program.
pub(crate) fn owned_symbol(owner: &str, symbol: &str) -> String {
    format!("{symbol}_OF_{owner}")
}

/// A statement of the generated source that stands for a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceCall {
    /// Its line, from 1.
    pub line: u32,
    /// The kernel, see [`Op::kernel`].
    pub operator: String,
    /// The model's name for the node.
    pub name: String,
    /// Products that it sums up in one inference, in all rounds of the loops around it. Those of a loop count for what is in it.
    pub multiply_accumulates: u64,
}

/// The source of `src/lib.rs` of a guest that runs `graph`, and the statements of it that are nodes, in their order.
pub(crate) fn source(graph: &Graph, plan: &Plan) -> (String, Vec<SourceCall>) {
    let mut writer = Writer::new(graph, plan, HEADER);
    writer.constants(None);
    writer.arena();
    writer.line("fn main(mut guest: Guest<Mips>) -> ! {");
    writer.read_inputs();
    graph.nodes.iter().for_each(|node| writer.node(node));
    writer.write_outputs();
    writer.out.push_str("}\n\nopml_runtime::program!(main);\n");
    (writer.out, writer.calls)
}

const HEADER: &str = "\
// Generated from a model: do not edit.
#![no_std]

use opml_kernels::{
    self as k, Aggregate, Along, ArgOp, Axis, BinaryOp, BitOp, Byte, ByteMatrix, CompareOp, Conv2d, Gather, Image,
    IntegerMatMul, IntegerOp, MatMul, Pool2d, ReduceOp, Requantise, Scatter, Sequences, Slices, TopK, TreeEnsemble,
    Trees, UnaryOp, spatial::Window,
};
use opml_runtime::{Arena, Counted, Guest, Mips, OutputTensor, abi::DataType, bytes, bytes_mut};

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
    /// Lines that have been written.
    lines: usize,
    /// Rounds of the loops around what is being written.
    loops: Vec<u64>,
    /// Calls that have been written.
    nodes: usize,
    /// The same and the loops, as they are told of.
    calls: Vec<SourceCall>,
}

impl<'a> Writer<'a> {
    fn new(graph: &'a Graph, plan: &'a Plan, header: &str) -> Self {
        let lines = header.lines().count();
        Self { graph, plan, out: header.to_owned(), lines, loops: Vec::new(), nodes: 0, calls: Vec::new() }
    }

    fn arena(&mut self) {
        let units = self.plan.bytes.div_ceil(8);
        self.line(&format!("static ARENA: Arena<{units}> = Arena::new();\n"));
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(&"    ".repeat(self.loops.len()));
        self.out.push_str(text);
        self.out.push('\n');
        self.lines += 1 + text.matches('\n').count();
    }

    /// Notes that the next line is the statement of `node`.
    fn note(&mut self, node: &Node) {
        let rounds = self.loops.iter().fold(1, |rounds: u64, &count| rounds.saturating_mul(count));
        let products = if matches!(node.op, Op::Repeat { .. }) { 0 } else { node.multiply_accumulates() };
        self.calls.push(SourceCall {
            line: self.lines as u32 + 1,
            operator: node.op.kernel(),
            name: node.name.clone(),
            multiply_accumulates: products.saturating_mul(rounds),
        });
    }

    /// Declares the weights; with `owner`, their symbols are those of a model among others.
    fn constants(&mut self, owner: Option<&str>) {
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
            if let Some(owner) = owner {
                self.line(&format!("    #[link_name = \"{}\"]", owned_symbol(owner, &symbol(id))));
            }
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
        format!(
            "::<{}>({start}{}, {})",
            rust_type(dtype),
            self.moved(view.step * dtype.size() as isize),
            view.len
        )
    }

    /// What a round adds to a place.
    fn moved(&self, step: isize) -> String {
        match step {
            0 => String::new(),
            1.. => format!(" + {step} * i{}", self.loops.len()),
            _ => format!(" - {} * i{}", step.unsigned_abs(), self.loops.len()),
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
            self.note(node);
            self.line(&format!("    for i{} in 0..{count}_usize {{", self.loops.len() + 1));
            self.loops.push(*count as u64);
            body.iter().for_each(|node| self.node(node));
            self.loops.pop();
            self.line("    }");
            return;
        }
        self.nodes += 1;
        let call = self.call(node);
        self.line("    // SAFETY: the memory plan keeps what a call writes apart from what it reads.");
        self.note(node);
        self.line(&format!("    unsafe {{ {call} }};"));
    }

    /// The call of a kernel.
    fn call(&self, node: &Node) -> String {
        let scratch = |view: View| format!("ARENA.words({}, {})", self.start(view.tensor), view.len);
        let target = |view: &View| format!("ARENA.write{}", self.place(*view));
        let call = Call {
            operands: node.inputs.iter().map(|&view| self.operand(view)).collect(),
            targets: node.outputs.iter().map(target).collect(),
            scratch: node.scratch.map_or_else(String::new, scratch),
            in_place: self.plan.is_in_place(node.outputs[0].tensor),
            signed: self.graph.dtype(node.outputs[0]) == DataType::Int8,
        };
        call.text(&node.op)
    }
}
