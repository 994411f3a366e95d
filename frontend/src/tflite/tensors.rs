//! Tensors of a TFLite file: types, dimensions, quantisation, constants.

use bytes::Bytes;
use half::f16;
use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::DataType;
use tract_tflite::tflite::{Tensor, TensorType};

/// Where the floats of a tensor of integers come from: the integers, less their zero point, times a scale; one of either for all or one
/// for each index of an axis.
#[derive(Clone, PartialEq, Debug)]
pub struct Quantisation {
    pub scale: Vec<f32>,
    /// None, or as many as there are scales.
    pub zero: Vec<i64>,
    pub axis: usize,
}

/// ONNX's number of an element type.
///
/// # Errors
/// One that no kernel computes with.
pub fn dtype(of: TensorType) -> Result<DataType, String> {
    Ok(match of {
        // Weights only: they are widened when they are read.
        TensorType::FLOAT32 | TensorType::FLOAT16 => DataType::Float,
        TensorType::INT64 => DataType::Int64,
        TensorType::INT32 => DataType::Int32,
        TensorType::INT8 => DataType::Int8,
        TensorType::UINT8 => DataType::Uint8,
        TensorType::BOOL => DataType::Bool,
        other => {
            let name = other.variant_name().map_or_else(|| format!("number {}", other.0), str::to_lowercase);
            return Err(format!("a tensor of the element type {name}"));
        }
    })
}

/// The dimensions that the file says a tensor has.
///
/// # Errors
/// Negative ones.
pub fn shape(tensor: &Tensor<'_>) -> Result<Vec<usize>, String> {
    let dims = tensor.shape();
    let dims = dims.iter().flatten().map(|d| usize::try_from(d).map_err(|_| d));
    dims.collect::<Result<_, _>>().map_err(|d| format!("a tensor with the dimension {d}"))
}

/// How a tensor is quantised, if it is.
///
/// # Errors
/// Scales that do not fit each other or the tensor.
pub fn quantisation(tensor: &Tensor<'_>) -> Result<Option<Quantisation>, String> {
    let integer = matches!(tensor.type_(), TensorType::INT8 | TensorType::UINT8 | TensorType::INT32);
    let Some(parameters) = tensor.quantization().filter(|_| integer) else { return Ok(None) };
    let scale: Vec<f32> = parameters.scale().iter().flatten().collect();
    if scale.is_empty() {
        return Ok(None);
    }
    let zero: Vec<i64> = parameters.zero_point().iter().flatten().collect();
    let axis = usize::try_from(parameters.quantized_dimension()).unwrap_or(usize::MAX);
    let shape = shape(tensor)?;
    let fits = scale.len() == 1 || shape.get(axis) == Some(&scale.len());
    if !fits || !(zero.is_empty() || zero.len() == scale.len()) {
        let (scales, zeros) = (scale.len(), zero.len());
        return Err(format!(
            "a tensor of the shape {shape:?} with {scales} scales and {zeros} zero points along axis {axis}"
        ));
    }
    if let Some(wrong) = scale.iter().find(|scale| !(scale.is_finite() && **scale > 0.0)) {
        return Err(format!("a tensor with the scale {wrong}"));
    }
    let range = match tensor.type_() {
        TensorType::INT8 => -128..=127,
        TensorType::UINT8 => 0..=255,
        // Sums have the zero point 0.
        _ => 0..=0,
    };
    if let Some(wrong) = zero.iter().find(|zero| !range.contains(*zero)) {
        return Err(format!("a tensor with the zero point {wrong}"));
    }
    Ok(Some(Quantisation { scale, zero, axis: if shape.get(axis).is_some() { axis } else { 0 } }))
}

/// A constant named `name` with the elements `data`; those of float32 that take at least `large` bytes of the file are given beside it.
///
/// # Errors
/// An element type that no kernel computes with.
pub fn constant(
    name: &str,
    tensor: &Tensor<'_>,
    data: &[u8],
    file: &Bytes,
    large: usize,
) -> Result<(TensorProto, Option<Bytes>), String> {
    let mut proto = TensorProto {
        name: name.to_owned(),
        dims: shape(tensor)?.iter().map(|&d| d as i64).collect(),
        data_type: dtype(tensor.type_())?.into(),
        ..TensorProto::default()
    };
    match tensor.type_() {
        TensorType::FLOAT16 => {
            let halves = data.as_chunks::<2>().0.iter().map(|&bytes| f16::from_le_bytes(bytes).to_f32());
            proto.float_data = halves.collect();
        }
        TensorType::FLOAT32 if !data.is_empty() && data.len() >= large => {
            return Ok((proto, Some(file.slice_ref(data))));
        }
        _ => proto.raw_data = data.to_vec(),
    }
    Ok((proto, None))
}
