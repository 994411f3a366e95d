//! Constants of a file.

use bytes::Bytes;
use opml_abi::DataType;
use tract_onnx::pb::{TensorProto, tensor_proto};

use crate::builder::{Builder, Built};
use crate::elements::Elements;
use crate::values::Values;

/// The element type with ONNX's number `code`.
///
/// # Errors
/// ONNX's name of one that no kernel computes with.
pub fn dtype(code: i32) -> Result<DataType, String> {
    let known = u8::try_from(code).ok().and_then(DataType::from_code);
    known.ok_or_else(|| super::type_name(code))
}

/// A constant of the graph. `payload` are its elements if they are not in `tensor`.
///
/// # Errors
/// Elements of a type that no kernel computes with, or of another number than the dimensions say.
pub fn constant(builder: &mut Builder, tensor: &TensorProto, payload: Option<Bytes>) -> Built {
    let shape: Vec<usize> = tensor.dims.iter().map(|&d| d as usize).collect();
    let dtype = dtype(tensor.data_type).map_err(|name| format!("elements of type {name}"))?;
    let elements = match payload {
        Some(bytes) => Elements::F32(Values::in_file(bytes)),
        None if tensor.raw_data.is_empty() => typed(tensor, dtype),
        None => raw(&tensor.raw_data, dtype),
    };
    if elements.len() != crate::builder::elements(&shape)? {
        return Err(format!("{} elements for the shape {shape:?}", elements.len()));
    }
    Ok(builder.constant(&shape, elements))
}

fn typed(tensor: &TensorProto, dtype: DataType) -> Elements {
    debug_assert_eq!(
        tensor.data_type,
        tensor_proto::DataType::try_from(i32::from(dtype.code())).map_or(0, Into::into)
    );
    let small = || tensor.int32_data.iter();
    match dtype {
        DataType::Float32 => Elements::F32(tensor.float_data.clone().into()),
        DataType::Int64 => Elements::I64(tensor.int64_data.clone()),
        DataType::Int32 => Elements::I32(tensor.int32_data.clone()),
        DataType::Int8 => Elements::I8(small().map(|&v| v as i8).collect()),
        DataType::Uint8 => Elements::U8(small().map(|&v| v as u8).collect()),
        DataType::Bool => Elements::Bool(small().map(|&v| u8::from(v != 0)).collect()),
    }
}

fn raw(bytes: &[u8], dtype: DataType) -> Elements {
    let words = || bytes.as_chunks::<4>().0.iter();
    match dtype {
        DataType::Float32 => {
            Elements::F32(words().map(|&word| f32::from_le_bytes(word)).collect::<Vec<f32>>().into())
        }
        DataType::Int64 => {
            Elements::I64(bytes.as_chunks().0.iter().map(|&b| i64::from_le_bytes(b)).collect())
        }
        DataType::Int32 => Elements::I32(words().map(|&word| i32::from_le_bytes(word)).collect()),
        DataType::Int8 => Elements::I8(bytes.iter().map(|&b| b as i8).collect()),
        DataType::Uint8 => Elements::U8(bytes.to_vec()),
        DataType::Bool => Elements::Bool(bytes.iter().map(|&b| u8::from(b != 0)).collect()),
    }
}
