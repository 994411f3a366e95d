//! Large weights are taken out of a file before it is parsed: the parser would copy them, and so would whoever reads its result.
//!
//! What is left is the same message without the bytes of these weights, so the parser's own checks hold for the rest. Only the
//! wire format is read here (protobuf's encoding guide); a file that does not keep to it stays whole, for the parser to say why.

use std::collections::BTreeMap;

use bytes::Bytes;
use tract_onnx::pb::tensor_proto::DataType;

/// Field numbers of onnx.proto.
pub const MODEL_GRAPH: u64 = 7;
pub const GRAPH_INITIALIZER: u64 = 5;
const TENSOR_DATA_TYPE: u64 = 2;
const TENSOR_RAW_DATA: u64 = 9;
/// Typed elements, and what says that elements lie in another file.
const TENSOR_OTHER_DATA: [u64; 8] = [4, 5, 6, 7, 10, 11, 13, 14];

/// The wire type of what has a length, and that of a number.
pub const WITH_LENGTH: u64 = 2;
const NUMBER: u64 = 0;

/// Elements of initializers, by the initializer's number in the graph.
pub type Payloads = BTreeMap<usize, Bytes>;

/// What takes the place of a field, if anything does.
type Replacement = Result<Option<Vec<u8>>, Malformed>;

/// A tensor's fields but for its elements, and these.
type Split<'a> = (Vec<u8>, &'a [u8]);

/// The bytes are no message, or have groups, which no ONNX file has.
pub struct Malformed;

/// `file` without the elements of float32 initializers of at least `large` bytes, and these.
pub fn take(file: &Bytes, large: usize) -> (Bytes, Payloads) {
    let mut payloads = Payloads::new();
    let mut number = 0;
    let slim = rewrite(file, MODEL_GRAPH, &mut |graph| {
        let slim = rewrite(graph, GRAPH_INITIALIZER, &mut |tensor| {
            number += 1;
            let Some((rest, elements)) = split(tensor, large)? else { return Ok(None) };
            payloads.insert(number - 1, file.slice_ref(elements));
            Ok(Some(rest))
        })?;
        Ok(Some(slim))
    });
    match slim {
        Ok(slim) if !payloads.is_empty() => (slim.into(), payloads),
        _ => (file.clone(), Payloads::new()),
    }
}

/// `message` with what `replace` makes of the fields `number`; a field of which it makes nothing stays.
fn rewrite(
    message: &[u8],
    number: u64,
    replace: &mut dyn FnMut(&[u8]) -> Replacement,
) -> Result<Vec<u8>, Malformed> {
    let mut out = Vec::new();
    let mut rest = message;
    while !rest.is_empty() {
        let (field, behind) = Field::first(rest)?;
        let replaced =
            if (field.number, field.wire) == (number, WITH_LENGTH) { replace(field.content)? } else { None };
        match replaced {
            Some(content) => {
                push_varint(&mut out, number << 3 | WITH_LENGTH);
                push_varint(&mut out, content.len() as u64);
                out.extend(content);
            }
            None => out.extend_from_slice(&rest[..rest.len() - behind.len()]),
        }
        rest = behind;
    }
    Ok(out)
}

/// A tensor without its elements, and these, if it is a float32 tensor of at least `large` bytes and has them in one place.
fn split(tensor: &[u8], large: usize) -> Result<Option<Split<'_>>, Malformed> {
    let (mut others, mut elements, mut is_float) = (Vec::new(), None, false);
    let mut rest = tensor;
    while !rest.is_empty() {
        let (field, behind) = Field::first(rest)?;
        if (field.number, field.wire) == (TENSOR_RAW_DATA, WITH_LENGTH) {
            if elements.replace(field.content).is_some() {
                return Ok(None);
            }
        } else {
            others.extend_from_slice(&rest[..rest.len() - behind.len()]);
        }
        if (field.number, field.wire) == (TENSOR_DATA_TYPE, NUMBER) {
            is_float = field.content == [DataType::Float as u8];
        }
        if TENSOR_OTHER_DATA.contains(&field.number) {
            return Ok(None);
        }
        rest = behind;
    }
    Ok(elements
        .filter(|elements| is_float && elements.len() >= large.max(1))
        .map(|elements| (others, elements)))
}

