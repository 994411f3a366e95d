//! A generated ONNX model of any size: what shows how builds scale. It is written piece by piece, as fast as a disk takes it.

use std::io::{Result, Write};

/// Sides of the square matrices that the model multiplies its vector with, one after the other.
const SIDE: usize = 4096;

/// Bytes of the weights of a layer.
pub const LAYER_BYTES: u64 = (SIDE * SIDE * 4) as u64;

/// Writes a model of `layers` products of a vector of 4,096 numbers with a matrix, with a ReLU behind each. The weights are
/// spread like those of a trained model, around zero, and the same in every file.
///
/// # Errors
/// Those of `out`.
pub fn write(layers: u32, out: &mut impl Write) -> Result<()> {
    let vector = value_info(&[1, SIDE as u64]);
    let mut graph = bytes_field(2, b"large");
    for layer in 0..layers {
        let x = if layer == 0 { "x".to_owned() } else { format!("h{}", layer - 1) };
        graph.extend(node("MatMul", &[&x, &format!("w{layer}")], &format!("p{layer}")));
        let h = if layer + 1 == layers { "y".to_owned() } else { format!("h{layer}") };
        graph.extend(node("Relu", &[&format!("p{layer}")], &h));
    }
    graph.extend(bytes_field(11, &[bytes_field(1, b"x"), vector.clone()].concat()));
    graph.extend(bytes_field(12, &[bytes_field(1, b"y"), vector].concat()));
    let heads: Vec<Vec<u8>> = (0..layers).map(tensor_head).collect();
    let tensor_len = |head: &Vec<u8>| head.len() as u64 + LAYER_BYTES;
    let field_len = |len: u64| 1 + varint(len).len() as u64 + len;
    let graph_len = graph.len() as u64 + heads.iter().map(|head| field_len(tensor_len(head))).sum::<u64>();

    // ModelProto: ir_version 8, opset_import 17, graph.
    out.write_all(&[0x08, 8])?;
    out.write_all(&bytes_field(8, &[0x10, 17]))?;
    out.write_all(&[7 << 3 | 2])?;
    out.write_all(&varint(graph_len))?;
    out.write_all(&graph)?;
    for (layer, head) in heads.iter().enumerate() {
        out.write_all(&[5 << 3 | 2])?;
        out.write_all(&varint(tensor_len(head)))?;
        out.write_all(head)?;
        write_weights(layer as u64, out)?;
    }
    Ok(())
}

/// A TensorProto up to the bytes of its elements.
fn tensor_head(layer: u32) -> Vec<u8> {
    let dim = [&[0x08][..], &varint(SIDE as u64)].concat();
    let name = bytes_field(8, format!("w{layer}").as_bytes());
    // data_type 1 is float32.
    [&dim, &dim, &[0x10, 1][..], &name, &[9 << 3 | 2], &varint(LAYER_BYTES)].concat()
}

fn write_weights(layer: u64, out: &mut impl Write) -> Result<()> {
    let mut row = vec![0; SIDE * 4];
    for index in 0..SIDE as u64 {
        let mut state = layer << 32 | index;
        for weight in row.as_chunks_mut().0 {
            *weight = near_zero(random(&mut state)).to_le_bytes();
        }
        out.write_all(&row)?;
    }
    Ok(())
}

/// The sum of four numbers of 16 bits is nearly normal; scaled so that a product keeps a vector's size.
fn near_zero(bits: u64) -> f32 {
    let sum: i32 = (0..4).map(|part| i32::from((bits >> (16 * part)) as i16)).sum();
    // Not a power of two: a weight uses all bits of its mantissa.
    sum as f32 * 6.5e-7
}

/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn node(op_type: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|name| bytes_field(1, name.as_bytes())).collect();
    let node = [inputs, bytes_field(2, output.as_bytes()), bytes_field(4, op_type.as_bytes())].concat();
    bytes_field(1, &node)
}

/// The type of a float32 tensor of this shape, as field 2 of a ValueInfoProto.
fn value_info(shape: &[u64]) -> Vec<u8> {
    let dims = shape.iter().flat_map(|&dim| bytes_field(1, &[&[0x08][..], &varint(dim)].concat()));
    let tensor = [vec![0x08, 1], bytes_field(2, &dims.collect::<Vec<_>>())].concat();
    bytes_field(2, &bytes_field(1, &tensor))
}

/// A field of protobuf's wire format that has a length.
fn bytes_field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2][..], &varint(bytes.len() as u64), bytes].concat()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
