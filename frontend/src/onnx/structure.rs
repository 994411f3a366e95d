//! Checks of a parsed model's structure, before any of it is trusted.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, TensorProto};

use super::external::is_external;
use super::ops;
use super::payload::Payloads;
use crate::error::ImportError;

/// Largest number of elements a tensor of a model may have: what fits the address space as float32.
const MAX_ELEMENTS: u64 = 1 << 30;

/// Elements that are looked through together.
const PIECE: usize = 1 << 14;

fn malformed(problem: String) -> ImportError {
    ImportError::Malformed { problem }
}

/// Checks names, order and initializers of `graph`. Gives an order of its nodes in which each comes
/// behind those that make its inputs.
///
/// `payloads` has elements of initializers that are not in `graph`.
pub fn check(graph: &GraphProto, payloads: &Payloads) -> Result<Vec<usize>, ImportError> {
    if graph.output.is_empty() {
        return Err(malformed("the graph has no output".into()));
    }
    if !graph.sparse_initializer.is_empty() {
        return Err(malformed("sparse initializers are not supported".into()));
    }
    check_tensors(graph, payloads)?;
    check_names(graph)?;
    execution_order(graph)
}

/// The constants of a graph, and of the graphs inside it.
fn check_tensors(graph: &GraphProto, payloads: &Payloads) -> Result<(), ImportError> {
    for (index, tensor) in graph.initializer.iter().enumerate() {
        let raw = payloads.get(&index).map_or(&tensor.raw_data[..], |payload| payload);
        check_tensor(&tensor.name, tensor, raw)?;
        check_numbers(&tensor.name, tensor, raw)?;
    }
    for node in &graph.node {
        let name = ops::name(node);
        for attribute in &node.attribute {
            if let Some(tensor) = &attribute.t {
                check_tensor(&name, tensor, &tensor.raw_data)?;
                // In other nodes NaN may be a mark, as between the lists of a tree's members.
                if node.op_type == "Constant" {
                    check_numbers(&name, tensor, &tensor.raw_data)?;
                }
            }
            if let Some(inner) = &attribute.g {
                check_tensors(inner, &Payloads::new())?;
            }
        }
    }
    Ok(())
}

/// Every name is made once, and every name that is read is made.
fn check_names(graph: &GraphProto) -> Result<(), ImportError> {
    let mut made = BTreeSet::new();
    let mut make = |name: &str| {
        if made.insert(name.to_owned()) {
            Ok(())
        } else {
            Err(malformed(format!("two values are named `{name}`")))
        }
    };
    let initializers: BTreeSet<_> = graph.initializer.iter().map(|t| t.name.as_str()).collect();
    graph.initializer.iter().try_for_each(|t| make(&t.name))?;
    // Before IR version 4 each initializer stood among the inputs too.
    graph.input.iter().filter(|i| !initializers.contains(i.name.as_str())).try_for_each(|i| make(&i.name))?;
    for node in &graph.node {
        node.output.iter().filter(|o| !o.is_empty()).try_for_each(|o| make(o))?;
    }
    for node in &graph.node {
        if let Some(name) = node.input.iter().find(|i| !i.is_empty() && !made.contains(*i)) {
            let node = ops::name(node);
            return Err(malformed(format!("node `{node}` reads `{name}`, which nothing makes")));
        }
    }
    match graph.output.iter().find(|o| !made.contains(&o.name)) {
        Some(output) => Err(malformed(format!("nothing makes the output `{}`", output.name))),
        None => Ok(()),
    }
}

