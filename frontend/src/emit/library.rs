//! A model as a crate that a guest calls: one function, typed by the model's inputs and outputs.

use super::Writer;
use crate::elements::rust_type;
use crate::graph::{Graph, Port};
use crate::plan::Plan;

const HEADER: &str = "\
// Generated from a model: do not edit.
#![no_std]
#![allow(unused_imports)]

extern crate alloc;

use alloc::boxed::Box;

use opml_kernels::{
    self as k, Aggregate, Along, ArgOp, Axis, BinaryOp, BitOp, Byte, ByteMatrix, CompareOp, Conv2d, Gather, Image,
    IntegerMatMul, IntegerOp, MatMul, Pool2d, ReduceOp, Requantise, Scatter, Sequences, Slices, TopK, TreeEnsemble,
    Trees, UnaryOp, spatial::Window,
};
use opml_runtime::{Arena, Counted, bytes, bytes_mut};

";

/// Outputs of more bytes are returned in a box: the stack has 1 MiB.
const MAX_ON_STACK: usize = 1 << 12;

/// The source of `src/lib.rs` of the crate `name`, whose function `infer` runs `graph`.
pub(crate) fn library(graph: &Graph, plan: &Plan, name: &str) -> String {
    let mut writer = Writer::new(graph, plan, HEADER);
    writer.constants(graph.constants().next().map(|_| name));
    writer.arena();
    writer.signature();
    writer.copy_inputs();
    graph.nodes.iter().for_each(|node| writer.node(node));
    writer.give_outputs();
    writer.out.push_str("}\n");
    writer.out
}

/// The type of a port as an array.
fn array(port: &Port) -> String {
    format!("[{}; {}]", rust_type(port.dtype), port.elements())
}

/// The type that a port is returned as.
fn result(port: &Port) -> String {
    if is_boxed(port) { format!("Box<{}>", array(port)) } else { array(port) }
}

fn is_boxed(port: &Port) -> bool {
    port.elements() * port.dtype.size() > MAX_ON_STACK
}

/// One thing, or several as a tuple.
fn tuple(all: Vec<String>) -> String {
    match &all[..] {
        [one] => one.clone(),
        _ => format!("({})", all.join(", ")),
    }
}

impl Writer<'_> {
    fn signature(&mut self) {
        let told =
            |port: &Port| format!("`{}`: {} {:?}", port.name.escape_default(), port.dtype.name(), port.shape);
        self.line("/// One inference. All tensors are row-major.");
        self.line("///");
        for (number, port) in self.graph.inputs.iter().enumerate() {
            self.line(&format!("/// - `input_{number}` is {}", told(port)));
        }
        for port in &self.graph.outputs {
            self.line(&format!("/// - gives {}", told(port)));
        }
        let inputs = self.graph.inputs.iter().enumerate();
        let inputs: Vec<_> =
            inputs.map(|(number, port)| format!("input_{number}: &{}", array(port))).collect();
        let outputs = tuple(self.graph.outputs.iter().map(result).collect());
        self.line(&format!("pub fn infer({}) -> {outputs} {{", inputs.join(", ")));
    }

    fn copy_inputs(&mut self) {
        for (number, port) in self.graph.inputs.iter().enumerate() {
            self.line("    // SAFETY: nothing else refers to these elements yet.");
            self.line(&format!(
                "    unsafe {{ ARENA.write::<{}>({}, {}) }}.copy_from_slice(input_{number});",
                rust_type(port.dtype),
                self.start(port.tensor),
                port.elements(),
            ));
        }
    }

    fn give_outputs(&mut self) {
        let mut names = Vec::new();
        for (number, port) in self.graph.outputs.iter().enumerate() {
            let place = format!("{}, {}", self.start(port.tensor), port.elements());
            self.line("    // SAFETY: no call writes any more.");
            let kind = rust_type(port.dtype);
            self.line(&format!("    let output_{number} = unsafe {{ ARENA.read::<{kind}>({place}) }};"));
            names.push(if is_boxed(port) {
                let array = array(port);
                format!("Box::<{array}>::try_from(Box::<[{kind}]>::from(output_{number})).unwrap()")
            } else {
                format!("*output_{number}.first_chunk().unwrap()")
            });
        }
        self.line(&format!("    {}", tuple(names)));
    }
}
