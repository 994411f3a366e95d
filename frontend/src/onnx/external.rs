//! Elements of initializers that lie in files beside the model (onnx.proto, "TensorProto.external_data").

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::{GraphProto, TensorProto};

use super::payload::{self, Field, GRAPH_INITIALIZER, MODEL_GRAPH, Malformed, Payloads};
use crate::error::ImportError;
use crate::model_file::WeightsFile;

/// Field numbers of onnx.proto.
const TENSOR_EXTERNAL_DATA: u64 = 13;
const ENTRY_KEY: u64 = 1;
const ENTRY_VALUE: u64 = 2;

/// The files that initializers of `model` say they lie in, as the model writes them. Found without parsing the model, which copies what is
/// in it; of a file that is no model, some or none.
pub fn locations(model: &[u8]) -> BTreeSet<String> {
    let mut locations = BTreeSet::new();
    let found = each(model, MODEL_GRAPH, &mut |graph| {
        each(graph, GRAPH_INITIALIZER, &mut |tensor| {
            each(tensor, TENSOR_EXTERNAL_DATA, &mut |entry| {
                locations.extend(location(entry)?);
                Ok(())
            })
        })
    });
    match found {
        Ok(()) => locations,
        // The parser says what is wrong with it; no file has to be read for that.
        Err(Malformed) => BTreeSet::new(),
    }
}

/// Calls `f` with each field `number` of `message` that has a length.
fn each(
    message: &[u8],
    number: u64,
    f: &mut dyn FnMut(&[u8]) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut rest = message;
    while !rest.is_empty() {
        let (field, behind) = Field::first(rest)?;
        if (field.number, field.wire) == (number, payload::WITH_LENGTH) {
            f(field.content)?;
        }
        rest = behind;
    }
    Ok(())
}

/// The file that an entry names, if it is the one that names it.
fn location(entry: &[u8]) -> Result<Option<String>, Malformed> {
    let (mut key, mut value) = (Vec::new(), Vec::new());
    // As with any field that is there more than once, the last one counts.
    let keep = |number, last: &mut Vec<u8>| {
        each(entry, number, &mut |bytes| {
            *last = bytes.to_vec();
            Ok(())
        })
    };
    keep(ENTRY_KEY, &mut key)?;
    keep(ENTRY_VALUE, &mut value)?;
    let text = String::from_utf8(value).map_err(|_| Malformed)?;
    Ok((key == b"location").then_some(text))
}

/// Whether a tensor says that its elements are in another file.
pub fn is_external(tensor: &TensorProto) -> bool {
    tensor.data_location == Some(DataLocation::External as i32) || !tensor.external_data.is_empty()
}

/// Brings elements of initializers from `files` to where they would be if they were in the model: large ones of float32 are not copied.
///
/// # Errors
/// A place that is not in its file.
pub fn resolve(
    graph: &mut GraphProto,
    files: &BTreeMap<String, WeightsFile>,
    large: usize,
    payloads: &mut Payloads,
) -> Result<(), ImportError> {
    let malformed = |problem| ImportError::Malformed { problem };
    let there: usize = files.values().map(|file| file.bytes.len()).sum();
    let mut taken = 0usize;
    for (index, tensor) in graph.initializer.iter_mut().enumerate().filter(|(_, t)| is_external(t)) {
        let elements =
            elements(tensor, files).map_err(|problem| malformed(format!("`{}`: {problem}", tensor.name)))?;
        // Or a small file could make weights without end.
        taken = taken.saturating_add(elements.len());
        if taken > there {
            let problem = format!("its weights take more than the {there} bytes in the files beside it");
            return Err(malformed(problem));
        }
        if tensor.data_type == DataType::Float as i32 && elements.len() >= large.max(1) {
            payloads.insert(index, elements);
        } else {
            tensor.raw_data = elements.to_vec();
        }
        tensor.data_location = None;
        tensor.external_data = Vec::new();
    }
    Ok(())
}

/// The bytes of a tensor in the file that it names.
fn elements(tensor: &TensorProto, files: &BTreeMap<String, WeightsFile>) -> Result<Bytes, String> {
    let entry = |key: &str| {
        let entry = tensor.external_data.iter().rfind(|entry| entry.key == key);
        entry.map(|entry| entry.value.as_str())
    };
    let number = |key: &str| {
        let parse = |text: &str| text.parse::<usize>().map_err(|_| format!("its {key} is `{text}`"));
        entry(key).map(parse).transpose()
    };
    let typed = [tensor.float_data.len(), tensor.int32_data.len(), tensor.int64_data.len()];
    if !tensor.raw_data.is_empty() || typed.iter().any(|&len| len > 0) {
        return Err("it has its elements twice, here and in another file".into());
    }
    let location = entry("location").ok_or("it does not say in which file its elements are")?;
    let file = files.get(location);
    let file =
        &file.ok_or_else(|| format!("its elements are in the file `{location}`, which was not read"))?.bytes;
    let start = number("offset")?.unwrap_or(0);
    let end = match number("length")? {
        Some(length) => start.checked_add(length),
        None => Some(file.len()),
    };
    let range = end.filter(|&end| start <= end && end <= file.len()).map(|end| start..end);
    let range = range.ok_or_else(|| {
        let length = entry("length").map_or(String::new(), |length| format!(" for {length} bytes"));
        format!("its elements are at {start}{length} in `{location}`, which has {} bytes", file.len())
    })?;
    Ok(file.slice(range))
}
