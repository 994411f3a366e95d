//! A node as the lowering of its operator sees it.

use opml_abi::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

use super::scope::Scope;
use super::tensors;
use crate::builder::{Builder, Built, Value};

/// A node, its operands, and where what it becomes goes.
pub struct Call<'a> {
    /// Takes the calls.
    pub b: &'a mut Builder,
    node: &'a NodeProto,
    inputs: Vec<Option<Value>>,
    scope: &'a Scope<'a>,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        b: &'a mut Builder,
        node: &'a NodeProto,
        inputs: Vec<Option<Value>>,
        scope: &'a Scope<'a>,
    ) -> Self {
        Self { b, node, inputs, scope }
    }

    /// The operator's name.
    pub fn op_type(&self) -> &str {
        &self.node.op_type
    }

    /// Whether this node is the only one that reads an operand.
    pub fn fusible_at(&self, index: usize) -> bool {
        self.node.input.get(index).is_some_and(|name| self.scope.is_read_once(name))
    }

    /// Version of the default operator set.
    pub fn opset(&self) -> i64 {
        self.scope.opset
    }

    /// Number of operands, absent ones in between included.
    pub fn input_count(&self) -> usize {
        self.inputs.len()
    }

    /// Number of results that are asked for, absent ones in between included.
    pub fn output_count(&self) -> usize {
        self.node.output.len()
    }

    /// Whether somebody asks for a result.
    pub fn wants(&self, index: usize) -> bool {
        self.node.output.get(index).is_some_and(|name| !name.is_empty())
    }

    /// An operand that has to be there.
    ///
    /// # Errors
    /// If it is not.
    pub fn input(&self, index: usize) -> Built {
        self.optional(index).ok_or_else(|| format!("its operand {index} is missing"))
    }

    /// An operand that may be absent.
    pub fn optional(&self, index: usize) -> Option<Value> {
        self.inputs.get(index).cloned().flatten()
    }

    /// All operands.
    ///
    /// # Errors
    /// If one is absent, or there is none.
    pub fn all_inputs(&self) -> Built<Vec<Value>> {
        if self.inputs.is_empty() {
            return Err("it has no operands".into());
        }
        (0..self.inputs.len()).map(|index| self.input(index)).collect()
    }

    /// The integers of an operand that has to be known now.
    ///
    /// # Errors
    /// If it is missing, or depends on the input.
    pub fn known(&self, index: usize, name: &str) -> Built<Vec<i64>> {
        let value = self.input(index)?;
        self.b.as_integers(&value).ok_or_else(|| unknown(name))
    }

    /// The same of one that may be absent.
    ///
    /// # Errors
    /// If it depends on the input.
    pub fn known_or_absent(&self, index: usize, name: &str) -> Built<Option<Vec<i64>>> {
        if self.optional(index).is_some() { self.known(index, name).map(Some) } else { Ok(None) }
    }

    /// The floats of an operand that has to be known now, nothing if it is absent.
    ///
    /// # Errors
    /// If it depends on the input.
    pub fn known_floats(&self, index: usize, name: &str) -> Built<Option<Vec<f32>>> {
        let Some(value) = self.optional(index) else { return Ok(None) };
        self.b.as_floats(&value).ok_or_else(|| unknown(name)).map(Some)
    }

    /// An attribute.
    pub fn attribute(&self, name: &str) -> Option<&'a AttributeProto> {
        self.node.attribute.iter().find(|attribute| attribute.name == name)
    }

    /// An integer attribute.
    pub fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).map_or(default, |attribute| attribute.i)
    }

    /// A flag.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.int(name, default.into()) != 0
    }

    /// A float attribute.
    pub fn float(&self, name: &str, default: f32) -> f32 {
        self.attribute(name).map_or(default, |attribute| attribute.f)
    }

    /// A list of integers.
    pub fn ints(&self, name: &str) -> Option<Vec<i64>> {
        self.attribute(name).map(|attribute| attribute.ints.clone())
    }

    /// A list of floats.
    pub fn floats(&self, name: &str) -> Option<Vec<f32>> {
        self.attribute(name).map(|attribute| attribute.floats.clone())
    }

    /// A text attribute.
    pub fn text(&self, name: &str, default: &str) -> String {
        let text = self.attribute(name).map(|attribute| String::from_utf8_lossy(&attribute.s).into_owned());
        text.unwrap_or_else(|| default.to_owned())
    }

    /// A list of texts.
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        let texts = |attribute: &AttributeProto| {
            attribute.strings.iter().map(|s| String::from_utf8_lossy(s).into_owned()).collect()
        };
        self.attribute(name).map(texts)
    }

    /// A tensor attribute.
    pub fn tensor(&self, name: &str) -> Option<&'a TensorProto> {
        self.attribute(name)?.t.as_ref()
    }

    /// A tensor attribute as a constant.
    ///
    /// # Errors
    /// If it is missing, or of a type that no kernel computes with.
    pub fn constant(&mut self, name: &str) -> Built {
        let tensor = self.tensor(name).ok_or_else(|| format!("its attribute `{name}` is missing"))?;
        tensors::constant(self.b, tensor, None)
    }

    /// An attribute that names an element type.
    ///
    /// # Errors
    /// One that no kernel computes with.
    pub fn dtype(&self, name: &str, default: DataType) -> Built<DataType> {
        match self.attribute(name) {
            None => Ok(default),
            Some(attribute) => {
                let code = i32::try_from(attribute.i).unwrap_or(0);
                tensors::dtype(code).map_err(|name| format!("a result of {name} elements"))
            }
        }
    }

    /// A graph attribute.
    ///
    /// # Errors
    /// If it is missing.
    pub fn graph(&self, name: &str) -> Built<&'a GraphProto> {
        self.attribute(name)
            .and_then(|a| a.g.as_ref())
            .ok_or_else(|| format!("its graph `{name}` is missing"))
    }

    /// Lowers a graph attribute, with `inputs` for its inputs. Gives its outputs.
    ///
    /// # Errors
    /// A graph that cannot be.
    pub fn run_graph(&mut self, graph: &GraphProto, inputs: &[Value]) -> Built<Vec<Value>> {
        self.scope.subgraph(self.b, graph, inputs)
    }
}

fn unknown(name: &str) -> String {
    format!("its operand `{name}` has to be known when the model is compiled; it depends on the input")
}