/// A field of a message.
pub struct Field<'a> {
    /// Its number in onnx.proto.
    pub number: u64,
    /// How it is written.
    pub wire: u64,
    /// Its bytes without key and length.
    pub content: &'a [u8],
}

impl<'a> Field<'a> {
    /// The first field of `message`, and what is behind it.
    pub fn first(message: &'a [u8]) -> Result<(Self, &'a [u8]), Malformed> {
        let (key, rest) = varint(message)?;
        let (len, rest) = match key & 7 {
            NUMBER => (varint(rest)?.1.len().abs_diff(rest.len()), rest),
            1 => (8, rest),
            WITH_LENGTH => {
                let (len, rest) = varint(rest)?;
                (usize::try_from(len).map_err(|_| Malformed)?, rest)
            }
            5 => (4, rest),
            _ => return Err(Malformed),
        };
        let (content, behind) = rest.split_at_checked(len).ok_or(Malformed)?;
        Ok((Self { number: key >> 3, wire: key & 7, content }, behind))
    }
}

/// The number that `bytes` begin with, and what is behind it.
fn varint(bytes: &[u8]) -> Result<(u64, &[u8]), Malformed> {
    let mut number = 0;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Ok((number, &bytes[index + 1..]));
        }
    }
    Err(Malformed)
}

fn push_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use tract_onnx::pb::{GraphProto, ModelProto, TensorProto};

    use super::*;

    fn tensor(name: &str, elements: &[f32]) -> TensorProto {
        TensorProto {
            name: name.into(),
            dims: vec![elements.len() as i64],
            data_type: DataType::Float as i32,
            raw_data: elements.iter().flat_map(|value| value.to_le_bytes()).collect(),
            ..TensorProto::default()
        }
    }

    fn model() -> ModelProto {
        let typed = TensorProto { raw_data: Vec::new(), float_data: vec![1.0; 9], ..tensor("typed", &[]) };
        let integers = TensorProto { data_type: DataType::Int32 as i32, ..tensor("integers", &[2.0; 9]) };
        let external = TensorProto { data_location: Some(1), ..tensor("external", &[3.0; 9]) };
        let graph = GraphProto {
            name: "a graph".into(),
            initializer: vec![
                tensor("small", &[1.0]),
                tensor("a", &[4.0; 8]),
                typed,
                integers,
                external,
                tensor("b", &[5.0; 9]),
            ],
            ..GraphProto::default()
        };
        ModelProto { ir_version: 8, graph: Some(graph), producer_name: "us".into(), ..ModelProto::default() }
    }

    /// Putting the elements back where they were gives the message that the parser makes of the whole file.
    #[test]
    fn large_weights_are_taken_and_nothing_else() {
        let file: Bytes = model().encode_to_vec().into();
        let (slim, payloads) = take(&file, 32);
        assert_eq!(payloads.keys().copied().collect::<Vec<_>>(), [1, 5]);
        assert!(
            payloads.values().all(|payload| file.as_ptr_range().contains(&payload.as_ptr())),
            "not copied"
        );
        let mut parsed = ModelProto::decode(slim).unwrap();
        for (index, payload) in payloads {
            let tensor = &mut parsed.graph.as_mut().unwrap().initializer[index];
            assert!(tensor.raw_data.is_empty(), "{}", tensor.name);
            tensor.raw_data = payload.to_vec();
        }
        assert_eq!(parsed, model());
    }

    /// Cut or changed anywhere, a file parses as the whole of it does, or not at all.
    #[test]
    fn a_damaged_file_is_left_to_the_parser() {
        let file = model().encode_to_vec();
        let restored = |bytes: &[u8]| {
            let (slim, payloads) = take(&Bytes::copy_from_slice(bytes), 32);
            let mut parsed = ModelProto::decode(slim).ok()?;
            for (index, payload) in payloads {
                parsed.graph.as_mut()?.initializer[index].raw_data = payload.to_vec();
            }
            Some(parsed)
        };
        for at in 0..file.len() {
            assert_eq!(restored(&file[..at]), ModelProto::decode(&file[..at]).ok(), "cut at {at}");
            for bit in 0..8 {
                let mut changed = file.clone();
                changed[at] ^= 1 << bit;
                let (ours, theirs) = (restored(&changed), ModelProto::decode(&*changed).ok());
                // NaN is not equal to itself.
                assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "bit {bit} of {at}");
            }
        }
    }
}