/// An order in which the nodes can run: no node waits for its own output.
pub fn execution_order(graph: &GraphProto) -> Result<Vec<usize>, ImportError> {
    let mut makers = BTreeMap::new();
    for (index, node) in graph.node.iter().enumerate() {
        makers.extend(node.output.iter().filter(|o| !o.is_empty()).map(|o| (o.as_str(), index)));
    }
    let mut waiting = vec![0usize; graph.node.len()];
    let mut readers = vec![Vec::new(); graph.node.len()];
    for (index, node) in graph.node.iter().enumerate() {
        for maker in node.input.iter().filter_map(|i| makers.get(i.as_str())) {
            readers[*maker].push(index);
            waiting[index] += 1;
        }
    }
    let mut ready: Vec<_> = (0..waiting.len()).filter(|&i| waiting[i] == 0).collect();
    let mut order = Vec::with_capacity(graph.node.len());
    while let Some(index) = ready.pop() {
        order.push(index);
        for &reader in &readers[index] {
            waiting[reader] -= 1;
            if waiting[reader] == 0 {
                ready.push(reader);
            }
        }
    }
    match waiting.iter().position(|&w| w > 0) {
        Some(index) => {
            let node = ops::name(&graph.node[index]);
            Err(malformed(format!("the graph has a cycle: node `{node}` waits for its own output")))
        }
        None => Ok(order),
    }
}

/// The payload of an initializer, or of the node `name` that stands for one, is there, and as long as
/// its dimensions say. `raw` are its elements, if they are not in a typed field.
fn check_tensor(name: &str, tensor: &TensorProto, raw: &[u8]) -> Result<(), ImportError> {
    if is_external(tensor) {
        let problem = format!(
            "the elements of `{name}` are in another file, where only those of initializers may be: save the model as one file"
        );
        return Err(malformed(problem));
    }
    // Where a dimension of 0 leaves no elements, too: strides are products of the others.
    let most = tensor.dims.iter().try_fold(1u64, |n, &d| {
        let d = u64::try_from(d).map_err(|_| malformed(format!("`{name}` has the dimension {d}")))?;
        n.checked_mul(d.max(1)).filter(|&n| n <= MAX_ELEMENTS).ok_or_else(|| {
            malformed(format!("`{name}` has {:?} elements, more than {MAX_ELEMENTS}", tensor.dims))
        })
    })?;
    let elements = if tensor.dims.contains(&0) { 0 } else { most };
    let dtype = DataType::try_from(tensor.data_type)
        .map_err(|_| malformed(format!("`{name}` has the unknown element type {}", tensor.data_type)))?;
    // (elements in the typed field, bytes an element takes in the raw one)
    let (typed, size) = match dtype {
        DataType::Float => (tensor.float_data.len(), 4),
        DataType::Int64 => (tensor.int64_data.len(), 8),
        DataType::Int32 => (tensor.int32_data.len(), 4),
        DataType::Int8 | DataType::Uint8 | DataType::Bool => (tensor.int32_data.len(), 1),
        _ => {
            let dtype = dtype.as_str_name().to_lowercase();
            return Err(ImportError::ElementType { tensor: name.to_owned(), dtype });
        }
    };
    let (found, expected, unit) = if raw.is_empty() {
        (typed as u64, elements, "elements")
    } else {
        (raw.len() as u64, elements * size, "bytes")
    };
    if found != expected {
        return Err(malformed(format!("`{name}` has {found} {unit} of data; its dimensions say {expected}")));
    }
    Ok(())
}

fn check_numbers(name: &str, tensor: &TensorProto, raw: &[u8]) -> Result<(), ImportError> {
    if tensor.data_type != DataType::Float as i32 {
        return Ok(());
    }
    let first = |values: &mut dyn Iterator<Item = f32>| values.enumerate().find(|(_, v)| v.is_nan());
    let in_piece = |(piece, words): (usize, &[[u8; 4]])| {
        // Looked through before it is looked at: the first goes by vector units.
        let numbers = words.iter().fold(true, |all, &word| all & !f32::from_le_bytes(word).is_nan());
        let found = || first(&mut words.iter().map(|&word| f32::from_le_bytes(word)));
        (!numbers).then(found)?.map(|(index, value)| (piece * PIECE + index, value))
    };
    let in_raw = || raw.as_chunks().0.par_chunks(PIECE).enumerate().find_map_first(in_piece);
    match first(&mut tensor.float_data.iter().copied()).or_else(in_raw) {
        Some((index, value)) => Err(ImportError::NotFinite { tensor: name.to_owned(), index, value }),
        None => Ok(()),
    }
}
